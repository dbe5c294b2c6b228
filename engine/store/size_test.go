package store_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"larder/engine/store"
)

// long tells whether tests that take minutes or gigabytes are wanted.
func long() bool { return os.Getenv("LARDER_LONG") != "" }

// resident is the memory of this process, in bytes.
func resident(t testing.TB) int64 {
	t.Helper()
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// sixteen writes the key of number n, 16 bytes.
func sixteen(key []byte, n int) []byte {
	return fmt.Appendf(key[:0], "key:%012d", n)
}

// TestBytesPerKey holds the memory of a key beyond its key and value, as the system counts it, to the bounds that we promise.
func TestBytesPerKey(t *testing.T) {
	keys, few := 200_000, 4.0 // with few keys a chunk of the index is shared by fewer
	if long() {
		keys, few = 5_000_000, 0
	}
	for _, c := range []struct {
		name  string
		value int
		ttl   bool
		most  float64
	}{{"8", 8, false, 20}, {"64", 64, false, 20}, {"512", 512, false, 24}, {"64 with TTL", 64, true, 32}} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, 5)
			d := s.DB(0)
			dice := rand.New(rand.NewPCG(1, 2))
			key, value := make([]byte, 16), make([]byte, c.value)
			before := resident(t)
			for i := range keys {
				for j := 0; j < len(value); j += 8 {
					binary.LittleEndian.PutUint64(value[j:], dice.Uint64()|1<<63)
				}
				expiry := store.NoExpiry
				if c.ttl {
					expiry = 1_700_000_000_000 + dice.Int64N(7*24*3600*1000)
				}
				d.Set(sixteen(key, i), value, store.FormAny, expiry, 1_700_000_000_000)
			}
			after := resident(t)
			over := float64(after-before)/float64(keys) - 16 - float64(c.value)
			counted := float64(s.Reserved())/float64(keys) - 16 - float64(c.value)
			exact := float64(s.Memory())/float64(keys) - 16 - float64(c.value)
			t.Logf("%d keys: %.1f bytes a key by the system, %.1f by Reserved, %.1f by Memory", keys, over, counted, exact)
			if over > c.most+few {
				t.Errorf("%.1f bytes a key beyond key and value, want at most %.0f", over, c.most+few)
			}
			if off := over/counted - 1; off > 0.25 || off < -0.1 {
				t.Errorf("the system says %.1f bytes a key, Reserved %.1f", over, counted)
			}
		})
	}
}
