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

// crc16 is CRC-16/XMODEM: polynomial 0x1021, start 0, nothing reflected. Eight bytes a step: each table advances one of them over those behind it.
func crc16(data []byte) uint16 {
	var crc uint16
	t := crcTables
	for len(data) >= 8 {
		crc = t[7][byte(crc>>8)^data[0]] ^ t[6][byte(crc)^data[1]] ^ t[5][data[2]] ^ t[4][data[3]] ^
			t[3][data[4]] ^ t[2][data[5]] ^ t[1][data[6]] ^ t[0][data[7]]
		data = data[8:]
	}
	for _, b := range data {
		crc = crc<<8 ^ t[0][byte(crc>>8)^b]
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
