// Package lists are lists: elements by their places.
//
// A list has one of two forms. Small: one listpack in the item itself. Big: an object with a tree by position, outside the Go heap, whose entries are the
// elements' bytes. A list grows big where Redis 7.2 makes a quicklist of it, or when it would outgrow a blob, and gets small again at half of that.
//
// What must hold: no list is empty between commands: Edit.End deletes it. What a big list would take as a listpack is counted with every change, in its
// object's Meta. The package is pure. Views (a List, an Edit, the elements they give) are dead with the next change of the store.
package lists

import (
	"larder/engine/store"
	"larder/engine/store/tree"
	"larder/protocol/encoding/listpack"
)

// Limits say up to where a list stays small.
type Limits struct {
	// Size is Redis's list-max-listpack-size: above 0 that many elements, and at most 8 KiB; -1 to -5: 4, 8, 16, 32, 64 KiB. 0 is as 1, below -5 as -5.
	Size int
}

// DefaultLimits are Redis 7.2's.
func DefaultLimits() Limits { return Limits{Size: -2} }

const (
	countedBytes = 8 << 10           // of a listpack that is limited by its elements
	blobBytes    = store.BlobMax - 1 // of a listpack in an item
	packHead     = 7                 // bytes of an empty listpack
)

// bounds are the limits as bytes and elements.
func (l Limits) bounds() (bytes, count int) {
	const unlimited = 1<<63 - 1
	if l.Size >= 0 {
		return countedBytes, max(l.Size, 1)
	}
	return 2 << 10 << min(-l.Size, 5), unlimited
}

// Element is one element: bytes, or a number that stands for its decimal digits.
type Element = listpack.Entry

// List is a list to be read. The zero value is empty.
type List struct {
	pack listpack.List // small
	tree *tree.Tree    // nil: small
}

// Open reads an item, whose kind is a list's.
func Open(it store.Item) List {
	if it.Kind() == store.KindListBig {
		return List{tree: it.Object().Trees[0]}
	}
	return List{pack: it.Text(nil)}
}

// OpenObject reads a big list.
func OpenObject(o *store.Object) List { return List{tree: o.Trees[0]} }

// Len is the number of elements.
func (l *List) Len() int {
	switch {
	case l.tree != nil:
		return l.tree.Len()
	case l.pack == nil:
		return 0
	}
	return l.pack.Len()
}

// At gives the element of a place, from 0 to below Len.
func (l *List) At(i int) Element {
	w := l.From(i, false)
	e, _ := w.Next()
	return e
}

// Walk goes over elements from one on, forwards or backwards. It keeps its place in the list: not to be copied while in use.
type Walk struct {
	pack   listpack.List
	at     int
	cursor tree.Cursor
	big    bool
	back   bool
}

// From walks from the element of a place, which may be no element's: then there is nothing to see.
func (l *List) From(i int, back bool) (w Walk) {
	w.back = back
	switch {
	case i < 0 || i >= l.Len():
	case l.tree != nil:
		w.cursor, w.big = l.tree.At(i), true
	case 2*i > l.pack.Len():
		w.pack, w.at = l.pack, l.pack.Seek(i-l.pack.Len())
	default:
		w.pack, w.at = l.pack, l.pack.Seek(i)
	}
	return w
}

// Next gives the element and goes to the next; false at the end.
func (w *Walk) Next() (e Element, ok bool) {
	if w.big {
		if !w.cursor.Valid() {
			return e, false
		}
		e = element(w.cursor.Entry())
		if w.back {
			w.cursor.Prev()
		} else {
			w.cursor.Next()
		}
		return e, true
	}
	if w.at == 0 {
		return e, false
	}
	e = w.pack.Get(w.at)
	if w.back {
		w.at = w.pack.Prev(w.at)
	} else {
		w.at = w.pack.Next(w.at)
	}
	return e, true
}

// element is what a tree's entry stands for; no bytes are a text too.
func element(entry []byte) Element {
	if entry == nil {
		entry = []byte{}
	}
	return Element{Text: entry}
}
