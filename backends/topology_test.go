package backends_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"larder/backends"
	"larder/backends/registry"
	"larder/backends/registry/embedded"
	"larder/internal/registrytest"
	"larder/router"
)

const key = "larder/clusters/main/topology"

func open(t *testing.T) *embedded.Registry {
	r, err := embedded.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// publish raises the epoch by one and serves all from the address.
func publish(t *testing.T, r registry.Store, addr string) *router.Topology {
	t.Helper()
	return registrytest.Publish(t, r, "main", func(epoch uint64) (*router.Topology, error) {
		return router.Even("main", epoch, []router.Node{{ID: "n0", Addr: addr}})
	})
}

func TestNoTopology(t *testing.T) {
	if _, err := backends.NewTopologies(context.Background(), open(t), "main", slog.New(slog.DiscardHandler)); !errors.Is(err, registry.ErrNotFound) {
		t.Error(err)
	}
}

// flaky fails some watches, as a registry out of reach does.
type flaky struct {
	registry.Store
	mu    sync.Mutex
	fails int
}

func (f *flaky) Watch(ctx context.Context, prefix string, after uint64) ([]registry.Entry, uint64, error) {
	f.mu.Lock()
	fail := f.fails > 0
	f.fails--
	f.mu.Unlock()
	if fail {
		return nil, 0, registry.ErrUnavailable
	}
	return f.Store.Watch(ctx, prefix, after)
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		publish(t, r, "127.0.0.1:1")
		var log strings.Builder
		source, err := backends.NewTopologies(t.Context(), &flaky{Store: r, fails: 3}, "main", slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var epochs []uint64
		ended := make(chan error)
		go func() {
			ended <- source.Watch(ctx, func(topo *router.Topology) { epochs = append(epochs, topo.Epoch) })
		}()
		const settled = time.Minute // longer than all retries; no time at all here
		for _, change := range []func(){
			func() { publish(t, r, "127.0.0.1:2") },
			func() { publish(t, r, "127.0.0.1:3") },
			func() { _ = r.Put(ctx, key+"-of-another", []byte("x")) },
			func() { _ = r.Put(ctx, key, []byte("damaged")) },
			func() { _ = r.Put(ctx, key, []byte(`{"epoch":1,"shards":[{"primary":{"addr":"h:1"}}]}`)) },
			func() { _ = r.Put(ctx, key, nil) }, // as whoever deletes a cluster leaves it
			func() { _ = r.Put(ctx, key, []byte(`{"epoch":9,"shards":[{"primary":{"addr":"h:1"}}]}`)) },
		} {
			time.Sleep(settled)
			change()
		}
		time.Sleep(settled)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("watch ends with %v", err)
		}
		if len(epochs) != 3 || epochs[0] != 2 || epochs[1] != 3 || epochs[2] != 9 || source.Topology().Epoch != 9 {
			t.Errorf("told of epochs %v, has %d", epochs, source.Topology().Epoch)
		}
		for _, said := range []string{"cannot be watched", "not taken", "it is older", "is gone"} {
			if !strings.Contains(log.String(), said) {
				t.Errorf("the log does not say %q:\n%s", said, log.String())
			}
		}
	})
}
