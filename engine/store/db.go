package store

import (
	"encoding/binary"
	"strconv"
)

// Expiries that Set takes beside a time.
const (
	NoExpiry   int64 = 0
	KeepExpiry int64 = -1 // as it was; none for a new key
)

const blockGroups = 32 // groups a count is kept of, so that empty ones are passed over quickly

// DB is one database. Everything it holds is its own, so that it can be emptied at once.
type DB struct {
	store   *Store
	arena   arena
	tables  []table                   // by group; nil while the database is empty
	blocks  [Groups / blockGroups]int // keys in each block of groups
	count   int
	expires int   // keys with an expiry
	heads   int64 // bytes of the tables
	bigs    bigs
	wheel   wheel
	touched uint8 // what Touch read, so that it is read
}

func (d *DB) reset() { *d = DB{store: d.store, arena: newArena()} }

// Len is the number of keys, those that died of age and were not yet removed among them.
func (d *DB) Len() int { return d.count }

// Expires is the number of keys with an expiry.
func (d *DB) Expires() int { return d.expires }

// Memory is what the database's keys, values and index take, in bytes.
func (d *DB) Memory() int64 { return d.arena.live + d.heads + d.bigs.bytes + d.wheel.memory() }

// Flush empties the database and gives the number of keys that were in it.
func (d *DB) Flush() int {
	n := d.count
	d.reset()
	return n
}

func (d *DB) find(p probe, key []byte) (addr, []byte) {
	if d.tables == nil {
		return 0, nil
	}
	heads := d.tables[p.group].heads
	if len(heads) == 0 {
		return 0, nil
	}
	for r := heads[bucket(p.hash, len(heads))]; r != 0; {
		b := d.arena.slot(r.addr())
		if r.tag() == p.tag && string(keyOf(b)) == string(key) {
			return r.addr(), b
		}
		r = nextOf(b)
	}
	return 0, nil
}

// live finds the key's item and removes it if its time has come.
func (d *DB) live(p probe, key []byte, now int64) (addr, []byte) {
	at, b := d.find(p, key)
	if b != nil && expiredAt(b, now) {
		d.drop(p, at, b)
		d.store.expired++
		return 0, nil
	}
	return at, b
}

// Lookup finds a key and notes that it was looked at.
func (d *DB) Lookup(key []byte, now int64) (Item, bool) {
	at, b := d.live(d.store.probe(key), key, now)
	if b == nil {
		return Item{}, false
	}
	touch(b, now)
	return Item{d: d, at: at, b: b}, true
}

// Peek finds a key and leaves the time of its last access as it is.
func (d *DB) Peek(key []byte, now int64) (Item, bool) {
	at, b := d.live(d.store.probe(key), key, now)
	return Item{d: d, at: at, b: b}, b != nil
}

// Delete removes a key and reports whether it was there.
func (d *DB) Delete(key []byte, now int64) bool {
	p := d.store.probe(key)
	at, b := d.live(p, key, now)
	if b == nil {
		return false
	}
	d.drop(p, at, b)
	return true
}

// content is a value on its way into an item.
type content struct {
	encoding Encoding
	number   int64  // of an Int
	text     []byte // of the others
	owned    bool   // text is a buffer that may be kept
	shared   bool   // and that others read
}

// Set gives key a value and an expiry (milliseconds since 1970, NoExpiry, KeepExpiry). value is copied.
func (d *DB) Set(key, value []byte, form Form, expiryMS, now int64) {
	c := content{text: value}
	c.encoding, c.number = form.encoding(value)
	d.put(d.store.probe(key), key, c, expiryMS, now)
}

// SetOwned is Set for a text that the caller gives away; a long one is not copied.
func (d *DB) SetOwned(key, value []byte, form Form, expiryMS, now int64) {
	c := content{text: value, owned: true}
	c.encoding, c.number = form.encoding(value)
	d.put(d.store.probe(key), key, c, expiryMS, now)
}

