package commands_test

import (
	"larder/protocol/encoding/rdb"
)

// payload is what DUMP writes of some value; a byte of some is wrong.
func (d *draws) payload() string {
	b := append([]byte(nil), byte(rdb.TypeString))
	b = rdb.AppendFooter(rdb.AppendString(b, []byte(d.value()), nil), 0)
	if d.chance(20) {
		b[d.IntN(len(b))] ^= byte(1 + d.IntN(255))
	}
	return string(b)
}
