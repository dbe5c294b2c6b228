//go:build soak

package clients_test

import (
	"testing"
	"time"
)

// TestSoakExpiryOfMany: nobody waits more than two milliseconds. The probe shares the machine with the node, so the bound is on a quiet one.
func TestSoakExpiryOfMany(t *testing.T) {
	calmly(t, func() error {
		return expiryOfMany(t, pauses{chores: 2 * time.Millisecond, wait: 2 * time.Millisecond, back: time.Second})
	})
}

// TestSoakFlushOfMany: nor more than three.
func TestSoakFlushOfMany(t *testing.T) {
	node := larder.Engine(t, "--enable-debug-command", "yes")
	for _, how := range []string{"SYNC", "ASYNC"} {
		calmly(t, func() error {
			return flushOfMany(t, node, how, pauses{chores: 3 * time.Millisecond, wait: 3 * time.Millisecond, back: time.Second})
		})
	}
}

// TestSoakLargestValue: the largest that there may be.
func TestSoakLargestValue(t *testing.T) {
	calmly(t, func() error { return valueOnce(t, 512*mib) })
}

// TestSoakMaxMemory goes through gigabytes with each policy.
func TestSoakMaxMemory(t *testing.T) {
	for _, policy := range []string{"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "noeviction"} {
		t.Run(policy, func(t *testing.T) { maxMemory(t, policy, 256*mib, 300*mib) })
	}
}

// TestSoakBigCollections: nobody waits for more than two milliseconds with ten million elements.
func TestSoakBigCollections(t *testing.T) {
	calmly(t, func() error { return bigCollections(t, 10_000_000, 2*time.Millisecond) })
}