// SetInt gives key a number.
func (d *DB) SetInt(key []byte, n, expiryMS, now int64) {
	d.put(d.store.probe(key), key, content{encoding: Int, number: n}, expiryMS, now)
}

func (d *DB) put(p probe, key []byte, c content, expiryMS, now int64) {
	size := len(c.text)
	if c.encoding == Int {
		size = handleBytes
	}
	big := isBig(len(key), size)
	inline := size
	if big {
		inline = handleBytes
	}
	at, b := d.live(p, key, now)
	if b != nil && flagsOf(b)&flagBig != 0 {
		d.bigs.remove(b)
		setFlags(b, flagsOf(b)&^flagBig)
		setValueLen(b, 0)
	}
	b = d.place(p, key, at, b, inline, 0)
	flags := flagsOf(b)&flagArmed | uint8(c.encoding)
	setValueLen(b, size)
	switch {
	case c.encoding == Int:
		binary.LittleEndian.PutUint64(rest(b), uint64(c.number))
	case big:
		flags |= flagBig
		text := c.text
		if !c.owned {
			text = append(make([]byte, 0, len(text)), text...)
		}
		d.bigs.add(b, text, c.shared)
	default:
		copy(rest(b), c.text)
	}
	setFlags(b, flags)
	touch(b, now)
	d.setExpiry(b, p, expiryMS, now)
}

// isBig tells whether a value has a buffer of its own beside the item.
func isBig(key, size int) bool { return size > handleBytes && headerBytes+key+size > slotMax }

// place gives the item (nil: a new one) a slot with room for inline bytes of value, of which the first keep bytes stay as they are.
func (d *DB) place(p probe, key []byte, at addr, b []byte, inline, keep int) []byte {
	need := headerBytes + len(key) + max(inline, handleBytes)
	const wasteful = 64 // bytes that a slot may have beyond twice what is needed
	if len(b) >= need && len(b) <= 2*need+wasteful {
		return b
	}
	newAt, nb := d.arena.alloc(need)
	if b != nil {
		copy(nb, b[:headerBytes+len(key)+keep])
		d.relink(p, at, newAt)
		d.arena.release(at)
		return nb
	}
	clear(nb[:headerBytes])
	setHash(nb, p.hash)
	setKeyLen(nb, len(key))
	copy(nb[headerBytes:], key)
	if d.tables == nil {
		d.tables = make([]table, Groups)
		d.heads += Groups * tableBytes
	}
	t := &d.tables[p.group]
	before := t.memory()
	t.insert(&d.arena, newAt, nb, p)
	d.heads += t.memory() - before
	d.count++
	d.blocks[p.group/blockGroups]++
	return nb
}

// relink makes the link to at one to newAt; what at held was copied there before.
func (d *DB) relink(p probe, at, newAt addr) {
	heads := d.tables[p.group].heads
	link := &heads[bucket(p.hash, len(heads))]
	if link.addr() == at {
		*link = makeRef(newAt, p.tag)
		return
	}
	for r := *link; ; {
		b := d.arena.slot(r.addr())
		if r = nextOf(b); r.addr() == at {
			setNext(b, makeRef(newAt, p.tag))
			return
		}
	}
}

// drop removes an item.
func (d *DB) drop(p probe, at addr, b []byte) {
	t := &d.tables[p.group]
	link := &t.heads[bucket(p.hash, len(t.heads))]
	if link.addr() == at {
		*link = nextOf(b)
	} else {
		for r := *link; ; {
			before := d.arena.slot(r.addr())
			if r = nextOf(before); r.addr() == at {
				setNext(before, nextOf(b))
				break
			}
		}
	}
	if flagsOf(b)&flagBig != 0 {
		d.bigs.remove(b)
	}
	if expiryOf(b) != 0 {
		d.expires--
	}
	d.arena.release(at)
	before := t.memory()
	t.removed(&d.arena)
	d.heads += t.memory() - before
	d.count--
	d.blocks[p.group/blockGroups]--
}

