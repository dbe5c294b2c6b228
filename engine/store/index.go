package store

import "math/bits"

// The index of one slot group is a linear-hash table of buckets. A bucket is 64 bytes, a cache line:
//
//	 0  ten tags, a byte each: bits of the keys' hashes; 0 = no entry
//	10  ten references of 40 bits: the items' offsets
//	60  the next bucket of the chain, in units of 64 bytes; 0 = none
//
// Entries fill a chain from its front without gaps. With n buckets, 2^k <= n < 2^(k+1), the first n-2^k have been split in two: a hash belongs to the
// bucket of its low k+1 bits if there is one, else of its low k bits. A table grows and shrinks by one bucket at a time, so no write waits for the
// whole, and a scan's reverse-binary cursor stays right (scan.go).
type table struct {
	chunks []uint32 // of 16 buckets, in units of 64 bytes; the only chunk of a small table has 1, 2, 4, 8 or 16
	n      uint32   // buckets
	count  uint32   // entries
}

const (
	bucketSlots = 10
	refsAt      = 10
	refBytes    = 5
	linkAt      = 60

	// BucketBytes is what a bucket takes.
	BucketBytes  = 64
	chunkShift   = 4 // buckets in a chunk
	chunkBuckets = 1 << chunkShift

	fillMax = 8 // entries a bucket on average; above, one is split
	fillMin = 5 // below, two are joined
)

// entry is what a bucket keeps of an item.
type entry struct {
	ref uint64
	tag uint8
}

// bucketOf is the number of the bucket of a hash in a table of n > 0 buckets.
func bucketOf(hash uint32, n uint32) uint32 {
	half := uint32(1) << ((bits.Len32(n) - 1) & 31)
	b := hash & (2*half - 1)
	joined := b & (half - 1)
	if b >= n { // without a jump, which nobody could foretell
		b = joined
	}
	return b
}

// at is the place of bucket number b.
func (t *table) at(b uint32) uint64 {
	return uint64(t.chunks[b>>chunkShift])<<blockShift + uint64(b&(chunkBuckets-1))*BucketBytes
}

const (
	low7  = 0x7f7f7f7f7f7f7f7f
	ones8 = 0x0101010101010101
)

// equal8 has the highest bit of each byte of w set that is tag.
func equal8(w uint64, tag uint8) uint64 {
	w ^= uint64(tag) * ones8
	return ^((w&low7 + low7) | w | low7)
}

// hits gives the slots of a bucket whose tag is tag: bit 8*i+7 for slot i < 8 in lo, for slot 8+i in hi.
func (s *Store) hits(b uint64, tag uint8) (lo, hi uint64) {
	return equal8(s.mem.U64(b), tag), equal8(s.mem.U64(b+8), tag) & 0x8080
}

func refPlace(b uint64, slot int) uint64 { return b + refsAt + uint64(slot)*refBytes }

func (s *Store) link(b uint64) uint64 { return uint64(s.mem.U32(b+linkAt)) << blockShift }

func (s *Store) setLink(b, next uint64) { s.mem.SetU32(b+linkAt, uint32(next>>blockShift)) }

// filled is the number of entries of a bucket, not of its chain.
func (s *Store) filled(b uint64) int {
	lo, hi := s.hits(b, 0)
	switch {
	case lo != 0:
		return bits.TrailingZeros64(lo) >> 3
	case hi != 0:
		return 8 + bits.TrailingZeros64(hi)>>3
	}
	return bucketSlots
}

func (s *Store) entryAt(b uint64, slot int) entry {
	return entry{ref: s.mem.U40(refPlace(b, slot)), tag: s.mem.Byte(b + uint64(slot))}
}

func (s *Store) setEntry(b uint64, slot int, e entry) {
	s.version++
	s.mem.SetByte(b+uint64(slot), e.tag)
	s.mem.SetU40(refPlace(b, slot), e.ref)
}

// setRef makes the reference at place one to at.
func (s *Store) setRef(place, at uint64) {
	s.version++
	s.mem.SetU40(place, at)
}

