package client_test

import (
	"math"
	"testing"

	"larder/protocol/client"
)

func TestParseCursor(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "": 0, "\x00": 0, "1\x00abc": 1, "+1": 1, "-1": math.MaxUint64, "18446744073709551615": math.MaxUint64, "0007": 7,
	} {
		if got, ok := client.ParseCursor([]byte(text)); !ok || got != want {
			t.Errorf("%q: %d %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"a", " 1", "1 ", "\x0b1", "+", "-", "+-1", "0x1", "1_0", "18446744073709551616", "-18446744073709551616"} {
		if got, ok := client.ParseCursor([]byte(text)); ok {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}
