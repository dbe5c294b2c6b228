package hashes

import "larder/engine/store"

// arm sees that the store tells of the hash when its next field dies.
func (e *Edit) arm() {
	first := e.big.Trees[dues].At(0)
	if !first.Valid() {
		e.db.Arm(e.key, e.big, store.NoExpiry, e.now)
		return
	}
	_, at := dueOf(first.Entry())
	if at != e.big.Armed() || at <= e.now {
		e.db.Arm(e.key, e.big, at, e.now)
	}
}

// HasDead tells whether there are fields whose time has come and that were not removed yet.
func (e *Edit) HasDead() bool {
	if e.big == nil {
		return false
	}
	first := e.big.Trees[dues].At(0)
	if !first.Valid() {
		return false
	}
	_, at := dueOf(first.Entry())
	return at <= e.inside
}

// Buried tells whether Delete has removed a field whose time had come, which it did not say.
func (e *Edit) Buried() bool { return e.buried }

// Sweep removes fields whose time has come, most of them at most, tells each name before, and reports how many it removed. End is to follow; it sees that the next time is known,
// which may be now.
func (e *Edit) Sweep(most int, tell func(name []byte)) (removed int) {
	if e.big == nil {
		return 0
	}
	e.own()
	e.timed = true
	all, due := e.big.Trees[fields], e.big.Trees[dues]
	for ; removed < most; removed++ {
		c := due.At(0)
		if !c.Valid() {
			break
		}
		name, at := dueOf(c.Entry())
		if at > e.inside {
			break
		}
		tell(name)
		if f, found := seek(e.s, all, name); found {
			all.Delete(f)
		}
		due.Delete(due.At(0))
	}
	return removed
}
