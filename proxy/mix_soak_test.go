//go:build soak

package proxy

import "testing"

// TestSoakMix is TestMix with many more seeds.
func TestSoakMix(t *testing.T) { mixes(t, 5000) }
