//go:build soak

package proxy

import "testing"

// TestSoakFalls is TestFalls with many more seeds.
func TestSoakFalls(t *testing.T) { falls(t, 300) }
