package listpack

import (
	"encoding/binary"
	"math"
	"slices"

	"larder/protocol/encoding/decimal"
)

// Changes happen within the list's own space where it suffices, as with append: the list given is dead, the one returned takes its place. A text handed in
// must not be a view of the list. A text that is a number is kept as one, by the rule of decimal.Parse (lpEncodeGetType). A list that would pass 4 GiB
// panics: whoever lets it grow asks Fits.

// Append adds a text as the last entry.
func (l List) Append(text []byte) List { return l.Insert(l.End(), text) }

// AppendInt adds a number as the last entry.
func (l List) AppendInt(n int64) List { return l.InsertInt(l.End(), n) }

// AppendEntry adds what another list's entry holds, encoded anew.
func (l List) AppendEntry(e Entry) List {
	if e.IsInt() {
		return l.AppendInt(e.Int)
	}
	return l.Append(e.Text)
}

// Prepend adds a text as the first entry.
func (l List) Prepend(text []byte) List { return l.Insert(headerLen, text) }

// PrependInt adds a number as the first entry.
func (l List) PrependInt(n int64) List { return l.InsertInt(headerLen, n) }

// Insert puts a text before the entry at that offset, or at End; the offset then names the new entry.
func (l List) Insert(at int, text []byte) List {
	p := formOf(text)
	l = l.place(at, 0, &p)
	l.addCount(1)
	return l
}

// InsertInt puts a number before the entry at that offset, or at End; the offset then names the new entry.
func (l List) InsertInt(at int, n int64) List {
	p := formOfInt(n)
	l = l.place(at, 0, &p)
	l.addCount(1)
	return l
}

// Replace puts a text in the place of the entry at that offset, which names it on.
func (l List) Replace(at int, text []byte) List {
	p := formOf(text)
	return l.place(at, span(l, at), &p)
}

// ReplaceInt puts a number in the place of the entry at that offset, which names it on.
func (l List) ReplaceInt(at int, n int64) List {
	p := formOfInt(n)
	return l.place(at, span(l, at), &p)
}

// Delete takes the entry at that offset out. The offset then names what followed it, or is End.
func (l List) Delete(at int) List { return l.DeleteFrom(at, 1) }

// DeleteFrom takes up to n entries out, the first at that offset. The offset then names what followed them, or is End.
func (l List) DeleteFrom(at, n int) List {
	end, deleted := at, 0
	for deleted < n && l[end] != endMark {
		end += span(l, end)
		deleted++
	}
	if deleted == 0 {
		return l
	}
	l = append(l[:at], l[end:]...)
	l.setSize()
	l.addCount(-deleted)
	return l
}

// DeleteRange takes up to n entries out, the first by its index as Seek counts. Without such an entry nothing happens.
func (l List) DeleteRange(index, n int) List {
	at := l.Seek(index)
	if at == 0 || n <= 0 {
		return l
	}
	known := l.count()
	if known == countUnknown {
		return l.DeleteFrom(at, n)
	}
	if index < 0 {
		index += known
	}
	if known-index > n {
		return l.DeleteFrom(at, n)
	}
	l = append(l[:at], endMark) // all the rest: no need to walk it
	l.setSize()
	l.setCount(index)
	return l
}

// Merge adds all entries of another list behind those of l, as they are.
func (l List) Merge(other List) List {
	n := l.Len() + other.Len()
	l = append(l[:l.End()], other[headerLen:]...)
	l.setSize()
	l.setCount(n)
	return l
}

// Size is by how many bytes a list grows when the text is added to it.
func Size(text []byte) int {
	f := formOf(text)
	return f.size()
}

// SizeInt is by how many bytes a list grows when the number is added to it.
func SizeInt(n int64) int {
	f := formOfInt(n)
	return f.size()
}

// form is an entry before it has a place.
type form struct {
	head    [9]byte
	headLen int
	text    []byte
}

// size is that of the whole entry.
func (f *form) size() int {
	size := f.headLen + len(f.text)
	return size + widthBehind(size)
}

func formOf(text []byte) form {
	if n, ok := decimal.Parse(text); ok {
		return formOfInt(n)
	}
	f := form{text: text}
	switch n := len(text); {
	case n < 1<<6:
		f.head[0], f.headLen = text6|byte(n), 1
	case n < 1<<12:
		f.head[0], f.head[1], f.headLen = text12|byte(n>>8), byte(n), 2
	default:
		f.head[0], f.headLen = text32, 5
		binary.LittleEndian.PutUint32(f.head[1:], uint32(n))
	}
	return f
}

func formOfInt(n int64) form {
	var f form
	if n >= -1<<12 && n < 1<<12 {
		if n >= 0 && n <= numberSmall {
			f.head[0], f.headLen = byte(n), 1
		} else {
			f.head[0], f.head[1], f.headLen = number13|byte(n>>8)&0x1f, byte(n), 2
		}
		return f
	}
	binary.LittleEndian.PutUint64(f.head[1:], uint64(n))
	switch {
	case n >= math.MinInt16 && n <= math.MaxInt16:
		f.head[0], f.headLen = number16, 3
	case n >= -1<<23 && n < 1<<23:
		f.head[0], f.headLen = number24, 4
	case n >= math.MinInt32 && n <= math.MaxInt32:
		f.head[0], f.headLen = number32, 5
	default:
		f.head[0], f.headLen = number64, 9
	}
	return f
}

// place writes an entry over the old bytes at that offset, 0 to insert; all that follows moves.
func (l List) place(at, old int, f *form) List {
	size := f.headLen + len(f.text)
	width := widthBehind(size)
	l = l.makeRoom(at, old, size+width)
	b := l[at : at+size+width]
	copy(b, f.head[:f.headLen])
	copy(b[f.headLen:], f.text)
	putBehind(b[size:], size)
	return l
}

// makeRoom turns the old bytes at that offset into size bytes, whose content is whatever was there.
func (l List) makeRoom(at, old, size int) List {
	if size == old {
		return l
	}
	tail, n := at+old, len(l)+size-old
	if size > old {
		grown := slices.Grow(l, size-old)[:n]
		copy(grown[at+size:], l[tail:])
		l = grown
	} else {
		copy(l[at+size:], l[tail:])
		l = l[:n]
	}
	l.setSize()
	return l
}

func (l List) setSize() {
	if uint64(len(l)) > math.MaxUint32 {
		panic("listpack: over 4 GiB")
	}
	binary.LittleEndian.PutUint32(l, uint32(len(l)))
}

func (l List) setCount(n int) {
	binary.LittleEndian.PutUint16(l[countAt:], uint16(min(n, countUnknown)))
}

// addCount corrects the header's count; one that is unknown stays so, even when the list gets short again, as in Redis.
func (l List) addCount(n int) {
	if known := l.count(); known != countUnknown {
		l.setCount(known + n)
	}
}
