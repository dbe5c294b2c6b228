package conform

import "larder/protocol/encoding/rdb"

// payload is what DUMP writes of some value, for RESTORE; a byte of some is wrong.
func (v valuesOf) payload() []byte {
	b := append([]byte(nil), byte(rdb.TypeString))
	b = rdb.AppendString(b, v.value(), nil)
	if v.rng.IntN(2) == 0 {
		b = append(b[:0], byte(rdb.TypeList))
		n := 1 + v.rng.IntN(20)
		b = rdb.AppendLength(b, uint64(n))
		for range n {
			b = rdb.AppendString(b, v.value(), nil)
		}
	}
	b = rdb.AppendFooter(b, 0)
	if v.rng.IntN(20) == 0 {
		b[v.rng.IntN(len(b))] ^= byte(1 + v.rng.IntN(255))
	}
	return b
}
