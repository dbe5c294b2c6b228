package store

import "math/bits"

// debtMax bounds what one change pays for others before it, bytes: who only changes collections in place or appends to strings never pays, and what they owe
// beyond this is done by Work.
const debtMax = 16 << 10

// pay does the share of the work in slices that a change of n bytes owes.
func (s *Store) pay(n int) {
	n += min(s.debt, debtMax)
	s.debt = 0
	if s.compacting.segment != 0 || s.tooMuchDead() {
		s.compact(movedPerByte * n)
	}
	if s.log.spares > s.sparesMax() {
		s.trim(1)
	}
	if s.toFree() {
		s.freeRuns(2 * n)
	}
	if len(s.dying) > 0 {
		s.freeTables(2 * n)
	}
}

// Work does what is to be done in slices: compaction, and giving memory back of what was deleted, flushed or shrunk. budget is in bytes; 64 KiB take
// about 100 microseconds at most. It reports whether there is more. The loop calls it between turns, with a small budget while it is busy.
func (s *Store) Work(budget int) bool {
	more := s.freeTables(budget / 4)
	for i := range s.dbs {
		more = s.dbs[i].remakeSome(budget/remakeCost) || more
	}
	more = s.freeRuns(budget) || more
	more = s.compact(budget) || more
	return s.trim(budget) || more
}

// dying is what is left of a database that was emptied, or of a wheel that was made anew.
type dying struct {
	tables []table
	places []wheelPlace
}

// freeTables gives about budget bytes of blocks back and reports whether there are more.
func (s *Store) freeTables(budget int) bool {
	for budget > 0 && len(s.dying) > 0 {
		e := &s.dying[len(s.dying)-1]
		switch {
		case len(e.tables) > 0:
			budget -= s.freeLastBucket(e)
		case len(e.places) > 0:
			budget -= s.freePlace(e)
		default:
			s.dying = s.dying[:len(s.dying)-1]
		}
	}
	return len(s.dying) > 0
}

// freeLastBucket frees the last bucket of the last table, a small table as a whole.
func (s *Store) freeLastBucket(e *dying) int {
	t := &e.tables[len(e.tables)-1]
	freed := BucketBytes
	switch {
	case t.n == 0:
		e.tables = e.tables[:len(e.tables)-1]
		return 1
	case t.n <= chunkBuckets:
		class := bits.Len32(t.n - 1)
		for ; t.n > 0; t.n-- {
			freed += s.freeChain(t.at(t.n - 1))
		}
		s.blocks.put(uint64(t.chunks[0])<<blockShift, class)
		return freed
	}
	t.n--
	freed += s.freeChain(t.at(t.n))
	if last := len(t.chunks) - 1; t.n&(chunkBuckets-1) == 0 {
		s.blocks.put(uint64(t.chunks[last])<<blockShift, chunkShift)
		t.chunks = t.chunks[:last]
	}
	return freed
}

// freeChain frees the buckets behind b and gives their bytes.
func (s *Store) freeChain(b uint64) int {
	freed := 0
	for b = s.link(b); b != 0; freed += BucketBytes {
		next := s.link(b)
		s.blocks.put(b, 0)
		b = next
	}
	return freed
}

func (s *Store) freePlace(e *dying) int {
	place := &e.places[len(e.places)-1]
	if place.block == 0 {
		e.places = e.places[:len(e.places)-1]
		return 1
	}
	at := uint64(place.block) << blockShift
	place.block = s.mem.U32(at + linkAt)
	s.blocks.put(at, 0)
	return BucketBytes
}

// Flush empties the database and gives the number of keys that were in it. Its memory comes back in slices.
func (d *DB) Flush() int {
	n := d.count
	s := d.store
	for number := range s.log.segments {
		g := &s.log.segments[number]
		if int(g.db) == d.number && (g.state == segmentOpen || g.state == segmentSealed) {
			s.orphan(uint32(number), g)
		}
	}
	if d.handles != 0 {
		o := orphan{first: d.handles, pass: s.newestPass()}
		if o.pass > 0 {
			o.kept = *d.bigBytes
			s.passes.bytes += o.kept
		}
		s.bigs.orphans = append(s.bigs.orphans, o)
	}
	if d.tables != nil {
		s.dying = append(s.dying, dying{tables: d.tables})
		s.dropWheel(&d.wheel)
		if d.remake != nil {
			s.dropWheel(&d.remake.wheel)
		}
	}
	*d = DB{store: s, number: d.number, bigBytes: d.bigBytes}
	*d.bigBytes = 0
	s.version++
	s.pay(0)
	return n
}

// orphan takes a segment from its database. It is free unless a snapshot wants something of it.
func (s *Store) orphan(number uint32, g *segment) {
	s.log.live -= int64(g.live)
	held := g.live
	g.live = 0
	g.state = segmentSealed
	if !s.covered(g) {
		s.log.held -= int64(g.held)
		g.held = 0
		s.freeSegment(number, g)
		return
	}
	g.state = segmentOrphan
	g.flushed = s.newestPass()
	g.held += held
	s.log.held += int64(held)
}

// Swap has two databases change places; they are not the same. It takes time in proportion to the store's segments, which are about a MiB each. A pass of
// a snapshot that is under way tells of what it has not read yet as of where it was when the pass began.
func (s *Store) Swap(i, j int) {
	a, b := &s.dbs[i], &s.dbs[j]
	*a, *b = *b, *a
	a.number, b.number = i, j
	for number := range s.log.segments {
		g := &s.log.segments[number]
		if g.state != segmentOpen && g.state != segmentSealed {
			continue
		}
		switch int(g.db) {
		case i:
			g.db = uint16(j)
		case j:
			g.db = uint16(i)
		}
	}
	s.version++
}
