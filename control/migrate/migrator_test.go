package migrate_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/backends/registry/embedded"
	"larder/control/migrate"
)

// held is a way that is cut over when it is asked, and keeps the source paused.
type held struct {
	over     chan struct{}
	asked    migrate.CutoverOptions
	amid     func() // what else is done while the source is let go
	mu       sync.Mutex
	releases int
}

func (h *held) Run(ctx context.Context) error {
	select {
	case <-h.over:
	case <-ctx.Done():
	}
	return nil
}

func (*held) Status() migrate.Status { return migrate.Status{Phase: migrate.Following} }

func (h *held) Cutover(_ context.Context, o migrate.CutoverOptions) (migrate.Cut, error) {
	h.asked = o
	close(h.over)
	return migrate.Cut{}, nil
}

func (h *held) Release(context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.releases++
	h.amid()
	return nil
}

// TestHeld: a cutover for which no time is said has some; what it holds is let go by whoever aborts it, though several do at once, and
// that is kept: none begins meanwhile, whose record would be lost.
func TestHeld(t *testing.T) {
	reg, err := embedded.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	way := &held{over: make(chan struct{})}
	m := migrate.NewMigrator(migrate.Options{
		Cluster: "main", Registry: reg,
		Way:    func(migrate.Request) (migrate.Way, string, bool, error) { return way, "somewhere", true, nil },
		Keys:   func(context.Context) (int64, error) { return 0, nil },
		Empty:  func(context.Context) error { return nil },
		Report: func(string, string) {}, Log: slog.New(slog.DiscardHandler), Now: time.Now, NewID: func() string { return "one" },
	})
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- m.Run(ctx, ready) }()
	<-ready
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := reg.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := m.Start(t.Context(), migrate.Request{From: "the password's"}); err != nil {
		t.Fatal(err)
	}
	one, err := m.Cutover(t.Context(), migrate.Current, migrate.CutoverOptions{Hold: time.Hour})
	if err != nil || one.Held == nil || way.asked.Timeout <= 0 {
		t.Fatal(one, err, way.asked)
	}
	kept := func() string {
		entry, err := reg.Get(t.Context(), "larder/clusters/main/migration")
		if err != nil {
			t.Fatal(err)
		}
		return string(entry.Value)
	}
	if got := kept(); !strings.Contains(got, "held_until") {
		t.Error(got)
	}
	way.amid = func() {
		if _, err := m.Start(t.Context(), migrate.Request{}); !errors.Is(err, migrate.ErrBusy) {
			t.Error("one begins while the source of the last is let go:", err)
		}
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { _, _ = m.Abort(t.Context(), migrate.Current) })
	}
	group.Wait()
	if one, err = m.Get(migrate.Current); err != nil || one.Held != nil || way.releases != 1 {
		t.Error(one, err, way.releases)
	}
	if got := kept(); strings.Contains(got, "held_until") || strings.Contains(got, "password") {
		t.Error(got)
	}
	if _, err := m.Start(t.Context(), migrate.Request{}); err != nil {
		t.Error("afterwards none begins:", err)
	}
}
