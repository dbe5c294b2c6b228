package store

import "math"

// Items lie in segments, one behind the other. A segment belongs to one database and takes items of one lane: what lives about as long lies together, so
// that segments empty as a whole. It is open while items are appended, then sealed, until it is compacted, evicted or empty. Segments that came free are
// kept for the next use, a few of them, or go back to the system.
//
// A lane is a generation and a class of life. Generations are S3-FIFO's small and main queue (evict.go), and what compaction moved, kept apart so that
// it does not mix with what is new.

const (
	genSmall = iota
	genMain
	genMoved
	gens

	lifeClasses = 4 // no expiry; within a minute; within an hour; later
	lanes       = gens * lifeClasses
)

type segmentState uint8

const (
	segmentNone   segmentState = iota // the number is not in use
	segmentOpen                       // takes items
	segmentSealed                     // holds items
	segmentOrphan                     // of a database that was emptied; a snapshot still wants it
	segmentSpare                      // free, its memory kept
)

// passesMax is how many snapshots may be in progress.
const passesMax = 2

type segment struct {
	at      uint64
	size    uint32 // bytes that may hold items
	used    uint32 // bytes that items took, dead ones too
	live    uint32 // bytes of items that clients see
	held    uint32 // bytes of items that only a snapshot sees
	touched uint32 // bytes that the system gave for it, whole pages
	age     uint32 // counts up with each segment; one for moved items takes that of the first they came from
	born    uint32 // the same count, of this use alone
	want    [passesMax]uint32
	seen    [passesMax]uint32 // a pass wants the items from seen to want, offsets in the segment
	flushed uint32            // of an orphan: the newest pass when its database was emptied
	db      uint16
	least   uint16 // bytes; no item of it is shorter
	lane    uint8
	order   int8 // of its run
	state   segmentState
}

const (
	segmentMin = 64 << 10
	segmentMax = 1 << 20
	// itemMax is the size from which an item has a segment of its own.
	itemMax = segmentMin - itemPad
)

type itemLog struct {
	segments []segment // segments[0] is none
	numbers  []uint32  // not in use
	spare    [runOrders][]uint32
	spares   int   // bytes touched in spare segments
	used     int64 // bytes of items, dead ones too, in segments that are not spare
	live     int64
	held     int64
	touched  int64 // bytes that the system gave
	born     uint32
}

// segmentAt gives the segment that an item lies in.
func (s *Store) segmentAt(at uint64) *segment {
	return &s.log.segments[s.pages.owners[at>>granuleShift]]
}

// lifeOf is the class of an item that dies at expiryMS.
func lifeOf(expiryMS, now int64) int {
	const minute, hour = 60 * 1000, 60 * 60 * 1000
	switch left := expiryMS - now; {
	case expiryMS == NoExpiry:
		return 0
	case left <= minute:
		return 1
	case left <= hour:
		return 2
	}
	return 3
}

func laneOf(gen, life int) int { return gen*lifeClasses + life }

// append gives room for an item of n bytes at the end of a lane.
func (d *DB) append(lane, n int) uint64 {
	s := d.store
	number := d.open[lane]
	g := &s.log.segments[number]
	if number == 0 || int(g.used)+n > int(g.size) {
		if n > itemMax {
			return d.appendAlone(lane, n)
		}
		number = d.openSegment(lane)
		g = &s.log.segments[number]
	}
	at := g.at + uint64(g.used)
	s.account(g, n)
	d.bytes += int64(n)
	return at
}

// account counts n bytes more of a segment.
func (s *Store) account(g *segment, n int) {
	g.used += uint32(n)
	g.live += uint32(n)
	g.least = uint16(min(n, int(g.least)))
	s.log.used += int64(n)
	s.log.live += int64(n)
	if need := g.used + itemPad; need > g.touched {
		more := roundPages(int(need)) - int(g.touched)
		g.touched += uint32(more)
		s.log.touched += int64(more)
	}
}

// appendAlone gives an item a segment of its own.
func (d *DB) appendAlone(lane, n int) uint64 {
	s := d.store
	number := s.newSegment(d, lane, orderOf(n+itemPad))
	g := &s.log.segments[number]
	g.state = segmentSealed
	s.account(g, n)
	d.bytes += int64(n)
	return g.at
}

// openSegment seals the lane's open segment and opens another one.
func (d *DB) openSegment(lane int) uint32 {
	s := d.store
	if old := d.open[lane]; old != 0 {
		d.open[lane] = 0
		s.seal(old)
	}
	number := s.newSegment(d, lane, orderOf(s.segmentBytes()))
	s.log.segments[number].state = segmentOpen
	d.open[lane] = number
	return number
}

