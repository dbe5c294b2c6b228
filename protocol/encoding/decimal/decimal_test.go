package decimal_test

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"larder/protocol/encoding/decimal"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "7": 7, "-1": -1, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64, "1000000000000000000": 1e18,
	} {
		if got, ok := decimal.Parse([]byte(text)); !ok || got != want {
			t.Errorf("%q: %d %v", text, got, ok)
		}
		if got := decimal.Len(want); got != len(text) {
			t.Errorf("length of %q: %d", text, got)
		}
	}
	for _, text := range []string{
		"", "-", "+1", "-0", "00", "01", "-01", " 1", "1 ", "1a", "/", ":", "0x1", "1.0", "9223372036854775808", "-9223372036854775809",
		"10000000000000000000", "99999999999999999999", "18446744073709551616", "-00000000000000000001", "1\x00",
	} {
		if got, ok := decimal.Parse([]byte(text)); ok {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

// FuzzParse compares with the definition: a number is what comes back byte for byte.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"0", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "+1", "-0", "abc"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		naive, err := strconv.ParseInt(string(text), 10, 64)
		isNumber := err == nil && strconv.FormatInt(naive, 10) == string(text)
		if got, ok := decimal.Parse(text); ok != isNumber || ok && got != naive {
			t.Fatalf("%q: %d %v", text, got, ok)
		}
	})
}

func TestNumbersComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		text := strconv.AppendInt(nil, n, 10)
		if got, ok := decimal.Parse(text); !ok || got != n || decimal.Len(n) != len(text) {
			t.Fatalf("%s: %d %v, length %d", text, got, ok, decimal.Len(n))
		}
	})
}
