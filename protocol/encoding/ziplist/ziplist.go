// Package ziplist reads Redis's ziplists: what small hashes, lists and sorted sets were before listpacks, in RDB files and DUMP payloads up to Redis 6.2
// (Redis 7.0 ziplist.c). Nobody writes them any more: a reader copies the entries to a listpack. All functions are pure, for any goroutine.
//
//	bytes  u32 LE  the whole block's length
//	last   u32 LE  the offset of the last entry; of the end mark if there is none
//	count  u16 LE  entries; 65535 = unknown, count them
//	entry  length of the entry before, head, text
//	0xff
//
// The length of the entry before is one byte below 254, or the byte 254 and a u32 LE, which may be small as well. An entry's head says what it is; a number
// has no text, its bytes are little endian and signed:
//
//	00nnnnnn                       text of n bytes
//	01nnnnnn nnnnnnnn              text of n bytes, the high bits first
//	10xxxxxx n u32 BE              text of n bytes
//	11000000, 11010000, 11100000   number of 16, 32, 64 bits behind it
//	11110000, 11111110             number of 24, 8 bits behind it
//	1111nnnn                       the number n−1, n from 1 to 13
package ziplist

import (
	"encoding/binary"
	"errors"
	"fmt"

	"larder/protocol/encoding/listpack"
)

const (
	headerLen    = 10
	lastAt       = 4
	countAt      = 8
	countUnknown = 1<<16 - 1
	endMark      = 0xff
	longBefore   = 0xfe
)

// The heads of numbers; below them are those of texts.
const (
	text14   = 0x40
	text32   = 0x80
	number16 = 0xc0
	number32 = 0xd0
	number64 = 0xe0
	number24 = 0xf0
	number8  = 0xfe

	numberSmall = 0xf1 // the number 0
	numberLast  = 0xfd // the number 12
)

// ErrCorrupt is wrapped by every error of Validate.
var ErrCorrupt = errors.New("corrupt ziplist")

// List is one ziplist that Validate has found right; with other bytes its methods may panic, but never read outside the slice. An entry is named by its
// offset; 0 is no entry.
type List []byte

// First is the first entry, 0 in an empty list.
func (l List) First() int {
	if l[headerLen] == endMark {
		return 0
	}
	return headerLen
}

// Get is the entry at that offset and the offset of the next, 0 behind the last. A text is a view of the list.
func (l List) Get(at int) (e listpack.Entry, next int) {
	start, size, _ := layout(l, at)
	next = start + size
	e = entry(l, headAt(l, at), start, next)
	if l[next] == endMark {
		next = 0
	}
	return e, next
}

// Len is the number of entries. It walks the list if the header does not know it.
func (l List) Len() int {
	if n := int(binary.LittleEndian.Uint16(l[countAt:])); n != countUnknown {
		return n
	}
	n := 0
	for at := l.First(); at != 0; n++ {
		_, at = l.Get(at)
	}
	return n
}

// headAt is the offset of an entry's head, behind the length of the entry before.
func headAt(b []byte, at int) int {
	if b[at] < longBefore {
		return at + 1
	}
	return at + 5
}

// layout is where the bytes behind an entry's head start and how many they are. Not ok if the end mark and all before it do not suffice.
func layout(b []byte, at int) (start, size int, ok bool) {
	end := len(b) - 1
	head := headAt(b, at)
	if head >= end {
		return 0, 0, false
	}
	first := b[head]
	start = head + 1
	switch {
	case first < text14:
		size = int(first)
	case first < text32:
		if start++; start <= end {
			size = int(first&0x3f)<<8 | int(b[head+1])
		}
	case first < number16:
		if start += 4; start <= end {
			size = int(binary.BigEndian.Uint32(b[head+1:]))
		}
	case first >= numberSmall && first <= numberLast:
	default:
		if size = numberLen(first); size == 0 {
			return 0, 0, false
		}
	}
	return start, size, start <= end && size <= end-start
}

// numberLen is how many bytes stand behind a number's head, 0 if there is no such head.
func numberLen(head byte) int {
	switch head {
	case number8:
		return 1
	case number16:
		return 2
	case number24:
		return 3
	case number32:
		return 4
	case number64:
		return 8
	default:
		return 0
	}
}

// entry is what a head and the bytes from start to end say.
func entry(b []byte, head, start, end int) listpack.Entry {
	switch first := b[head]; {
	case first < number16:
		return listpack.Entry{Text: b[start:end:end]}
	case first >= numberSmall && first <= numberLast:
		return listpack.Entry{Int: int64(first - numberSmall)}
	default:
		var n int64 // little endian, the sign in the last byte
		for i := end - 1; i >= start; i-- {
			n = n<<8 | int64(b[i])
		}
		unused := 64 - 8*(end-start)
		return listpack.Entry{Int: n << unused >> unused}
	}
}

// Validate tells whether bytes from outside are one whole ziplist, entry by entry (ziplistValidateIntegrity, deep).
func Validate(b []byte) error {
	if len(b) < headerLen+1 {
		return fmt.Errorf("%w: %d bytes are no header", ErrCorrupt, len(b))
	}
	if size := binary.LittleEndian.Uint32(b); uint64(size) != uint64(len(b)) {
		return fmt.Errorf("%w: the header says %d bytes, there are %d", ErrCorrupt, size, len(b))
	}
	end := len(b) - 1
	if b[end] != endMark {
		return fmt.Errorf("%w: no end mark", ErrCorrupt)
	}
	at, before, count := headerLen, 0, 0
	for ; b[at] != endMark; count++ {
		start, size, ok := layout(b, at)
		if !ok {
			return fmt.Errorf("%w: entry at byte %d: unknown, or beyond the end", ErrCorrupt, at)
		}
		if said := lengthBefore(b, at); said != before {
			return fmt.Errorf("%w: entry at byte %d: %d bytes before it, it says %d", ErrCorrupt, at, before, said)
		}
		before = start + size - at
		at = start + size
	}
	if at != end {
		return fmt.Errorf("%w: an end mark at byte %d of %d", ErrCorrupt, at, len(b))
	}
	if last := binary.LittleEndian.Uint32(b[lastAt:]); uint64(last) != uint64(at-before) {
		return fmt.Errorf("%w: the last entry is at byte %d, the header says %d", ErrCorrupt, at-before, last)
	}
	if said := int(binary.LittleEndian.Uint16(b[countAt:])); said != countUnknown && said != count {
		return fmt.Errorf("%w: the header says %d entries, there are %d", ErrCorrupt, said, count)
	}
	return nil
}

// lengthBefore is the length of the entry before, as the entry at that offset says.
func lengthBefore(b []byte, at int) int {
	if b[at] < longBefore {
		return int(b[at])
	}
	return int(binary.LittleEndian.Uint32(b[at+1:]))
}
