//go:build soak

package clients_test

import (
	"testing"
	"time"
)

// TestSoakReplicated is TestReplicated for longer.
func TestSoakReplicated(t *testing.T) {
	for _, args := range [][]string{nil, {"--appendonly", "yes"}, {"--appendonly", "yes", "--appendfsync", "always"}} {
		for _, least := range []int{1, 2} {
			replicated(t, 5*time.Minute, least, args...)
		}
	}
}
