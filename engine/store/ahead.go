package store

import "larder/engine/memory"

// Ahead is a segment to be: memory that will be written soon.
type Ahead struct {
	mem   *memory.Range
	at    uint64
	bytes int
}

// Ahead gives a segment for Populate, if the store grows and has none in reserve. Small stores do without.
func (s *Store) Ahead() (Ahead, bool) {
	n := s.segmentBytes()
	if n < segmentMax || len(s.log.spare[orderOf(n)]) > 0 || s.limit > 0 && s.short() {
		return Ahead{}, false
	}
	number := s.newSegment(&s.dbs[0], 0, orderOf(n))
	g := &s.log.segments[number]
	g.touched = uint32(n)
	s.log.touched += int64(n)
	s.freeSegment(number, g)
	return Ahead{mem: &s.mem, at: g.at, bytes: n}, true
}

// Populate takes the memory from the system, so that writing to it later does not wait. It is for another goroutine than the store's, before Close.
func (a Ahead) Populate() error { return a.mem.Populate(a.at, a.bytes) }
