//go:build soak

package proxy

import "testing"

// Other seeds than in the ordinary runs, which are to say nothing new of what has not changed.
func init() { *seedFlag = 0 }

// TestSoakSeeds runs the tests that draw with many seeds.
func TestSoakSeeds(t *testing.T) {
	for name, test := range map[string]func(t *testing.T, seed uint64){
		"order": testOrder, "lent": testLent, "hearing": testHearing, "tracking": testTrackingModel,
	} {
		t.Run(name, func(t *testing.T) { eachSeed(t, 1000, test) })
	}
}
