package peers_test

import (
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"larder/internal/peers"
)

// TestOutlivesThreads: what was started stays while threads of the test program end, and while others end that were started later.
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
	for range 20 {
		short := exec.Command("true")
		if err := peers.Start(short); err != nil {
			t.Fatal(err)
		}
		if err := short.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	runtime.LockOSThread()
	ended.Wait()
	runtime.UnlockOSThread()
	if got := string(peers.Dial(t, addr, 0).Do("PING")); got != "+PONG\r\n" {
		t.Errorf("%q", got)
	}
}
