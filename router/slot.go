package router

import "bytes"

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
	if open := bytes.IndexByte(key, '{'); open >= 0 {
		rest := key[open+1:]
		if end := bytes.IndexByte(rest, '}'); end > 0 {
			key = rest[:end]
		}
	}
	return int(crc16(key)) & (Slots - 1)
}

// crc16 is CRC-16/XMODEM: polynomial 0x1021, start 0, nothing reflected. Four bytes a step: each table advances one of them over those behind it.
func crc16(data []byte) uint16 {
	var crc uint16
	for len(data) >= 4 {
		crc = crcTables[3][byte(crc>>8)^data[0]] ^
			crcTables[2][byte(crc)^data[1]] ^
			crcTables[1][data[2]] ^
			crcTables[0][data[3]]
		data = data[4:]
	}
	for _, b := range data {
		crc = crc<<8 ^ crcTables[0][byte(crc>>8)^b]
	}
	return crc
}

// crcTables[0] is the classic table; crcTables[i][b] is the remainder of b followed by i zero bytes.
var crcTables = makeCRCTables()

func makeCRCTables() *[4][256]uint16 {
	const polynomial = 0x1021
	var tables [4][256]uint16
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
		for i := 1; i < 4; i++ {
			before := tables[i-1][b]
			tables[i][b] = before<<8 ^ tables[0][byte(before>>8)]
		}
	}
	return &tables
}
