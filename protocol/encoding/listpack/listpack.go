// Package listpack reads and changes Redis's listpacks: one block of bytes that holds a list of texts and numbers, the form of small hashes, lists, sets,
// sorted sets and of streams' nodes in memory, in RDB files and in DUMP payloads (Redis 7.0 listpack.c). The bytes are the same that Redis would have
// written after the same calls. All functions are pure, for any goroutine; whoever owns the bytes changes them.
//
// A block is a header, entries, and the end byte:
//
//	bytes  u32 LE  the whole block's length, header and end byte included
//	count  u16 LE  entries; 65535 = unknown, count them
//	entry  head, text, length behind
//	0xff
//
// An entry's head says what it is; a number has no text, its bytes are little endian and signed:
//
//	0xxxxxxx                       number 0 to 127
//	10nnnnnn                       text of n bytes, at most 63
//	110xxxxx xxxxxxxx              number of 13 bits, the high bits first
//	1110nnnn nnnnnnnn              text of n bytes, at most 4095, the high bits first
//	11110000 n u32 LE              text of n bytes
//	11110001, 0010, 0011, 0100     number of 16, 24, 32, 64 bits behind it
//
// The length behind is that of head and text, so that a list is read backwards: groups of 7 bits, the highest first, each but the first marked by its top
// bit. It takes 1 byte to 127, 2 below 16383, 3 below 2097151, 4 below 268435455, else 5 (the odd limits are Redis's).
//
// An entry is named by its offset in the block. 0 is no entry: the header is there. An offset is good until the list changes at or before it.
package listpack

import "encoding/binary"

const (
	headerLen    = 6
	countAt      = 4
	countUnknown = 1<<16 - 1
	endMark      = 0xff
)

// SizeMax is the length in bytes beyond which Redis lets no listpack grow (LISTPACK_MAX_SAFETY_LIMIT).
const SizeMax = 1 << 30

// List is one listpack, neither more nor less: len is its length in bytes. Its methods are for bytes that this package has written or Validate has found
// right; with others they may panic, but never read outside the slice.
type List []byte

// New is an empty list in the space of buf, whose bytes are lost; nil allocates.
func New(buf []byte) List {
	return append(buf[:0], headerLen+1, 0, 0, 0, 0, 0, endMark)
}

// Fits tells whether the list may grow by that many bytes of text and stay below SizeMax.
func (l List) Fits(add int) bool { return add <= SizeMax-len(l) }

// End is the offset behind the last entry: what is inserted there becomes the last.
func (l List) End() int { return len(l) - 1 }

// count is the header's number of entries, maybe countUnknown.
func (l List) count() int { return int(binary.LittleEndian.Uint16(l[countAt:])) }

// Len is the number of entries. It walks the list if the header does not know it: 65,535 entries or more, now or once.
func (l List) Len() int {
	if n := l.count(); n != countUnknown {
		return n
	}
	n := 0
	for at := l.First(); at != 0; at = l.Next(at) {
		n++
	}
	return n
}

// First is the first entry, 0 in an empty list.
func (l List) First() int {
	if l[headerLen] == endMark {
		return 0
	}
	return headerLen
}

// Last is the last entry, 0 in an empty list.
func (l List) Last() int { return l.Prev(l.End()) }

// Next is the entry behind the one at that offset, 0 behind the last.
func (l List) Next(at int) int {
	at += span(l, at)
	if l[at] == endMark {
		return 0
	}
	return at
}

// Prev is the entry before the one at that offset, or before End; 0 before the first.
func (l List) Prev(at int) int {
	if at <= headerLen {
		return 0
	}
	size, width := lengthBehind(l, at)
	return at - width - size
}

// Seek is the entry of that index; a negative one counts from the end, -1 is the last. 0 if there is none. It walks from the nearer end.
func (l List) Seek(index int) int {
	if n := l.count(); n != countUnknown {
		if index < 0 {
			index += n
		}
		if index < 0 || index >= n {
			return 0
		}
		if index > n/2 {
			index -= n
		}
	}
	at := 0
	if index >= 0 {
		for at = l.First(); at != 0 && index > 0; index-- {
			at = l.Next(at)
		}
		return at
	}
	for at = l.Last(); at != 0 && index < -1; index++ {
		at = l.Prev(at)
	}
	return at
}

// span is the length in bytes of the entry at that offset with the length behind it.
func span(l []byte, at int) int {
	size := headed(l, at)
	return size + widthBehind(size)
}
