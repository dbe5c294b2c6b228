package zsets

import (
	"larder/engine/store"
	"larder/protocol/encoding/listpack"
)

// Edit changes one key's sorted set: Open, changes, Close. Between Open and Close the store must not change otherwise. Its owner keeps one and uses it again
// and again, so that its scratch is made once.
type Edit struct {
	Value // as the changes so far have made it

	store  *store.Store
	db     *store.DB
	key    []byte
	nowMS  int64
	limits Limits
	found  bool // there was a value
	ours   bool // the list is scratch, and Close has to store it
	opened bool // the object may be changed
	item   store.Item

	scratch listpack.List
	entry   []byte
}

// Open begins the change of a key; item is what the key has, if found.
func (e *Edit) Open(s *store.Store, db *store.DB, key []byte, item store.Item, found bool, limits Limits, nowMS int64) {
	e.store, e.db, e.key, e.item, e.found, e.limits, e.nowMS = s, db, key, item, found, limits, nowMS
	e.ours, e.opened = false, false
	e.Value = Value{}
	if found {
		e.Value = Of(s, item)
	}
}

// Close stores what was changed; a sorted set without members goes, and its key with it. It tells whether the key is there now.
func (e *Edit) Close() bool {
	there := e.Len() > 0
	switch {
	case !there && e.found:
		e.db.Delete(e.key, e.nowMS)
	case there && e.ours:
		e.db.SetBlob(e.key, store.KindZSet, e.list, store.KeepExpiry, e.nowMS)
	}
	if e.ours {
		e.scratch = e.list
	}
	e.Value, e.item, e.db, e.key = Value{}, store.Item{}, nil, nil
	return there
}

// own makes the list a copy that may change.
func (e *Edit) own() {
	if e.ours {
		return
	}
	if e.list == nil {
		e.list = listpack.New(e.scratch)
	} else {
		e.list = append(e.scratch[:0], e.list...)
	}
	e.ours = true
}

// Put gives a member a score, whether it is there or not.
func (e *Edit) Put(member []byte, score float64) {
	if e.Small() {
		if at := findSmall(e.list, member); at != 0 {
			e.own()
			e.list = moveSmall(e.list, at, member, score)
			return
		}
		if e.fits(member) {
			e.own()
			e.list = insertSmall(e.list, member, score)
			return
		}
		e.enlarge()
	}
	e.putBig(member, score)
}

// fits tells whether the sorted set is still small with one more member. What would not fit into an item's blob is not, whatever the limits.
func (e *Edit) fits(member []byte) bool {
	return e.Len() < e.limits.EntriesMax && len(member) <= e.limits.ValueMax && len(e.list)+pairSize(member) < store.BlobMax
}

// Remove takes a member out and tells whether it was there.
func (e *Edit) Remove(member []byte) bool {
	if !e.Small() {
		return e.removeBig(member)
	}
	at := findSmall(e.list, member)
	if at == 0 {
		return false
	}
	e.own()
	e.list = e.list.DeleteFrom(at, 2)
	return true
}

// RemoveSpan takes the members of some ranks out, which are there.
func (e *Edit) RemoveSpan(s Span) {
	switch {
	case s.Len() == 0:
	case e.Small():
		e.own()
		e.list = e.list.DeleteRange(2*s.From, 2*s.Len())
	default:
		e.removeSpanBig(s)
	}
}
