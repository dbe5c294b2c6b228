package lists

import (
	"larder/engine/store"
	"larder/engine/store/tree"
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/lzf"
	"larder/protocol/encoding/rdb"
	"larder/protocol/encoding/ziplist"
)

// Append appends the type byte and the value of a list as Redis 7.0 and 7.2 write it: nodes that are listpacks, filled as the limits say.
func Append(dst []byte, l List, limits Limits, z *lzf.Compressor) []byte {
	dst = append(dst, byte(rdb.TypeListQuicklist2))
	if l.tree == nil {
		dst = rdb.AppendLength(dst, 1)
		dst = rdb.AppendLength(dst, rdb.NodePacked)
		return rdb.AppendString(dst, l.pack, z)
	}
	nodes := 0
	l.nodes(limits, func(*Walk, int) { nodes++ })
	dst = rdb.AppendLength(dst, uint64(nodes))
	var pack listpack.List
	l.nodes(limits, func(w *Walk, n int) {
		pack = listpack.New(pack[:0])
		for range n {
			x, _ := w.Next()
			pack = pack.Append(x.Text)
		}
		dst = rdb.AppendLength(dst, rdb.NodePacked)
		dst = rdb.AppendString(dst, pack, z)
	})
	return dst
}

// nodes cuts a big list into nodes: emit gets a walk that stands at a node's first element, and the number of its elements.
func (l *List) nodes(limits Limits, emit func(w *Walk, n int)) {
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
		if !ok {
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
	l.nodes(limits, func(w *Walk, n int) {
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
	if bytes <= min(bytesMax, blobBytes) && count <= countMax {
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
