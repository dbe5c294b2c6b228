package conform

import (
	"bytes"
	"strconv"

	"larder/protocol/encoding/decimal"
	"larder/protocol/resp"
)

// SameDoubles tells whether two replies are the same but for doubles that Redis 7.0 wrote as C's "%.17g" and we write as 7.2 does: the shortest digits that mean
// the same number. Whatever is no such pair has to have the same bytes.
func SameDoubles(want, got []byte) bool {
	if bytes.Equal(want, got) {
		return true
	}
	a, b := resp.Value(want), resp.Value(got)
	if a.Kind() != b.Kind() || a.Len() != b.Len() {
		return false
	}
	if a.Len() == 0 {
		return sameDouble(a, b)
	}
	x, y := a.Elements(), b.Elements()
	for {
		e, ok := x.Next()
		f, _ := y.Next()
		if !ok || !SameDoubles(e, f) {
			return !ok
		}
	}
}

func sameDouble(want, got resp.Value) bool {
	if want.Kind() != resp.KindBulk && want.Kind() != resp.KindDouble {
		return false
	}
	a, _ := want.Bytes()
	b, _ := got.Bytes()
	f, err := strconv.ParseFloat(string(a), 64)
	const digits = 17
	return err == nil && string(strconv.AppendFloat(nil, f, 'g', digits, 64)) == string(a) && string(decimal.AppendDouble(nil, f)) == string(b)
}
