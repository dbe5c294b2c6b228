//go:build soak

package clients_test

import (
	"testing"
	"time"
)

// TestSoakExpiryOfMany: nobody waits more than two milliseconds. The probe shares the machine with the node, so the bound is on a quiet one.
func TestSoakExpiryOfMany(t *testing.T) { expiryOfMany(t, 2*time.Millisecond, 2*time.Millisecond) }

// TestSoakFlushOfMany likewise.
func TestSoakFlushOfMany(t *testing.T) { flushOfMany(t, 3*time.Millisecond, 3*time.Millisecond) }

// TestSoakLargestValue: the largest that there may be.
func TestSoakLargestValue(t *testing.T) { valueOnce(t, 512*mib) }

// TestSoakMaxMemory goes through gigabytes with each policy.
func TestSoakMaxMemory(t *testing.T) {
	for _, policy := range []string{"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "noeviction"} {
		t.Run(policy, func(t *testing.T) { maxMemory(t, policy, 256*mib, 300*mib) })
	}
}

// TestSoakBigCollections: nobody waits for more than two milliseconds with ten million elements.
func TestSoakBigCollections(t *testing.T) { bigCollections(t, 10_000_000, 2*time.Millisecond) }
