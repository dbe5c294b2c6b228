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

// Sweep removes fields whose time has come, most of them at most, and reports how many it removed. End is to follow; it sees that the next time is known,
// which may be now.
func (e *Edit) Sweep(most int) (removed int) {
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
		if at > e.now {
			break
		}
		if f, found := seek(e.s, all, name); found {
			all.Delete(f)
		}
		due.Delete(due.At(0))
	}
	return removed
}
