package sets

import (
	"larder/engine/store"
	"larder/protocol/encoding/intset"
	"larder/protocol/encoding/listpack"
)

// keepMax is the most scratch that an edit keeps for the next, bytes.
const keepMax = store.BlobMax

// Edit changes a set: Begin (or Replace), any changes, End. The caller keeps one for all sets, so that its scratch is reused. Between Begin and End nothing
// else may change the store.
type Edit struct {
	View   // the set as it is now, until the next change
	db     *store.DB
	key    []byte
	now    int64
	limits Limits

	it      store.Item
	found   bool  // the key has this set
	until   int64 // the expiry that the set is written with
	owned   bool  // the tree may be changed
	changed bool  // a small form is no longer what the item has

	scratch []byte // of the small forms
}

// Begin takes up the set of a key: it, or none if found is false.
func (e *Edit) Begin(s *store.Store, db *store.DB, key []byte, it store.Item, found bool, limits Limits, now int64) {
	e.db, e.key, e.it, e.found, e.limits, e.now = db, key, it, found, limits, now
	e.owned, e.changed = false, false
	e.until = store.KeepExpiry
	if !found {
		e.s, e.until = s, store.NoExpiry
		e.Start(store.KindSetInt)
		return
	}
	e.Open(s, it)
	switch {
	case e.ints != nil:
		e.ints = append(e.scratch[:0], e.ints...)
	case e.pack != nil:
		e.pack = append(e.scratch[:0], e.pack...)
	}
}

// Expect tells that count members are to be added, the first of them first: a new set chooses its form by that, one that would grow beyond its form's limit
// by these alone becomes big at once (Redis 7.2 t_set.c, setTypeCreate and setTypeMaybeConvert).
func (e *Edit) Expect(first []byte, count int) {
	if e.found {
		if e.pack != nil && count > e.limits.Packed || e.ints != nil && count > e.limits.Ints {
			e.grow()
		}
		return
	}
	_, number := store.ParseInt(first)
	switch {
	case number && count <= e.limits.Ints:
		e.Start(store.KindSetInt)
	case count <= e.limits.Packed:
		e.Start(store.KindSet)
	default:
		e.Start(store.KindSetBig)
	}
}

// Start gives a new set, which has no member yet, its form; without it that is an intset.
func (e *Edit) Start(kind store.Kind) {
	e.ints, e.pack, e.tree = nil, nil, nil
	switch kind {
	case store.KindSetInt:
		e.ints = intset.New(e.scratch)
	case store.KindSet:
		e.pack = listpack.New(e.scratch)
	default:
		e.makeTree()
	}
}

// StartUntil is Start for a set with an expiry.
func (e *Edit) StartUntil(kind store.Kind, expiryMS int64) {
	e.until = expiryMS
	e.Start(kind)
}

// makeTree puts an empty tree in the place of what the key has.
func (e *Edit) makeTree() {
	e.tree = e.db.NewObject(e.key, store.KindSetBig, order(e.s), e.until, e.now).Trees[0]
	e.until, e.found, e.owned, e.changed = store.KeepExpiry, true, true, false
}

// grow makes a small set big.
func (e *Edit) grow() {
	small := e.View
	e.makeTree()
	e.ints, e.pack = nil, nil
	small.All(func(member []byte) bool {
		e.addBig(member)
		return true
	})
	e.keep(small.ints, small.pack)
}

// Add adds a member and reports whether it is new. It must not be a view of the set.
func (e *Edit) Add(member []byte) bool {
	switch {
	case e.tree != nil:
		return e.addBig(member)
	case e.pack != nil:
		return e.addPacked(member)
	}
	return e.addInt(member)
}

func (e *Edit) addBig(member []byte) bool {
	c, found := seek(e.s, e.tree, member)
	if found {
		return false
	}
	if e.own() {
		c, _ = seek(e.s, e.tree, member)
	}
	e.tree.Insert(c, member)
	return true
}

// own makes the tree one that may be changed. moved: it is another one now, and cursors are dead.
func (e *Edit) own() (moved bool) {
	if e.owned {
		return false
	}
	was := e.tree
	e.tree, e.owned = e.db.EditObject(e.it).Trees[0], true
	return e.tree != was
}

func (e *Edit) addPacked(member []byte) bool {
	if e.pack.Find(e.pack.First(), member, 0) != 0 {
		return false
	}
	if e.pack.Len() >= e.limits.Packed || len(member) > e.limits.Value || len(e.pack)+listpack.Size(member) >= store.BlobMax {
		e.grow()
		return e.addBig(member)
	}
	e.pack, e.changed = e.pack.Append(member), true
	return true
}

// addInt adds to an intset, which a text makes a listpack if that has room (Redis 7.2 t_set.c, setTypeAddAux).
func (e *Edit) addInt(member []byte) bool {
	n, ok := store.ParseInt(member)
	if !ok {
		if e.ints.Len() >= e.limits.Packed || len(member) > e.limits.Value || e.longest() > e.limits.Value || !e.packs(member) {
			e.grow()
			return e.addBig(member)
		}
		e.packInts()
		e.pack, e.changed = e.pack.Append(member), true
		return true
	}
	added := false
	if e.ints, added = e.ints.Add(n); !added {
		return false
	}
	e.changed = true
	if e.ints.Len() > e.limits.Ints || len(e.ints) >= store.BlobMax {
		e.grow()
	}
	return true
}

