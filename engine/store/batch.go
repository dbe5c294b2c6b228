package store

import (
	"fmt"
	"math/bits"

	"larder/engine/memory"
	"larder/engine/store/tree"
)

// A batch of commands is looked up in passes: Prepare for every key (its hash), Fetch (the first lines of all buckets, then of all items), then the
// commands run in order. Fetch only loads memory, in loops so short that the waits for it overlap. What is kept of a key is its hash and group, which depend
// on its bytes alone, and the place of a reference that may lead to its item, which counts only while the index has not changed: else bucket and item are
// looked up anew when the command runs. So it does not matter what commands before it did.

// ahead is how many prepared keys a command's key is looked for among: so many may be skipped by commands that failed early.
const ahead = 8

// line is a line of the processor's cache, in bytes.
const line = 64

type prepared struct {
	first  *byte
	db     *DB
	hash   uint64
	place  uint64 // of the bucket; with ref, of the reference that may lead to the item; 0 = there is none
	ref    uint64 // the item it leads to; 0 = none is known
	length uint32
	group  uint16
}

// wanted is an element that a command will look for in the collection of its key.
type wanted struct {
	text []byte
	key  int // among the prepared
}

type batch struct {
	keys    []prepared
	wanted  []wanted
	ways    []tree.Descent
	texts   [][]byte // that the ways are for
	way     int      // the first that may be asked for
	next    int
	version uint64 // of the index, when the keys were looked up
	reach   uint64 // about how many bytes of an item are asked for, from its front
	sink    uint64 // keeps the loads from being left out
}

// Prepare tells that a command of the batch will ask for key. Its bytes must not change until Forget.
func (d *DB) Prepare(key []byte) {
	if len(key) == 0 {
		return
	}
	s := d.store
	n := len(s.batch.keys)
	if n == cap(s.batch.keys) {
		s.batch.keys = append(s.batch.keys, prepared{})
	}
	s.batch.keys = s.batch.keys[:n+1]
	e := &s.batch.keys[n]
	e.first, e.db, e.length, e.ref = &key[0], d, uint32(len(key)), 0
	e.hash, e.group = s.hash(key), uint16(s.options.Slot(key)/GroupSlots)
}

// PrepareElement tells that the command whose key was prepared last will look for an element in its collection, by a hash.
func (s *Store) PrepareElement(text []byte) {
	if n := len(s.batch.keys); n > 0 {
		s.batch.wanted = append(s.batch.wanted, wanted{text: text, key: n - 1})
	}
}

// Fetch loads the buckets and items of all prepared keys. No command may have run since they were prepared. What a loop loads does not depend on what
// it loaded before, and it does nothing else, so that many loads are under way at once.
func (s *Store) Fetch() {
	b := &s.batch
	b.version = s.version
	keys, reach := b.keys, b.reach
	for i := range keys {
		e := &keys[i]
		e.place = e.db.bucketOf(e.group, uint32(e.hash))
	}
	sum := uint64(0)
	for i := range keys {
		if place := keys[i].place; place != 0 {
			sum += uint64(s.mem.Byte(place))
		}
	}
	for s.findItems(keys) {
	}
	for i := range keys {
		if ref := keys[i].ref; ref != 0 {
			sum += uint64(s.mem.Byte(ref))
		}
	}
	for at := uint64(line); at < reach+line; at += line {
		for i := range keys {
			// Not beyond the granule, since the next may not be in use.
			if ref := keys[i].ref; ref != 0 {
				sum += uint64(s.mem.Byte(min(ref+min(at, reach), ref|(granuleBytes-1))))
			}
		}
	}
	b.reach -= b.reach / 8
	if len(b.wanted) > 0 {
		sum += s.fetchElements()
	}
	b.sink += sum
}

// fetchMin is how many entries make a tree so large that the processor's cache does not hold it anyway.
const fetchMin = 4096

// fetchElements loads the pages of large collections that lead to the elements.
func (s *Store) fetchElements() uint64 {
	b := &s.batch
	b.ways, b.texts = b.ways[:0], b.texts[:0]
	for _, e := range b.wanted {
		ref := b.keys[e.key].ref
		if ref == 0 || !Kind(s.mem.U32(ref)&kindMask).Big() {
			continue
		}
		h := s.shapeOf(ref)
		for _, t := range s.objectOf(s.runOf(&h)).Trees {
			if t.Even() && t.Len() >= fetchMin {
				b.ways, b.texts = append(b.ways, t.Descent(s.hash(e.text))), append(b.texts, e.text)
			}
		}
	}
	return s.trees.Fetch(b.ways)
}

