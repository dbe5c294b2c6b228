package hashes

import "larder/engine/store"

// Grow makes a small hash big.
func (e *Edit) Grow() {
	if e.big != nil {
		return
	}
	list := e.list
	e.big = e.db.NewObject(e.key, store.KindHashBig, orders(e.s), store.KeepExpiry, e.now)
	e.found, e.owned, e.changed = true, true, false
	var digits [2][20]byte
	for at := list.First(); at != 0; {
		name := text(list.Get(at), digits[0][:0])
		at = list.Next(at)
		value := text(list.Get(at), digits[1][:0])
		at = list.Next(at)
		e.setBig(name, value, store.NoExpiry)
	}
}

// text gives the bytes of a field or value; those of a number are written to scratch.
func text(t Text, scratch []byte) []byte {
	if t.IsInt() {
		return t.Append(scratch)
	}
	return t.Text
}

// own makes the object one that may be changed.
func (e *Edit) own() {
	if !e.owned {
		e.big, e.owned = e.db.EditObject(e.it), true
	}
}

func (e *Edit) setBig(name, value []byte, expiryMS int64) (created bool) {
	e.own()
	t := e.big.Trees[fields]
	c, found := seek(e.s, t, name)
	old, dead := store.NoExpiry, false
	if found {
		f := fieldOf(c.Entry())
		old, dead = f.expiryMS, f.dead(e.inside)
	}
	if expiryMS == store.KeepExpiry {
		expiryMS = old
		if dead {
			expiryMS = store.NoExpiry
		}
	}
	e.entry = appendField(e.entry[:0], field{name: name, value: value, expiryMS: expiryMS})
	if found {
		t.Replace(c, e.entry)
	} else {
		t.Insert(c, e.entry)
	}
	e.moveDue(name, old, expiryMS)
	return !found || dead
}

// deleteBig removes a field, a dead one too, but says that it was there only of a living one.
func (e *Edit) deleteBig(name []byte) bool {
	e.own()
	t := e.big.Trees[fields]
	c, found := seek(e.s, t, name)
	if !found {
		return false
	}
	f := fieldOf(c.Entry())
	old, dead := f.expiryMS, f.dead(e.inside)
	t.Delete(c)
	e.moveDue(name, old, store.NoExpiry)
	e.buried = e.buried || dead
	return !dead
}

// moveDue brings the second tree up to date with a field's expiry.
func (e *Edit) moveDue(name []byte, old, expiryMS int64) {
	if old == expiryMS {
		return
	}
	t := e.big.Trees[dues]
	if old != store.NoExpiry {
		if c, found := seekDue(t, name, old); found {
			t.Delete(c)
		}
	}
	if expiryMS != store.NoExpiry {
		c, _ := seekDue(t, name, expiryMS)
		e.entry = appendDue(e.entry[:0], name, expiryMS)
		t.Insert(c, e.entry)
		e.timed = true
	}
}
