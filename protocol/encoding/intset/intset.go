// Package intset reads and changes Redis's intsets: small sets of numbers as one block of sorted numbers of one width, in memory, in RDB files and in DUMP
// payloads (Redis 7.0 intset.c). The bytes are the same that Redis would have written after the same calls. All functions are pure, for any goroutine;
// whoever owns the bytes changes them.
//
//	width   u32 LE  bytes of a number: 2, 4 or 8
//	count   u32 LE
//	number  signed, LE; strictly ascending
//
// The width is that of the widest number that was ever added; it never gets smaller.
package intset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

const (
	headerLen = 8
	countAt   = 4
)

// ErrCorrupt is wrapped by every error of Validate.
var ErrCorrupt = errors.New("corrupt intset")

// Set is one intset, neither more nor less. Its methods are for bytes that this package has written or Validate has found right; with others they may
// panic, but never read outside the slice.
type Set []byte

// New is an empty set in the space of buf, whose bytes are lost; nil allocates.
func New(buf []byte) Set { return append(buf[:0], 2, 0, 0, 0, 0, 0, 0, 0) }

// Len is the number of numbers.
func (s Set) Len() int { return int(binary.LittleEndian.Uint32(s[countAt:])) }

// At is the number of that index, in ascending order.
func (s Set) At(i int) int64 { return numberAt(s, i, s.width()) }

// Find tells whether a number is in the set, and its index, or that which it would get.
func (s Set) Find(n int64) (i int, found bool) {
	width, low, high := s.width(), 0, s.Len()
	if high > 0 { // most additions are at the end
		if last := numberAt(s, high-1, width); n >= last {
			if n > last {
				return high, false
			}
			return high - 1, true
		}
	}
	for low < high {
		middle := int(uint(low+high) >> 1)
		switch at := numberAt(s, middle, width); {
		case at == n:
			return middle, true
		case at < n:
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, false
}

// Contains tells whether a number is in the set.
func (s Set) Contains(n int64) bool {
	_, found := s.Find(n)
	return found
}

// Add puts a number into the set, within its own space where it suffices: the set given is dead, the one returned takes its place. Not added if it was
// there.
func (s Set) Add(n int64) (grown Set, added bool) {
	i, found := s.Find(n)
	if found {
		return s, false
	}
	if need := widthOf(n); need > s.width() {
		s = s.widen(need)
	}
	width, count := s.width(), s.Len()
	s = slices.Grow(s, width)[:len(s)+width]
	at := headerLen + i*width
	copy(s[at+width:], s[at:])
	putNumber(s, i, width, n)
	s.setLen(count + 1)
	return s, true
}

// Remove takes a number out of the set, in place. Not removed if it was not there.
func (s Set) Remove(n int64) (shrunk Set, removed bool) {
	i, found := s.Find(n)
	if !found {
		return s, false
	}
	width := s.width()
	at := headerLen + i*width
	copy(s[at:], s[at+width:])
	s = s[:len(s)-width]
	s.setLen(s.Len() - 1)
	return s, true
}

// widen gives every number a greater width, from the last on, so that none is overwritten before it was read.
func (s Set) widen(to int) Set {
	from, count := s.width(), s.Len()
	s = slices.Grow(s, count*(to-from))[:headerLen+count*to]
	binary.LittleEndian.PutUint32(s, uint32(to))
	for i := count - 1; i >= 0; i-- {
		putNumber(s, i, to, numberAt(s, i, from))
	}
	return s
}

func (s Set) width() int { return int(binary.LittleEndian.Uint32(s)) }

func (s Set) setLen(n int) { binary.LittleEndian.PutUint32(s[countAt:], uint32(n)) }

// widthOf is the least width of a number in bytes.
func widthOf(n int64) int {
	switch {
	case n >= math.MinInt16 && n <= math.MaxInt16:
		return 2
	case n >= math.MinInt32 && n <= math.MaxInt32:
		return 4
	default:
		return 8
	}
}

func numberAt(b []byte, i, width int) int64 {
	b = b[headerLen+i*width:]
	switch width {
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	default:
		return int64(binary.LittleEndian.Uint64(b))
	}
}

func putNumber(b []byte, i, width int, n int64) {
	b = b[headerLen+i*width:]
	switch width {
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(n))
	case 4:
		binary.LittleEndian.PutUint32(b, uint32(n))
	default:
		binary.LittleEndian.PutUint64(b, uint64(n))
	}
}

// Validate tells whether bytes from outside are one whole intset that is not empty (intsetValidateIntegrity, deep).
func Validate(b []byte) error {
	if len(b) < headerLen {
		return fmt.Errorf("%w: %d bytes are no header", ErrCorrupt, len(b))
	}
	width, count := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[countAt:])
	if width != 2 && width != 4 && width != 8 {
		return fmt.Errorf("%w: numbers of %d bytes", ErrCorrupt, width)
	}
	if uint64(count)*uint64(width) != uint64(len(b)-headerLen) {
		return fmt.Errorf("%w: %d bytes are not %d numbers of %d", ErrCorrupt, len(b)-headerLen, count, width)
	}
	if count == 0 {
		return fmt.Errorf("%w: it is empty", ErrCorrupt)
	}
	for i := 1; i < int(count); i++ {
		if numberAt(b, i-1, int(width)) >= numberAt(b, i, int(width)) {
			return fmt.Errorf("%w: number %d is not above the one before", ErrCorrupt, i)
		}
	}
	return nil
}