// segmentBytes is the size of the next segment: small stores have small ones, so that open segments and dead bytes are a small share.
func (s *Store) segmentBytes() int {
	const share = 128 // segments that a store should have at least
	have := s.log.used
	if s.limit > 0 {
		have = max(s.limit/2, 1)
	}
	n := segmentMax
	for n > segmentMin && int64(n)*share > have {
		n /= 4
	}
	return max(n, segmentMin)
}

func (s *Store) newSegment(d *DB, lane, order int) uint32 {
	l := &s.log
	var number uint32
	if spare := l.spare[order]; len(spare) > 0 {
		number = spare[len(spare)-1]
		l.spare[order] = spare[:len(spare)-1]
		l.spares -= int(l.segments[number].touched)
	} else {
		if n := len(l.numbers); n > 0 {
			number, l.numbers = l.numbers[n-1], l.numbers[:n-1]
		} else {
			number = uint32(len(l.segments))
			l.segments = append(l.segments, segment{})
		}
		l.segments[number] = segment{at: s.pages.alloc(order, number), order: int8(order)}
	}
	g := &l.segments[number]
	l.born++
	*g = segment{
		at: g.at, order: g.order, touched: g.touched, size: uint32(granuleBytes<<order - itemPad),
		db: uint16(d.number), least: math.MaxUint16, lane: uint8(lane), age: l.born, born: l.born,
	}
	return number
}

func (s *Store) seal(number uint32) {
	g := &s.log.segments[number]
	g.state = segmentSealed
	s.freeIfEmpty(number, g)
}

// freeIfEmpty frees a segment that nobody sees anything of. What it held stays readable until the next append.
func (s *Store) freeIfEmpty(number uint32, g *segment) {
	if g.live > 0 || g.held > 0 || g.state == segmentOpen || g.state == segmentSpare {
		return
	}
	s.freeSegment(number, g)
}

func (s *Store) freeSegment(number uint32, g *segment) {
	l := &s.log
	l.used -= int64(g.used)
	if s.compacting.segment == number {
		s.compacting = walk{}
	}
	if s.evicting.segment == number {
		s.evicting = walk{}
	}
	*g = segment{at: g.at, order: g.order, touched: g.touched, state: segmentSpare}
	l.spare[g.order] = append(l.spare[g.order], number)
	l.spares += int(g.touched)
}

// trim gives spare segments back to the system, about budget bytes of them, and reports whether there are more than should be kept.
func (s *Store) trim(budget int) bool {
	for s.log.spares > s.sparesMax() {
		if budget <= 0 {
			return true
		}
		budget -= s.discardSpare()
	}
	return false
}

// trimTo gives spare segments back until the store has no more than bytes from the system.
func (s *Store) trimTo(bytes int64) {
	for s.log.spares > 0 && s.Reserved() > bytes {
		s.discardSpare()
	}
}

// discardSpare gives one of the largest spare segments back and tells its bytes.
func (s *Store) discardSpare() int {
	l := &s.log
	order := runOrders - 1
	for len(l.spare[order]) == 0 {
		order--
	}
	n := len(l.spare[order]) - 1
	number := l.spare[order][n]
	l.spare[order] = l.spare[order][:n]
	bytes := int(l.segments[number].touched)
	s.discard(number)
	return bytes
}

// sparesMax is how many bytes of spare segments are kept.
func (s *Store) sparesMax() int {
	const kept = 256 // the share of what is in use
	return max(int(s.log.used/kept), 2*s.segmentBytes())
}

func (s *Store) discard(number uint32) {
	l := &s.log
	g := &l.segments[number]
	l.spares -= int(g.touched)
	l.touched -= int64(g.touched)
	s.mem.Discard(g.at, int(g.touched))
	s.pages.free(g.at, int(g.order))
	*g = segment{}
	l.numbers = append(l.numbers, number)
}

// kill takes an item out of the log: clients no longer see it. A snapshot that is still to come by holds it.
func (s *Store) kill(h *shape) {
	number := s.pages.owners[h.at>>granuleShift]
	g := &s.log.segments[number]
	size := uint32(h.size())
	g.live -= size
	s.log.live -= int64(size)
	d := &s.dbs[g.db]
	d.bytes -= int64(size)
	if s.passes.count > 0 && s.keep(number, h) {
		if h.kind().handled() {
			d.giveBig(h)
		}
		s.hold(g, h, size)
		return
	}
	if h.kind().handled() {
		d.releaseBig(h)
	}
	s.mem.SetU32(h.at, h.first&^kindMask)
	if g.live == 0 && g.held == 0 {
		s.emptied(number, g)
	}
}

// emptied frees a segment after its last item went; an open one begins anew.
func (s *Store) emptied(number uint32, g *segment) {
	if g.state != segmentOpen {
		s.freeIfEmpty(number, g)
		return
	}
	s.log.used -= int64(g.used)
	g.used = 0
	g.want, g.seen = [passesMax]uint32{}, [passesMax]uint32{}
}
