package store

import "encoding/binary"

// content is a value on its way into an item.
type content struct {
	words *Words
	kind  Kind
	text  []byte // of all kinds without a handle
	run   uint32 // of kinds with one: the reference goes to the item
}

func (c *content) inline() int {
	if c.kind.handled() {
		return handleBytes
	}
	return len(c.text)
}

// stringContent chooses the form of a string. scratch holds a number's 8 bytes.
func (s *Store) stringContent(value []byte, form Form, scratch *[numberBytes]byte) content {
	kind, number := form.kind(value)
	switch {
	case kind == kindInt:
		binary.LittleEndian.PutUint64(scratch[:], uint64(number))
		return content{kind: kindInt, text: scratch[:]}
	case len(value) >= bigMin:
		c := content{kind: kindBig, run: s.newRun(len(value))}
		copy(s.runBytes(c.run), value)
		return c
	}
	return content{kind: kind, text: value}
}

// Set gives key a value and an expiry (milliseconds since 1970, NoExpiry, KeepExpiry). value is copied.
func (d *DB) Set(key, value []byte, form Form, expiryMS, now int64) {
	s := d.store
	if (expiryMS == NoExpiry || expiryMS == KeepExpiry) && d.overwrite(key, value, form, now) {
		return
	}
	var scratch [numberBytes]byte
	n := d.put(d.probe(key), key, s.stringContent(value, form, &scratch), expiryMS, now)
	s.pay(n)
}

// overwrite is Set for the usual write of a batch: over a text of the same length without an expiry. It exists for speed alone.
func (d *DB) overwrite(key, value []byte, form Form, now int64) bool {
	it, ok := d.lookupPrepared(key, now)
	if !ok || it.h.kind().handled() || int(it.h.valueLen()) != len(value) || d.store.frozen(it.h.at) {
		return false
	}
	kind, _ := form.kind(value)
	if kind == kindInt {
		return false
	}
	if kind != it.h.kind() {
		d.store.mem.SetU32(it.h.at, it.h.first&^kindMask|uint32(kind))
	}
	copy(d.store.valueBytes(&it.h), value)
	return true
}

// SetInt gives key a number.
func (d *DB) SetInt(key []byte, n, expiryMS, now int64) {
	var b [numberBytes]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	d.store.pay(d.put(d.probe(key), key, content{kind: kindInt, text: b[:]}, expiryMS, now))
}

// SetBig gives key a value that was filled before. It takes b over.
func (d *DB) SetBig(key []byte, b *Big, form Form, expiryMS, now int64) {
	s := d.store
	if b.Len() < bigMin {
		d.Set(key, s.runBytes(b.run), form, expiryMS, now)
		b.Drop()
		return
	}
	s.pay(d.put(d.probe(key), key, content{kind: kindBig, run: b.run}, expiryMS, now))
}

// SetBlob gives key a value of another type than string, kept as one blob of less than BlobMax bytes.
func (d *DB) SetBlob(key []byte, kind Kind, blob []byte, expiryMS, now int64) {
	d.store.pay(d.put(d.probe(key), key, content{kind: kind, text: blob}, expiryMS, now))
}

// Words are memcached's: what gets and cas ask for, and what a client stores beside a value.
type Words struct {
	CAS   uint64
	Flags uint32
}

// SetWords is Set with memcached's words.
func (d *DB) SetWords(key, value []byte, form Form, w Words, expiryMS, now int64) {
	s := d.store
	var scratch [numberBytes]byte
	c := s.stringContent(value, form, &scratch)
	c.words = &w
	s.pay(d.put(d.probe(key), key, c, expiryMS, now))
}

// BlobMax bounds a blob's bytes.
const BlobMax = bigMin

// put writes a key's item, in place where it has the same size, and gives the number of bytes that were appended to the log.
func (d *DB) put(p probe, key []byte, c content, expiryMS, now int64) int {
	s := d.store
	place, h := d.room(p, key, now)
	old := NoExpiry
	if place != 0 {
		old = s.expiryOf(&h)
	}
	if expiryMS == KeepExpiry {
		expiryMS = old
	}
	if place != 0 && int(h.valueLen()) == c.inline() && s.fits(&h, &c, expiryMS) {
		h.first = h.first&^kindMask | uint32(c.kind)
		s.mem.SetU32(h.at, h.first)
		s.touch(&h, now)
		copy(s.valueBytes(&h), c.text)
		d.setExpiry(&h, p, old, expiryMS, now)
		return 0
	}
	if s.limit > 0 {
		s.watch(p.ghost, false)
	}
	gen, freq := s.placement(p, place, &h, expiryMS != NoExpiry)
	l := layout{kind: c.kind, expiry: expiryMS != NoExpiry, words: c.words != nil, keyLen: len(key), valueLen: c.inline()}
	nh := d.appendItem(&l, laneOf(gen, lifeOf(expiryMS, now)), freq, key, now)
	if c.words != nil {
		s.setWords(&nh, *c.words)
	}
	if c.kind.handled() {
		d.adopt(&nh, c.run)
	} else {
		copy(s.valueBytes(&nh), c.text)
	}
	d.link(p, place, &h, &nh)
	d.setExpiry(&nh, p, old, expiryMS, now)
	return nh.size()
}

