package listpack

import (
	"encoding/binary"
	"strconv"

	"larder/protocol/encoding/decimal"
)

// The first bytes of entries. Up to numberSmall the byte is the number itself.
const (
	numberSmall = 0x7f
	text6       = 0x80
	number13    = 0xc0
	text12      = 0xe0
	text32      = 0xf0
	number16    = 0xf1
	number24    = 0xf2
	number32    = 0xf3
	number64    = 0xf4
)

// Entry is what one entry holds.
type Entry struct {
	Text []byte // a view of the list; nil if the entry is a number
	Int  int64  // the number; 0 if the entry is a text
}

// IsInt tells whether the entry is a number.
func (e Entry) IsInt() bool { return e.Text == nil }

// Append appends the text that the entry stands for: a number in decimal.
func (e Entry) Append(dst []byte) []byte {
	if e.Text == nil {
		return strconv.AppendInt(dst, e.Int, 10)
	}
	return append(dst, e.Text...)
}

// Len is the length in bytes of the text that the entry stands for.
func (e Entry) Len() int {
	if e.Text == nil {
		return decimal.Len(e.Int)
	}
	return len(e.Text)
}

// Equal tells whether the entry stands for that text.
func (e Entry) Equal(text []byte) bool {
	if e.Text == nil {
		n, ok := decimal.Parse(text)
		return ok && n == e.Int
	}
	return string(e.Text) == string(text)
}

// Get is the entry at that offset. Its text is a view: dead when the list changes.
func (l List) Get(at int) Entry {
	switch head := l[at]; {
	case head <= numberSmall:
		return Entry{Int: int64(head)}
	case head < number13:
		start := at + 1
		end := start + int(head&0x3f)
		return Entry{Text: l[start:end:end]}
	case head < text12:
		n := int64(head&0x1f)<<8 | int64(l[at+1])
		return Entry{Int: n << 51 >> 51}
	case head <= text32:
		end := at + headed(l, at)
		start := at + 2
		if head == text32 {
			start = at + 5
		}
		return Entry{Text: l[start:end:end]}
	default:
		return Entry{Int: wide(l[at:])}
	}
}

// wide is the number of an entry of 16 bits or more.
func wide(b []byte) int64 {
	switch b[0] {
	case number16:
		return int64(int16(binary.LittleEndian.Uint16(b[1:])))
	case number24:
		return int64(int32(uint32(b[1])<<8|uint32(b[2])<<16|uint32(b[3])<<24) >> 8)
	case number32:
		return int64(int32(binary.LittleEndian.Uint32(b[1:])))
	default:
		return int64(binary.LittleEndian.Uint64(b[1:]))
	}
}

// headLen is the length in bytes of an entry's head, told by its first byte; 0 if there is no such entry.
func headLen(first byte) int {
	switch {
	case first < number13:
		return 1
	case first < text32:
		return 2
	case first == text32 || first == number32:
		return 5
	case first == number16:
		return 3
	case first == number24:
		return 4
	case first == number64:
		return 9
	default:
		return 0
	}
}

// headed is the length in bytes of head and text of the entry at that offset; the head must be inside l.
func headed(l []byte, at int) int {
	first := l[at]
	switch {
	case first <= numberSmall:
		return 1
	case first < number13:
		return 1 + int(first&0x3f)
	case first >= text12 && first < text32:
		return 2 + int(first&0x0f)<<8 + int(l[at+1])
	case first == text32:
		return 5 + int(binary.LittleEndian.Uint32(l[at+1:]))
	default:
		return headLen(first)
	}
}

// widthBehind is how many bytes the length behind an entry takes (lpEncodeBacklen, with its odd limits).
func widthBehind(size int) int {
	switch {
	case size <= 127:
		return 1
	case size < 1<<14-1:
		return 2
	case size < 1<<21-1:
		return 3
	case size < 1<<28-1:
		return 4
	default:
		return 5
	}
}

// putBehind writes the length behind an entry; b has just its width.
func putBehind(b []byte, size int) {
	for i := len(b) - 1; i > 0; i-- {
		b[i] = byte(size) | 0x80
		size >>= 7
	}
	b[0] = byte(size)
}

// lengthBehind reads the length that ends before that offset, and how many bytes it takes.
func lengthBehind(l []byte, at int) (size, width int) {
	for {
		width++
		b := l[at-width]
		size |= int(b&0x7f) << (7 * (width - 1))
		if b < 0x80 || width == 5 {
			return size, width
		}
	}
}
