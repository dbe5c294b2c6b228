package store

import "math"

// Keys that nobody asks for must die too. A wheel of four levels holds an entry for each key with an expiry: level 0 has a place for each of the next 256
// ticks, a place of the next level is as long as the whole level below. When a place's time comes its entries are looked at: the item is dead and goes, or
// it lives (its expiry was put off, or lies beyond the level) and is put in again where it belongs now. So putting an expiry off costs nothing. Entries of
// keys that are gone find nothing.
//
// An entry is 40 bits: the group, 22 bits of the hash, the tag. A place is a chain of blocks of twelve entries with a link at the end, of which only the
// first is not full.

const (
	tickShift   = 4 // a tick is 16 ms
	wheelLevels = 4 // together 2.1 years; what lies beyond goes to the end and is looked at then
	levelShift  = 8
	levelPlaces = 1 << levelShift

	wheelEntry    = 5 // bytes
	blockEntries  = linkAt / wheelEntry
	entryHashBits = 22
	groupBits     = 10

	expiredPay = 64 // bytes of compaction that the removal of a dead key pays for
)

// timer is what the wheel keeps of a key.
type timer uint64

func timerOf(p probe) timer {
	return timer(p.tag)<<32 | timer(p.hash&(1<<entryHashBits-1))<<groupBits | timer(p.group)
}

func (e timer) probe() probe {
	return probe{hash: uint32(e>>groupBits) & (1<<entryHashBits - 1), group: uint16(e & (Groups - 1)), tag: uint8(e >> 32)}
}

type wheelPlace struct {
	block  uint32 // the first block, in units of 64 bytes
	filled uint8  // entries of the first block
}

type wheel struct {
	places *[wheelLevels][levelPlaces]wheelPlace
	due    [wheelLevels]wheelPlace // taken out and not looked at yet
	tick   int64                   // places up to this one were taken out
	count  int                     // entries in places and in due
	blocks int
}

func (w *wheel) memory() int64 { return int64(w.blocks) * bucketBytes }

// last is the last tick that the wheel has a place for.
func (w *wheel) last() int64 { return w.tick + 1<<(wheelLevels*levelShift) - 1 }

// tickAt is the first tick at which a key that dies at atMS is dead.
func tickAt(atMS int64) int64 { return (atMS-1)>>tickShift + 1 }

// addTimer puts an entry in for the time atMS.
func (d *DB) addTimer(e timer, atMS int64) {
	w := &d.wheel
	if w.places == nil {
		w.places = new([wheelLevels][levelPlaces]wheelPlace)
	}
	at := min(max(tickAt(atMS), w.tick+1), w.last())
	level := 0
	for ahead := at - w.tick; ahead >= levelPlaces; ahead >>= levelShift {
		level++
	}
	d.pushTimer(&w.places[level][at>>(level*levelShift)%levelPlaces], e)
}

func (d *DB) pushTimer(place *wheelPlace, e timer) {
	s, w := d.store, &d.wheel
	if place.block == 0 || place.filled == blockEntries {
		at := s.blocks.get(0)
		s.mem.SetU32(at+linkAt, place.block)
		*place = wheelPlace{block: uint32(at >> blockShift)}
		w.blocks++
	}
	at := uint64(place.block)<<blockShift + uint64(place.filled)*wheelEntry
	s.mem.SetU40(at, uint64(e))
	place.filled++
	w.count++
}

func (d *DB) popTimer(place *wheelPlace) timer {
	s, w := d.store, &d.wheel
	block := uint64(place.block) << blockShift
	place.filled--
	e := timer(s.mem.U40(block + uint64(place.filled)*wheelEntry))
	w.count--
	if place.filled == 0 {
		*place = wheelPlace{block: s.mem.U32(block + linkAt)}
		if place.block != 0 {
			place.filled = blockEntries
		}
		s.blocks.put(block, 0)
		w.blocks--
	}
	return e
}

// nextTimer takes out an entry whose place is at or before tick. steps counts down for each place passed, so that a long sleep is caught up with in
// pieces.
func (d *DB) nextTimer(tick int64, steps *int) (timer, bool) {
	w := &d.wheel
	for {
		for level := range w.due {
			if w.due[level].filled > 0 {
				return d.popTimer(&w.due[level]), true
			}
		}
		if w.count == 0 {
			w.tick = max(w.tick, tick)
			return 0, false
		}
		if w.tick >= tick || *steps <= 0 {
			return 0, false
		}
		*steps--
		w.tick++
		w.take()
	}
}

// take moves the entries of the places that begin with this tick to due, which is empty.
func (w *wheel) take() {
	for level := range wheelLevels {
		if level > 0 && w.tick&(1<<(level*levelShift)-1) != 0 {
			return
		}
		place := &w.places[level][w.tick>>(level*levelShift)%levelPlaces]
		w.due[level], *place = *place, wheelPlace{}
	}
}

