package rdb_test

import (
	"slices"
	"strings"
	"testing"

	"larder/persistence/rdb"
	"larder/protocol/encoding/crc64"
	"larder/protocol/encoding/lzf"
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

// TestFrameTakesAnother: keys that another frame has are found where they were appended, each in its database, and their texts can still be compressed.
func TestFrameTakesAnother(t *testing.T) {
	text := strings.Repeat("text ", 20)
	write := func(w *rdb.Frame, db int, key string) {
		w.Later = true
		w.Select(db)
		w.Key = []byte(key)
		w.Pen.Begin(encoding.TypeString)
		w.String([]byte(text + key))
	}
	var w, other rdb.Frame
	w.Begin(false)
	write(&w, 1, "a")
	for _, key := range []string{"b", "c"} {
		write(&other, 2, key)
		w.Append(&other)
		other.Clear()
		write(&w, 1, key+"'")
	}
	w.End()
	var out []byte
	out = encoding.AppendCompressed(out, w.Out, w.Texts, new(lzf.Compressor))
	var s rdb.Scanner
	got, err := scan(&s, rdb.AppendSum(out, 0), whole)
	if err != nil || len(out) > len(w.Out)/2 {
		t.Fatalf("%v, %d bytes of %d", err, len(out), len(w.Out))
	}
	want := []string{`db 1 "a" `, `db 2 "b" `, `db 1 "b'" `, `db 2 "c" `, `db 1 "c'" `, `rest ""`}
	for i := range got {
		if i >= len(want) || !strings.Contains(got[i], want[i]) {
			t.Errorf("entry %d of %q is not %s", i, got, want)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d entries", len(got))
	}
}
