package store

import "math"

// Keys that nobody asks for must die too. A wheel holds an entry for each key with an expiry. Level 0 has a place for each of the next 8192 ticks, a place
// of level 1 is 4096 ticks long, one of level 2 is 512 of those. When a tick's place comes its entries are looked at: the item is dead and goes, or it
// lives, since its expiry was put off, and the entry is put in again where it belongs now. So putting an expiry off costs nothing. Entries of keys that
// are gone find nothing.
//
// Entries of the next place of level 1, and of level 2, are moved down tick by tick while the place before runs, so that there is never a heap of them:
// that is why a level has twice as many places as the next level's place is long.
//
// An entry is 40 bits: the group, 22 bits of the hash, the tag. A place is a chain of blocks of twelve entries with a link at the end, of which only the
// first is not full.

const (
	tickShift   = 4 // a tick is 16 ms
	wheelLevels = 3 // together 2.1 years; what lies beyond goes to the end and is looked at then

	wheelEntry    = 5 // bytes
	blockEntries  = linkAt / wheelEntry
	entryHashBits = 22
	groupBits     = 10

	expiredPay = 64 // bytes of compaction that the removal of a dead key pays for
)

var (
	levelShift  = [wheelLevels]int{0, 12, 21}                  // log2 of the ticks of a place
	levelPlaces = [wheelLevels]int64{8192, 1024, 2048}         // places
	levelFirst  = [wheelLevels + 1]int64{0, 8192, 9216, 11264} // the number of its first place
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
	block uint32 // the first block, in units of 64 bytes
	count uint32 // entries
}

type wheel struct {
	places []wheelPlace
	filled []uint64   // a bit for each place with entries
	due    wheelPlace // taken out and not looked at yet
	tick   int64      // places up to this one were taken out
	count  int        // entries in places and in due
	blocks int
}

func (w *wheel) memory() int64 { return int64(w.blocks) * BucketBytes }

// last is the last tick that the wheel has a place for.
func (w *wheel) last() int64 { return w.tick + (levelPlaces[2]-1)<<levelShift[2] }

// tickAt is the first tick at which a key that dies at atMS is dead.
func tickAt(atMS int64) int64 { return (atMS-1)>>tickShift + 1 }

// placeOf is the number of the place of a tick.
func (w *wheel) placeOf(tick int64) int64 {
	level := 0
	for level < wheelLevels-1 && tick>>levelShift[level]-w.tick>>levelShift[level] >= levelPlaces[level] {
		level++
	}
	return levelFirst[level] + tick>>levelShift[level]%levelPlaces[level]
}

// addTimer puts an entry in for the time atMS.
func (s *Store) addTimer(w *wheel, e timer, atMS int64) {
	if w.places == nil {
		w.places = make([]wheelPlace, levelFirst[wheelLevels])
		w.filled = make([]uint64, levelFirst[wheelLevels]/64)
	}
	number := w.placeOf(min(max(tickAt(atMS), w.tick+1), w.last()))
	w.filled[number/64] |= 1 << (number % 64)
	s.pushTimer(w, &w.places[number], e)
}

func (s *Store) pushTimer(w *wheel, place *wheelPlace, e timer) {
	filled := place.count % blockEntries
	if filled == 0 {
		at := s.blocks.get(0)
		s.mem.SetU32(at+linkAt, place.block)
		place.block = uint32(at >> blockShift)
		w.blocks++
	}
	s.mem.SetU40(uint64(place.block)<<blockShift+uint64(filled)*wheelEntry, uint64(e))
	place.count++
	w.count++
}