// fits tells whether an item can take content of its value's length in place.
func (s *Store) fits(h *shape, c *content, expiryMS int64) bool {
	return !h.kind().handled() && !c.kind.handled() && h.first&flagWords == 0 && c.words == nil &&
		(expiryMS == NoExpiry || h.first&flagExpiry != 0) && !s.frozen(h.at)
}

// appendItem writes an item without its value to the end of a lane.
func (d *DB) appendItem(l *layout, lane int, freq uint32, key []byte, now int64) shape {
	s := d.store
	at := d.append(lane, l.size())
	h := s.write(at, l, clockOf(now))
	if freq > 0 {
		h.first |= freq << freqShift
		s.mem.SetU32(at, h.first)
	}
	copy(s.keyBytes(&h), key)
	return h
}

// link makes an item the one of its key, instead of the one that place refers to; place 0: there was none.
func (d *DB) link(p probe, place uint64, old, h *shape) {
	s := d.store
	if place == 0 {
		d.insert(p, h.at)
		if s.prefixes.on() {
			d.tally(s.keyBytes(h), 1, d.sizeOf(h))
		}
		return
	}
	if s.prefixes.on() {
		d.tally(s.keyBytes(h), 0, d.sizeOf(h)-d.sizeOf(old))
	}
	s.setRef(place, h.at)
	s.kill(old)
}

// Grow makes the value of key, made if need be, a Raw text of at least n bytes and gives them for changing in place until the next call; bytes beyond
// the old ones are 0. The expiry stays.
func (d *DB) Grow(key []byte, n int, now int64) []byte {
	s := d.store
	p := d.probe(key)
	place, h := d.room(p, key, now)
	var scratch [digitsMax]byte
	var old []byte
	expiry := NoExpiry
	if place != 0 {
		old = Item{d: d, h: h}.Text(scratch[:])
		expiry = s.expiryOf(&h)
	}
	n = max(n, len(old))
	longer := n >= growMin && len(old) > 0 && n > len(old)
	if n >= bigMin || longer || place != 0 && h.kind() == kindBig {
		return d.growBig(p, place, &h, key, old, n, now)
	}
	if place != 0 && h.kind() != kindInt && int(h.valueLen()) == n && s.fits(&h, &content{kind: kindRaw}, expiry) {
		h.first = h.first&^kindMask | uint32(kindRaw)
		s.mem.SetU32(h.at, h.first)
		s.touch(&h, now)
		return s.valueBytes(&h)
	}
	gen, freq := s.placement(p, place, &h, expiry != NoExpiry)
	l := layout{kind: kindRaw, expiry: expiry != NoExpiry, keyLen: len(key), valueLen: n}
	nh := d.appendItem(&l, laneOf(gen, lifeOf(expiry, now)), freq, key, now)
	text := s.valueBytes(&nh)
	clear(text[copy(text, old):])
	d.link(p, place, &h, &nh)
	if l.expiry {
		s.mem.SetU64(nh.expiryAt(), uint64(expiry))
	}
	s.debt += nh.size()
	return text
}

// growBig is Grow for a value that has, or is to have, a run of its own.
func (d *DB) growBig(p probe, place uint64, h *shape, key, old []byte, n int, now int64) []byte {
	s := d.store
	if place != 0 && h.kind() == kindBig {
		r := &s.bigs.runs[s.runOf(h)]
		if r.refs == 1 && orderOf(n) <= int(r.order) && !s.frozen(h.at) {
			before := int(r.touched)
			s.extendRun(s.runOf(h), n)
			*d.bigBytes += int64(int(r.touched) - before)
			if s.prefixes.on() {
				d.tally(key, 0, int(r.touched)-before)
			}
			s.touch(h, now)
			text := s.runBytes(s.runOf(h))
			clear(text[len(old):])
			return text
		}
	}
	number := s.newRun(n)
	text := s.runBytes(number)
	clear(text[copy(text, old):])
	s.debt += d.put(p, key, content{kind: kindBig, run: number}, KeepExpiry, now)
	return text
}
