// Package sets are the values of type set: numbers alone as an intset, a few texts as a listpack, anything else as a tree in the order of the members'
// hashes. A View reads a set whatever its form is, an Edit changes one and the form with it.
//
// What must hold: forms change as in Redis 7.2, and never back; a set without members is no key. The package is pure, and a View or what it gives is dead
// with the next change of the store.
package sets

import (
	"bytes"

	"larder/engine/store"
	"larder/engine/store/tree"
	"larder/protocol/encoding/intset"
	"larder/protocol/encoding/listpack"
)

// Limits say up to where a set keeps a small form.
type Limits struct {
	Ints   int // members of an intset
	Packed int // members of a listpack
	Value  int // bytes of a member in a listpack
}

// DefaultLimits are Redis 7.2's.
func DefaultLimits() Limits { return Limits{Ints: 512, Packed: 128, Value: 64} }

// View is a set to be read. The zero View is an empty set.
type View struct {
	ints intset.Set    // with KindSetInt
	pack listpack.List // with KindSet
	tree *tree.Tree    // with KindSetBig
	s    *store.Store

	digits [20]byte // of the number that was given last
}

// Open makes the view one of an item, whose kind is that of a set.
func (v *View) Open(s *store.Store, it store.Item) {
	v.ints, v.pack, v.tree, v.s = nil, nil, nil, s
	switch it.Kind() {
	case store.KindSetInt:
		v.ints = it.Text(nil)
	case store.KindSet:
		v.pack = it.Text(nil)
	default:
		v.tree = it.Object().Trees[0]
	}
}

// OpenObject makes the view one of a big set.
func (v *View) OpenObject(s *store.Store, o *store.Object) {
	v.ints, v.pack, v.tree, v.s = nil, nil, o.Trees[0], s
}

// Kind is how the set is kept; of an empty one that never was KindSetInt.
func (v *View) Kind() store.Kind {
	switch {
	case v.tree != nil:
		return store.KindSetBig
	case v.pack != nil:
		return store.KindSet
	}
	return store.KindSetInt
}

// Len is the number of members.
func (v *View) Len() int {
	switch {
	case v.tree != nil:
		return v.tree.Len()
	case v.pack != nil:
		return v.pack.Len()
	case v.ints != nil:
		return v.ints.Len()
	}
	return 0
}

// Has tells whether a text is a member.
func (v *View) Has(member []byte) bool {
	switch {
	case v.tree != nil:
		_, found := seek(v.s, v.tree, member)
		return found
	case v.pack != nil:
		return v.pack.Find(v.pack.First(), member, 0) != 0
	case v.ints != nil:
		n, ok := store.ParseInt(member)
		return ok && v.ints.Contains(n)
	}
	return false
}

// Rank gives a member's place in the order of All.
func (v *View) Rank(member []byte) (rank int, found bool) {
	switch {
	case v.tree != nil:
		c, found := seek(v.s, v.tree, member)
		return c.Rank(), found
	case v.pack != nil:
		for at := v.pack.First(); at != 0; at = v.pack.Next(at) {
			if e := v.pack.Get(at); e.Equal(member) {
				return rank, true
			}
			rank++
		}
	case v.ints != nil:
		if n, ok := store.ParseInt(member); ok {
			return v.ints.Find(n)
		}
	}
	return 0, false
}

// At gives the member of a rank, which is dead with the next that is asked for.
func (v *View) At(rank int) []byte {
	switch {
	case v.tree != nil:
		c := v.tree.At(rank)
		return c.Entry()
	case v.pack != nil:
		return v.entry(v.pack.Seek(rank))
	}
	return store.FormatInt(v.digits[:0], v.ints.At(rank))
}

// entry gives the text of a listpack's entry.
func (v *View) entry(at int) []byte {
	e := v.pack.Get(at)
	if e.IsInt() {
		return e.Append(v.digits[:0])
	}
	return e.Text
}

// All gives every member until yield says false.
func (v *View) All(yield func(member []byte) bool) {
	switch {
	case v.tree != nil:
		c := v.tree.At(0)
		for ; c.Valid(); c.Next() {
			if !yield(c.Entry()) {
				return
			}
		}
	case v.pack != nil:
		for at := v.pack.First(); at != 0; at = v.pack.Next(at) {
			if !yield(v.entry(at)) {
				return
			}
		}
	case v.ints != nil:
		for i := range v.ints.Len() {
			if !yield(store.FormatInt(v.digits[:0], v.ints.At(i))) {
				return
			}
		}
	}
}

// Scan gives members of at least count, as far as there are, and the cursor to go on with; 0 begins and ends. A small set is given whole. The cursor of a
// big one is the hash of the member that comes next: all members of one hash come together, so that a member that is there from the first call to the last
// is given once, whatever else comes and goes.
func (v *View) Scan(cursor uint64, count int64, show func(member []byte)) uint64 {
	if v.tree == nil {
		v.All(func(member []byte) bool {
			show(member)
			return true
		})
		return 0
	}
	c, _ := v.tree.Seek(cursor, func([]byte) int { return 1 })
	last := cursor
	for ; c.Valid(); c.Next() {
		member := c.Entry()
		hash := v.s.Hash(member)
		if count <= 0 && hash != last {
			return hash
		}
		show(member)
		last = hash
		count--
	}
	return 0
}

// order is that of a big set's tree: an entry is a member as it is, and members stand by their hashes, then by their bytes.
func order(s *store.Store) [2]tree.Order { return [2]tree.Order{{Word: s.Hash, Even: true}} }

func seek(s *store.Store, t *tree.Tree, member []byte) (tree.Cursor, bool) {
	return s.SeekHash(t, member, func(entry []byte) int { return bytes.Compare(entry, member) })
}
