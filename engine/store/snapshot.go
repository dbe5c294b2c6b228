package store

import (
	"errors"
	"math"
	"slices"
)

// A snapshot is the keyspace as it was when the snapshot began, read in slices while writes go on. To begin is to note how full each segment is. From
// then on what lies in the part that is still to be read stays as it is: a change in place is made on a copy at the end of the log, an item that is
// deleted or replaced is held (dead for clients, its bytes kept), and compaction keeps out. When the pass has read a segment the rest is let go. So the
// extra memory is what was overwritten meanwhile and not read yet; beyond a limit the pass is given up.
//
// An item that is held keeps the number of the newest pass at that time: passes up to it want the item, later ones began after it was gone.

var (
	// ErrKept is of a snapshot that was given up since it kept more of what was overwritten than it may.
	ErrKept = errors.New("store: snapshot keeps too much of overwritten data")
	// ErrPasses says that as many snapshots as can be are in progress.
	ErrPasses = errors.New("store: too many snapshots in progress")
	// ErrClosed is of a snapshot that was closed.
	ErrClosed = errors.New("store: snapshot is closed")
)

// SnapshotLimits bound a snapshot.
type SnapshotLimits struct {
	KeptMax int64 // bytes of overwritten data that all snapshots together may keep; 0 = no limit
}

// Snapshot is a pass over the keyspace. It must end: with Next saying that there is no more, an error, or Close.
type Snapshot struct {
	s      *Store
	limits SnapshotLimits
	slot   int
	number uint32
	list   []capture
	err    error
	done   bool
}

type capture struct {
	segment, born uint32
	db            int // whose it was when the pass began
}

// heldHandle is a handle of a held item.
type heldHandle struct {
	at     uint64 // the item
	handle uint32
	pass   uint32
}

type passes struct {
	active  [passesMax]*Snapshot
	count   int
	last    uint32 // the newest pass's number
	handles uint32 // of held items
	held    []heldHandle
	bytes   int64  // of the runs that none but held items have
	lost    int64  // of the runs that trees let go of in this era
	era     uint32 // counts up whenever the last pass ends
}

// Snapshot begins a pass over all databases as they are now.
func (s *Store) Snapshot(limits SnapshotLimits) (*Snapshot, error) {
	slot := slices.Index(s.passes.active[:], nil)
	if slot < 0 || s.passes.last == accessPeriod-1 {
		return nil, ErrPasses
	}
	s.passes.last++
	p := &Snapshot{s: s, limits: limits, slot: slot, number: s.passes.last}
	s.passes.active[slot] = p
	s.passes.count++
	s.trees.SetSnapshots(true)
	s.compacting, s.evicting = walk{}, walk{}
	for number := range s.log.segments {
		g := &s.log.segments[number]
		if g.live > 0 {
			g.want[slot], g.seen[slot] = g.used, 0
			p.list = append(p.list, capture{segment: uint32(number), born: g.born, db: int(g.db)})
		}
	}
	slices.SortFunc(p.list, func(a, b capture) int {
		ga, gb := &s.log.segments[a.segment], &s.log.segments[b.segment]
		if a.db != b.db {
			return a.db - b.db
		}
		return int(int64(ga.age) - int64(gb.age))
	})
	return p, nil
}

// Kept is how many bytes of overwritten data snapshots keep.
func (s *Store) Kept() int64 { return s.log.held + s.passes.bytes + s.passes.lost + s.trees.Kept() }

// Next gives emit about budget bytes of items, each once, database by database; an item is dead when emit returns, but its
// object can be pinned (PinObject) and read in pieces. It reports whether there is more.
func (p *Snapshot) Next(budget int, emit func(db int, it Item)) (more bool, err error) {
	for budget > 0 && len(p.list) > 0 && p.err == nil {
		budget -= p.step(emit)
	}
	if p.err == nil && len(p.list) == 0 && !p.done {
		p.s.endPass(p)
		p.done = true
	}
	return len(p.list) > 0 && p.err == nil, p.err
}

// step deals with one item, or the end of a segment, and gives the bytes it cost.
func (p *Snapshot) step(emit func(db int, it Item)) int {
	const stepCost = 64
	s, c := p.s, p.list[0]
	g := &s.log.segments[c.segment]
	if g.born != c.born || g.want[p.slot] == 0 {
		p.list = p.list[1:]
		return stepCost
	}
	if g.seen[p.slot] >= g.want[p.slot] {
		p.list = p.list[1:]
		s.uncover(c.segment, g, p.slot)
		s.releaseHeld()
		return stepCost
	}
	h := s.shapeOf(g.at + uint64(g.seen[p.slot]))
	cost := stepCost
	if p.wants(g, &h) {
		it := Item{d: &s.dbs[g.db], h: h}
		emit(c.db, it)
		if cost += it.Len(); h.kind().Big() {
			cost += int(it.Object().account.Bytes)
		}
	}
	g.seen[p.slot] += uint32(h.size())
	return cost
}

