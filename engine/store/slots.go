package store

import "math/bits"

// A slot's keys are those of its group whose slot it is: to list or count them takes time in proportion to the group's keys, a sixteenth of which are the
// slot's.

// Slots is the number of slots.
const Slots = Groups * GroupSlots

// CountSlot is the number of living keys of a slot.
func (d *DB) CountSlot(slot int, now int64) int {
	n := 0
	d.eachOf(slot/GroupSlots, now, func(it Item) bool {
		if d.store.options.Slot(it.Key()) == slot {
			n++
		}
		return true
	})
	return n
}

// EachOfSlot visits the living keys of a slot until visit says false. visit must not change the database.
func (d *DB) EachOfSlot(slot int, now int64, visit func(Item) bool) {
	d.eachOf(slot/GroupSlots, now, func(it Item) bool {
		return d.store.options.Slot(it.Key()) != slot || visit(it)
	})
}

// FlushGroup removes keys of a group, about limit of them, and reports whether there are more.
func (d *DB) FlushGroup(group, limit int) bool {
	return d.flushSome(group, limit, func([]byte) bool { return true })
}

// FlushSlot removes keys of a slot, about limit of them, and reports whether there are more.
func (d *DB) FlushSlot(slot, limit int) bool {
	return d.flushSome(slot/GroupSlots, limit, func(key []byte) bool { return d.store.options.Slot(key) == slot })
}

func (d *DB) flushSome(group, limit int, chosen func(key []byte) bool) bool {
	s := d.store
	if d.tables == nil {
		return false
	}
	freed, t := 0, &d.tables[group]
	for bucket := int(t.n) - 1; bucket >= 0 && limit > 0; {
		h, ok := d.firstOf(t.at(uint32(bucket)), chosen)
		if !ok {
			bucket--
			continue
		}
		before := t.n
		p := s.probeOf(s.keyBytes(&h))
		d.drop(p, d.placeOf(p, h.at), &h)
		freed += h.size()
		limit--
		switch last := before - 1; {
		case t.n == 0:
			bucket = -1
		case t.n < before: // what was in the last bucket is in one before it now, which may have been passed
			bucket = min(max(bucket, int(last)-1<<(bits.Len32(last)-1)), int(t.n)-1)
		}
	}
	s.pay(freed)
	return limit == 0
}

// firstOf gives the first item of a chain that is chosen.
func (d *DB) firstOf(b uint64, chosen func(key []byte) bool) (shape, bool) {
	s := d.store
	for ; b != 0; b = s.link(b) {
		for slot := range s.filled(b) {
			if h := s.shapeOf(s.mem.U40(refPlace(b, slot))); chosen(s.keyBytes(&h)) {
				return h, true
			}
		}
	}
	return shape{}, false
}
