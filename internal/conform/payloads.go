package conform

import (
	"larder/protocol/encoding/rdb"
)

// payload is what DUMP writes of some value, for RESTORE; a byte of some is wrong.
func (v valuesOf) payload() []byte {
	b := append([]byte(nil), byte(rdb.TypeString))
	b = rdb.AppendFooter(rdb.AppendString(b, v.value(), nil), 0)
	if v.rng.IntN(20) == 0 {
		b[v.rng.IntN(len(b))] ^= byte(1 + v.rng.IntN(255))
	}
	return b
}