// arm puts an entry in for the key with this probe.
func (d *DB) arm(p probe, atMS, now int64) {
	if d.wheel.count == 0 {
		d.wheel.tick = max(d.wheel.tick, now>>tickShift)
	}
	d.addTimer(timerOf(p), atMS)
}

// expireDue removes dead keys, looking at no more than limit entries, and gives what is left of limit; more: it was not enough.
func (d *DB) expireDue(now int64, limit int) (left int, more bool) {
	const stepsAnEntry = 16 // passing an empty place costs that much less than looking at an item
	steps := max(limit, 1) * stepsAnEntry
	var timers [16]timer
	for limit > 0 {
		n := 0
		for n < min(limit, len(timers)) {
			e, ok := d.nextTimer(now>>tickShift, &steps)
			if !ok {
				break
			}
			timers[n] = e
			n++
		}
		d.preload(timers[:n])
		for _, e := range timers[:n] {
			d.look(e, now)
		}
		limit -= n
		if n == 0 {
			return limit, steps <= 0
		}
	}
	return 0, d.wheel.count > 0
}

// preload loads the buckets and items of entries, so that the waits for memory overlap.
func (d *DB) preload(timers []timer) {
	s := d.store
	var buckets, tags [16]uint64
	for i, e := range timers {
		if buckets[i] = d.bucket(e.probe()); buckets[i] != 0 {
			tags[i] = s.mem.U64(buckets[i])
		}
	}
	sum := uint64(0)
	for i, e := range timers {
		if slot := firstSlot(equal8(tags[i], uint8(e>>32))); buckets[i] != 0 && slot < bucketSlots {
			sum += uint64(s.mem.Byte(s.mem.U40(refPlace(buckets[i], slot))))
		}
	}
	s.batch.sink += sum
}

// look removes the dead among the items that the entry may stand for. While such an item lives the entry goes in again, for the first of them to die: so
// entries don't multiply where keys have the same hash, and none of these keys is without one.
func (d *DB) look(e timer, now int64) {
	p := e.probe()
	for {
		dead, first := shape{}, int64(math.MaxInt64)
		place := d.candidates(p, func(h *shape) bool {
			if d.store.expired(h, now) {
				dead = *h
				return false
			}
			if at := d.store.expiryOf(h); at < first && at != NoExpiry && timerOf(d.store.probeOf(d.store.keyBytes(h))) == e {
				first = at
			}
			return true
		})
		if place != 0 {
			d.expire(p, place, &dead)
			continue
		}
		if first != math.MaxInt64 {
			d.addTimer(e, first)
		}
		return
	}
}

// candidates gives f the items with a probe's tag in its chain until f says false, and then the place of the reference to that item.
func (d *DB) candidates(p probe, f func(*shape) bool) (place uint64) {
	s := d.store
	for b := d.bucket(p); b != 0; b = s.link(b) {
		for slot := range s.filled(b) {
			if s.mem.Byte(b+uint64(slot)) != p.tag {
				continue
			}
			place = refPlace(b, slot)
			h := s.shapeOf(s.mem.U40(place))
			if !f(&h) {
				return place
			}
		}
	}
	return 0
}

// soonest takes the entry that fires first out of the wheel and gives a key that it stands for, if there is one that dies then.
func (d *DB) soonest() (shape, bool) {
	place, end := d.firstPlace()
	if place == nil {
		return shape{}, false
	}
	e := d.popTimer(place)
	found, first := shape{}, int64(math.MaxInt64)
	d.candidates(e.probe(), func(h *shape) bool {
		at := d.store.expiryOf(h)
		if at != NoExpiry && at < first && timerOf(d.store.probeOf(d.store.keyBytes(h))) == e {
			found, first = *h, at
		}
		return true
	})
	if found.at == 0 {
		return shape{}, false
	}
	d.addTimer(e, first) // its expiry was put off, or others with this hash need the entry
	return found, min(tickAt(first), d.wheel.last()) <= end
}

// firstPlace is the first place with entries, nil if there is none, and its last tick. Entries of a higher level may come before some of a lower one.
func (d *DB) firstPlace() (place *wheelPlace, end int64) {
	w := &d.wheel
	if w.count == 0 {
		return nil, 0
	}
	for level := range w.due {
		if w.due[level].filled > 0 {
			return &w.due[level], w.tick
		}
	}
	for level := range w.places {
		for i := range int64(levelPlaces) {
			number := w.tick>>(level*levelShift) + 1 + i
			if place = &w.places[level][number%levelPlaces]; place.filled > 0 {
				return place, (number+1)<<(level*levelShift) - 1
			}
		}
	}
	return nil, 0
}

// anyTimed chooses one of the keys with an expiry.
func (d *DB) anyTimed() (shape, bool) {
	const triesMax = 128
	for range triesMax {
		if h := d.pick(); d.store.expiryOf(&h) != NoExpiry {
			return h, true
		}
	}
	return d.soonest()
}
