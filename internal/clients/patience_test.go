package clients_test

import (
	"testing"
	"time"

	"larder/internal/peers"
)

// eventually waits for what must come to be so. How soon it is so is not its matter.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	eventuallyWithin(t, peers.Patience, what, ok)
}

// eventuallyWithin is for what takes longer than anything else.
func eventuallyWithin(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	if !holds(d, ok) {
		t.Fatalf("%s: not within %v", what, d)
	}
}

// holds asks again and again, at first at once and then more and more seldom.
func holds(within time.Duration, so func() bool) bool {
	const first, last = 100 * time.Microsecond, 10 * time.Millisecond
	pause := first
	for end := time.Now().Add(within); !so(); pause = min(2*pause, last) {
		if time.Now().After(end) {
			return false
		}
		time.Sleep(pause)
	}
	return true
}

// calmly measures up to three times, and fails if none of them was right: what else the machine has to do comes and goes, and what is wrong with us comes
// each time.
func calmly(t *testing.T, measure func() error) {
	t.Helper()
	const attempts = 3
	for i := range attempts {
		err := measure()
		switch {
		case err == nil:
			return
		case i == attempts-1:
			t.Error(err)
		default:
			t.Logf("once more: %v", err)
		}
	}
}

// waitMS is how long WAIT and others that are told a time may wait for what must come.
const waitMS = "50000"
