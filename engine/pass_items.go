package engine

import (
	"iter"

	"larder/engine/commands"
	"larder/engine/store"
)

// largeValue is a value that is written in pieces while commands run. It is pinned as it was when the pass began.
type largeValue struct {
	db     int
	key    []byte
	about  aboutKey
	kind   store.Kind
	object store.ObjectPin // of a collection
	text   store.Pin       // of a string
}

func newLarge(db int, it store.Item, about aboutKey) largeValue {
	v := largeValue{db: db, key: append([]byte{}, it.Key()...), about: about, kind: it.Kind()}
	if v.kind.Big() {
		v.object = it.PinObject()
	} else {
		v.text, _ = it.Pin() // it is that long that it can be
	}
	return v
}

func (v *largeValue) unpin() {
	if v.kind.Big() {
		v.object.Unpin()
		return
	}
	v.text.Unpin()
}

// aboutKey is what a file says of a key beside its value.
type aboutKey struct {
	expiryMS int64
	idleS    int64 // seconds; -1: not said
	freq     int   // -1: not said
}

// about: how often or when a key was looked at is said where the policy goes by it, as Redis does (Redis 7.0 rdb.c, rdbSaveKeyValuePair).
func (q *pass) about(it store.Item) aboutKey {
	a := aboutKey{expiryMS: it.ExpiryMS(), idleS: -1, freq: -1}
	switch policy := q.p.store.Policy(); {
	case policy.LFU():
		a.freq = it.Freq()
	case policy.LRU() && !it.Held():
		a.idleS = it.IdleMS(q.nowMS) / 1000
	}
	return a
}

// writeLarge goes on with a large value for about so many bytes.
func (q *pass) writeLarge(budget int) {
	if q.large == nil {
		q.large, q.waiting = &q.waiting[0], q.waiting[1:]
		q.next, q.stop = iter.Pull(q.pieces)
	}
	q.w.Left = budget
	if _, more := q.next(); more {
		return
	}
	q.large.unpin()
	q.large, q.next, q.stop = nil, nil, nil
	q.done++
}

// pieces writes the large value at hand; it yields where it may be interrupted.
func (q *pass) pieces(yield func(struct{}) bool) {
	v, w := q.large, &q.w
	q.selectDB(w, v.db)
	w.About(v.about.expiryMS, v.about.idleS, v.about.freq)
	w.Key = v.key
	w.Pause = func() bool { return yield(struct{}{}) }
	if v.kind.Big() {
		commands.WriteObject(&w.Pen, q.p.store, v.kind, v.object.Object(), q.p.set.collections, everyField)
	} else {
		commands.WriteString(&w.Pen, v.text.Bytes())
	}
	w.Pause = nil
}

// dropLarge lets go of what is pinned.
func (q *pass) dropLarge() {
	if q.large != nil {
		q.stop()
		q.large.unpin()
		q.large = nil
	}
	for i := range q.waiting {
		q.waiting[i].unpin()
	}
	q.waiting = nil
}
