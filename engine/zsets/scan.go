package zsets

import "larder/engine/store/tree"

// Scan visits some members from a cursor on, 0 being the beginning, and gives the cursor for the rest, 0 when there is none. A small sorted set is visited as a
// whole; of a large one at least count members, if there are so many, in the order of their hashes. What is there all the time is visited once or more, if only
// members are added and removed meanwhile. visit is told whether the score is kept as a whole number; the text of a member that is kept as one is written
// into room, which the caller has so that it need not be made.
func (v *Value) Scan(cursor uint64, count int, room *[NumberMax]byte, visit func(member []byte, score float64, isWhole bool)) (next uint64) {
	if v.Small() {
		v.scanSmall(room, visit)
		return 0
	}
	word := func(c *tree.Cursor) uint64 { return v.s.Hash(memberOf(c.Entry())) }
	c, _ := v.obj.Trees[byMember].Seek(cursor, func([]byte) int { return 1 })
	for last := cursor; c.Valid(); c.Next() {
		at := word(&c)
		if count <= 0 && at != last {
			return at
		}
		last = at
		entry := c.Entry()
		visit(memberOf(entry), scoreOfEntry(entry), false)
		count--
	}
	return 0
}

func (v *Value) scanSmall(room *[NumberMax]byte, visit func(member []byte, score float64, isWhole bool)) {
	if v.list == nil {
		return
	}
	for at := v.list.First(); at != 0; {
		behind := v.list.Next(at)
		e := v.list.Get(behind)
		score, _ := scoreOf(e)
		visit(memberText(v.list, at, room), score, e.IsInt())
		at = v.list.Next(behind)
	}
}
