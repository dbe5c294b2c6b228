package store

import (
	"errors"
	"math"
	"slices"
)

// A snapshot is the keyspace as it was when the snapshot began, read in slices while writes go on. To begin is to note how full each segment is. From
// then on what is about to change or to go in the part that is still to be read is given to the pass before (Early), which notes that it has had it: so the
// change is made in place as ever, and nothing is kept. Where the pass has no room for it, and for what lies behind a handle, it stays as it is: the change
// is made on a copy at the end of the log, an item that is deleted or replaced is held (dead for clients, its bytes kept) until the pass has read the
// segment. Compaction keeps out of what is still to be read. So the extra memory is what was overwritten meanwhile, not read yet and not taken; beyond a
// limit the pass is given up.
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

// SnapshotOptions are how a snapshot is read.
type SnapshotOptions struct {
	KeptMax int64 // bytes of overwritten data that all snapshots together may keep; 0 = no limit
	// Early is given an item before its turn, since it is about to change, and reports whether it takes it: then Next does not emit it. It is called from
	// within what changes the store, which it must not touch itself; the item is dead when it returns. nil: nothing is taken early.
	Early func(db int, it Item) bool
}

// Snapshot is a pass over the keyspace. It must end: with Next saying that there is no more, an error, or Close.
type Snapshot struct {
	s        *Store
	options  SnapshotOptions
	slot     int
	number   uint32
	list     []uint32  // the segments to be read, in order
	captures []capture // by segment
	err      error
	done     bool
}

// capture is what a pass knows of a segment.
type capture struct {
	born  uint32
	db    int      // whose it was when the pass began
	early []uint64 // a bit for what begins in each grain: the pass has had it before its turn; nil: it has had nothing
	grain uint32   // bytes; no two of the pass's items begin in one
}

// had tells whether a pass has had the item at an offset of the segment before its turn.
func (c *capture) had(offset uint32) bool {
	if c.early == nil {
		return false
	}
	bit := offset / c.grain
	return c.early[bit/64]>>(bit%64)&1 != 0
}

// note notes that it has.
func (c *capture) note(g *segment, offset, want uint32) {
	if c.early == nil {
		c.grain = uint32(g.least)
		c.early = make([]uint64, want/c.grain/64+1)
	}
	bit := offset / c.grain
	c.early[bit/64] |= 1 << (bit % 64)
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
func (s *Store) Snapshot(o SnapshotOptions) (*Snapshot, error) {
	slot := slices.Index(s.passes.active[:], nil)
	if slot < 0 || s.passes.last == accessPeriod-1 {
		return nil, ErrPasses
	}
	s.passes.last++
	p := &Snapshot{s: s, options: o, slot: slot, number: s.passes.last, captures: make([]capture, len(s.log.segments))}
	s.passes.active[slot] = p
	s.passes.count++
	s.trees.SetSnapshots(true)
	s.compacting, s.evicting = walk{}, walk{}
	for number := range s.log.segments {
		g := &s.log.segments[number]
		if g.live > 0 {
			g.want[slot], g.seen[slot] = g.used, 0
			p.list = append(p.list, uint32(number))
			p.captures[number] = capture{born: g.born, db: int(g.db)}
		}
	}
	slices.SortFunc(p.list, func(a, b uint32) int {
		ga, gb := &s.log.segments[a], &s.log.segments[b]
		if ga.db != gb.db {
			return int(ga.db) - int(gb.db)
		}
		return int(int64(ga.age) - int64(gb.age))
	})
	return p, nil
}

// Kept is how many bytes of overwritten data snapshots keep.
func (s *Store) Kept() int64 { return s.log.held + s.passes.bytes + s.passes.lost + s.trees.Kept() }

// Next gives emit about budget bytes of items, each once, database by database, without those that Early has taken; an item is dead when emit returns, but
// its object can be pinned (PinObject) and read in pieces. It reports whether there is more.
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
	s, number := p.s, p.list[0]
	g, c := &s.log.segments[number], &p.captures[number]
	if g.born != c.born || g.want[p.slot] == 0 {
		c.early = nil
		p.list = p.list[1:]
		return stepCost
	}
	if g.seen[p.slot] >= g.want[p.slot] {
		c.early = nil
		p.list = p.list[1:]
		s.uncover(number, g, p.slot)
		s.releaseHeld()
		return stepCost
	}
	h := s.shapeOf(g.at + uint64(g.seen[p.slot]))
	cost := stepCost
	if !c.had(g.seen[p.slot]) && p.wants(g, &h) {
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
	p.list, p.captures = nil, nil
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

// wants tells whether the pass in a slot still has to read the item at at.
func (s *Store) wants(slot int, number uint32, at uint64) bool {
	g := &s.log.segments[number]
	offset := uint32(at - g.at)
	return offset >= g.seen[slot] && offset < g.want[slot] && !s.passes.active[slot].captures[number].had(offset)
}

// wanted tells whether any still has to.
func (s *Store) wanted(at uint64) bool {
	number := s.pages.owners[at>>granuleShift]
	for slot := range s.passes.active {
		if s.wants(slot, number, at) {
			return true
		}
	}
	return false
}

// frozen tells whether the item at at must not be changed in place: a pass wants it as it is, and has not taken it now.
func (s *Store) frozen(at uint64) bool { return s.passes.count > 0 && s.kept(at) }

func (s *Store) kept(at uint64) bool {
	h := s.shapeOf(at)
	return s.keep(s.pages.owners[at>>granuleShift], &h)
}

// keep tells whether an item that is about to change or to go must be kept. Those passes that can take it now do.
func (s *Store) keep(number uint32, h *shape) (must bool) {
	for slot, p := range s.passes.active {
		if p == nil || !s.wants(slot, number, h.at) {
			continue
		}
		g, c := &s.log.segments[number], &p.captures[number]
		if h.kind().handled() || p.options.Early == nil || !p.options.Early(c.db, Item{d: &s.dbs[g.db], h: *h}) {
			must = true
			continue
		}
		c.note(g, uint32(h.at-g.at), g.want[slot])
	}
	return must
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
		if p != nil && p.options.KeptMax > 0 && s.Kept() > p.options.KeptMax {
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
		if s.oldestPass() <= e.pass && s.wanted(e.at) {
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
