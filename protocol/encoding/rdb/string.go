package rdb

import (
	"encoding/binary"
	"math"
	"strconv"

	"larder/protocol/encoding/decimal"
	"larder/protocol/encoding/lzf"
)

const (
	intLenMax      = 11 // a text that may be kept as a number of 32 bits
	compressLenMin = 21 // a text that is worth compressing
	compressGain   = 4  // bytes that must be gained
)

// AppendString appends a text in the form that Redis would choose (rdbSaveRawString): as a number, compressed if c is given and it gains, or as it is.
func AppendString(dst, text []byte, c *lzf.Compressor) []byte {
	if len(text) <= intLenMax {
		if n, ok := decimal.Parse(text); ok && n == int64(int32(n)) {
			return AppendInt(dst, n)
		}
	}
	if c != nil && len(text) >= compressLenMin {
		if out, ok := appendCompressed(dst, text, c); ok {
			return out
		}
	}
	return append(AppendLength(dst, uint64(len(text))), text...)
}

// appendCompressed compresses to where the bytes go if the lengths before them take as much as can be, then moves them up.
func appendCompressed(dst, text []byte, c *lzf.Compressor) ([]byte, bool) {
	var room [1 + 2*LengthMax]byte
	start := len(dst)
	out, ok := c.Append(append(dst, room[:]...), text, len(text)-compressGain)
	if !ok {
		return dst, false
	}
	form := out[start+len(room):]
	head := append(room[:0], formLZF)
	head = AppendLength(head, uint64(len(form)))
	head = AppendLength(head, uint64(len(text)))
	out = append(out[:start], head...)
	return append(out, form...), true
}

// AppendInt appends a number as a string (rdbSaveLongLongAsStringObject): of 8, 16 or 32 bits, or else in decimal.
func AppendInt(dst []byte, n int64) []byte {
	switch {
	case n >= math.MinInt8 && n <= math.MaxInt8:
		return append(dst, formInt8, byte(n))
	case n >= math.MinInt16 && n <= math.MaxInt16:
		return binary.LittleEndian.AppendUint16(append(dst, formInt16), uint16(n))
	case n >= math.MinInt32 && n <= math.MaxInt32:
		return binary.LittleEndian.AppendUint32(append(dst, formInt32), uint32(n))
	default:
		return strconv.AppendInt(append(dst, byte(decimal.Len(n))), n, 10)
	}
}

// Form is a string but for its bytes: what is known once its head has come.
type Form struct {
	IsInt      bool
	Int        int64 // the number, if it is one: no bytes follow
	Bytes      int   // that follow
	Len        int   // of the text in bytes
	Compressed bool  // the bytes are to be decompressed to the text
}

// StringForm reads the head of a string and gives how many bytes the head took.
func StringForm(b []byte) (f Form, size int, err error) {
	if len(b) == 0 {
		return Form{}, 0, ErrShort
	}
	switch b[0] {
	case formInt8, formInt16, formInt32:
		return intForm(b)
	case formLZF:
		return lzfForm(b)
	default:
		n, size, err := Length(b)
		if err == nil && n > math.MaxInt {
			err = ErrCorrupt
		}
		if err != nil {
			return Form{}, 0, err
		}
		return Form{Bytes: int(n), Len: int(n)}, size, nil
	}
}

func intForm(b []byte) (f Form, size int, err error) {
	size = 1 + 1<<(b[0]&^special)
	if size > len(b) {
		return Form{}, 0, ErrShort
	}
	f.IsInt = true
	switch b[0] {
	case formInt8:
		f.Int = int64(int8(b[1]))
	case formInt16:
		f.Int = int64(int16(binary.LittleEndian.Uint16(b[1:])))
	default:
		f.Int = int64(int32(binary.LittleEndian.Uint32(b[1:])))
	}
	f.Len = decimal.Len(f.Int)
	return f, size, nil
}

func lzfForm(b []byte) (f Form, size int, err error) {
	short, n1, err := Length(b[1:])
	if err != nil {
		return Form{}, 0, err
	}
	long, n2, err := Length(b[1+n1:])
	if err != nil {
		return Form{}, 0, err
	}
	if short == 0 || short > math.MaxInt || long == 0 || long > math.MaxInt {
		return Form{}, 0, ErrCorrupt
	}
	return Form{Bytes: int(short), Len: int(long), Compressed: true}, 1 + n1 + n2, nil
}

// AppendText appends the text of a form, b being the bytes that followed its head.
func (f Form) AppendText(dst, b []byte) ([]byte, error) {
	switch {
	case f.IsInt:
		return strconv.AppendInt(dst, f.Int, 10), nil
	case len(b) != f.Bytes:
		return dst, ErrShort
	case !f.Compressed:
		return append(dst, b...), nil
	}
	out, err := lzf.Decompress(dst, b, f.Len)
	if err != nil {
		return dst, ErrCorrupt
	}
	return out, nil
}

// String reads a whole string and gives how many bytes it took. The text is a view of b if it is there as it is, else it is written to the space of
// scratch, or to new space where that does not suffice.
func String(b, scratch []byte) (text []byte, size int, err error) {
	f, head, err := StringForm(b)
	if err != nil {
		return nil, 0, err
	}
	if f.Bytes > len(b)-head {
		return nil, 0, ErrShort
	}
	size = head + f.Bytes
	if !f.IsInt && !f.Compressed {
		return b[head:size:size], size, nil
	}
	text, err = f.AppendText(scratch[:0], b[head:size])
	if err != nil {
		return nil, 0, err
	}
	return text, size, nil
}
