package store

import (
	"encoding/binary"
	"strconv"
)

// Encoding is how Redis would say that a string is kept; it depends on how the string came to be as well as on its bytes.
type Encoding uint8

// Int: a 64-bit number in its only decimal form. EmbStr: a short text that was set as a whole. Raw: a long one, or one that was changed in part.
const (
	Int Encoding = iota
	EmbStr
	Raw
)

func (e Encoding) String() string {
	switch e {
	case Int:
		return "int"
	case EmbStr:
		return "embstr"
	default:
		return "raw"
	}
}

// Form says which encodings Set may choose.
type Form uint8

const (
	FormAny  Form = iota // Int if the bytes are a number, else as FormText
	FormText             // EmbStr up to 44 bytes, else Raw
	FormRaw              // Raw
)

const (
	embstrMax   = 44 // bytes, Redis 7.0 object.c
	handleBytes = 8
	digitsMax   = 20 // of an int64, with sign
)

func (f Form) encoding(value []byte) (Encoding, int64) {
	if f == FormAny {
		if n, ok := ParseInt(value); ok {
			return Int, n
		}
	}
	if f == FormRaw || len(value) > embstrMax {
		return Raw, 0
	}
	return EmbStr, 0
}

// ParseInt reads a 64-bit number in its only decimal form: no leading zeros, no plus, no "-0".
func ParseInt(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > digitsMax {
		return 0, false
	}
	digits, negative := b, false
	if b[0] == '-' {
		digits, negative = b[1:], true
	}
	if len(digits) == 0 || digits[0] < '1' || digits[0] > '9' {
		return 0, len(b) == 1 && b[0] == '0'
	}
	var n uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n > (1<<64-1-9)/10 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	if negative {
		return -int64(n), n <= 1<<63
	}
	return int64(n), n < 1<<63
}

// Item is a key with its value. It is dead with the next change of its database, like what its methods return.
type Item struct {
	d  *DB
	at addr
	b  []byte
}

// Key gives the key.
func (it Item) Key() []byte { return keyOf(it.b) }

// ExpiryMS is when the key dies, milliseconds since 1970; 0 = never.
func (it Item) ExpiryMS() int64 { return expiryOf(it.b) }

// Encoding tells how Redis would say that the value is kept.
func (it Item) Encoding() Encoding { return Encoding(flagsOf(it.b) & flagEncoding) }

// IdleMS is for how long nobody looked at the key, in milliseconds, whole seconds.
func (it Item) IdleMS(now int64) int64 {
	seconds := uint32(now/1000) % accessPeriod
	return int64((seconds-accessOf(it.b))%accessPeriod) * 1000
}

// Int gives the number of an Int.
func (it Item) Int() (int64, bool) {
	if it.Encoding() != Int {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(rest(it.b))), true
}

// SetInt changes the number of an Int in place.
func (it Item) SetInt(n int64) { binary.LittleEndian.PutUint64(rest(it.b), uint64(n)) }

// Text gives the value's bytes. Those of an Int are written to scratch, for which 20 bytes are enough.
func (it Item) Text(scratch []byte) []byte {
	flags := flagsOf(it.b)
	switch {
	case flags&flagEncoding == uint8(Int):
		n, _ := it.Int()
		return strconv.AppendInt(scratch[:0], n, 10)
	case flags&flagBig != 0:
		return it.d.bigs.at(it.b).buf
	}
	n := valueLen(it.b)
	return rest(it.b)[:n:n]
}

// Len is the length of the value's bytes.
func (it Item) Len() int {
	if n, ok := it.Int(); ok {
		var scratch [digitsMax]byte
		return len(strconv.AppendInt(scratch[:0], n, 10))
	}
	return valueLen(it.b)
}

// Share gives the bytes of a big value for as long as the caller wants to keep them: a later change of the value works on a copy. ok is false for
// values that are not big.
func (it Item) Share() (text []byte, ok bool) {
	if flagsOf(it.b)&flagBig == 0 {
		return nil, false
	}
	v := it.d.bigs.at(it.b)
	v.shared = true
	return v.buf[:len(v.buf):len(v.buf)], true
}

// bigs are the values that have a Go slice of their own, by number. They come and go with their items.
type bigs struct {
	values []bigValue
	spare  []uint64
	bytes  int64
}

type bigValue struct {
	buf    []byte
	shared bool // somebody else reads buf: it must not be changed
}

func (v *bigs) at(b []byte) *bigValue { return &v.values[binary.LittleEndian.Uint64(rest(b))] }

// add takes buf over and notes its number in the item.
func (v *bigs) add(b, buf []byte, shared bool) {
	var number uint64
	if n := len(v.spare); n > 0 {
		number, v.spare = v.spare[n-1], v.spare[:n-1]
	} else {
		number = uint64(len(v.values))
		v.values = append(v.values, bigValue{})
	}
	v.values[number] = bigValue{buf: buf, shared: shared}
	v.bytes += int64(cap(buf))
	binary.LittleEndian.PutUint64(rest(b), number)
}

// replace gives the item another buffer.
func (v *bigs) replace(b, buf []byte, shared bool) {
	old := v.at(b)
	v.bytes += int64(cap(buf)) - int64(cap(old.buf))
	*old = bigValue{buf: buf, shared: shared}
}

func (v *bigs) remove(b []byte) {
	number := binary.LittleEndian.Uint64(rest(b))
	v.bytes -= int64(cap(v.values[number].buf))
	v.values[number] = bigValue{}
	v.spare = append(v.spare, number)
}
