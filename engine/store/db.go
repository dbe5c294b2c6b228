package store

import "strconv"

// Expiries that Set takes beside a time.
const (
	NoExpiry   int64 = 0
	KeepExpiry int64 = -1 // as it was; none for a new key
)

const partGroups = 32 // groups a count is kept of, so that empty ones are passed over quickly

// DB is one database. An empty one costs nothing.
type DB struct {
	store    *Store
	number   int
	expected uint32                   // buckets that a table begins with, see Expect
	tables   []table                  // by group; nil while the database never had a key
	parts    [Groups / partGroups]int // keys in each part of the groups
	open     [lanes]uint32            // segments that take items, 0 = none
	handles  uint32                   // the first of its items' handles
	wheel    wheel
	remake   *remake
	tallies  []prefixTally // by configured prefix

	count    int
	expires  int    // keys with an expiry
	dues     int    // objects in which something ends, when the wheel was last made anew
	bytes    int64  // of its items
	bigBytes *int64 // of its long values; shared ones count for each. Objects count into it, so it goes along when databases change places
	index    int64  // of the index's blocks
}

// Len is the number of keys, those that died of age and were not yet removed among them.
func (d *DB) Len() int { return d.count }

// Expires is the number of keys with an expiry.
func (d *DB) Expires() int { return d.expires }

// Memory is what the database's keys, values, index and expiries take, in bytes.
func (d *DB) Memory() int64 {
	return d.bytes + *d.bigBytes + d.index + d.wheel.memory() + d.remake.memory()
}

// Overhead is what of Memory is no item: the index and the expiries, in bytes.
func (d *DB) Overhead() (index, expiries int64) { return d.index, d.wheel.memory() }

// live finds the key's item if its time has not come. If it has, the item is removed, unless the dead are hidden.
func (d *DB) live(p probe, key []byte, now int64) (place uint64, h shape) {
	place, h = d.find(p, key)
	if place != 0 && d.store.expired(&h, now) {
		if d.store.deaths != Hide {
			d.expire(p, place, &h)
		}
		return 0, shape{}
	}
	return place, h
}

// room is live for who writes the key: a dead item is removed in any case.
func (d *DB) room(p probe, key []byte, now int64) (place uint64, h shape) {
	place, h = d.find(p, key)
	if place != 0 && d.store.expired(&h, now) {
		d.expire(p, place, &h)
		return 0, shape{}
	}
	return place, h
}

// Lookup finds a key and notes that it was looked at.
func (d *DB) Lookup(key []byte, now int64) (Item, bool) {
	if it, ok := d.lookupPrepared(key, now); ok {
		return it, true
	}
	p := d.probe(key)
	place, h := d.live(p, key, now)
	if d.store.limit > 0 {
		d.store.watch(p.ghost, true)
	}
	if place == 0 {
		return Item{}, false
	}
	d.store.touch(&h, now)
	return Item{d: d, h: h}, true
}

// Peek finds a key and leaves the time of its last access as it is.
func (d *DB) Peek(key []byte, now int64) (Item, bool) {
	place, h := d.live(d.probe(key), key, now)
	return Item{d: d, h: h}, place != 0
}

// Dead tells whether a key is there whose time has come.
func (d *DB) Dead(key []byte, now int64) bool {
	place, h := d.find(d.probe(key), key)
	return place != 0 && d.store.expired(&h, now)
}

// Delete removes a key and reports whether it was there.
func (d *DB) Delete(key []byte, now int64) bool {
	p := d.probe(key)
	place, h := d.live(p, key, now)
	if place == 0 {
		return false
	}
	d.drop(p, place, &h)
	d.store.pay(h.size())
	return true
}

// drop removes an item.
func (d *DB) drop(p probe, place uint64, h *shape) {
	s := d.store
	if s.prefixes.on() {
		d.tally(s.keyBytes(h), -1, -d.sizeOf(h))
	}
	if s.expiryOf(h) != NoExpiry {
		d.expires--
	}
	d.remove(p, place)
	s.kill(h)
}

