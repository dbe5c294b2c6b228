package store

// Long values have a run of pages of their own. An item keeps the number of a handle, the handle that of the run: so a run can be shared by a copy of
// its key, by a snapshot and by a reply that is being sent (Pin), and a database's handles form a list that is given up as a whole when it is emptied.
// Runs that nobody uses any more are given back in slices.

const (
	// bigMin is the length from which a value has a run of its own, in bytes.
	bigMin = 32 << 10
	// growMin is the same for a value that is lengthened: it has room to be lengthened again without being copied.
	growMin = 8 << 10

	freeSlice = 1 << 20 // bytes given back at a time
)

type run struct {
	at      uint64
	length  uint32
	touched uint32 // whole pages
	refs    uint32
	held    uint32 // of them by items that only a snapshot wants
	lost    uint32 // the era in which a tree let go of it that a snapshot still has; 0 = none
	order   int8
	kept    bool // all references are held items': it counts as kept
}

// handle is an item's share in a run. Handles are linked to lists: one a database, those that are held, those that are to be freed.
type handle struct {
	run        uint32
	next, prev uint32
}

// bigs are the runs and handles of a store. Number 0 is none.
type bigs struct {
	runs         []run
	spareRuns    []uint32
	handles      []handle
	spareHandles []uint32
	dying        []uint32 // runs to give back
	orphans      []orphan
	objects      []*Object
	spareObjects []uint32
	touched      int64 // bytes of all runs
	beside       int64 // bytes of all objects that are not in their trees
}

// orphan is a list of handles of items that went together.
type orphan struct {
	first uint32
	pass  uint32 // the newest snapshot that may want them; 0 = none
	kept  int64  // bytes of their runs, while one does
}

func newBigs() bigs { return bigs{runs: make([]run, 1), handles: make([]handle, 1)} }

// newRun gives a run of n > 0 bytes with one reference. Its content is undefined.
func (s *Store) newRun(n int) uint32 {
	number := s.spareRun()
	order := orderOf(n)
	s.bigs.runs[number] = run{at: s.pages.alloc(order, 0), refs: 1, order: int8(order)}
	s.extendRun(number, n)
	return number
}

// spareRun gives a run's number that is not in use.
func (s *Store) spareRun() uint32 {
	b := &s.bigs
	if k := len(b.spareRuns); k > 0 {
		number := b.spareRuns[k-1]
		b.spareRuns = b.spareRuns[:k-1]
		return number
	}
	b.runs = append(b.runs, run{})
	return uint32(len(b.runs) - 1)
}

// extendRun sets the run's length; it has room for it.
func (s *Store) extendRun(number uint32, n int) {
	r := &s.bigs.runs[number]
	r.length = uint32(n)
	if need := roundPages(n); need > int(r.touched) {
		more := int64(need) - int64(r.touched)
		r.touched = uint32(need)
		s.bigs.touched += more
	}
}

func (s *Store) runBytes(number uint32) []byte {
	r := &s.bigs.runs[number]
	return s.mem.Bytes(r.at, int(r.length))
}

// dropRun takes one reference off.
func (s *Store) dropRun(number uint32) {
	r := &s.bigs.runs[number]
	r.refs--
	switch {
	case r.refs > 0:
		s.countKept(number)
	case r.lost != 0 && r.lost == s.passes.era:
		s.passes.lost -= int64(r.touched)
		s.bigs.dying = append(s.bigs.dying, number)
	case r.order == objectOrder:
		s.dropObject(number)
	default:
		s.bigs.dying = append(s.bigs.dying, number)
	}
}

// addRef makes a reference to a run, held: 1 if it is that of a held item.
func (s *Store) addRef(number uint32, held int) {
	s.bigs.runs[number].refs++
	s.addHeld(number, held)
}

// addHeld changes how many references are those of held items.
func (s *Store) addHeld(number uint32, held int) {
	s.bigs.runs[number].held += uint32(held)
	s.countKept(number)
}

// loseRun is told when a tree lets go of a run that a snapshot still has.
func (s *Store) loseRun(number uint32) {
	if r := &s.bigs.runs[number]; r.lost != s.passes.era {
		r.lost = s.passes.era
		s.passes.lost += int64(r.touched)
	}
}

// countKept counts a run as kept if none but held items have it. Its size does not change while it is.
func (s *Store) countKept(number uint32) {
	r := &s.bigs.runs[number]
	if kept := r.held == r.refs; kept != r.kept {
		r.kept = kept
		size := s.runSize(number)
		switch {
		case r.order == objectOrder && s.objectOf(number).parted: // its pages are counted as they are let go of
		case kept:
			s.passes.bytes += size
		default:
			s.passes.bytes -= size
		}
	}
}

// runSize is what a run takes.
func (s *Store) runSize(number uint32) int64 {
	r := &s.bigs.runs[number]
	if r.order == objectOrder {
		return s.objectOf(number).account.Bytes
	}
	return int64(r.touched)
}

// freeRuns gives about budget bytes of unused runs back and reports whether there are more.
func (s *Store) freeRuns(budget int) bool {
	b := &s.bigs
	for budget > 0 {
		if len(b.dying) == 0 {
			switch {
			case s.trees.Pending():
				budget = s.trees.Free(budget)
			case s.releaseOrphan():
				budget -= PinMin
			default:
				return false
			}
			continue
		}
		number := b.dying[len(b.dying)-1]
		r := &b.runs[number]
		n := min(int(r.touched), freeSlice)
		r.touched -= uint32(n)
		b.touched -= int64(n)
		budget -= max(n, granuleBytes)
		s.mem.Discard(r.at+uint64(r.touched), n)
		if r.touched == 0 {
			s.mem.Discard(r.at, granuleBytes<<r.order) // a huge page may have brought more than was asked for
			s.pages.free(r.at, int(r.order))
			b.dying = b.dying[:len(b.dying)-1]
			b.spareRuns = append(b.spareRuns, number)
		}
	}
	return s.toFree()
}

