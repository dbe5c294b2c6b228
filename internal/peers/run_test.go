package peers_test

import (
	"runtime"
	"sync"
	"testing"

	"larder/internal/peers"
)

// TestOutlivesThreads: a server that was started stays while threads of the test program end.
func TestOutlivesThreads(t *testing.T) {
	addr := peers.StartRedis(t)
	var ended sync.WaitGroup
	for range 100 {
		ended.Add(1)
		go func() {
			defer ended.Done()
			runtime.LockOSThread() // the thread ends with the goroutine
		}()
	}
	runtime.LockOSThread()
	ended.Wait()
	runtime.UnlockOSThread()
	if got := string(peers.Dial(t, addr, 0).Do("PING")); got != "+PONG\r\n" {
		t.Errorf("%q", got)
	}
}
