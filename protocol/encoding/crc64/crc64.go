// Package crc64 is the checksum of RDB files and DUMP payloads: CRC-64 of Jones, polynomial 0xad93d23594c935a9, bits reflected, start 0 and nothing
// inverted (Redis 7.0 crc64.c). The standard library's Update inverts, and builds its fast tables anew a call for any polynomial but its own two.
// Pure functions, for any goroutine.
package crc64

import "encoding/binary"

// reflected is the polynomial with its bits in reverse order.
const reflected = 0x95ac9329ac4bc9b5

// tables are for eight bytes at once: tables[k][b] is the checksum of byte b and k zero bytes behind it.
var tables = makeTables()

func makeTables() *[8][256]uint64 {
	var t [8][256]uint64
	for b := range t[0] {
		sum := uint64(b)
		for range 8 {
			sum = sum>>1 ^ reflected&-(sum&1)
		}
		t[0][b] = sum
	}
	for k := 1; k < len(t); k++ {
		for b := range t[k] {
			before := t[k-1][b]
			t[k][b] = before>>8 ^ t[0][byte(before)]
		}
	}
	return &t
}

// Update is the checksum of what sum is the checksum of, and p behind it. The checksum of nothing is 0.
func Update(sum uint64, p []byte) uint64 {
	for len(p) >= longBytes {
		sum = long(sum, (*[longBytes]byte)(p))
		p = p[longBytes:]
	}
	return short(sum, p)
}

// short is Update byte by byte and eight bytes at a time.
func short(sum uint64, p []byte) uint64 {
	t := tables
	for len(p) >= 8 {
		sum = step(t, sum^binary.LittleEndian.Uint64(p))
		p = p[8:]
	}
	for _, b := range p {
		sum = sum>>8 ^ t[0][byte(sum)^b]
	}
	return sum
}

// step is a checksum when the eight bytes have come that sum was mixed with.
func step(t *[8][256]uint64, sum uint64) uint64 {
	return t[7][byte(sum)] ^ t[6][byte(sum>>8)] ^ t[5][byte(sum>>16)] ^ t[4][byte(sum>>24)] ^
		t[3][byte(sum>>32)] ^ t[2][byte(sum>>40)] ^ t[1][byte(sum>>48)] ^ t[0][sum>>56]
}
