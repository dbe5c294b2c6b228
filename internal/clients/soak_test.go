//go:build soak

package clients_test

import (
	"fmt"
	"testing"
)

// TestSoakPipe: ten million commands from redis-cli --pipe.
func TestSoakPipe(t *testing.T) { pipe(t, 10_000_000) }

// TestSoakOnePipeline: ten million commands before the first reply is read.
func TestSoakOnePipeline(t *testing.T) {
	gateway, _ := threeEngines(t)
	onePipeline(t, gateway, 10_000_000)
	notAbove(t, gateway, gatewayMax)
}

// TestSoakBigValues: 20 clients at once, 512 MB each. The nodes hold 10 GB of them.
func TestSoakBigValues(t *testing.T) {
	gateway, _ := threeEngines(t)
	gateway.ResetPeak(t)
	t.Run("at once", func(t *testing.T) {
		const size, clients = 512 << 20, 20
		for i := range clients {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				bigValue(t, gateway.Addr, keyOn(i%3, i), size)
			})
		}
	})
	notAbove(t, gateway, gatewayMax)
}
