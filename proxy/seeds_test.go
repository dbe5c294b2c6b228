package proxy

import (
	"flag"
	"testing"
	"time"
)

var seedFlag = flag.Uint64("seed", 0, "the one seed to run the tests that draw with")

// eachSeed runs a test that draws: with n seeds that are always the same, and as many new ones, or with the one that -seed says. It ends with the first that fails.
func eachSeed(t *testing.T, n uint64, test func(t *testing.T, seed uint64)) {
	t.Helper()
	seeds := []uint64{*seedFlag}
	if *seedFlag == 0 {
		seeds = seeds[:0]
		start := uint64(time.Now().UnixNano())
		for i := range n {
			seeds = append(seeds, i+1, start+i)
		}
	}
	for _, seed := range seeds {
		test(t, seed)
		if t.Failed() {
			t.Fatalf("run again with -seed %d", seed)
		}
	}
}
