package hashes

import "math/rand/v2"

// triesMax is how many fields Random draws before it counts the living ones: only a hash of mostly dead fields needs more.
const triesMax = 64

// Random draws a field of a hash that is not empty; each is as likely as another.
func (h *Hash) Random(dice *rand.Rand) (field, value Text) {
	if h.big == nil {
		at := h.list.Seek(2 * dice.IntN(h.list.Len()/2))
		return h.list.Get(at), h.list.Get(h.list.Next(at))
	}
	t := h.big.Trees[fields]
	for range triesMax {
		c := t.At(dice.IntN(t.Len()))
		if f := fieldOf(c.Entry()); !f.dead(h.now) {
			return Text{Text: f.name}, Text{Text: f.value}
		}
	}
	w := h.Walk()
	for range 1 + dice.IntN(h.Len()) {
		w.Next()
	}
	return w.Field, w.Value
}

// drawShare is the share of a hash's fields up to which Sample draws them one by one.
const drawShare = 3

// Sample draws count different fields, at most Len, and shows them until show says false. Each choice of so many fields is as likely as another; the
// order in which they are shown is not drawn.
func (h *Hash) Sample(dice *rand.Rand, count int, show func(field, value Text) bool) {
	n := h.Len()
	if h.big != nil && count <= n/drawShare && n == h.big.Trees[fields].Len() {
		h.draw(dice, count, show)
		return
	}
	w := h.Walk()
	for ; count > 0 && w.Next(); n-- {
		if dice.IntN(n) < count { // so many of those that are left are still wanted
			count--
			if !show(w.Field, w.Value) {
				return
			}
		}
	}
}

// draw is Sample by rank, for few fields of a hash without dead ones: as Floyd does it, in as many steps as fields are wanted.
func (h *Hash) draw(dice *rand.Rand, count int, show func(field, value Text) bool) {
	t := h.big.Trees[fields]
	drawn := make(map[int]struct{}, count)
	for last := t.Len() - count; last < t.Len(); last++ {
		rank := dice.IntN(last + 1)
		if _, again := drawn[rank]; again {
			rank = last
		}
		drawn[rank] = struct{}{}
		c := t.At(rank)
		f := fieldOf(c.Entry())
		if !show(Text{Text: f.name}, Text{Text: f.value}) {
			return
		}
	}
}
