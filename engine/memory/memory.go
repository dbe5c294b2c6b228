// Package memory is one range of addresses that a node keeps its data in, outside the garbage collector's view. A range reserves addresses once, makes
// them usable in steps from the front, and gives pages back to the system where its owner says so. All unsafe code of the project is here.
//
// What must hold: an offset that is handed in lies wholly inside the part that Grow made usable, and not in pages that were discarded and not used again;
// nothing is checked in the ordinary build. The build tag "checked" asserts both at every access, and the tests run under both builds. Words are little
// endian and need no alignment. A page that was never written, or was discarded, reads as zeros.
//
// A range belongs to one goroutine, the node's loop.
package memory

import (
	"fmt"
	"unsafe"
)

const (
	// PageBytes is the step in which memory is given back.
	PageBytes = 4096
	// ReserveMax is the largest range: links between blocks of 64 bytes are 32 bits wide.
	ReserveMax = 1 << 38
)

// Source is where a range comes from: Map or Heap.
type Source interface {
	reserve() (base unsafe.Pointer, bytes int, err error)
	grow(base unsafe.Pointer, from, to int) error
	discard(base unsafe.Pointer, at, n int)
	release(base unsafe.Pointer, bytes int) error
}

// Range is the addresses from 0 to Len. Its zero value is an empty one.
type Range struct {
	base   unsafe.Pointer
	length uint64
	source Source
	bytes  int
	guard  guard
}

// New reserves a range.
func New(source Source) (Range, error) {
	base, bytes, err := source.reserve()
	if err != nil {
		return Range{}, fmt.Errorf("memory: reserve addresses: %w", err)
	}
	return Range{base: base, source: source, bytes: bytes}, nil
}

// Len is how many bytes are usable.
func (r *Range) Len() int { return int(r.length) }

// Reserved is how many bytes Len can grow to.
func (r *Range) Reserved() int { return r.bytes }

// Grow makes the bytes from Len to length usable. They read as zeros.
func (r *Range) Grow(length int) error {
	if length > r.bytes {
		return fmt.Errorf("memory: grow to %d bytes: only %d are reserved", length, r.bytes)
	}
	if err := r.source.grow(r.base, int(r.length), length); err != nil {
		return fmt.Errorf("memory: grow to %d bytes: %w", length, err)
	}
	r.length = uint64(length)
	return nil
}

// Discard gives the whole pages among the n bytes at at back to the system. They must be taken into use with Use before they are touched again.
func (r *Range) Discard(at uint64, n int) {
	from := (int(at) + PageBytes - 1) &^ (PageBytes - 1)
	to := (int(at) + n) &^ (PageBytes - 1)
	if from >= to {
		return
	}
	r.source.discard(r.base, from, to-from)
	r.guard.discard(from, to)
}

// Use tells that the n bytes at at are in use again. It matters to the checked build alone.
func (r *Range) Use(at uint64, n int) { r.guard.use(int(at), int(at)+n) }

// Close gives all addresses back. Nothing of the range may be touched afterwards, views neither.
func (r *Range) Close() error {
	if r.base == nil {
		return nil
	}
	base := r.base
	r.base, r.length = nil, 0
	return r.source.release(base, r.bytes)
}
