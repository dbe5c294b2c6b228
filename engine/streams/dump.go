package streams

import (
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
)

// What the first field of an entry in a listpack of Redis says.
const (
	flagDeleted    = 1
	flagSameFields = 2
)

// Write writes the value of the stream: listpacks of the blocks, counters, groups (Redis 7.0 rdb.c).
func (s Stream) Write(p *rdb.Pen) {
	p.Begin(rdb.TypeStream2)
	end, _ := s.find(blocksOwner+1, ID{})
	p.Length(uint64(end.Rank()))
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
		p.Out = b.first.appendSorted(rdb.AppendLength(p.Out, idBytes))
		p.String(pack)
		if !p.Rest() {
			return
		}
		b, ok = next, more
	}
	m := s.meta
	first := s.FirstID()
	for _, n := range [...]uint64{uint64(s.Len()), m.lastID.MS, m.lastID.Seq, first.MS, first.Seq, m.maxDeleted.MS, m.maxDeleted.Seq, m.entriesAdded, uint64(len(m.groups))} {
		p.Length(n)
	}
	for _, g := range m.groups {
		s.writeGroup(p, g)
	}
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

func (s Stream) writeGroup(p *rdb.Pen, g *Group) {
	writeName(p, g.Name)
	for _, n := range [...]uint64{g.LastID.MS, g.LastID.Seq, uint64(g.EntriesRead), uint64(g.pending)} {
		p.Length(n)
	}
	w := s.WalkPending(g, nil, ID{})
	for e, ok := w.Next(); ok; e, ok = w.Next() {
		p.Out = e.ID.appendSorted(p.Out)
		p.Uint64(uint64(e.DeliveredMS))
		p.Length(e.Count)
		if !p.Rest() {
			return
		}
	}
	p.Length(uint64(len(g.byName)))
	for _, c := range g.byName {
		writeName(p, c.Name)
		p.Uint64(uint64(c.SeenMS))
		p.Length(uint64(c.pending))
		own, _ := s.find(c.owner, ID{})
		for id, ok := owned(&own, c.owner); ok; id, ok = owned(&own, c.owner) {
			p.Out = id.appendSorted(p.Out)
			own.Next()
			if !p.Rest() {
				return
			}
		}
		if !p.Rest() {
			return
		}
	}
}

func writeName(p *rdb.Pen, name string) { p.Out = rdb.AppendString(p.Out, []byte(name), nil) }
