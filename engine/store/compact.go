package store

// Dead items are reclaimed by moving the living ones out of the emptiest sealed segments, in slices that writes pay for: by what they appended. So the
// dead share stays near what is allowed, and no write waits for more than a bounded piece of it.

const (
	// deadShare is what of the log's bytes may be dead: one part in so many.
	deadShare      = 8
	deadShareShort = 16 // near the limit on memory

	// movedPerByte bounds the bytes moved for a byte written.
	movedPerByte = 8
	// moveCost is added to an item's bytes: finding its reference costs as much as copying about so many.
	moveCost = 64

	// victimWindow is how many segments are looked at for a victim at a time.
	victimWindow = 2048
)

// walk goes through the items of a segment.
type walk struct {
	segment uint32 // 0 = none
	at      uint32 // offset in it
}

// dead is the bytes of the log that nobody wants.
func (l *itemLog) dead() int64 { return l.used - l.live - l.held }

// tooMuchDead tells whether the log is to be compacted.
func (s *Store) tooMuchDead() bool {
	share := int64(deadShare)
	if s.limit > 0 && s.short() {
		share = deadShareShort
	}
	return s.log.dead() > s.log.used/share+int64(segmentMin)
}

// compact moves items for about budget bytes and reports whether there is more to do.
func (s *Store) compact(budget int) bool {
	for budget > 0 {
		if s.compacting.segment == 0 {
			if !s.tooMuchDead() || !s.pickVictim() {
				return false
			}
		}
		budget -= s.compactNext()
	}
	return s.compacting.segment != 0 || s.tooMuchDead()
}

// pickVictim chooses the emptiest segment of the next window.
func (s *Store) pickVictim() bool {
	l := &s.log
	best, bestLive := uint32(0), 0.0
	for range min(victimWindow, len(l.segments)) {
		s.scanAt++
		if int(s.scanAt) >= len(l.segments) {
			s.scanAt = 1
		}
		if int(s.scanAt) >= len(l.segments) {
			return false
		}
		g := &l.segments[s.scanAt]
		if g.state != segmentSealed || g.live+g.held == g.used || g.held > 0 || s.evicting.segment == s.scanAt || s.covered(g) {
			continue
		}
		if live := float64(g.live) / float64(g.used); best == 0 || live < bestLive {
			best, bestLive = s.scanAt, live
		}
	}
	const fullest = 1 - 1.0/(2*deadShareShort) // what is fuller is not worth moving
	if best == 0 || bestLive > fullest {
		return false
	}
	s.compacting = walk{segment: best}
	return true
}

// compactNext deals with the victim's next item and gives what it cost, in bytes.
func (s *Store) compactNext() int {
	w := s.compacting
	h, ok := s.next(&s.compacting)
	if !ok {
		s.compacting = walk{}
		s.freeIfEmpty(w.segment, &s.log.segments[w.segment])
		return moveCost
	}
	if h.kind() == kindDead || h.first&flagHeld != 0 {
		return moveCost / 4
	}
	s.move(&h, genMoved)
	return h.size() + moveCost
}

// next gives the item at a walk's place and goes on behind it; not ok: the segment ends.
func (s *Store) next(w *walk) (shape, bool) {
	g := &s.log.segments[w.segment]
	if w.at >= g.used {
		return shape{}, false
	}
	h := s.shapeOf(g.at + uint64(w.at))
	w.at += uint32(h.size())
	return h, true
}

// move writes a living item to the end of the lane of gen and of its own life.
func (s *Store) move(h *shape, gen int) {
	g := s.segmentAt(h.at)
	d := &s.dbs[g.db]
	age := g.age
	p := s.probeOf(s.keyBytes(h))
	place := d.placeOf(p, h.at)
	lane := laneOf(gen, s.lifeOf(h))
	at := d.append(lane, h.size())
	if to := s.segmentAt(at); gen == genMoved && at == to.at {
		to.age = age
	}
	s.mem.Copy(at, h.at, h.size())
	s.setRef(place, at)
	s.vacate(h)
}

// vacate takes the old copy of an item that was moved out of the log.
func (s *Store) vacate(h *shape) {
	number := s.pages.owners[h.at>>granuleShift]
	g := &s.log.segments[number]
	size := uint32(h.size())
	g.live -= size
	s.log.live -= int64(size)
	s.dbs[g.db].bytes -= int64(size)
	if s.passes.count > 0 && s.keep(number, h) {
		if h.kind().handled() { // the handle went with the copy
			r := s.runOf(h)
			s.addRef(r, 1)
			s.mem.SetU32(h.value(), s.newHandle(r, &s.passes.handles))
		}
		s.hold(g, h, size)
		return
	}
	s.mem.SetU32(h.at, h.first&^kindMask)
	if g.live == 0 && g.held == 0 {
		s.emptied(number, g)
	}
}

// lifeOf is the class of life of the lane that an item lies in.
func (s *Store) lifeOf(h *shape) int { return int(s.segmentAt(h.at).lane) % lifeClasses }

// genOf is the queue that an item stands in: genSmall or genMain.
func (s *Store) genOf(h *shape) int {
	if s.segmentAt(h.at).lane/lifeClasses == genSmall {
		return genSmall
	}
	return genMain
}
