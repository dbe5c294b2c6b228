package lists

import (
	"larder/engine/store"
	"larder/engine/store/tree"
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
	"larder/protocol/encoding/ziplist"
)

// plainMin is the length from which an element of a list that is written in pieces is a node of its own, not in a listpack: so it is not copied as a whole.
const plainMin = 1 << 20

// Write writes the value of a list as Redis 7.0 and 7.2 do: nodes that are listpacks, filled as the limits say. A big one is gone over twice: the number of
// its nodes comes first.
func (l *List) Write(p *rdb.Pen, limits Limits) {
	p.Begin(rdb.TypeListQuicklist2)
	if l.tree == nil {
		p.Length(1)
		p.Length(rdb.NodePacked)
		p.String(l.pack)
		return
	}
	nodes := 0
	l.nodes(limits, p.Rest, func(*Walk, int) { nodes++ })
	split := nodes == 1 && l.Len() > 1 // a reader makes one node a small list, which this one is not
	if split {
		nodes++
	}
	p.Length(uint64(nodes))
	var pack listpack.List
	write := func(w *Walk, n int) {
		x, _ := w.Next()
		if n == 1 && p.Pause != nil && len(x.Text) > plainMin {
			p.Length(rdb.NodePlain)
			p.String(x.Text)
			return
		}
		pack = listpack.New(pack[:0]).Append(x.Text)
		for range n - 1 {
			x, _ = w.Next()
			pack = pack.Append(x.Text)
		}
		p.Length(rdb.NodePacked)
		p.String(pack)
	}
	if !split {
		l.nodes(limits, p.Rest, write)
		return
	}
	w, n := l.From(0, false), l.Len()
	write(&w, n/2)
	write(&w, n-n/2)
}

// nodes cuts a big list into nodes: emit gets a walk that stands at a node's first element, and the number of its elements; rest is called with each element, and
// ends it with false.
func (l *List) nodes(limits Limits, rest func() bool, emit func(w *Walk, n int)) {
	bytes, count := limits.bounds()
	const overhead = 8 // bytes that Redis allows for an element's head
	w := l.From(0, false)
	start, n, size := w, 0, packHead
	for {
		before := w
		x, ok := w.Next()
		if n > 0 && (!ok || size+len(x.Text)+overhead > bytes || n >= count) {
			emit(&start, n)
			start, n, size = before, 0, packHead
		}
		if !ok || !rest() {
			return
		}
		n++
		size += listpack.Size(x.Text)
	}
}

// Nodes tells what Redis's quicklist of a list would be: how many nodes, and the bytes of their listpacks. A small list is one.
func (l *List) Nodes(limits Limits) (nodes, bytes int) {
	if l.tree == nil {
		return 1, len(l.pack)
	}
	l.nodes(limits, func() bool { return true }, func(w *Walk, n int) {
		nodes++
		bytes += packHead
		for range n {
			x, _ := w.Next()
			bytes += listpack.Size(x.Text)
		}
	})
	return nodes, bytes
}

// Load makes key the list that bytes of that type stand for, if they are one whole list that is not empty; else it changes nothing and answers false.
func Load(db *store.DB, key []byte, t rdb.Type, value []byte, limits Limits, expiryMS, now int64) bool {
	bytes, count := packHead, 0
	right := read(t, value, func(x Element) {
		if x.Text != nil {
			bytes += listpack.Size(x.Text)
		} else {
			bytes += listpack.SizeInt(x.Int)
		}
		count++
	})
	if !right || count == 0 {
		return false
	}
	bytesMax, countMax := limits.bounds()
	if !parted(t, value) && bytes <= min(bytesMax, blobBytes) && count <= countMax {
		pack := listpack.New(nil)
		read(t, value, func(x Element) { pack = pack.AppendEntry(x) })
		db.SetBlob(key, store.KindList, pack, expiryMS, now)
		return true
	}
	o := db.NewObject(key, store.KindListBig, [2]tree.Order{}, expiryMS, now)
	w := &weight{}
	o.Meta = w
	var digits []byte
	read(t, value, func(x Element) {
		text := x.Text
		if text == nil {
			digits = x.Append(digits[:0])
			text = digits
		}
		w.packed += listpack.Size(text)
		o.Trees[0].Append(text)
	})
	return true
}

// OnePack cuts a list of one node down to the string that is its listpack. Not ok: it is none.
func OnePack(t rdb.Type, value []byte) (text []byte, ok bool) {
	const head = 2 // one node, packed
	if t != rdb.TypeListQuicklist2 || len(value) < head || value[0] != 1 || value[1] != rdb.NodePacked {
		return nil, false
	}
	return value[head:], true
}

// Whole tells whether bytes are a listpack that a small list may be as it is.
func Whole(b []byte, limits Limits) bool {
	bytesMax, countMax := limits.bounds()
	if len(b) > min(bytesMax, blobBytes) || listpack.Validate(b) != nil {
		return false
	}
	pack := listpack.List(b)
	n := pack.Len()
	return n > 0 && n <= countMax && pack.Plain()
}

// parted tells whether a list has several nodes: Redis keeps it so, however short they are.
func parted(t rdb.Type, value []byte) bool {
	if t != rdb.TypeListQuicklist && t != rdb.TypeListQuicklist2 {
		return false
	}
	nodes, _, _ := rdb.Length(value)
	return nodes > 1
}

// read gives the elements of a stranger's bytes to emit, in order, and tells whether they were one whole list.
func read(t rdb.Type, value []byte, emit func(Element)) bool {
	nodes, at := uint64(1), 0
	if t != rdb.TypeListZiplist {
		n, size, err := rdb.Length(value)
		if err != nil {
			return false
		}
		nodes, at = n, size
	}
	for ; nodes > 0; nodes-- {
		form := rdb.NodePacked
		if t == rdb.TypeListQuicklist2 {
			n, size, err := rdb.Length(value[at:])
			if err != nil || n != rdb.NodePlain && n != rdb.NodePacked {
				return false
			}
			form, at = int(n), at+size
		}
		text, size, err := rdb.String(value[at:], nil)
		if err != nil || !readNode(t, form, text, emit) {
			return false
		}
		at += size
	}
	return at == len(value)
}

func readNode(t rdb.Type, form int, text []byte, emit func(Element)) bool {
	switch {
	case t == rdb.TypeList || form == rdb.NodePlain:
		emit(element(text))
	case t == rdb.TypeListQuicklist2:
		if listpack.Validate(text) != nil {
			return false
		}
		pack := listpack.List(text)
		for at := pack.First(); at != 0; at = pack.Next(at) {
			emit(pack.Get(at))
		}
	default:
		if ziplist.Validate(text) != nil {
			return false
		}
		old := ziplist.List(text)
		for at := old.First(); at != 0; {
			var x Element
			x, at = old.Get(at)
			emit(x)
		}
	}
	return true
}
