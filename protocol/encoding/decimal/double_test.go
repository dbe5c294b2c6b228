package decimal_test

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"larder/protocol/encoding/decimal"
)

// TestDoubles: where there is a point or an exponent, and which whole numbers are written out, is as Redis 7.2.6 wrote scores.
func TestDoubles(t *testing.T) {
	for _, x := range []struct {
		f    float64
		want string
	}{
		{0, "0"},
		{math.Copysign(0, -1), "-0"},
		{1, "1"},
		{-2.5, "-2.5"},
		{0.1, "0.1"},
		{1.0 / 7, "0.14285714285714285"},
		{17179869184.5, "17179869184.5"},
		{1e17, "100000000000000000"},
		{123456789012345677, "123456789012345680"},
		{1 << 62, "4611686018427387904"},
		{1 << 63, "9223372036854776000"},
		{1e21, "1e+21"},
		{1e22, "1e+22"},
		{-1e308, "-1e+308"},
		{math.MaxFloat64, "1.7976931348623157e+308"},
		{5e-324, "5e-324"},
		{0.001, "0.001"},
		{1e-6, "0.000001"},
		{1e-7, "1e-7"},
		{1e-10, "1e-10"},
		{1.5e-7, "1.5e-7"},
		{math.Inf(1), "inf"},
		{math.Inf(-1), "-inf"},
		{math.NaN(), "nan"},
	} {
		if got := string(decimal.AppendDouble(nil, x.f)); got != x.want {
			t.Errorf("%v: %s, want %s", x.f, got, x.want)
		}
	}
}

// TestDoublesAreExact: the text means the same number, and fits its room.
func TestDoublesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
		if math.IsNaN(f) {
			return
		}
		text := string(decimal.AppendDouble(nil, f))
		back, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Float64bits(back) != math.Float64bits(f) || len(text) > decimal.DoubleLenMax {
			t.Errorf("%x: %s", f, text)
		}
	})
}