// find gives the item of a key and the place of the reference to it.
func (d *DB) find(p probe, key []byte) (place uint64, h shape) {
	s := d.store
	if p.place != 0 {
		if h = s.shapeOf(s.mem.U40(p.place)); int(h.keyLen()) == len(key) && string(s.keyBytes(&h)) == string(key) {
			s.batch.reached(uint64(h.size()))
			return p.place, h
		}
	}
	w := d.hitsOf(p)
	for {
		place, h, ok := w.next(s)
		if !ok || int(h.keyLen()) == len(key) && string(s.keyBytes(&h)) == string(key) {
			return place, h
		}
	}
}

// hits goes through the items with a probe's tag in its chain, which may not change meanwhile.
type hits struct {
	b      uint64 // the bucket; 0 = the end
	lo, hi uint64 // what is left of its hits
	tag    uint8
}

func (d *DB) hitsOf(p probe) hits {
	w := hits{b: d.bucket(p), tag: p.tag}
	if w.b != 0 {
		w.lo, w.hi = d.store.hits(w.b, w.tag)
	}
	return w
}

// next gives an item and the place of the reference to it.
func (w *hits) next(s *Store) (place uint64, h shape, ok bool) {
	for w.lo|w.hi == 0 {
		if w.b == 0 {
			return 0, shape{}, false
		}
		if w.b = s.link(w.b); w.b != 0 {
			w.lo, w.hi = s.hits(w.b, w.tag)
		}
	}
	slot := bits.TrailingZeros64(w.lo) >> 3
	if w.lo == 0 {
		slot = 8 + bits.TrailingZeros64(w.hi)>>3
		w.hi &= w.hi - 1
	} else {
		w.lo &= w.lo - 1
	}
	place = refPlace(w.b, slot)
	return place, s.shapeOf(s.mem.U40(place)), true
}

// bucket is the first bucket of a probe's chain, 0 if there is none.
func (d *DB) bucket(p probe) uint64 { return d.bucketOf(p.group, p.hash) }

func (d *DB) bucketOf(group uint16, hash uint32) uint64 {
	if d.tables == nil {
		return 0
	}
	t := &d.tables[group]
	if t.n == 0 {
		return 0
	}
	return t.at(bucketOf(hash, t.n))
}

// placeOf finds the reference to an item that is in the index.
func (d *DB) placeOf(p probe, at uint64) uint64 {
	s := d.store
	for b := d.bucket(p); b != 0; b = s.link(b) {
		for slot := range s.filled(b) {
			if place := refPlace(b, slot); s.mem.U40(place) == at {
				return place
			}
		}
	}
	panic("store: an item is not in the index")
}

// insert adds an item whose key is not there.
func (d *DB) insert(p probe, at uint64) {
	if d.tables == nil {
		d.tables = make([]table, Groups)
	}
	t := &d.tables[p.group]
	if t.n == 0 {
		t.chunks = append(t.chunks[:0], d.newBlock(0))
		t.n = 1
		for t.n < d.expected {
			d.addBucket(t)
		}
	}
	d.push(t.at(bucketOf(p.hash, t.n)), entry{ref: at, tag: p.tag})
	t.count++
	if t.count > fillMax*t.n {
		d.split(t)
	}
	d.count++
	d.parts[p.group/partGroups]++
}

// newBlock gives a cleared block of 64<<class bytes, as a link.
func (d *DB) newBlock(class int) uint32 {
	s := d.store
	at := s.blocks.get(class)
	s.mem.Zero(at, BucketBytes<<class)
	d.index += BucketBytes << class
	return uint32(at >> blockShift)
}

func (d *DB) freeBlock(at uint64, class int) {
	d.store.blocks.put(at, class)
	d.index -= BucketBytes << class
}

// push adds an entry to the end of a chain.
func (d *DB) push(b uint64, e entry) {
	s := d.store
	for {
		if n := s.filled(b); n < bucketSlots {
			s.setEntry(b, n, e)
			return
		}
		next := s.link(b)
		if next == 0 {
			next = uint64(d.newBlock(0)) << blockShift
			s.setLink(b, next)
		}
		b = next
	}
}

// remove takes the entry out whose reference is at place, in a chain of group.
func (d *DB) remove(p probe, place uint64) {
	t := &d.tables[p.group]
	d.pull(t.at(bucketOf(p.hash, t.n)), place)
	t.count--
	d.count--
	d.parts[p.group/partGroups]--
	switch {
	case t.count == 0:
		for t.n > 0 {
			d.dropBucket(t)
		}
	case t.n > 1 && t.count < fillMin*t.n:
		d.join(t)
	}
}

