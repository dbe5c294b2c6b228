package zsets

import (
	"larder/engine/store"
	"larder/engine/store/tree"
)

// newObject gives a key an empty large sorted set.
func newObject(s *store.Store, db *store.DB, key []byte, expiryMS, nowMS int64) *store.Object {
	return db.NewObject(key, store.KindZSetBig, orders(s), expiryMS, nowMS)
}

// orders are those of a large sorted set's trees.
func orders(s *store.Store) [2]tree.Order {
	return [2]tree.Order{
		inOrder:  {Word: wordOf},
		byMember: {Word: func(entry []byte) uint64 { return s.Hash(memberOf(entry)) }, Even: true},
	}
}

// Enlarge makes a small sorted set a large one, whatever the limits.
func (e *Edit) Enlarge() {
	if e.Small() {
		e.enlarge()
	}
}

// enlarge makes a small sorted set, or none, a large one, which the store has from then on.
func (e *Edit) enlarge() {
	e.own() // the item's bytes die with the change
	l := e.list
	obj := newObject(e.store, e.db, e.key, store.KeepExpiry, e.nowMS)
	e.scratch, e.Value = l, Value{obj: obj, s: e.store}
	e.ours, e.found, e.opened = false, true, true
	var scratch [NumberMax]byte
	for at := l.First(); at != 0; {
		behind := l.Next(at)
		e.entry = appendEntry(e.entry[:0], memberText(l, at, &scratch), scoreAt(l, behind))
		obj.Trees[inOrder].Append(e.entry)
		insertMember(obj, e.store, e.entry)
		at = l.Next(behind)
	}
}

// insertMember puts an entry whose member is not there into the tree by hash.
func insertMember(o *store.Object, s *store.Store, entry []byte) {
	member := memberOf(entry)
	c, _ := seekMember(s, o, member)
	o.Trees[byMember].Insert(c, entry)
}

// change gives the object for changing it.
func (e *Edit) change() *store.Object {
	if !e.opened {
		e.obj, e.opened = e.db.EditObject(e.item), true
	}
	return e.obj
}

func (e *Edit) putBig(member []byte, score float64) {
	o := e.change()
	c, found := seekMember(e.store, o, member)
	if found {
		old := scoreOfEntry(c.Entry())
		place, _ := seekPlace(o, member, old)
		o.Trees[inOrder].Delete(place)
	}
	e.entry = appendEntry(e.entry[:0], member, score)
	if found {
		o.Trees[byMember].Replace(c, e.entry)
	} else {
		o.Trees[byMember].Insert(c, e.entry)
	}
	place, _ := seekPlace(o, member, score)
	o.Trees[inOrder].Insert(place, e.entry)
}

func (e *Edit) removeBig(member []byte) bool {
	was := e.obj
	c, found := seekMember(e.store, was, member)
	if !found {
		return false
	}
	o := e.change()
	if o != was {
		c, _ = seekMember(e.store, o, member)
	}
	place, _ := seekPlace(o, member, scoreOfEntry(c.Entry()))
	o.Trees[inOrder].Delete(place)
	o.Trees[byMember].Delete(c)
	return true
}

// removeSpanBig takes members out one by one of the tree by hash, unless so few stay that a new one of them is sooner made.
func (e *Edit) removeSpanBig(s Span) {
	const fewer = 4
	o := e.change()
	if stay := e.Len() - s.Len(); stay <= s.Len()/fewer {
		o.Trees[inOrder].DeleteRange(s.From, s.To)
		o.Trees[byMember].DeleteRange(0, o.Trees[byMember].Len())
		c := o.Trees[inOrder].At(0)
		for ; c.Valid(); c.Next() {
			insertMember(o, e.store, c.Entry())
		}
		return
	}
	c := o.Trees[inOrder].At(s.From)
	for range s.Len() {
		member := memberOf(c.Entry())
		at, _ := seekMember(e.store, o, member)
		o.Trees[byMember].Delete(at)
		c.Next()
	}
	o.Trees[inOrder].DeleteRange(s.From, s.To)
}
