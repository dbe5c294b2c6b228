package streams

import (
	"encoding/binary"
	"slices"
)

const (
	shapesMax     = 15   // kept in a stream; their numbers take one byte in an entry
	shapeBytesMax = 1024 // of a shape's names; longer ones stay in their entries
)

// shapes are the names of fields that entries have in common: an entry then keeps a number instead of its names. Names become a shape when two entries
// behind each other have them; a shape that no entry has any more may be replaced.
type shapes struct {
	list []shape
	last uint64 // hash of the names of the entry added last
}

type shape struct {
	names []byte // each behind its length; never changed
	count int
	hash  uint64
	refs  int
}

// use gives the number of the fields' shape and counts one entry more for it; 0: the entry is to keep its names.
func (s *shapes) use(fields [][]byte, hash uint64) int {
	last := s.last
	s.last = hash
	for i := range s.list {
		if sh := &s.list[i]; sh.hash == hash && sh.is(fields) {
			sh.refs++
			return i + 1
		}
	}
	if hash != last {
		return 0
	}
	return s.make(fields, hash)
}

func (s *shapes) make(fields [][]byte, hash uint64) int {
	free := slices.IndexFunc(s.list, func(sh shape) bool { return sh.refs == 0 })
	if free < 0 && len(s.list) == shapesMax {
		return 0
	}
	size := 0
	for i := 0; i < len(fields); i += 2 {
		size += binary.MaxVarintLen16 + len(fields[i])
	}
	if size > shapeBytesMax {
		return 0
	}
	names := make([]byte, 0, size)
	for i := 0; i < len(fields); i += 2 {
		names = appendText(names, fields[i])
	}
	made := shape{names: names, count: len(fields) / 2, hash: hash, refs: 1}
	if free < 0 {
		s.list = append(s.list, made)
		return len(s.list)
	}
	s.list[free] = made
	return free + 1
}

// drop counts one entry less for a shape.
func (s *shapes) drop(number int) {
	if number != 0 {
		s.list[number-1].refs--
	}
}

// forget counts no entry for any shape; keep then counts those that there are.
func (s *shapes) forget() {
	for i := range s.list {
		s.list[i].refs = 0
	}
}

// keep counts one entry more for a shape.
func (s *shapes) keep(number int) {
	if number != 0 {
		s.list[number-1].refs++
	}
}

func (s *shapes) clone() shapes { return shapes{list: slices.Clone(s.list), last: s.last} }

func (s *shapes) bytes() int64 {
	const shapeBytes = 56
	n := int64(0)
	for i := range s.list {
		n += shapeBytes + int64(len(s.list[i].names))
	}
	return n
}

// is tells whether the shape is made of the fields' names.
func (sh *shape) is(fields [][]byte) bool {
	if sh.count != len(fields)/2 {
		return false
	}
	names := sh.names
	var name []byte
	for i := 0; i < len(fields); i += 2 {
		if name, names = cutText(names); string(name) != string(fields[i]) {
			return false
		}
	}
	return true
}

// hashNames is FNV-1a of the fields' names and their ends.
func hashNames(fields [][]byte) uint64 {
	const basis, prime = 14695981039346656037, 1099511628211
	h := uint64(basis)
	for i := 0; i < len(fields); i += 2 {
		for _, c := range fields[i] {
			h = (h ^ uint64(c)) * prime
		}
		h = (h ^ uint64(len(fields[i]))) * prime
	}
	return h
}
