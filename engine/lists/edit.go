package lists

import (
	"larder/engine/store"
	"larder/engine/store/tree"
	"larder/protocol/encoding/listpack"
)

// weight is what a big list keeps beside its tree: what its elements would take in a listpack, in bytes.
type weight struct{ packed int }

const weightBytes = 16

func (w *weight) Clone() store.Meta { c := *w; return &c }
func (w *weight) Bytes() int64      { return weightBytes }

// Edit is a list that is being changed: Begin, changes, End. It is kept for its space and used for one list after the other.
type Edit struct {
	List
	db     *store.DB
	key    []byte
	now    int64
	limits Limits
	weight *weight // big

	buf  listpack.List // the space of pack
	text []byte        // of a number's digits
}

// Begin opens a list to be changed; not found: an empty one. The key and the limits are kept until End. now is in milliseconds since 1970.
func (e *Edit) Begin(db *store.DB, key []byte, it store.Item, found bool, limits Limits, now int64) {
	e.db, e.key, e.now, e.limits = db, key, now, limits
	e.List, e.weight = List{}, nil
	switch {
	case !found:
		e.pack = listpack.New(e.buf[:0])
	case it.Kind() == store.KindListBig:
		e.open(db.EditObject(it))
	default:
		e.buf = append(e.buf[:0], it.Text(nil)...)
		e.pack = e.buf
	}
}

func (e *Edit) open(o *store.Object) { e.tree, e.weight = o.Trees[0], o.Meta.(*weight) }

// End keeps what was changed and reports whether the list is gone, since it is empty. shrink: it may get small (Redis 7.2 does so after commands that take
// elements away or replace one).
func (e *Edit) End(shrink bool) (gone bool) {
	gone = e.Len() == 0
	switch {
	case gone:
		e.db.Delete(e.key, e.now)
	case e.tree == nil:
		e.db.SetBlob(e.key, store.KindList, e.pack, store.KeepExpiry, e.now)
	case shrink && e.light():
		e.db.SetBlob(e.key, store.KindList, e.whole(), store.KeepExpiry, e.now)
	}
	if e.pack != nil {
		e.buf = e.pack
	}
	e.List, e.weight = List{}, nil
	return gone
}

// light tells whether a big list is so small that it becomes a listpack again: at half the limits, so that it does not go to and fro.
func (e *Edit) light() bool {
	bytes, count := e.limits.bounds()
	if e.limits.Size < 0 {
		bytes /= 2
	}
	return e.tree.Len() <= count/2 && e.weight.packed+packHead <= min(bytes, blobBytes)
}

// whole makes a listpack of a big list.
func (e *Edit) whole() listpack.List {
	e.pack = listpack.New(e.buf[:0])
	w := e.From(0, false)
	for {
		x, ok := w.Next()
		if !ok {
			return e.pack
		}
		e.pack = e.pack.Append(x.Text)
	}
}

// Room prepares for elements that are to be added, or put in the place of others: a list that would become too large for a listpack grows big.
func (e *Edit) Room(texts ...[]byte) {
	if e.tree != nil {
		return
	}
	bytes, count := e.limits.bounds()
	raw, packed := len(e.pack), len(e.pack)
	for _, text := range texts {
		raw += len(text)
		packed += listpack.Size(text)
	}
	if raw > bytes || packed > blobBytes || e.pack.Len()+len(texts) > count {
		e.grow()
	}
}

// grow makes a small list big.
func (e *Edit) grow() {
	pack := e.pack
	o := e.db.NewObject(e.key, store.KindListBig, [2]tree.Order{}, store.KeepExpiry, e.now)
	o.Meta = &weight{packed: len(pack) - packHead}
	e.buf, e.pack = pack, nil
	e.open(o)
	for at := pack.First(); at != 0; at = pack.Next(at) {
		e.tree.Append(e.bytes(pack.Get(at)))
	}
}

// bytes gives an element's text; that of a number is dead with the next call.
func (e *Edit) bytes(x Element) []byte {
	if x.Text != nil {
		return x.Text
	}
	e.text = x.Append(e.text[:0])
	return e.text
}

// Push adds an element in front or behind.
func (e *Edit) Push(text []byte, front bool) {
	i := e.Len()
	if front {
		i = 0
	}
	e.Insert(i, text)
}

// Insert adds an element before the one of a place; the place Len is behind all.
func (e *Edit) Insert(i int, text []byte) {
	switch {
	case e.tree != nil:
		e.weight.packed += listpack.Size(text)
		e.tree.Insert(e.tree.At(i), text)
	case i == 0:
		e.pack = e.pack.Prepend(text)
	case i == e.pack.Len():
		e.pack = e.pack.Append(text)
	default:
		e.pack = e.pack.Insert(e.pack.Seek(i), text)
	}
}

// Replace puts a text in the place of an element.
func (e *Edit) Replace(i int, text []byte) {
	if e.tree == nil {
		e.pack = e.pack.Replace(e.pack.Seek(i), text)
		return
	}
	c := e.tree.At(i)
	e.weight.packed += listpack.Size(text) - listpack.Size(c.Entry())
	e.tree.Replace(c, text)
}

// Delete takes n elements out, from a place on; there are as many.
func (e *Edit) Delete(i, n int) {
	switch {
	case n == 0:
	case e.tree == nil:
		e.pack = e.pack.DeleteRange(i, n)
	case n == 1:
		c := e.tree.At(i)
		e.weight.packed -= listpack.Size(c.Entry())
		e.tree.Delete(c)
	default:
		e.deleteRange(i, n)
	}
}

func (e *Edit) deleteRange(i, n int) {
	if rest := e.tree.Len() - n; rest < n { // the fewer are counted
		e.weight.packed = e.size(0, i) + e.size(i+n, rest-i)
	} else {
		e.weight.packed -= e.size(i, n)
	}
	e.tree.DeleteRange(i, i+n)
}

// size is what n elements of a big list take in a listpack, in bytes.
func (e *Edit) size(i, n int) (bytes int) {
	w := e.From(i, false)
	for range n {
		x, _ := w.Next()
		bytes += listpack.Size(x.Text)
	}
	return bytes
}

// Remove takes elements out that are equal to a text, at most so many, from the front on or from the end, and tells how many there were.
func (e *Edit) Remove(text []byte, most int, back bool) (n int) {
	step, i := 1, 0
	if back {
		step, i = -1, e.Len()-1
	}
	w := e.From(i, back)
	for n < most {
		x, ok := w.Next()
		if !ok {
			return n
		}
		if !x.Equal(text) {
			i += step
			continue
		}
		e.Delete(i, 1)
		n++
		if back {
			i--
		}
		w = e.From(i, back)
	}
	return n
}
