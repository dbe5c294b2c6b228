package clients_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
)

// app is what applications do through a library. Each call is a deed of its own that ends within its context, with a nil error only if all was right.
type app interface {
	count(ctx context.Context, key string) error        // adds one with WATCH, MULTI and EXEC, again until nobody comes between
	queue(ctx context.Context, key, job string) error   // waits for a job that is pushed meanwhile
	script(ctx context.Context, key, text string) error // EVALSHA
	stream(ctx context.Context, key, text string) error // XADD, XREADGROUP, XACK
	publish(ctx context.Context, channel, text string) error
	pipeline(ctx context.Context, keys []string, text string) error // writes and reads over all shards at once
	close()
}

// errWrong is an answer that no lost node explains.
var errWrong = errors.New("wrong answer")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errWrong, fmt.Sprintf(format, args...))
}

// sameWorker tells whether two texts are of one worker: what it gets may be what an earlier deed of its own left.
func sameWorker(a, b string) bool {
	return a[:max(0, strings.LastIndexByte(a, ' '))] == b[:max(0, strings.LastIndexByte(b, ' '))]
}

// TestApplicationsOverFailures: applications with several libraries work on all shards while a node hangs, and another is killed and comes back empty. No
// deed hangs, no answer is wrong, and afterwards all goes on.
func TestApplicationsOverFailures(t *testing.T) {
	t.Parallel()
	applicationsOverFailures(t, backends[0].start)
}

func applicationsOverFailures(t *testing.T, start func(t *testing.T) *clients.Process) {
	for _, lib := range []struct {
		name string
		open func(t *testing.T, addr string) app
	}{
		{"go-redis", openGoRedis},
		{"go-redis as of a cluster", openGoRedisCluster},
		{"rueidis", openRueidis},
		{"rueidis as of a cluster", openRueidisCluster},
	} {
		t.Run(lib.name, func(t *testing.T) {
			t.Parallel()
			gateway, nodes := overThree(t, start)
			a := lib.open(t, gateway.Addr)
			defer a.close()
			w := startWorkers(t, a)
			w.goesOn()
			nodes[1].Freeze(t)
			time.Sleep(replyTimeout * 3 / 2) // how long a node hangs is what is tried here
			nodes[1].Thaw(t)
			w.goesOn()
			nodes[2].Kill()
			w.fails()
			nodes[2].Start(t)
			w.goesOn()
			w.stop()
		})
	}
}

// workers are an application's goroutines, one for each kind of deed and shard.
type workers struct {
	t     *testing.T
	names []string
	done  []*atomic.Int64 // deeds that were right
	bad   atomic.Int64    // deeds that failed
	last  atomic.Pointer[string]
	quit  chan struct{}
	group sync.WaitGroup
}

// deedWithin is how long a deed may take, whatever becomes of nodes: many times the gateway's own limits.
const deedWithin = 8 * time.Second

func startWorkers(t *testing.T, a app) *workers {
	w := &workers{t: t, quit: make(chan struct{})}
	for shard := range 3 {
		key := func(i int) string { return keyOn(shard, i) }
		w.start("count", shard, func(ctx context.Context, _ string) error { return a.count(ctx, key(0)) })
		w.start("queue", shard, func(ctx context.Context, text string) error { return a.queue(ctx, key(1), text) })
		w.start("script", shard, func(ctx context.Context, text string) error { return a.script(ctx, key(2), text) })
		w.start("stream", shard, func(ctx context.Context, text string) error { return a.stream(ctx, key(3), text) })
		w.start("publish", shard, func(ctx context.Context, text string) error { return a.publish(ctx, key(4), text) })
	}
	w.start("pipeline", 0, func(ctx context.Context, text string) error {
		return a.pipeline(ctx, []string{keyOn(0, 5), keyOn(1, 5), keyOn(2, 5)}, text)
	})
	return w
}

func (w *workers) start(name string, shard int, deed func(ctx context.Context, text string) error) {
	done := new(atomic.Int64)
	w.names, w.done = append(w.names, fmt.Sprintf("%s on shard %d", name, shard)), append(w.done, done)
	name = w.names[len(w.names)-1]
	w.group.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-w.quit:
				return
			default:
			}
			ctx, cancel := context.WithTimeout(context.Background(), deedWithin)
			began := time.Now()
			err := deed(ctx, fmt.Sprintf("%s %d", name, i))
			cancel()
			switch {
			case err == nil:
				done.Add(1)
				continue
			case errors.Is(err, errWrong):
				w.t.Errorf("%s: %v", name, err)
				return
			case time.Since(began) >= deedWithin:
				w.t.Errorf("%s hung: %v", name, err)
			}
			w.bad.Add(1)
			text := name + ": " + err.Error()
			w.last.Store(&text)
			time.Sleep(20 * time.Millisecond) // as applications do before they try again
		}
	})
}

// goesOn waits until all workers get their deeds done.
func (w *workers) goesOn() {
	w.t.Helper()
	const more = 5
	var from []int64
	for _, done := range w.done {
		from = append(from, done.Load())
	}
	var waits []string
	for deadline := time.Now().Add(peers.Patience); ; time.Sleep(5 * time.Millisecond) {
		waits = waits[:0]
		for i, done := range w.done {
			if done.Load() < from[i]+more {
				waits = append(waits, w.names[i])
			}
		}
		if len(waits) == 0 {
			return
		}
		if time.Now().After(deadline) {
			last := "none"
			if text := w.last.Load(); text != nil {
				last = *text
			}
			w.t.Fatalf("these do not go on: %s; the last error is %s", strings.Join(waits, ", "), last)
		}
	}
}

// fails waits until a deed met the dead node.
func (w *workers) fails() {
	w.t.Helper()
	from := w.bad.Load()
	eventually(w.t, "a deed that meets the dead node", func() bool { return w.bad.Load() > from })
}

func (w *workers) stop() {
	close(w.quit)
	w.group.Wait()
}
