// Package zipmap reads Redis's zipmaps: what small hashes were in RDB files before Redis 2.6 (Redis 7.0 zipmap.c). Nobody writes them any more: a reader
// copies the pairs to a listpack. All functions are pure, for any goroutine.
//
//	count  u8  pairs; from 254 on: unknown, count them
//	pair   length of the field, field, length of the value, unused u8, value, as many unused bytes
//	0xff
//
// A length is one byte below 254, or the byte 254 and a u32 LE of 254 or more.
package zipmap

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	headerLen    = 1
	countUnknown = 254
	longLength   = 254
	endMark      = 0xff
)

// ErrCorrupt is wrapped by every error of Validate.
var ErrCorrupt = errors.New("corrupt zipmap")

// Map is one zipmap that Validate has found right; with other bytes its methods may panic, but never read outside the slice. A pair is named by its
// offset; 0 is no pair.
type Map []byte

// First is the first pair, 0 in an empty map.
func (m Map) First() int {
	if m[headerLen] == endMark {
		return 0
	}
	return headerLen
}

// Get is the pair at that offset and the offset of the next, 0 behind the last. Field and value are views of the map.
func (m Map) Get(at int) (field, value []byte, next int) {
	start, size, _ := layout(m, at, 0)
	at = start + size
	field = m[start:at:at]
	start, size, _ = layout(m, at, 1)
	at = start + size
	value = m[start:at:at]
	if next = at + int(m[start-1]); m[next] == endMark {
		next = 0
	}
	return field, value, next
}

// Len is the number of pairs. It walks the map if the header does not know it.
func (m Map) Len() int {
	if m[0] < countUnknown {
		return int(m[0])
	}
	n := 0
	for at := m.First(); at != 0; n++ {
		_, _, at = m.Get(at)
	}
	return n
}

// layout is where the bytes start whose length stands at that offset, with some bytes between the two, and how many they are; or why it cannot be. They
// end at the end mark at the latest.
func layout(b []byte, at, between int) (start, size int, reason string) {
	end := len(b) - 1
	if at >= end {
		return 0, 0, "beyond the end"
	}
	if size = int(b[at]); size < longLength {
		start = at + 1 + between
	} else {
		start = at + 5 + between
		if start > end {
			return 0, 0, "beyond the end"
		}
		if size == endMark {
			return 0, 0, "no length"
		}
		if size = int(binary.LittleEndian.Uint32(b[at+1:])); size < longLength {
			return 0, 0, "a small length in the long form"
		}
	}
	if start > end || size > end-start {
		return 0, 0, "beyond the end"
	}
	return start, size, ""
}

// Validate tells whether bytes from outside are one whole zipmap that is not empty, pair by pair (zipmapValidateIntegrity, deep). It is stricter in three
// points: the end mark ends the bytes, no length begins with it, and a small length is not in the long form, which Redis itself would read wrongly.
func Validate(b []byte) error {
	if len(b) < headerLen+1 {
		return fmt.Errorf("%w: %d bytes are no header", ErrCorrupt, len(b))
	}
	end := len(b) - 1
	if b[end] != endMark {
		return fmt.Errorf("%w: no end mark", ErrCorrupt)
	}
	at, count := headerLen, 0
	for ; b[at] != endMark; count++ {
		next, reason := check(b, at)
		if reason != "" {
			return fmt.Errorf("%w: pair at byte %d: %s", ErrCorrupt, at, reason)
		}
		at = next
	}
	if at != end {
		return fmt.Errorf("%w: an end mark at byte %d of %d", ErrCorrupt, at, len(b))
	}
	if count == 0 {
		return fmt.Errorf("%w: it is empty", ErrCorrupt)
	}
	if said := int(b[0]); said < countUnknown && said != count {
		return fmt.Errorf("%w: the header says %d pairs, there are %d", ErrCorrupt, said, count)
	}
	return nil
}

// check looks at the pair at an offset before the end mark and gives the offset behind it, that of the end mark at most, or why it is wrong.
func check(b []byte, at int) (next int, reason string) {
	start, size, reason := layout(b, at, 0)
	if reason != "" {
		return 0, reason
	}
	start, size, reason = layout(b, start+size, 1)
	if reason != "" {
		return 0, reason
	}
	if next = start + size + int(b[start-1]); next >= len(b) {
		return 0, "beyond the end"
	}
	return next, ""
}
