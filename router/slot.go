package router

import (
	"bytes"
	"encoding/binary"
)

const (
	// Slots is the number of parts of the key space, as in Redis Cluster.
	Slots = 16384
	// GroupSlots consecutive slots share one partition of a node's index; SCAN's cursor counts groups.
	GroupSlots = 16
	// Groups is the number of slot groups.
	Groups = Slots / GroupSlots
)

// Slot is the slot of a key: CRC16 of the key, or of what stands between its first '{' and the next '}' if that is not empty (the hash tag; Redis
// Cluster specification, "Hash tags"), modulo 16384. It allocates nothing.
func Slot(key []byte) int {
	crc, ok := plainCRC16(key)
	if !ok {
		crc = crc16(tagOf(key))
	}
	return int(crc) & (Slots - 1)
}

// tagOf is the part of a key with a '{' that counts.
func tagOf(key []byte) []byte {
	rest := key[bytes.IndexByte(key, '{')+1:]
	if end := bytes.IndexByte(rest, '}'); end > 0 {
		return rest[:end]
	}
	return key
}

// plainCRC16 is crc16 of a key without a '{', which it looks for on the way: eight bytes a step, each table advances one of them over those behind it.
func plainCRC16(key []byte) (crc uint16, ok bool) {
	const low, high, open = 0x0101010101010101, 0x8080808080808080, 0x0101010101010101 * '{'
	t := crcTables
	for len(key) >= crcStep {
		w := binary.LittleEndian.Uint64(key)
		if x := w ^ open; (x-low)&^x&high != 0 { // a byte of x is 0
			return 0, false
		}
		crc = t[7][byte(crc>>8)^byte(w)] ^ t[6][byte(crc)^byte(w>>8)] ^ t[5][byte(w>>16)] ^ t[4][byte(w>>24)] ^
			t[3][byte(w>>32)] ^ t[2][byte(w>>40)] ^ t[1][byte(w>>48)] ^ t[0][byte(w>>56)]
		key = key[crcStep:]
	}
	for _, b := range key {
		if b == '{' {
			return 0, false
		}
		crc = crc<<8 ^ t[0][byte(crc>>8)^b]
	}
	return crc, true
}

// crc16 is CRC-16/XMODEM: polynomial 0x1021, start 0, nothing reflected.
func crc16(data []byte) (crc uint16) {
	t := &crcTables[0]
	for _, b := range data {
		crc = crc<<8 ^ t[byte(crc>>8)^b]
	}
	return crc
}

const crcStep = 8

// crcTables[0] is the classic table; crcTables[i][b] is the remainder of b followed by i zero bytes.
var crcTables = makeCRCTables()

func makeCRCTables() *[crcStep][256]uint16 {
	const polynomial = 0x1021
	var tables [crcStep][256]uint16
	for b := range 256 {
		crc := uint16(b) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= polynomial
			}
		}
		tables[0][b] = crc
	}
	for b := range 256 {
		for i := 1; i < crcStep; i++ {
			before := tables[i-1][b]
			tables[i][b] = before<<8 ^ tables[0][byte(before>>8)]
		}
	}
	return &tables
}
