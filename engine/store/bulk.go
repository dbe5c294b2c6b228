package store

import (
	"bytes"
	"math/bits"
)

// Expect tells that a database without keys is about to get so many: the tables of its index are then made so large at once, as their first keys come,
// instead of growing with them. 0 ends it.
func (d *DB) Expect(keys int) {
	if d.count == 0 || keys == 0 {
		d.expected = uint32(keys / (fillMax * Groups))
	}
}

// Hashed is an element of a collection that is made as a whole, by its number.
type Hashed struct {
	Hash  uint64
	Index int32
}

// HashOrder puts n elements in the order in which a tree in the order of hashes has them: by their hashes, those of one hash by their bytes. It tells whether
// they are all different. The order is written to the space of buf. What it takes is linear in n.
func (s *Store) HashOrder(buf []Hashed, n int, text func(i int) []byte) (order []Hashed, distinct bool) {
	if cap(buf) < 2*n {
		buf = make([]Hashed, 2*n)
	}
	drawn, order := buf[:n], buf[n:2*n:2*n]
	shift := 64 - min(bits.Len(uint(n)), 20)
	ends := s.ends(1 << (64 - shift))
	for i := range drawn {
		h := s.hash(text(i))
		drawn[i] = Hashed{h, int32(i)}
		ends[h>>shift]++
	}
	sum := int32(0)
	for i, count := range ends {
		ends[i] = sum
		sum += count
	}
	for _, e := range drawn {
		to := &ends[e.Hash>>shift]
		order[*to] = e
		*to++
	}
	return order, s.settle(order, text)
}

// ends gives room for n counts, which are 0.
func (s *Store) ends(n int) []int32 {
	const keep = 1 << 13
	switch {
	case n > keep:
		return make([]int32, n)
	case s.counts == nil:
		s.counts = make([]int32, keep)
	}
	clear(s.counts[:n])
	return s.counts[:n]
}

// settle moves elements that are near their places to them, and tells whether no two are the same.
func (s *Store) settle(order []Hashed, text func(i int) []byte) (distinct bool) {
	for i := 1; i < len(order); i++ {
		e, to := order[i], i
		for ; to > 0 && order[to-1].Hash >= e.Hash; to-- {
			if order[to-1].Hash == e.Hash {
				c := bytes.Compare(text(int(order[to-1].Index)), text(int(e.Index)))
				if c == 0 {
					return false
				}
				if c < 0 {
					break
				}
			}
			order[to] = order[to-1]
		}
		order[to] = e
	}
	return true
}
