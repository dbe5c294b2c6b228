package rdb_test

import (
	"slices"
	"testing"

	"larder/internal/recorded"
	"larder/persistence/rdb"
	encoding "larder/protocol/encoding/rdb"
)

// FuzzScanner: nothing panics, what is found does not depend on the cuts, and no more memory is held than was fed.
func FuzzScanner(f *testing.F) {
	for _, name := range []string{"redis-7.2.6.empty", "redis-7.2.6.lfu", "redis-7.2.6.cluster", "valkey-9.1.2.empty"} {
		f.Add(recorded.RDB(f, name), uint8(3))
	}
	f.Add(file(key("k", encoding.TypeStream3, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01g\x00\x00\x00\x00\x00")), uint8(1))
	f.Add(file(key("k", encoding.TypeModule, "\x01\x01\x05\x05\x01x\x00")), uint8(1))
	f.Add(file([]byte("\xf5\x04code\xf9\x03"), key("k", encoding.TypeString, "\xc3\x05\x15\x00a\xe0\x0b\x00")), uint8(2))
	f.Add(append([]byte("REDIS0013"), "\x18\x01k\x00\x00\x00\x00\x01\x00\x00\x00\x01\x05\x01f\x01v\xff\x00\x00\x00\x00\x00\x00\x00\x00"...), uint8(5))
	f.Fuzz(func(t *testing.T, file []byte, piece uint8) {
		one := rdb.Scanner{AnySum: true}
		want, wantErr := scan(&one, file, whole)
		many := rdb.Scanner{AnySum: true}
		fed := 0
		got, err := scan(&many, file, func() int {
			if kept := many.Kept(); kept > 4096+100*fed {
				t.Fatalf("%d bytes kept after %d", kept, fed)
			}
			n := 1 + int(piece)%64
			fed += n
			return n
		})
		if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() || !slices.Equal(got, want) {
			t.Fatalf("in pieces: %.3000q %v\nin one: %.3000q %v", got, err, want, wantErr)
		}
		parts := rdb.Scanner{AnySum: true, LargeMin: 1}
		inParts, err := scan(&parts, file, func() int { return 1 + int(piece)%64 })
		if (err == nil) != (wantErr == nil) || wantErr == nil && len(inParts) != len(want) {
			t.Fatalf("texts in parts: %d entries %v, whole: %d %v", len(inParts), err, len(want), wantErr)
		}
	})
}
