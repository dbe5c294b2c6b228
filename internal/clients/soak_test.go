//go:build soak

package clients_test

import (
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
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
	const size, clients = 512 << 20, 20
	var group errgroup.Group
	for i := range clients {
		group.Go(func() error { return bigValue(gateway.Addr, keyOn(i%3, i), size) })
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	notAbove(t, gateway, gatewayMax)
}

// TestSoakAsynqOverFailures waits until asynq has found the jobs whose handing out nobody heard of: after half a minute it takes them for lost.
func TestSoakAsynqOverFailures(t *testing.T) {
	asynqOverFailures(t, func(j *jobs, n int) {
		eventuallyWithin(t, 3*time.Minute, "all jobs, those too that were being handed out", func() bool { return j.worked(0, n) == n })
	})
}

// TestSoakApplicationsOverStockNodes is TestApplicationsOverFailures with redis-server in the nodes' places.
func TestSoakApplicationsOverStockNodes(t *testing.T) { applicationsOverFailures(t, backends[1].start) }
