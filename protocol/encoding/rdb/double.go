package rdb

import (
	"encoding/binary"
	"math"
	"strconv"
)

// The first bytes of a double in text that are no length.
const (
	textNaN         = 253
	textInfinity    = 254
	textNegInfinity = 255
)

// AppendDouble appends a double as 8 bytes, little endian (rdbSaveBinaryDoubleValue).
func AppendDouble(dst []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
}

// Double reads a double of 8 bytes.
func Double(b []byte) (f float64, size int, err error) {
	if len(b) < 8 {
		return 0, 0, ErrShort
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), 8, nil
}

// TextDouble reads a double in text, as sorted sets had them before RDB 8 (rdbLoadDoubleValue): a byte of length and the digits, or a byte for what is
// no number.
func TextDouble(b []byte) (f float64, size int, err error) {
	if len(b) == 0 {
		return 0, 0, ErrShort
	}
	switch b[0] {
	case textNaN:
		return math.NaN(), 1, nil
	case textInfinity:
		return math.Inf(1), 1, nil
	case textNegInfinity:
		return math.Inf(-1), 1, nil
	}
	size = 1 + int(b[0])
	if size > len(b) {
		return 0, 0, ErrShort
	}
	for _, c := range b[1:size] {
		if (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' {
			return 0, 0, ErrCorrupt
		}
	}
	if f, err = strconv.ParseFloat(string(b[1:size]), 64); err != nil {
		return 0, 0, ErrCorrupt
	}
	return f, size, nil
}