// toFree tells whether there are runs, trees or handles to give back.
func (s *Store) toFree() bool {
	return len(s.bigs.dying) > 0 || len(s.bigs.orphans) > 0 || s.trees.Pending()
}

// newHandle makes a handle, whose reference to the run it takes over, and puts it in a list.
func (s *Store) newHandle(number uint32, list *uint32) uint32 {
	b := &s.bigs
	var n uint32
	if k := len(b.spareHandles); k > 0 {
		n, b.spareHandles = b.spareHandles[k-1], b.spareHandles[:k-1]
	} else {
		n = uint32(len(b.handles))
		b.handles = append(b.handles, handle{})
	}
	s.listHandle(n, number, list)
	return n
}

func (s *Store) listHandle(n, number uint32, list *uint32) {
	b := &s.bigs
	b.handles[n] = handle{run: number, next: *list}
	if *list != 0 {
		b.handles[*list].prev = n
	}
	*list = n
}

// freeHandle takes a handle out of its list and gives it and its reference up.
func (s *Store) freeHandle(n uint32, list *uint32) {
	run := s.bigs.handles[n].run
	s.unlistHandle(n, list)
	s.bigs.spareHandles = append(s.bigs.spareHandles, n)
	s.dropRun(run)
}

func (s *Store) unlistHandle(n uint32, list *uint32) {
	b := &s.bigs
	h := b.handles[n]
	if h.prev != 0 {
		b.handles[h.prev].next = h.next
	} else {
		*list = h.next
	}
	if h.next != 0 {
		b.handles[h.next].prev = h.prev
	}
	b.handles[n] = handle{}
}

// releaseOrphan frees one handle of those that no snapshot wants.
func (s *Store) releaseOrphan() bool {
	b := &s.bigs
	for i := range b.orphans {
		o := &b.orphans[i]
		if s.oldestPass() <= o.pass {
			continue
		}
		s.freeHandle(o.first, &o.first)
		if o.first == 0 {
			b.orphans = append(b.orphans[:i], b.orphans[i+1:]...)
		}
		return true
	}
	return false
}

func (s *Store) handleOf(h *shape) uint32 { return s.mem.U32(h.value()) }

func (s *Store) runOf(h *shape) uint32 { return s.bigs.handles[s.handleOf(h)].run }

// releaseBig gives the handle of an item of d up.
func (d *DB) releaseBig(h *shape) {
	n := d.store.handleOf(h)
	*d.bigBytes -= d.store.runSize(d.store.bigs.handles[n].run)
	d.store.freeHandle(n, &d.handles)
}

// giveBig moves the handle of an item of d to those of held items.
func (d *DB) giveBig(h *shape) {
	s := d.store
	n, number := s.handleOf(h), s.runOf(h)
	*d.bigBytes -= s.runSize(number)
	s.unlistHandle(n, &d.handles)
	s.listHandle(n, number, &s.passes.handles)
	s.addHeld(number, 1)
}

// adopt makes an item of d the owner of a reference to a run.
func (d *DB) adopt(h *shape, number uint32) {
	s := d.store
	*d.bigBytes += s.runSize(number)
	s.mem.SetU32(h.value(), s.newHandle(number, &d.handles))
}

// PinMin is the length from which values can be pinned, in bytes; shorter ones are to be copied.
const PinMin = bigMin

// Pin keeps the bytes of a long value as they are, whatever becomes of its key, until Unpin.
type Pin struct {
	s   *Store
	run uint32
}

// Pin pins a long value. ok is false for values that have no run of their own.
func (it Item) Pin() (p Pin, ok bool) {
	if it.h.kind() != kindBig {
		return Pin{}, false
	}
	s := it.d.store
	p = Pin{s: s, run: s.runOf(&it.h)}
	s.addRef(p.run, 0)
	return p, true
}

// Bytes gives the value, to be read only, until Unpin.
func (p Pin) Bytes() []byte { return p.s.runBytes(p.run) }

// Unpin ends the pin; it is to be called once, on the store's goroutine.
func (p Pin) Unpin() { p.s.dropRun(p.run) }

// Big is a value that is filled as it arrives, before it has a key.
type Big struct {
	s    *Store
	run  uint32
	want int
}

// NewBig makes room for a value of size bytes. It must end with SetBig or Drop.
func (s *Store) NewBig(size int) *Big {
	b := &Big{s: s, run: s.newRun(max(size, 1)), want: size}
	s.setRunLength(b.run, 0)
	return b
}

// setRunLength changes the length alone; the pages were counted before.
func (s *Store) setRunLength(number uint32, n int) { s.bigs.runs[number].length = uint32(n) }

// Write appends p, which must fit.
func (b *Big) Write(p []byte) (int, error) {
	n := b.Len()
	if n+len(p) > b.want {
		panic("store: a value is longer than was said")
	}
	b.s.setRunLength(b.run, n+len(p))
	copy(b.s.runBytes(b.run)[n:], p)
	return len(p), nil
}

// Bytes gives what was written, to be read only; it stays where it is until SetBig or Drop.
func (b *Big) Bytes() []byte { return b.s.runBytes(b.run) }

// Len is how many bytes were written.
func (b *Big) Len() int { return int(b.s.bigs.runs[b.run].length) }

// Drop gives the room back.
func (b *Big) Drop() { b.s.dropRun(b.run) }
