// Package rdb has the small forms that RDB files and DUMP payloads are made of: lengths, strings, doubles, type bytes, and the footer of a payload
// (Redis 7.0 rdb.c, rdb.h, cluster.c). What a type is made of is its reader's and writer's business. Pure functions, for any goroutine; a Compressor's
// owner is its caller's.
//
// Everything reads from a slice that holds what has come so far: ErrShort says that more bytes are needed, so that a file is read by pieces.
//
// A length is told by its first byte:
//
//	00nnnnnn                  n
//	01nnnnnn nnnnnnnn         n of 14 bits, the high bits first
//	10000000 and u32 BE       n
//	10000001 and u64 BE       n
//	11xxxxxx                  no length but a form of string
//
// A string is a length and the bytes, or one of the forms:
//
//	11000000 i8, 11000001 i16 LE, 11000010 i32 LE      the number in decimal
//	11000011 length length bytes                       LZF: compressed length, length of the text, compressed bytes
package rdb

import (
	"encoding/binary"
	"errors"
	"math"
)

var (
	// ErrShort says that the bytes end too early.
	ErrShort = errors.New("rdb: more bytes are needed")
	// ErrCorrupt says that the bytes are wrong, whatever follows.
	ErrCorrupt = errors.New("rdb: corrupt bytes")
)

// The first bytes of lengths and of forms of strings.
const (
	length14 = 0x40
	length32 = 0x80
	length64 = 0x81
	special  = 0xc0

	formInt8  = special
	formInt16 = special | 1
	formInt32 = special | 2
	formLZF   = special | 3
)

// LengthMax is the longest form of a length in bytes.
const LengthMax = 9

// AppendLength appends a length in the shortest form.
func AppendLength(dst []byte, n uint64) []byte {
	switch {
	case n < 1<<6:
		return append(dst, byte(n))
	case n < 1<<14:
		return append(dst, length14|byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, length32), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, length64), n)
	}
}

// Length reads a length and gives how many bytes it took. A form of string is ErrCorrupt: where it may stand, String reads it.
func Length(b []byte) (n uint64, size int, err error) {
	if len(b) == 0 {
		return 0, 0, ErrShort
	}
	switch size = lengthSize(b[0]); {
	case size == 0:
		return 0, 0, ErrCorrupt
	case size > len(b):
		return 0, 0, ErrShort
	}
	switch size {
	case 1:
		n = uint64(b[0])
	case 2:
		n = uint64(b[0]&0x3f)<<8 | uint64(b[1])
	case 5:
		n = uint64(binary.BigEndian.Uint32(b[1:]))
	default:
		n = binary.BigEndian.Uint64(b[1:])
	}
	return n, size, nil
}

// lengthSize is the size in bytes of a length with that first byte, 0 if it is none.
func lengthSize(first byte) int {
	switch {
	case first < length14:
		return 1
	case first < length32:
		return 2
	case first == length32:
		return 5
	case first == length64:
		return 9
	default:
		return 0
	}
}
