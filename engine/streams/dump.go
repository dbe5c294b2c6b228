package streams

import (
	"encoding/binary"

	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/lzf"
	"larder/protocol/encoding/rdb"
)

// What the first field of an entry in a listpack of Redis says.
const (
	flagDeleted    = 1
	flagSameFields = 2
)

// AppendRDB appends the stream as the value of rdb.TypeStream2: listpacks of the blocks, counters, groups (Redis 7.0 rdb.c).
func (s Stream) AppendRDB(dst []byte, z *lzf.Compressor) []byte {
	blocks, _ := s.Blocks()
	dst = rdb.AppendLength(dst, uint64(blocks))
	c := s.index.At(0)
	var pack listpack.List
	b, ok := s.blockAt(&c)
	for ok {
		c.Next()
		next, more := s.blockAt(&c)
		to := MaxID
		if more {
			to, _ = next.first.Prev()
		}
		pack = s.appendPack(pack, &b, to)
		dst = b.first.appendSorted(rdb.AppendLength(dst, idBytes))
		dst = rdb.AppendString(dst, pack, z)
		b, ok = next, more
	}
	m := s.meta
	first := s.FirstID()
	for _, n := range [...]uint64{uint64(s.Len()), m.lastID.MS, m.lastID.Seq, first.MS, first.Seq, m.maxDeleted.MS, m.maxDeleted.Seq, m.entriesAdded, uint64(len(m.groups))} {
		dst = rdb.AppendLength(dst, n)
	}
	for _, g := range m.groups {
		dst = s.appendGroup(dst, g)
	}
	return dst
}

// appendPack makes a block's listpack in the space of an old one.
func (s Stream) appendPack(old listpack.List, b *block, to ID) listpack.List {
	r := s.Range(b.first, to, false, 0)
	l := listpack.New(old)
	e, _ := r.Next()
	l = l.AppendInt(int64(r.Len() + 1)).AppendInt(0).AppendInt(int64(e.Len()))
	var names [][]byte
	head := e
	for head.Len() > 0 {
		name, _ := head.Next()
		names = append(names, name)
		l = l.Append(name)
	}
	l = l.AppendInt(0)
	for ok := true; ok; e, ok = r.Next() {
		l = appendPacked(l, e, b.first, names)
	}
	return l
}

func appendPacked(l listpack.List, e Entry, master ID, names [][]byte) listpack.List {
	same := e.Len() == len(names)
	i, head := 0, e
	for ; same && head.Len() > 0; i++ {
		name, _ := head.Next()
		same = string(name) == string(names[i])
	}
	pairs := int64(e.Len())
	flags := int64(0)
	if same {
		flags = flagSameFields
	}
	l = l.AppendInt(flags).AppendInt(int64(e.ID.MS - master.MS)).AppendInt(int64(e.ID.Seq - master.Seq))
	if !same {
		l = l.AppendInt(pairs)
	}
	for e.Len() > 0 {
		name, value := e.Next()
		if !same {
			l = l.Append(name)
		}
		l = l.Append(value)
	}
	if same {
		return l.AppendInt(pairs + 3)
	}
	return l.AppendInt(2*pairs + 4)
}

func (s Stream) appendGroup(dst []byte, g *Group) []byte {
	dst = appendName(dst, g.Name)
	for _, n := range [...]uint64{g.LastID.MS, g.LastID.Seq, uint64(g.EntriesRead), uint64(g.pending)} {
		dst = rdb.AppendLength(dst, n)
	}
	w := s.WalkPending(g, nil, ID{})
	for p, ok := w.Next(); ok; p, ok = w.Next() {
		dst = p.ID.appendSorted(dst)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(p.DeliveredMS))
		dst = rdb.AppendLength(dst, p.Count)
	}
	dst = rdb.AppendLength(dst, uint64(len(g.byName)))
	for _, c := range g.byName {
		dst = appendName(dst, c.Name)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(c.SeenMS))
		dst = rdb.AppendLength(dst, uint64(c.pending))
		own, _ := s.find(c.owner, ID{})
		for id, ok := owned(&own, c.owner); ok; id, ok = owned(&own, c.owner) {
			dst = id.appendSorted(dst)
			own.Next()
		}
	}
	return dst
}

func appendName(dst []byte, name string) []byte {
	return rdb.AppendString(dst, []byte(name), nil)
}