// wants tells whether an item in the part to be read was there when the pass began.
func (p *Snapshot) wants(g *segment, h *shape) bool {
	switch {
	case h.kind() == kindDead:
		return false
	case h.first&flagHeld != 0:
		return p.number <= accessOf(h.first)
	case g.state == segmentOrphan:
		return p.number <= g.flushed
	}
	return true
}

// Err is why the pass has ended before its time, nil if it has not.
func (p *Snapshot) Err() error { return p.err }

// Close ends a pass before its time.
func (p *Snapshot) Close() {
	if p.err == nil && !p.done {
		p.fail(ErrClosed)
	}
}

func (p *Snapshot) fail(err error) {
	p.err = err
	for number := range p.s.log.segments {
		if g := &p.s.log.segments[number]; g.want[p.slot] > 0 {
			p.s.uncover(uint32(number), g, p.slot)
		}
	}
	p.list = nil
	p.s.endPass(p)
}

// endPass frees the pass's slot.
func (s *Store) endPass(p *Snapshot) {
	s.passes.active[p.slot] = nil
	s.passes.count--
	if s.passes.count == 0 {
		s.passes.lost = 0
		s.passes.era++
		s.trees.SetSnapshots(false)
	}
	s.releaseHeld()
}

// uncover tells that a pass wants nothing of a segment any more.
func (s *Store) uncover(number uint32, g *segment, slot int) {
	g.want[slot], g.seen[slot] = 0, 0
	if s.covered(g) {
		return
	}
	s.log.held -= int64(g.held)
	g.held = 0
	if g.live == 0 {
		s.emptied(number, g)
	}
}

// covered tells whether a pass still has to read some of a segment.
func (s *Store) covered(g *segment) bool { return g.want[0]|g.want[1] != 0 }

// wanted tells whether a pass still has to read the item at at.
func (s *Store) wanted(g *segment, at uint64) bool {
	if s.passes.count == 0 {
		return false
	}
	offset := uint32(at - g.at)
	for i := range g.want {
		if offset >= g.seen[i] && offset < g.want[i] {
			return true
		}
	}
	return false
}

// frozen tells whether the item at at must not be changed in place.
func (s *Store) frozen(at uint64) bool {
	return s.passes.count > 0 && s.wanted(s.segmentAt(at), at)
}

// hold keeps an item that a pass wants and clients no longer see. The handle of a long value is in the list of held ones.
func (s *Store) hold(g *segment, h *shape, size uint32) {
	g.held += size
	s.log.held += int64(size)
	first := h.first&(1<<accessShift-1) | flagHeld | s.newestPass()<<accessShift
	s.mem.SetU32(h.at, first)
	if h.kind().handled() {
		s.passes.held = append(s.passes.held, heldHandle{at: h.at, handle: s.handleOf(h), pass: s.newestPass()})
	}
	s.limitKept()
}

// limitKept gives up the passes that keep more than they may.
func (s *Store) limitKept() {
	for _, p := range s.passes.active {
		if p != nil && p.limits.KeptMax > 0 && s.Kept() > p.limits.KeptMax {
			p.fail(ErrKept)
		}
	}
}

// releaseHeld gives up the handles of held items that no pass wants any more.
func (s *Store) releaseHeld() {
	for i := range s.bigs.orphans {
		if o := &s.bigs.orphans[i]; s.oldestPass() > o.pass {
			s.passes.bytes -= o.kept
			o.kept = 0
		}
	}
	s.passes.held = slices.DeleteFunc(s.passes.held, func(e heldHandle) bool {
		g := s.segmentAt(e.at)
		if s.oldestPass() <= e.pass && s.wanted(g, e.at) {
			return false
		}
		s.addHeld(s.bigs.handles[e.handle].run, -1)
		s.freeHandle(e.handle, &s.passes.handles)
		return true
	})
}

// newestPass is the number of the newest pass in progress, 0 if there is none.
func (s *Store) newestPass() uint32 {
	newest := uint32(0)
	for _, p := range s.passes.active {
		if p != nil {
			newest = max(newest, p.number)
		}
	}
	return newest
}

// oldestPass is the number of the oldest pass in progress, more than any if there is none.
func (s *Store) oldestPass() uint32 {
	oldest := uint32(math.MaxUint32)
	for _, p := range s.passes.active {
		if p != nil {
			oldest = min(oldest, p.number)
		}
	}
	return oldest
}
