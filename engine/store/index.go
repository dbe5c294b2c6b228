package store

import "math/bits"

// ref is a link to an item: its addr and, above it, 16 bits of its key's hash, so that most items of other keys are passed over unseen.
type ref uint64

const (
	tagShift = 48
	addrMask = 1<<tagShift - 1
)

func makeRef(at addr, tag uint16) ref { return ref(tag)<<tagShift | ref(at) }

func (r ref) addr() addr  { return addr(r & addrMask) }
func (r ref) tag() uint16 { return uint16(r >> tagShift) }

// table is the index of one slot group: linear hashing, chains from heads. With n buckets, 2^k <= n < 2^(k+1), the first n-2^k have been split
// in two: a hash belongs to the bucket of its low k+1 bits if there is one, else of its low k bits. It grows and shrinks one bucket at a time, so no
// write waits for the whole, and a scan's reverse-binary cursor stays right (scan.go).
type table struct {
	heads []ref
	count int
}

const bucketsMin = 4

// bucket is the number of the bucket of a hash in a table of n > 0 buckets.
func bucket(hash uint32, n int) int {
	half := 1 << (bits.Len(uint(n)) - 1)
	b := int(hash) & (2*half - 1)
	if b >= n {
		b &= half - 1
	}
	return b
}

// insert adds an item that is not in the table; b is its slot.
func (t *table) insert(a *arena, at addr, b []byte, p probe) {
	if len(t.heads) == 0 {
		t.heads = make([]ref, bucketsMin)
	}
	head := &t.heads[bucket(p.hash, len(t.heads))]
	setNext(b, *head)
	*head = makeRef(at, p.tag)
	t.count++
	if t.count > len(t.heads) {
		t.grow(a)
	}
}

// grow splits one bucket.
func (t *table) grow(a *arena) {
	n := len(t.heads)
	half := 1 << (bits.Len(uint(n)) - 1)
	var stay, leave ref
	for r := t.heads[n-half]; r != 0; {
		b := a.slot(r.addr())
		next := nextOf(b)
		if int(hashOf(b))&half != 0 {
			setNext(b, leave)
			leave = r
		} else {
			setNext(b, stay)
			stay = r
		}
		r = next
	}
	t.heads[n-half] = stay
	t.heads = append(t.heads, leave)
}

// removed is to be called after an item was unlinked.
func (t *table) removed(a *arena) {
	t.count--
	n := len(t.heads)
	switch {
	case t.count == 0:
		t.heads = nil
	case n > bucketsMin && t.count < n*3/8:
		t.shrink(a)
	}
}

// shrink joins the last bucket with the one that it was split from.
func (t *table) shrink(a *arena) {
	last := len(t.heads) - 1
	r := t.heads[last]
	t.heads = t.heads[:last]
	into := &t.heads[last-1<<(bits.Len(uint(last))-1)]
	for r != 0 {
		b := a.slot(r.addr())
		next := nextOf(b)
		setNext(b, *into)
		*into = r
		r = next
	}
	const slack = 4 // times the buckets in use; then the memory is given back
	if cap(t.heads) > slack*max(last, 2*bucketsMin) {
		heads := make([]ref, last, 2*last)
		copy(heads, t.heads)
		t.heads = heads
	}
}

// memory is the bytes that the heads take.
func (t *table) memory() int64 { return int64(cap(t.heads)) * 8 }
