package algebra

import "encoding/binary"

// wordBytes: the operations of BITOP go by words. They change dst, which is as long as the longest of the strings; src is as if it had zeros up to that length.
const wordBytes = 8

// And leaves the bits that src has too.
func And(dst, src []byte) {
	n := len(src)
	clear(dst[n:])
	for ; n >= wordBytes; n -= wordBytes {
		d, s := dst[n-wordBytes:n], src[n-wordBytes:n]
		binary.LittleEndian.PutUint64(d, binary.LittleEndian.Uint64(d)&binary.LittleEndian.Uint64(s))
	}
	for n--; n >= 0; n-- {
		dst[n] &= src[n]
	}
}

// Or adds the bits of src.
func Or(dst, src []byte) {
	n := len(src)
	for ; n >= wordBytes; n -= wordBytes {
		d, s := dst[n-wordBytes:n], src[n-wordBytes:n]
		binary.LittleEndian.PutUint64(d, binary.LittleEndian.Uint64(d)|binary.LittleEndian.Uint64(s))
	}
	for n--; n >= 0; n-- {
		dst[n] |= src[n]
	}
}

// Xor flips the bits of src.
func Xor(dst, src []byte) {
	n := len(src)
	for ; n >= wordBytes; n -= wordBytes {
		d, s := dst[n-wordBytes:n], src[n-wordBytes:n]
		binary.LittleEndian.PutUint64(d, binary.LittleEndian.Uint64(d)^binary.LittleEndian.Uint64(s))
	}
	for n--; n >= 0; n-- {
		dst[n] ^= src[n]
	}
}

// Not flips all bits.
func Not(dst []byte) {
	n := len(dst)
	for ; n >= wordBytes; n -= wordBytes {
		d := dst[n-wordBytes : n]
		binary.LittleEndian.PutUint64(d, ^binary.LittleEndian.Uint64(d))
	}
	for n--; n >= 0; n-- {
		dst[n] = ^dst[n]
	}
}
