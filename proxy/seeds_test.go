package proxy

import (
	"flag"
	"testing"
	"time"
)

var (
	seedFlag  = flag.Uint64("seed", 1, "the first seed of the tests that draw; 0: a new one")
	seedsFlag = flag.Uint64("seeds", 0, "how many seeds to run the tests that draw with; 0: as many as each has of its own")
)

// eachSeed runs a test that draws, with n seeds that follow one another, and ends with the first that fails.
func eachSeed(t *testing.T, n uint64, test func(t *testing.T, seed uint64)) {
	t.Helper()
	first := *seedFlag
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	if *seedsFlag > 0 {
		n = *seedsFlag
	}
	for seed := first; seed < first+n; seed++ {
		test(t, seed)
		if t.Failed() {
			t.Fatalf("run again with -seed %d -seeds 1", seed)
		}
	}
}