// pull fills the slot of the reference at place with the last entry of the chain that begins at b.
func (d *DB) pull(b, place uint64) {
	s := d.store
	before := uint64(0)
	for next := s.link(b); next != 0; next = s.link(b) {
		before, b = b, next
	}
	last := s.filled(b) - 1
	to := place &^ (BucketBytes - 1)
	s.setEntry(to, int(place-to-refsAt)/refBytes, s.entryAt(b, last))
	s.setEntry(b, last, entry{})
	if last == 0 && before != 0 {
		s.setLink(before, 0)
		d.freeBlock(b, 0)
	}
}

// addBucket lengthens the table by an empty bucket.
func (d *DB) addBucket(t *table) uint64 {
	d.store.version++
	switch {
	case t.n >= chunkBuckets && t.n&(chunkBuckets-1) == 0:
		t.chunks = append(t.chunks, d.newBlock(chunkShift))
	case t.n < chunkBuckets && t.n&(t.n-1) == 0:
		d.resizeChunk(t, bits.Len32(t.n)-1, bits.Len32(t.n))
	}
	t.n++
	return t.at(t.n - 1)
}

// dropBucket shortens the table by its last bucket, which is empty.
func (d *DB) dropBucket(t *table) {
	d.store.version++
	t.n--
	switch {
	case t.n >= chunkBuckets && t.n&(chunkBuckets-1) == 0:
		last := len(t.chunks) - 1
		d.freeBlock(uint64(t.chunks[last])<<blockShift, chunkShift)
		t.chunks = t.chunks[:last]
		if cap(t.chunks) > 4*(last+1) {
			t.chunks = append(make([]uint32, 0, 2*last), t.chunks...)
		}
	case t.n == 0:
		d.freeBlock(uint64(t.chunks[0])<<blockShift, 0)
		t.chunks = nil
	case t.n < chunkBuckets && t.n&(t.n-1) == 0:
		d.resizeChunk(t, bits.Len32(t.n), bits.Len32(t.n)-1)
	}
}

// resizeChunk gives the only chunk room for 2^class buckets; it had room for 2^was.
func (d *DB) resizeChunk(t *table, was, class int) {
	d.store.version++
	old := uint64(t.chunks[0]) << blockShift
	t.chunks[0] = d.newBlock(class)
	d.store.mem.Copy(uint64(t.chunks[0])<<blockShift, old, int(t.n)*BucketBytes)
	d.freeBlock(old, was)
}

// split divides the first bucket that was not split yet.
func (d *DB) split(t *table) {
	s := d.store
	half := uint32(1) << (bits.Len32(t.n) - 1)
	to := d.addBucket(t)
	from := t.at(t.n - 1 - half)
	keepAt, kept := from, 0
	for b := from; b != 0; b = s.link(b) {
		for slot := range s.filled(b) {
			e := s.entryAt(b, slot)
			if s.hashAt(e.ref)&half != 0 {
				d.push(to, e)
				continue
			}
			if kept == bucketSlots {
				keepAt, kept = s.link(keepAt), 0
			}
			s.setEntry(keepAt, kept, e)
			kept++
		}
	}
	for slot := kept; slot < bucketSlots; slot++ {
		s.setEntry(keepAt, slot, entry{})
	}
	d.cut(keepAt)
}

// cut frees the buckets behind b in its chain.
func (d *DB) cut(b uint64) {
	s := d.store
	s.version++
	rest := s.link(b)
	s.setLink(b, 0)
	for rest != 0 {
		next := s.link(rest)
		d.freeBlock(rest, 0)
		rest = next
	}
}

// join moves the last bucket's entries to the one that it was split from.
func (d *DB) join(t *table) {
	s := d.store
	last := t.n - 1
	from := t.at(last)
	to := t.at(last - 1<<(bits.Len32(last)-1))
	for b := from; b != 0; b = s.link(b) {
		for slot := range s.filled(b) {
			d.push(to, s.entryAt(b, slot))
		}
	}
	d.cut(from)
	s.mem.Zero(from, BucketBytes)
	d.dropBucket(t)
}

// firstSlot is the slot of the lowest hit among the first eight, bucketSlots if there is none.
func firstSlot(lo uint64) int {
	if lo == 0 {
		return bucketSlots
	}
	return bits.TrailingZeros64(lo) >> 3
}