func (s *Store) popTimer(w *wheel, place *wheelPlace) timer {
	block := uint64(place.block) << blockShift
	place.count--
	filled := place.count % blockEntries
	e := timer(s.mem.U40(block + uint64(filled)*wheelEntry))
	w.count--
	if filled == 0 {
		place.block = s.mem.U32(block + linkAt)
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
		if w.due.count > 0 {
			return d.store.popTimer(w, &w.due), true
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
		d.store.take(w)
	}
}

// take moves the entries of this tick, and its share of what is to be moved down, to due, which is empty.
func (s *Store) take(w *wheel) {
	number := w.tick % levelPlaces[0]
	w.due, w.places[number] = w.places[number], wheelPlace{}
	w.filled[number/64] &^= 1 << (number % 64)
	for level := 1; level < wheelLevels; level++ {
		shift := levelShift[level]
		number := levelFirst[level] + (w.tick>>shift+1)%levelPlaces[level]
		place := &w.places[number]
		left := int64(1)<<shift - w.tick&(1<<shift-1)
		for n := (int64(place.count) + left - 1) / left; n > 0; n-- {
			s.pushTimer(w, &w.due, s.popTimer(w, place))
		}
		if place.count == 0 {
			w.filled[number/64] &^= 1 << (number % 64)
		}
	}
}

// arm puts an entry in for the key with this probe.
func (d *DB) arm(p probe, atMS, now int64) {
	w := &d.wheel
	if w.count == 0 {
		w.tick = max(w.tick, now>>tickShift)
	}
	d.store.addTimer(w, timerOf(p), atMS)
	const spare = 4096
	switch {
	case d.remake != nil:
		d.store.addTimer(&d.remake.wheel, timerOf(p), atMS)
		d.remakeSome(remakePerArm)
	case w.count > 2*(d.expires+d.dues)+spare:
		d.remake = &remake{wheel: wheel{tick: w.tick}}
	}
}

// expireDue removes dead keys, looking at no more than limit entries, and gives what is left of limit; more: it was not enough.
func (d *DB) expireDue(now int64, limit int) (left int, more bool) {
	const stepsAnEntry = 16 // passing an empty place costs that much less than looking at an item
	steps := max(limit, 1) * stepsAnEntry
	var timers [preloadMax]timer
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

// preloadMax is how many entries are looked at together.
const preloadMax = 64

// preload loads the buckets and items of entries, as Fetch does for a batch of commands.
func (d *DB) preload(timers []timer) {
	s := d.store
	var places [preloadMax]uint64
	sum := uint64(0)
	for i, e := range timers {
		places[i] = d.bucket(e.probe())
	}
	for i := range timers {
		if places[i] != 0 {
			sum += uint64(s.mem.Byte(places[i]))
		}
	}
	for i, e := range timers {
		if b := places[i]; b != 0 {
			places[i] = 0
			if slot := firstSlot(equal8(s.mem.U64(b), uint8(e>>32))); slot < bucketSlots {
				places[i] = s.mem.U40(refPlace(b, slot))
			}
		}
	}
	for i := range timers {
		if places[i] != 0 {
			sum += uint64(s.mem.Byte(places[i]))
		}
	}
	s.batch.sink += sum
}

// look removes the dead among the items that the entry may stand for. While such an item lives the entry goes in again, for the first of them to die: so
// entries don't multiply where keys have the same hash, and none of these keys is without one.
func (d *DB) look(e timer, now int64) {
	s, p := d.store, e.probe()
	first := int64(math.MaxInt64)
	w := d.hitsOf(p)
	for {
		place, h, ok := w.next(s)
		if !ok {
			break
		}
		if s.deaths == Remove && s.expired(&h, now) {
			d.expire(p, place, &h)
			w, first = d.hitsOf(p), math.MaxInt64 // the chain is another one
			continue
		}
		if at := s.firesAt(&h); at < math.MaxInt64 && timerOf(s.probeOf(s.keyBytes(&h))) == e {
			first = min(first, d.tellDue(&h, at, now))
		}
	}
	if first != math.MaxInt64 {
		s.addTimer(&d.wheel, e, first)
	}
}

// tellDue tells Options.Due of a living item that fires now, and gives when it fires next but for that: whoever is told says so anew.
func (d *DB) tellDue(h *shape, at, now int64) int64 {
	switch {
	case at > now:
		return at
	case d.store.deaths != Remove:
		return now + putOffMS
	}
	if due := d.store.options.Due; due != nil {
		due(d.number, d.store.keyBytes(h))
	}
	if expiry := d.store.expiryOf(h); expiry != NoExpiry {
		return expiry
	}
	return math.MaxInt64
}

// soonest takes the entry that fires first out of the wheel and gives a key that it stands for, if there is one that dies then.
func (d *DB) soonest() (shape, bool) {
	place, end := d.firstPlace()
	if place == nil {
		return shape{}, false
	}
	e := d.store.popTimer(&d.wheel, place)
	found, first, fires := shape{}, int64(math.MaxInt64), int64(math.MaxInt64)
	w := d.hitsOf(e.probe())
	for {
		_, h, ok := w.next(d.store)
		if !ok {
			break
		}
		at := d.store.firesAt(&h)
		if at == math.MaxInt64 || timerOf(d.store.probeOf(d.store.keyBytes(&h))) != e {
			continue
		}
		fires = min(fires, at)
		if at = d.store.expiryOf(&h); at != NoExpiry && at < first {
			found, first = h, at
		}
	}
	if fires == math.MaxInt64 {
		return shape{}, false
	}
	d.store.addTimer(&d.wheel, e, fires) // its expiry was put off, or others with this hash need the entry
	return found, found.at != 0 && min(tickAt(first), d.wheel.last()) <= end
}

// firstPlace is the first place with entries, nil if there is none, and its last tick. Entries of a higher level may come before some of a lower one.
func (d *DB) firstPlace() (place *wheelPlace, end int64) {
	w := &d.wheel
	if w.count == 0 {
		return nil, 0
	}
	if w.due.count > 0 {
		return &w.due, w.tick
	}
	for level := range wheelLevels {
		if place, at := w.firstOf(level); place != nil {
			return place, (at+1)<<levelShift[level] - 1
		}
	}
	return nil, 0
}

// firstOf is the first place of a level with entries, nil if there is none; it begins at tick at<<levelShift[level].
func (w *wheel) firstOf(level int) (place *wheelPlace, at int64) {
	now := w.tick >> levelShift[level]
	for i := int64(1); i <= levelPlaces[level]; i++ {
		number := levelFirst[level] + (now+i)%levelPlaces[level]
		if rest := w.filled[number/64] >> (number % 64); rest == 0 {
			i += 63 - number%64 // none of this word's
		} else if rest&1 != 0 && w.places[number].count == 0 {
			w.filled[number/64] &^= 1 << (number % 64)
		} else if rest&1 != 0 {
			return &w.places[number], now + i
		}
	}
	return nil, 0
}

// restEntries is how many entries may be in a wheel that does not turn for a while: each turn moves a part of them down a level.
const restEntries = 10_000

// Rests says whether no key dies before atMS, and nothing else has to be done until then.
func (s *Store) Rests(atMS int64) bool {
	for i := range s.dbs {
		if w := &s.dbs[i].wheel; w.count > restEntries || w.firesBefore(tickAt(atMS)) {
			return false
		}
	}
	return true
}

// firesBefore says whether an entry may have to be looked at before a tick.
func (w *wheel) firesBefore(tick int64) bool {
	if w.count == 0 {
		return false
	}
	if w.due.count > 0 {
		return true
	}
	for level := range wheelLevels {
		if place, at := w.firstOf(level); place != nil && at<<levelShift[level] < tick {
			return true
		}
	}
	return false
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
