package rdb

import "encoding/binary"

// Reader takes a stranger's value apart, as a Pen puts one together. After the first fault it is Bad and gives zeros, so that who reads looks once, at the end;
// what is counted is bounded by the bytes that there are.
type Reader struct {
	Left []byte // what was not read yet
	Bad  bool
	Keep bool // texts stay good; else each may take the last one's room

	scratch []byte // of a text that was compressed, or a number
}

// Fail notes a fault.
func (r *Reader) Fail() { r.Bad, r.Left = true, nil }

// Length reads a length.
func (r *Reader) Length() uint64 {
	n, size, err := Length(r.Left)
	if err != nil {
		r.Fail()
		return 0
	}
	r.Left = r.Left[size:]
	return n
}

// Count reads how many things of at least so many bytes follow.
func (r *Reader) Count(least int) int {
	n := r.Length()
	if n > uint64(len(r.Left)/least) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Text reads a text, which is good until the next is read, unless Keep is set.
func (r *Reader) Text() []byte {
	text, size, err := String(r.Left, r.scratch)
	if err != nil {
		r.Fail()
		return nil
	}
	if form, _, _ := StringForm(r.Left); !r.Keep && (form.IsInt || form.Compressed) {
		r.scratch = text[:0]
	}
	r.Left = r.Left[size:]
	return text
}

// Raw reads so many bytes.
func (r *Reader) Raw(n int) []byte {
	if len(r.Left) < n {
		r.Fail()
		return make([]byte, n)
	}
	b := r.Left[:n]
	r.Left = r.Left[n:]
	return b
}

// Int64 reads a number of eight bytes, the lowest first.
func (r *Reader) Int64() int64 { return int64(binary.LittleEndian.Uint64(r.Raw(8))) }

// TextDouble reads a score as old versions wrote it.
func (r *Reader) TextDouble() float64 {
	f, size, err := TextDouble(r.Left)
	if err != nil {
		r.Fail()
		return 0
	}
	r.Left = r.Left[size:]
	return f
}
