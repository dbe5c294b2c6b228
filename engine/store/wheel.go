package store

import "math"

// Keys that nobody asks for must die too. A wheel of four levels holds an entry for each key with an expiry: level 0 has a place for each of the next 256
// ticks, a place of the next level is as long as the whole level below. When a place's time comes its entries are looked at: the item is dead and goes, or
// it lives (its expiry was put off, or lies beyond the level) and is put in again where it belongs now. So putting an expiry off costs nothing, and an
// entry is only a hash. Entries of keys that are gone find nothing.

const (
	tickShift   = 4 // a tick is 16 ms
	wheelLevels = 4 // together 2.1 years; what lies beyond goes to the end and is looked at then
	levelShift  = 8
	levelPlaces = 1 << levelShift
	entryBytes  = 8
)

type entry struct {
	hash  uint32
	group uint16
}

type wheel struct {
	levels *[wheelLevels][levelPlaces][]entry
	tick   int64   // places up to this one were taken out
	due    []entry // taken out and not looked at yet
	count  int     // entries in places and in due
}

const wheelBytes = wheelLevels * levelPlaces * 24

func (w *wheel) memory() int64 {
	if w.levels == nil {
		return 0
	}
	return wheelBytes + int64(w.count)*entryBytes
}

// tickAt is the first tick at which a key that dies at atMS is dead.
func tickAt(atMS int64) int64 { return (atMS-1)>>tickShift + 1 }

// add puts an entry in for the time atMS.
func (w *wheel) add(e entry, atMS int64) {
	if w.levels == nil {
		w.levels = new([wheelLevels][levelPlaces][]entry)
	}
	at := max(tickAt(atMS), w.tick+1)
	ahead := at - w.tick
	const whole = 1 << (wheelLevels * levelShift)
	if ahead >= whole {
		at = w.tick + whole - 1
		ahead = whole - 1
	}
	level := 0
	for ahead >= levelPlaces {
		ahead >>= levelShift
		level++
	}
	place := &w.levels[level][at>>(level*levelShift)%levelPlaces]
	*place = append(*place, e)
	w.count++
}

// next takes out an entry whose place is at or before tick. steps counts down for each place passed, so that a long sleep is caught up with in pieces.
func (w *wheel) next(tick int64, steps *int) (entry, bool) {
	for {
		if n := len(w.due); n > 0 {
			e := w.due[n-1]
			w.due = w.due[:n-1]
			w.count--
			return e, true
		}
		if w.count == 0 {
			w.due = nil
			w.tick = max(w.tick, tick)
			return entry{}, false
		}
		if w.tick >= tick || *steps <= 0 {
			return entry{}, false
		}
		*steps--
		w.tick++
		w.take()
	}
}

// take moves the entries of the places that begin with this tick to due.
func (w *wheel) take() {
	w.due = nil
	for level := range wheelLevels {
		if level > 0 && w.tick&(1<<(level*levelShift)-1) != 0 {
			return
		}
		place := &w.levels[level][w.tick>>(level*levelShift)%levelPlaces]
		if w.due == nil {
			w.due = *place
		} else {
			w.due = append(w.due, *place...)
		}
		*place = nil
	}
}

// arm puts an entry in for the key with this probe. A wheel with far more entries than keys is made anew.
func (d *DB) arm(p probe, atMS, now int64) {
	const spare = 4096
	if d.wheel.count == 0 {
		d.wheel.tick = max(d.wheel.tick, now>>tickShift)
	}
	if d.wheel.count > 2*d.count+spare {
		d.rearm()
	}
	d.wheel.add(entry{hash: p.hash, group: p.group}, atMS)
}

// rearm drops all entries and makes one for each key with an expiry.
func (d *DB) rearm() {
	d.wheel = wheel{tick: d.wheel.tick}
	for g := d.NextGroup(0); g < Groups; g = d.NextGroup(g + 1) {
		for _, r := range d.tables[g].heads {
			for r != 0 {
				b := d.arena.slot(r.addr())
				if at := expiryOf(b); at != 0 {
					setFlags(b, flagsOf(b)|flagArmed)
					d.wheel.add(entry{hash: hashOf(b), group: uint16(g)}, at)
				}
				r = nextOf(b)
			}
		}
	}
}

// expireDue removes dead keys, looking at no more than limit entries, and gives what is left of limit; more: it was not enough.
func (d *DB) expireDue(now int64, limit int) (left int, more bool) {
	const stepsAnEntry = 16 // passing an empty place costs that much less than looking at an item
	steps := max(limit, 1) * stepsAnEntry
	for ; limit > 0; limit-- {
		e, ok := d.wheel.next(now>>tickShift, &steps)
		if !ok {
			return limit, steps <= 0
		}
		d.look(e, now)
	}
	return 0, d.wheel.count > 0
}

// look removes the dead among the items of the entry's bucket. While items live that the entry may stand for it goes in again, for the first of them to
// die: so entries don't multiply where keys have the same hash, and none of these keys is without one.
func (d *DB) look(e entry, now int64) {
	if d.tables == nil {
		return
	}
	for {
		heads := d.tables[e.group].heads
		if len(heads) == 0 {
			return
		}
		dead, deadAt := []byte(nil), addr(0)
		for r := heads[bucket(e.hash, len(heads))]; r != 0; {
			b := d.arena.slot(r.addr())
			if expiredAt(b, now) && dead == nil {
				dead, deadAt = b, r.addr()
			}
			r = nextOf(b)
		}
		if dead == nil {
			break
		}
		d.dropFound(int(e.group), deadAt, dead)
		d.store.expired++
	}
	heads := d.tables[e.group].heads
	if len(heads) == 0 {
		return
	}
	first := int64(math.MaxInt64)
	for r := heads[bucket(e.hash, len(heads))]; r != 0; {
		b := d.arena.slot(r.addr())
		if at := expiryOf(b); hashOf(b) == e.hash && at != NoExpiry {
			first = min(first, at)
		}
		r = nextOf(b)
	}
	if first != math.MaxInt64 {
		d.wheel.add(e, first)
	}
}