// longest is the length in bytes of an intset's longest member.
func (e *Edit) longest() int {
	n := e.ints.Len()
	if n == 0 {
		return 0
	}
	first := len(store.FormatInt(e.digits[:0], e.ints.At(0)))
	return max(first, len(store.FormatInt(e.digits[:0], e.ints.At(n-1))))
}

// packs tells whether an intset's members and another fit into a small listpack.
func (e *Edit) packs(member []byte) bool {
	const entryMax = 11 // bytes that a number takes
	return entryMax*e.ints.Len()+listpack.Size(member) < store.BlobMax-64
}

// packInts makes an intset a listpack.
func (e *Edit) packInts() {
	ints := e.ints
	e.pack = listpack.New(nil)
	for i := range ints.Len() {
		e.pack = e.pack.AppendInt(ints.At(i))
	}
	e.keep(ints, nil)
	e.ints = nil
}

// Remove takes a member out and reports whether it was there.
func (e *Edit) Remove(member []byte) bool {
	switch {
	case e.tree != nil:
		return e.removeBig(member)
	case e.pack != nil:
		at := e.pack.Find(e.pack.First(), member, 0)
		if at == 0 {
			return false
		}
		e.pack, e.changed = e.pack.Delete(at), true
		return true
	}
	n, ok := store.ParseInt(member)
	if !ok || e.ints == nil {
		return false
	}
	removed := false
	if e.ints, removed = e.ints.Remove(n); removed {
		e.changed = true
	}
	return removed
}

func (e *Edit) removeBig(member []byte) bool {
	c, found := seek(e.s, e.tree, member)
	if !found {
		return false
	}
	if e.own() {
		c, _ = seek(e.s, e.tree, member)
	}
	e.tree.Delete(c)
	return true
}

// RemoveAt takes out the member of a rank.
func (e *Edit) RemoveAt(rank int) {
	switch {
	case e.tree != nil:
		e.own()
		e.tree.Delete(e.tree.At(rank))
	case e.pack != nil:
		e.pack, e.changed = e.pack.DeleteRange(rank, 1), true
	default:
		e.ints, _ = e.ints.Remove(e.ints.At(rank))
		e.changed = true
	}
}

// Clear takes all members out: End then deletes the key.
func (e *Edit) Clear() {
	e.keep(e.ints, e.pack)
	e.ints, e.pack, e.tree = nil, nil, nil
}

// Remake makes a big set anew, for count members that are to be added: a listpack if they are so few.
func (e *Edit) Remake(count int) {
	if count > e.limits.Packed {
		e.makeTree()
		return
	}
	e.tree, e.pack = nil, listpack.New(e.scratch)
	e.changed = true
}

// End writes the set back, or deletes the key if no member is left: gone.
func (e *Edit) End() (gone bool) {
	switch {
	case e.Len() == 0 && e.found:
		e.db.Delete(e.key, e.now)
		gone = true
	case e.Len() == 0 || !e.changed:
	case e.pack != nil:
		e.write(store.KindSet, e.pack)
	case e.ints != nil:
		e.write(store.KindSetInt, e.ints)
	}
	e.keep(e.ints, e.pack)
	e.ints, e.pack, e.tree, e.it = nil, nil, nil, store.Item{}
	return gone
}

func (e *Edit) write(kind store.Kind, blob []byte) {
	e.db.SetBlob(e.key, kind, blob, e.until, e.now)
}

// keep keeps a small form's space for the next edit.
func (e *Edit) keep(ints intset.Set, pack listpack.List) {
	for _, space := range [...][]byte{ints, pack} {
		if cap(space) > cap(e.scratch) && cap(space) <= keepMax {
			e.scratch = space[:0]
		}
	}
}

// Draft is a big set that has no key yet: a result that is made of other sets goes into pages at once, however large it is. The zero Draft is none.
type Draft struct {
	s *store.Store
	o *store.Object
}

// NewDraft makes an empty one. It must end with Keep.
func NewDraft(s *store.Store) Draft { return Draft{s: s, o: s.NewDraft(order(s))} }

// Begun tells whether there is one.
func (d Draft) Begun() bool { return d.o != nil }

// Add adds a member that is not there. It may be a view of another set; all views stay alive.
func (d Draft) Add(member []byte) {
	c, _ := seek(d.s, d.o.Trees[0], member)
	d.o.Trees[0].Insert(c, member)
}

// Keep makes it the set of a key, whatever was there.
func (d Draft) Keep(db *store.DB, key []byte, now int64) {
	db.KeepDraft(key, store.KindSetBig, d.o, store.NoExpiry, now)
}

// Fitting is the form that a set gets whose members are put one by one into a new one that begins as an intset: what Redis makes a stored result of.
func Fitting(v *View, limits Limits) store.Kind {
	ints, longest := true, 0
	for member := range v.All {
		_, ok := store.ParseInt(member)
		ints, longest = ints && ok, max(longest, len(member))
	}
	switch n := v.Len(); {
	case ints && n <= limits.Ints:
		return store.KindSetInt
	case !ints && n <= limits.Packed && longest <= limits.Value:
		return store.KindSet
	}
	return store.KindSetBig
}
