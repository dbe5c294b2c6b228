package store

import "math/bits"

// Scan visits the items of at least one bucket of a group and gives the cursor to go on with; 0 begins and ends. Dead keys are left out. An item that is
// in the group from the first call to the last is visited at least once, however the table grows and shrinks in between and wherever its item is moved;
// some are visited twice.
//
// The cursor counts with its bits reversed, so that it runs through the numbers of a table's buckets in an order in which buckets that are split or
// joined later stay together (Redis's dictScan). A linear-hash table is a table of 2^k buckets where the cursor's bucket has not been split, one of
// 2^(k+1) where it has. visit must not change the database.
func (d *DB) Scan(group int, cursor uint64, now int64, visit func(Item)) uint64 {
	if d.tables == nil || d.tables[group].n == 0 {
		return 0
	}
	t := &d.tables[group]
	n := uint64(t.n)
	half := uint64(1) << (bits.Len64(n) - 1)
	mask := half - 1
	if cursor&mask < n-half {
		mask = 2*half - 1
	}
	d.visit(t.at(uint32(cursor&mask)), now, func(it Item) bool {
		visit(it)
		return true
	})
	return bits.Reverse64(bits.Reverse64(cursor|^mask) + 1)
}

// visit visits the living items of a chain until f says false.
func (d *DB) visit(b uint64, now int64, f func(Item) bool) bool {
	s := d.store
	for ; b != 0; b = s.link(b) {
		for slot := range s.filled(b) {
			h := s.shapeOf(s.mem.U40(refPlace(b, slot)))
			if !s.expired(&h, now) && !f(Item{d: d, h: h}) {
				return false
			}
		}
	}
	return true
}

// Cursor is a place in a database, group after group; the zero value is its front.
type Cursor struct {
	group int
	place uint64
}

// ScanOn scans at least a bucket of the groups that are wanted, nil = all, and moves the cursor on. False: there is none left, and nothing was visited.
func (d *DB) ScanOn(c *Cursor, now int64, wanted func(group int) bool, visit func(Item)) bool {
	if c.place == 0 {
		c.group = d.NextGroup(c.group)
		for wanted != nil && c.group < Groups && !wanted(c.group) {
			c.group = d.NextGroup(c.group + 1)
		}
		if c.group == Groups {
			return false
		}
	}
	if c.place = d.Scan(c.group, c.place, now, visit); c.place == 0 {
		c.group++
	}
	return true
}

// NextGroup gives the first group from group on that holds keys, Groups if there is none.
func (d *DB) NextGroup(group int) int {
	if d.count == 0 {
		return Groups
	}
	for group < Groups {
		if group%partGroups == 0 && d.parts[group/partGroups] == 0 {
			group += partGroups
			continue
		}
		if d.tables[group].count > 0 {
			return group
		}
		group++
	}
	return Groups
}

// Each visits every living key until visit says false. visit must not change the database.
func (d *DB) Each(now int64, visit func(Item) bool) {
	for g := d.NextGroup(0); g < Groups; g = d.NextGroup(g + 1) {
		if !d.eachOf(g, now, visit) {
			return
		}
	}
}

func (d *DB) eachOf(group int, now int64, visit func(Item) bool) bool {
	if d.tables == nil {
		return true
	}
	t := &d.tables[group]
	for b := range t.n {
		if !d.visit(t.at(b), now, visit) {
			return false
		}
	}
	return true
}

// Random gives a living key, each as likely as any other; dead ones that it meets are removed. Not ok: there is none, or where the dead are hidden hardly any.
func (d *DB) Random(now int64) (key []byte, ok bool) {
	const triesHidden = 1000
	s := d.store
	for tries := 0; d.count > 0; tries++ {
		h := d.pick()
		if !s.expired(&h, now) {
			return s.keyBytes(&h), true
		}
		if s.deaths == Hide {
			if tries == triesHidden {
				break
			}
			continue
		}
		p := s.probeOf(s.keyBytes(&h))
		d.expire(p, d.placeOf(p, h.at), &h)
	}
	return nil, false
}

// pick chooses one item: a group by its share of the keys, then a bucket and a place in it. There are as many places as the longest chain met has
// entries, at least; an empty one is thrown again, so that items of long chains are not preferred.
func (d *DB) pick() shape {
	s := d.store
	dice := s.options.Rand
	n, group := dice.IntN(d.count), 0
	for n >= d.parts[group/partGroups] {
		n -= d.parts[group/partGroups]
		group += partGroups
	}
	for n >= int(d.tables[group].count) {
		n -= int(d.tables[group].count)
		group++
	}
	t := &d.tables[group]
	longest := 2 * bucketSlots
	for {
		b := t.at(uint32(dice.IntN(int(t.n))))
		entries := 0
		for c := b; c != 0; c = s.link(c) {
			entries += s.filled(c)
		}
		longest = max(longest, entries)
		slot := dice.IntN(longest)
		if slot >= entries {
			continue
		}
		for ; slot >= bucketSlots; slot -= bucketSlots {
			b = s.link(b)
		}
		return s.shapeOf(s.mem.U40(refPlace(b, slot)))
	}
}