// Grow makes the value of key, made if need be, a Raw text of at least n bytes and gives them for changing in place; bytes beyond the old ones are 0. The
// expiry stays.
func (d *DB) Grow(key []byte, n int, now int64) []byte {
	p := d.store.probe(key)
	at, b := d.live(p, key, now)
	var scratch [digitsMax]byte
	var old []byte
	if b != nil {
		old = Item{d: d, at: at, b: b}.Text(scratch[:])
		n = max(n, len(old))
	}
	if isBig(len(key), n) {
		return d.growBig(p, key, at, b, old, n, now)
	}
	keep := len(old)
	isInt := b != nil && Encoding(flagsOf(b)&flagEncoding) == Int
	if isInt {
		keep = 0
	}
	b = d.place(p, key, at, b, n, keep)
	text := rest(b)[:n:n]
	if isInt {
		copy(text, old)
	}
	clear(text[len(old):])
	setValueLen(b, n)
	setFlags(b, flagsOf(b)&flagArmed|uint8(Raw))
	touch(b, now)
	return text
}

func (d *DB) growBig(p probe, key []byte, at addr, b, old []byte, n int, now int64) []byte {
	wasBig := b != nil && flagsOf(b)&flagBig != 0
	var text []byte
	switch {
	case wasBig && !d.bigs.at(b).shared && cap(old) >= n:
		text = old[:n]
		clear(text[len(old):])
		d.bigs.at(b).buf = text
	case wasBig:
		room := n
		if n > len(old) {
			room += n / 4 // it grows again and again: then the copying is linear in all
		}
		text = append(make([]byte, 0, room), old...)[:n]
		d.bigs.replace(b, text, false)
	default:
		text = append(make([]byte, 0, n), old...)[:n]
		b = d.place(p, key, at, b, handleBytes, 0)
		d.bigs.add(b, text, false)
	}
	setValueLen(b, n)
	setFlags(b, flagsOf(b)&flagArmed|flagBig|uint8(Raw))
	touch(b, now)
	return text
}

// Expire gives the item another expiry: milliseconds since 1970, or NoExpiry.
func (it Item) Expire(atMS, now int64) {
	p := it.d.store.probe(it.Key())
	it.d.setExpiry(it.b, p, atMS, now)
}

func (d *DB) setExpiry(b []byte, p probe, at, now int64) {
	old := expiryOf(b)
	if at == KeepExpiry || at == old {
		return
	}
	setExpiryOf(b, at)
	flags := flagsOf(b)
	switch {
	case at == NoExpiry:
		d.expires--
		setFlags(b, flags&^flagArmed)
		return
	case old == 0:
		d.expires++
	}
	if flags&flagArmed == 0 || at < old {
		setFlags(b, flags|flagArmed)
		d.arm(p, at, now)
	}
}

// Transfer gives newKey of database to the value, encoding and expiry of key; what was there is replaced. With keep the old key stays. It reports
// whether the key was there. The two must not be the same key of the same database.
func (d *DB) Transfer(key []byte, to *DB, newKey []byte, keep bool, now int64) bool {
	p := d.store.probe(key)
	at, b := d.live(p, key, now)
	if b == nil {
		return false
	}
	it := Item{d: d, at: at, b: b}
	c := content{encoding: it.Encoding()}
	if n, ok := it.Int(); ok {
		c.number = n
	} else if flagsOf(b)&flagBig != 0 {
		v := d.bigs.at(b)
		v.shared = v.shared || keep
		c.text, c.owned, c.shared = v.buf, true, v.shared
	} else {
		c.text = it.Text(nil)
	}
	to.put(d.store.probe(newKey), newKey, c, expiryOf(b), now)
	if !keep {
		at, b = d.find(p, key)
		d.drop(p, at, b)
	}
	return true
}

// FormatInt is the text of an Int.
func FormatInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
