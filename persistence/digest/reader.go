package digest

import (
	"bytes"
	"encoding/binary"

	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
)

// reader reads a stranger's bytes; after the first fault it gives zeros.
type reader struct {
	b       []byte
	bad     bool
	now     int64
	scratch []byte // of a text that was compressed or a number
	number  []byte // of a packed entry
}

func (r *reader) fail() { r.bad, r.b = true, nil }

func (r *reader) length() uint64 {
	n, size, err := rdb.Length(r.b)
	if err != nil {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// count reads how many things of at least so many bytes follow.
func (r *reader) count(least int) int {
	n := r.length()
	if n > uint64(len(r.b)/least) {
		r.fail()
		return 0
	}
	return int(n)
}

// text reads a text, which is good until the next is read.
func (r *reader) text() []byte {
	text, size, err := rdb.String(r.b, r.scratch)
	if err != nil {
		r.fail()
		return nil
	}
	form, _, _ := rdb.StringForm(r.b)
	if form.IsInt || form.Compressed {
		r.scratch = text[:0]
	}
	r.b = r.b[size:]
	return text
}

// own reads a text that stays good.
func (r *reader) own() []byte { return bytes.Clone(r.text()) }

// textOf is a packed entry's text, good until the next is asked for.
func (r *reader) textOf(e listpack.Entry) []byte {
	if !e.IsInt() {
		return e.Text
	}
	r.number = e.Append(r.number[:0])
	return r.number
}

func (r *reader) raw(n int) []byte {
	if len(r.b) < n {
		r.fail()
		return make([]byte, n)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) int64() int64 { return int64(binary.LittleEndian.Uint64(r.raw(8))) }

func (r *reader) textDouble() float64 {
	f, size, err := rdb.TextDouble(r.b)
	if err != nil {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return f
}
