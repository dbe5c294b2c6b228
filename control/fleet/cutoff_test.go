package fleet_test

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"larder/backends/registry"
	"larder/control/fleet"
)

// reach is a way to a registry, which can be closed and opened.
type reach struct {
	registry.Registry

	mu     sync.Mutex
	closed chan struct{} // is, while nothing comes through
}

func newReach(r registry.Registry) *reach { return &reach{Registry: r, closed: make(chan struct{})} }

func (r *reach) shut() { close(r.now()) }

func (r *reach) open() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = make(chan struct{})
}

func (r *reach) now() chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

func (r *reach) err() error {
	select {
	case <-r.now():
		return registry.ErrUnavailable
	default:
		return nil
	}
}

func (r *reach) Watch(ctx context.Context, prefix string, after uint64) (found []registry.Entry, next uint64, err error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	closed, ended := r.now(), make(chan struct{})
	go func() {
		defer close(ended)
		found, next, err = r.Registry.Watch(inner, prefix, after)
	}()
	select {
	case <-closed:
		cancel()
		<-ended
		return nil, 0, registry.ErrUnavailable
	case <-ended:
		return found, next, err
	}
}

func (r *reach) Get(ctx context.Context, key string) (registry.Entry, error) {
	if err := r.err(); err != nil {
		return registry.Entry{}, err
	}
	return r.Registry.Get(ctx, key)
}

func (r *reach) OpenSession(ctx context.Context, s registry.Session) (registry.SessionID, error) {
	if err := r.err(); err != nil {
		return "", err
	}
	return r.Registry.OpenSession(ctx, s)
}

func (r *reach) Renew(ctx context.Context, id registry.SessionID) error {
	if err := r.err(); err != nil {
		return err
	}
	return r.Registry.Renew(ctx, id)
}

func (r *reach) EndSession(ctx context.Context, id registry.SessionID) error {
	if err := r.err(); err != nil {
		return err
	}
	return r.Registry.EndSession(ctx, id)
}

func (r *reach) Acquire(ctx context.Context, key string, value []byte, id registry.SessionID) error {
	if err := r.err(); err != nil {
		return err
	}
	return r.Registry.Acquire(ctx, key, value, id)
}

// TestCutOff: a leader that the registry does not answer, while it answers others, is replaced within seconds; one that leads when it answers nobody leads on
// when it is back.
func TestCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		leaders, ways := map[string]*fleet.Leader{}, map[string]*reach{}
		ping := func(_ context.Context, h fleet.Holder) error {
			if leaders[h.ID].CutOff() {
				return fleet.ErrCutOff
			}
			return nil
		}
		for i, id := range []string{"one", "other"} {
			ways[id] = newReach(w.reg)
			leaders[id] = fleet.New(fleet.Options{
				ID: id, Addr: id, Registry: ways[id], Hosts: slow{w}, Nodes: slowNodes{slow{w}}, Ping: ping,
				Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Chance: rand.New(rand.NewPCG(1, uint64(i))),
			})
		}
		leads := func(id string) {
			t.Helper()
			w.eventually(id+" leads", func() bool { return leaders[id].View().Leads })
		}
		for _, id := range []string{"one", "other"} {
			ctx, cancel := context.WithCancel(context.Background())
			w.run(ctx, cancel, leaders[id])
			leads("one")
		}
		time.Sleep(time.Minute)

		for range 3 { // nobody can be reached
			ways["one"].shut()
			ways["other"].shut()
			time.Sleep(4 * time.Second) // the session lives on
			ways["other"].open()
			ways["one"].open()
			time.Sleep(time.Minute)
			if !leaders["one"].View().Leads {
				t.Error("who has led does not lead when the registry is back")
			}
		}

		ways["one"].shut()
		begun := time.Now()
		leads("other")
		if took := time.Since(begun); took > 4*time.Second {
			t.Errorf("it is replaced after %s", took)
		}
		ways["one"].open()
		w.eventually("it knows that it does not lead", func() bool { return !leaders["one"].View().Leads })
		time.Sleep(time.Minute)
		if !leaders["other"].View().Leads {
			t.Error("who has taken its place does not lead on")
		}
	})
}
