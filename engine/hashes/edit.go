package hashes

import (
	"larder/engine/store"
	"larder/protocol/encoding/listpack"
)

// keepMax is the most scratch that an edit keeps for the next, bytes.
const keepMax = store.BlobMax

// Edit changes a hash: Begin, any changes, End. The caller keeps one for all hashes, so that its scratch is reused. Between Begin and End nothing else may
// change the store.
type Edit struct {
	s      *store.Store
	db     *store.DB
	key    []byte
	now    int64
	inside int64 // by which fields die
	limits Limits

	it      store.Item
	found   bool // the key has this hash
	list    listpack.List
	big     *store.Object // nil: small
	owned   bool          // big may be changed
	changed bool          // list is no longer what the item has
	timed   bool          // a field got an expiry
	buried  bool          // a dead field was removed by name

	scratch []byte // list's
	entry   []byte
}

// Begin takes up the hash of a key: it, or none if found is false; then the first Set makes one.
func (e *Edit) Begin(s *store.Store, db *store.DB, key []byte, it store.Item, found bool, limits Limits, now int64) {
	e.s, e.db, e.key, e.it, e.found, e.limits, e.now, e.inside = s, db, key, it, found, limits, now, s.InsideMS(now)
	e.big, e.owned, e.changed, e.timed, e.buried = nil, false, false, false, false
	switch {
	case !found:
		e.list = listpack.New(e.scratch)
	case it.Kind() == store.KindHashBig:
		e.big, e.list = it.Object(), nil
	default:
		e.scratch = append(e.scratch[:0], it.Text(nil)...)
		e.list = e.scratch
	}
}

// Hash is the hash as it is now, until the next change.
func (e *Edit) Hash() Hash {
	if e.big != nil {
		return Hash{big: e.big, store: e.s, now: e.inside}
	}
	return Hash{list: e.list}
}

// Fit makes the hash big if one of the texts to be set is too long for a small one (Redis's hashTypeTryConversion).
func (e *Edit) Fit(texts [][]byte) {
	if e.big != nil {
		return
	}
	for _, text := range texts {
		if len(text) > e.limits.Value {
			e.Grow()
			return
		}
	}
}

// Set sets a field's value and its expiry, which may be store.NoExpiry or, as it was, store.KeepExpiry. It reports whether the field is new. The texts
// must not be views of the hash.
func (e *Edit) Set(name, value []byte, expiryMS int64) (created bool) {
	if e.big == nil && (expiryMS > 0 || len(name) > e.limits.Value || len(value) > e.limits.Value || !e.blobFits(name, value)) {
		e.Grow()
	}
	if e.big != nil {
		return e.setBig(name, value, expiryMS)
	}
	e.changed = true
	if at := e.list.Find(e.list.First(), name, 1); at != 0 {
		e.list = e.list.Replace(e.list.Next(at), value)
		return false
	}
	e.list = e.list.Append(name).Append(value)
	if e.list.Len()/2 > e.limits.Entries {
		e.Grow()
	}
	return true
}

// blobFits tells whether the small form has room for another field.
func (e *Edit) blobFits(name, value []byte) bool {
	const most = 12 // bytes that an entry takes beside its text
	return len(e.list)+len(name)+len(value)+2*most < store.BlobMax
}

// Overwrite is Set of a field that a small hash has, by a value that takes as many bytes there: nothing moves. It reports whether that was so; if not,
// nothing has happened. It needs no Begin and exists for speed alone.
func Overwrite(it store.Item, name, value []byte, limits Limits) bool {
	if it.Kind() != store.KindHash || len(value) > limits.Value || len(name) > limits.Value {
		return false
	}
	list := listpack.List(it.Text(nil))
	at := list.Find(list.First(), name, 1)
	if at == 0 || it.Frozen() {
		return false
	}
	at = list.Next(at)
	end := list.Next(at)
	if end == 0 {
		end = list.End()
	}
	if end-at != listpack.Size(value) {
		return false
	}
	list.Replace(at, value)
	return true
}

// Delete takes a field out and reports whether it was there.
func (e *Edit) Delete(name []byte) bool {
	if e.big != nil {
		return e.deleteBig(name)
	}
	at := e.list.Find(e.list.First(), name, 1)
	if at == 0 {
		return false
	}
	e.changed = true
	e.list = e.list.DeleteFrom(at, 2)
	return true
}

// Expire gives a field another expiry, or store.NoExpiry, and reports whether there is such a field. A hash in which a field gets an expiry becomes big.
func (e *Edit) Expire(name []byte, expiryMS int64) bool {
	if e.big == nil {
		if e.list.Find(e.list.First(), name, 1) == 0 {
			return false
		}
		if expiryMS == store.NoExpiry {
			return true
		}
		e.Grow()
	}
	e.own()
	c, found := seek(e.s, e.big.Trees[fields], name)
	if !found {
		return false
	}
	f := fieldOf(c.Entry())
	if f.dead(e.inside) {
		return false
	}
	if f.expiryMS != expiryMS {
		old := f.expiryMS
		f.expiryMS = expiryMS
		e.entry = appendField(e.entry[:0], f)
		e.big.Trees[fields].Replace(c, e.entry)
		e.moveDue(name, old, expiryMS)
	}
	return true
}

// End writes the hash back, or deletes the key if no field is left: gone.
func (e *Edit) End() (gone bool) {
	if cap(e.list) > cap(e.scratch) && cap(e.list) <= keepMax {
		e.scratch = e.list[:0]
	}
	if cap(e.entry) > keepMax {
		e.entry = nil
	}
	left := 0
	if e.big != nil {
		left = e.big.Trees[fields].Len()
	} else {
		left = e.list.Len()
	}
	switch {
	case left == 0 && e.found:
		e.db.Delete(e.key, e.now)
		return true
	case left == 0:
	case e.big == nil && e.changed:
		e.db.SetBlob(e.key, store.KindHash, e.list, store.KeepExpiry, e.now)
	case e.timed:
		e.arm()
	}
	e.list, e.big, e.it = nil, nil, store.Item{}
	return false
}
