package store

import "math/bits"

// Scan visits the items of at least one bucket of a group and gives the cursor to go on with; 0 begins and ends. Dead keys are left out. An item that is
// in the group from the first call to the last is visited at least once, however the table grows and shrinks in between; some are visited twice.
//
// The cursor counts with its bits reversed, so that it runs through the numbers of a table's buckets in an order in which buckets that are split or
// joined later stay together (Redis's dictScan). A linear-hash table is a table of 2^k buckets where the cursor's bucket has not been split, one of
// 2^(k+1) where it has. visit must not change the database.
func (d *DB) Scan(group int, cursor uint64, now int64, visit func(Item)) uint64 {
	if d.tables == nil || len(d.tables[group].heads) == 0 {
		return 0
	}
	heads := d.tables[group].heads
	half := uint64(1) << (bits.Len(uint(len(heads))) - 1)
	mask := half - 1
	if cursor&mask < uint64(len(heads))-half {
		mask = 2*half - 1
	}
	for r := heads[cursor&mask]; r != 0; {
		b := d.arena.slot(r.addr())
		if !expiredAt(b, now) {
			visit(Item{d: d, at: r.addr(), b: b})
		}
		r = nextOf(b)
	}
	return bits.Reverse64(bits.Reverse64(cursor|^mask) + 1)
}

// NextGroup gives the first group from group on that holds keys, Groups if there is none.
func (d *DB) NextGroup(group int) int {
	if d.count == 0 {
		return Groups
	}
	for group < Groups {
		if group%blockGroups == 0 && d.blocks[group/blockGroups] == 0 {
			group += blockGroups
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
		for _, r := range d.tables[g].heads {
			for r != 0 {
				b := d.arena.slot(r.addr())
				if !expiredAt(b, now) && !visit(Item{d: d, at: r.addr(), b: b}) {
					return
				}
				r = nextOf(b)
			}
		}
	}
}

// Random gives a living key, each as likely as any other; dead ones that it meets are removed. Not ok: there is none.
func (d *DB) Random(now int64) (key []byte, ok bool) {
	for d.count > 0 {
		group, at, b := d.pick()
		if !expiredAt(b, now) {
			return keyOf(b), true
		}
		d.dropFound(group, at, b)
		d.store.expired++
	}
	return nil, false
}

// pick chooses one item: a group by its share of the keys, then a place in it. Places are buckets times the depth of the deepest chain usual; one
// that is empty is thrown again, so that long chains are not preferred.
func (d *DB) pick() (group int, at addr, b []byte) {
	dice := d.store.options.Rand
	n := dice.IntN(d.count)
	for n >= d.blocks[group/blockGroups] {
		n -= d.blocks[group/blockGroups]
		group += blockGroups
	}
	for n >= d.tables[group].count {
		n -= d.tables[group].count
		group++
	}
	heads := d.tables[group].heads
	deep := 8
	for throws := 1; ; throws++ {
		r := heads[dice.IntN(len(heads))]
		for depth := dice.IntN(deep); r != 0; depth-- {
			b = d.arena.slot(r.addr())
			if depth == 0 {
				return group, r.addr(), b
			}
			r = nextOf(b)
		}
		if throws%(64*bucketsMin) == 0 {
			deep *= 2 // the group's few keys are deep in long chains
		}
	}
}

// dropFound removes an item that was found without its key.
func (d *DB) dropFound(group int, at addr, b []byte) {
	d.drop(probe{hash: hashOf(b), group: uint16(group)}, at, b)
}
