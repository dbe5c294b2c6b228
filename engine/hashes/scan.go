package hashes

import "larder/engine/store/tree"

// A scan's cursor is the upper 53 bits of the hash of the field to go on with: a number that clients keep exactly even if they take it for a double.
// All fields whose hashes agree in them come together. 0 begins and ends: the first field never is the one to go on with.
const cursorShift = 64 - 53

// deadPerField bounds how many dead fields a scan passes for each living one it was asked for.
const deadPerField = 10

// Scan shows the fields from the cursor on, about count of them, and gives the cursor to go on with. A small hash is shown as a whole. A field that is there
// from the first call to the last is shown exactly once.
func (h *Hash) Scan(cursor uint64, count int64, show func(field, value Text)) (next uint64) {
	if h.big == nil {
		w := h.Walk()
		for w.Next() {
			show(w.Field, w.Value)
		}
		return 0
	}
	if cursor >= 1<<(64-cursorShift) {
		return 0
	}
	t := h.big.Trees[fields]
	var c tree.Cursor
	if cursor == 0 {
		c = t.At(0)
	} else {
		c, _ = t.Seek(cursor<<cursorShift, before)
	}
	count = min(count, int64(t.Len()))
	steps := count * deadPerField
	last := cursor
	for ; c.Valid(); c.Next() {
		f := fieldOf(c.Entry())
		at := h.store.Hash(f.name) >> cursorShift
		if at != last && (count <= 0 || steps <= 0) {
			return at
		}
		last = at
		steps--
		if !f.dead(h.now) {
			show(Text{Text: f.name}, Text{Text: f.value})
			count--
		}
	}
	return 0
}
