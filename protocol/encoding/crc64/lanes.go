package crc64

import "encoding/binary"

// A long text is cut into lanes whose checksums do not wait for each other. behind is what a checksum becomes when as many zeros follow as a lane is long, so
// that the lanes' checksums become one again.
const (
	lanes     = 4
	laneBytes = 1 << 10
	longBytes = lanes * laneBytes
)

var behind = makeBehind()

func makeBehind() *[8][256]uint64 {
	var one [64]uint64 // of each bit alone
	zeros := make([]byte, laneBytes)
	for bit := range one {
		one[bit] = short(1<<bit, zeros)
	}
	var t [8][256]uint64
	for at := range t {
		for b := range t[at] {
			for bit := range 8 {
				if b&(1<<bit) != 0 {
					t[at][b] ^= one[8*at+bit]
				}
			}
		}
	}
	return &t
}

// follow is a checksum when the zeros of a lane follow.
func follow(sum uint64) uint64 {
	t := behind
	return t[0][byte(sum)] ^ t[1][byte(sum>>8)] ^ t[2][byte(sum>>16)] ^ t[3][byte(sum>>24)] ^
		t[4][byte(sum>>32)] ^ t[5][byte(sum>>40)] ^ t[6][byte(sum>>48)] ^ t[7][sum>>56]
}

// long is Update for a text of all lanes.
func long(a uint64, p *[longBytes]byte) uint64 {
	t := tables
	var b, c, d uint64
	for at := 0; at < laneBytes; at += 8 {
		a = step(t, a^binary.LittleEndian.Uint64(p[at:]))
		b = step(t, b^binary.LittleEndian.Uint64(p[at+laneBytes:]))
		c = step(t, c^binary.LittleEndian.Uint64(p[at+2*laneBytes:]))
		d = step(t, d^binary.LittleEndian.Uint64(p[at+3*laneBytes:]))
	}
	return follow(follow(follow(a)^b)^c) ^ d
}
