package store_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"larder/engine/store"
)

// long tells whether tests that take minutes or gigabytes are wanted.
func long() bool { return os.Getenv("LARDER_LONG") != "" }

// resident is the memory of this process's mappings without a file, as the system counts it, in bytes. The Go heap is left out: Go places it below them.
func resident(t testing.TB) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	const mappings = 0x7000_0000_0000
	sum, counts := int64(0), false
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if from, _, ok := strings.Cut(fields[0], "-"); ok {
			at, err := strconv.ParseUint(from, 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			counts = at >= mappings && len(fields) == 5
		}
		if fields[0] == "Rss:" && counts {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += kilobytes << 10
		}
	}
	return sum
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
