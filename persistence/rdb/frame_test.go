package rdb_test

import (
	"slices"
	"strings"
	"testing"

	"larder/persistence/rdb"
	"larder/protocol/encoding/crc64"
	encoding "larder/protocol/encoding/rdb"
)

// TestFrameIsRead: what a Frame writes, a Scanner finds.
func TestFrameIsRead(t *testing.T) {
	for valkey, text := range map[bool]string{false: "REDIS0010", true: "VALKEY080"} {
		var w rdb.Frame
		w.Begin(valkey)
		w.Aux("redis-ver", "7.2.4")
		w.AuxInt("redis-bits", 64)
		w.Function("code")
		w.Select(0)
		w.Resize(2, 1)
		w.Expiry(4102444800000)
		w.Key = []byte("k")
		w.Pen.Begin(encoding.TypeString)
		w.String([]byte("text"))
		w.Select(3)
		w.Idle(100)
		w.Freq(5)
		w.Key = []byte("12345")
		w.Pen.Begin(encoding.TypeSet)
		w.Length(1)
		w.Int(7)
		w.End()
		if !strings.HasPrefix(string(w.Out), text) {
			t.Errorf("%q", w.Out)
		}
		for _, sum := range []uint64{0, crc64.Update(0, w.Out)} {
			var s rdb.Scanner
			got, err := scan(&s, rdb.AppendSum(slices.Clone(w.Out), sum), whole)
			if err != nil || s.Checked() != (sum != 0) {
				t.Fatal(err, s.Checked())
			}
			for i, want := range []string{
				`4: db 0 "redis-ver" `, `4: db 0 "redis-bits" `, `5: db 0 "" `, `6: db 0 "" `, `1: db 0 "k" type 0 expires 4102444800000 `,
				`1: db 3 "12345" type 2 expires 0 idle 100 freq 5 `, `end, rest ""`,
			} {
				if i >= len(got) || !strings.HasPrefix(got[i], want) {
					t.Errorf("entry %d of %q: no %s", i, got, want)
				}
			}
		}
	}
}