// expire removes an item that died of age.
func (d *DB) expire(p probe, place uint64, h *shape) {
	if gone := d.store.options.Gone; gone != nil {
		gone(d.number, d.store.keyBytes(h), false)
	}
	d.drop(p, place, h)
	d.store.expiredAll++
}

// sizeOf is what an item takes, in bytes, without its share of the index.
func (d *DB) sizeOf(h *shape) int {
	n := h.size()
	if h.kind().handled() {
		n += int(d.store.runSize(d.store.runOf(h)))
	}
	return n
}

// Expire gives the item another expiry: milliseconds since 1970, or NoExpiry. The item stays valid.
func (it *Item) Expire(atMS, now int64) {
	d, s := it.d, it.d.store
	old := s.expiryOf(&it.h)
	if atMS == KeepExpiry || atMS == old {
		return
	}
	p := d.probe(it.Key())
	if atMS != NoExpiry && it.h.first&flagExpiry == 0 || s.frozen(it.h.at) {
		d.rewrite(&it.h, p, atMS != NoExpiry, lifeOf(atMS, now))
	}
	d.setExpiry(&it.h, p, old, atMS, now)
}

// rewrite moves an item to the end of the log, with or without room for an expiry.
func (d *DB) rewrite(h *shape, p probe, expiry bool, life int) {
	s := d.store
	place := d.placeOf(p, h.at)
	l := layout{kind: h.kind(), expiry: expiry, words: h.first&flagWords != 0, keyLen: int(h.keyLen()), valueLen: int(h.valueLen())}
	at := d.append(laneOf(s.genOf(h), life), l.size())
	nh := s.write(at, &l, accessOf(h.first))
	nh.first |= h.first & (freqMax << freqShift)
	s.mem.SetU32(at, nh.first)
	s.mem.Copy(nh.key(), h.key(), int(h.keyLen()+h.valueLen()))
	if l.words {
		s.mem.Copy(nh.key()-wordsBytes, h.key()-wordsBytes, wordsBytes)
	}
	if l.expiry {
		s.mem.SetU64(nh.expiryAt(), uint64(s.expiryOf(h)))
	}
	if s.prefixes.on() {
		d.tally(s.keyBytes(h), 0, nh.size()-h.size())
	}
	s.setRef(place, at)
	s.vacate(h)
	*h = nh
}

// setExpiry writes an item's expiry, for which it has room if it needs one, and sees that the wheel knows.
func (d *DB) setExpiry(h *shape, p probe, old, at, now int64) {
	if h.first&flagExpiry != 0 {
		d.store.mem.SetU64(h.expiryAt(), uint64(at))
	}
	d.noteExpiry(p, old, at, now)
}

// noteExpiry counts and arms a key whose expiry changed from old to at.
func (d *DB) noteExpiry(p probe, old, at, now int64) {
	switch {
	case at == old:
		return
	case at == NoExpiry:
		d.expires--
		return
	case old == NoExpiry:
		d.expires++
	}
	if old == NoExpiry || at < old {
		d.arm(p, at, now)
	}
}

// Transfer gives newKey of database to the value, encoding and expiry of key; what was there is replaced. With keep the old key stays. It reports
// whether the key was there. The two must not be the same key of the same database.
func (d *DB) Transfer(key []byte, to *DB, newKey []byte, keep bool, now int64) bool {
	s := d.store
	p := d.probe(key)
	place, h := d.live(p, key, now)
	if place == 0 {
		return false
	}
	c := content{kind: h.kind(), text: s.valueBytes(&h)}
	if h.first&flagWords != 0 {
		w := s.wordsOf(&h)
		c.words = &w
	}
	if c.kind.handled() {
		c.run, c.text = s.runOf(&h), nil
		s.addRef(c.run, 0)
	}
	to.put(to.probe(newKey), newKey, c, s.expiryOf(&h), now)
	if c.kind.Big() {
		if due := s.objectOf(c.run).dueMS; due != 0 {
			to.arm(to.probe(newKey), due, now)
		}
	}
	if !keep {
		p.place = 0 // the index has changed
		place, h = d.find(p, key)
		d.drop(p, place, &h)
	}
	s.pay(h.size())
	return true
}

// FormatInt is the text of an Int.
func FormatInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
