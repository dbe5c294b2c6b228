//go:build soak

package conform_test

import (
	"testing"

	"larder/internal/conform"
)

// Other commands than in the ordinary runs, which are to say nothing new of what has not changed.
func init() { *seed = 0 }

// TestSoakGenerated draws a million commands for each form and protocol version.
func TestSoakGenerated(t *testing.T) {
	for _, e := range endpoints {
		t.Run(e.name, func(t *testing.T) {
			ref := redisEndpoint(t, reference)
			sub := conform.Endpoint{Name: e.name, Addr: e.start(t), Tags: e.tags}
			for proto := 2; proto <= 3; proto++ {
				const rounds = 4000
				playGenerated(t, conform.Player{Ref: ref, Sub: sub, Proto: proto, Differences: differences}, rounds)
			}
		})
	}
}