// SeekHash finds an element in a tree in the order of hashes; cmp is as for Tree.Seek. What Fetch has seen of it is not looked at again.
func (s *Store) SeekHash(t *tree.Tree, text []byte, cmp func(entry []byte) int) (tree.Cursor, bool) {
	b := &s.batch
	if b.way < len(b.ways) && len(text) > 0 {
		for i := b.way; i < min(b.way+ahead, len(b.ways)); i++ {
			known := b.texts[i]
			if len(known) != len(text) || &known[0] != &text[0] {
				continue
			}
			b.way = i
			if memory.Checked && b.ways[i].Word() != s.hash(text) {
				panic(fmt.Sprintf("store: element %q changed since it was prepared", text))
			}
			return t.SeekAlong(&b.ways[i], cmp)
		}
	}
	return t.Seek(s.hash(text), cmp)
}

// findItems finds the references to the keys' items, by their tags. It reports whether there are chains to follow: some buckets are full, and have others
// behind them.
func (s *Store) findItems(keys []prepared) (more bool) {
	for i := range keys {
		e := &keys[i]
		if e.place == 0 || e.ref != 0 {
			continue
		}
		lo, hi := s.hits(e.place, tagOf(e.hash))
		slot := bits.TrailingZeros64(lo) >> 3
		if lo == 0 {
			if hi == 0 {
				e.place = s.link(e.place)
				more = more || e.place != 0
				continue
			}
			slot = 8 + bits.TrailingZeros64(hi)>>3
		}
		e.place = refPlace(e.place, slot)
		e.ref = s.mem.U40(e.place)
	}
	return more
}

// reachMax is how much of an item is loaded ahead, in bytes: the processor sees by itself that a longer one is read from front to end.
const reachMax = 512

// reached notes how long an item is that was asked for.
func (b *batch) reached(length uint64) {
	if length > b.reach {
		b.reach = min(length, reachMax)
	}
}

// Forget ends the batch.
func (s *Store) Forget() {
	clear(s.batch.keys)
	s.batch.keys = s.batch.keys[:0]
	if len(s.batch.wanted) > 0 {
		clear(s.batch.wanted)
		s.batch.wanted = s.batch.wanted[:0]
		clear(s.batch.ways)
		clear(s.batch.texts)
		s.batch.ways, s.batch.way = s.batch.ways[:0], 0
	}
	s.batch.next = 0
}

// lookupPrepared is Lookup for the usual key of a batch: prepared, found at once, and without an expiry. It exists for speed alone: where it gives no
// item, Lookup says whether there is one.
func (d *DB) lookupPrepared(key []byte, now int64) (Item, bool) {
	s := d.store
	b := &s.batch
	i := b.next
	if i >= len(b.keys) || b.version != s.version || s.limit > 0 || len(key) == 0 {
		return Item{}, false
	}
	e := &b.keys[i]
	if e.first != &key[0] {
		if i++; i == len(b.keys) {
			return Item{}, false
		}
		e = &b.keys[i]
	}
	if e.first != &key[0] || int(e.length) != len(key) || e.db != d || e.ref == 0 {
		return Item{}, false
	}
	b.next = i
	at := e.ref
	w := s.mem.U64(at)
	if w&(flagExpiry|flagWords) != 0 {
		return Item{}, false
	}
	h := shape{at: at, first: uint32(w), head: firstBytes + 2, lens: lensOf(uint32(w>>32&0xff), uint32(w>>40&0xff))}
	if w&longLength != 0 {
		h = s.longShape(at, w)
	}
	if int(h.keyLen()) != len(key) || string(s.mem.Bytes(at+uint64(h.head), len(key))) != string(key) {
		return Item{}, false
	}
	b.reached(uint64(h.head) + uint64(h.keyLen()) + uint64(h.valueLen()))
	if first := touched(h.first, now); first != h.first {
		h.first = first
		s.mem.SetU32(at, first)
	}
	return Item{d: d, h: h}, true
}

// TextAhead is the text of a key as lookupPrepared finds it, if it is kept as text.
func (d *DB) TextAhead(key []byte, now int64) ([]byte, bool) {
	it, ok := d.lookupPrepared(key, now)
	if kind := it.h.kind(); !ok || kind != kindEmbStr && kind != kindRaw {
		return nil, false
	}
	return d.store.valueBytes(&it.h), true
}

// probe gives a key's probe, from what was prepared if it was.
func (d *DB) probe(key []byte) probe {
	s := d.store
	b := &s.batch
	if b.next < len(b.keys) && len(key) > 0 {
		end := min(b.next+ahead, len(b.keys))
		for i := b.next; i < end; i++ {
			e := &b.keys[i]
			if e.first != &key[0] || int(e.length) != len(key) {
				continue
			}
			b.next = i
			if memory.Checked && e.hash != s.hash(key) {
				panic(fmt.Sprintf("store: key %q changed since it was prepared", key))
			}
			p := probe{ghost: e.hash, hash: uint32(e.hash), group: e.group, tag: tagOf(e.hash)}
			if e.ref != 0 && e.db == d && b.version == s.version {
				p.place = e.place
			}
			return p
		}
	}
	return s.probeOf(key)
}
