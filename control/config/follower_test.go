package config_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/configs"
	"larder/control/config"
)

// gate is a process that follows, with settings that it refuses by itself.
type gate struct {
	*config.Follower
	mu      sync.Mutex
	applied []string
}

func newGate(d *desk) *gate {
	g := &gate{}
	g.Follower = config.NewFollower(config.FollowerOptions{
		Registry: d.registry, Rules: configs.Managed{}, Log: slog.New(slog.DiscardHandler), Now: time.Now, Dice: rand.New(rand.NewPCG(1, 2)),
		Own: map[string]config.Own{"gateway.loops": {Value: "2", Source: "--loops", First: true}},
		Apply: func(_ context.Context, values config.Values, version uint64) ([]string, error) {
			if values["gateway.pending-max"] == "13" {
				return nil, errors.New("it brings bad luck here")
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			g.applied = append(g.applied, fmt.Sprintf("%d=%s", version, values["gateway.pending-max"]))
			return []string{"gateway.databases"}, nil
		},
	})
	return g
}

// is waits until it runs a version, and that alone is refused which error says.
func (g *gate) is(t *testing.T, version uint64, refused string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		now := g.Running()
		fits := refused == "" && now.Refused == nil || refused != "" && now.Refused != nil && strings.Contains(now.Refused.Error, refused)
		if now.Version == version && fits {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("it runs %+v (refused %+v), want version %d, refused %q", now, now.Refused, version, refused)
		}
	}
}

func TestFollower(t *testing.T) {
	d := newDesk(t)
	g := newGate(d)
	if err := g.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.is(t, 0, "")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx, "g1") }()
	first := d.set(config.Edit{Set: config.Values{"gateway.pending-max": "64"}})
	g.is(t, first.Version, "")
	d.hand("gateway.pending-max: [1]")
	g.is(t, first.Version, "whole number")
	second := d.set(config.Edit{Set: config.Values{"gateway.pending-max": "65"}})
	g.is(t, second.Version, "")
	d.set(config.Edit{Set: config.Values{"gateway.pending-max": "13"}})
	g.is(t, second.Version, "bad luck")
	if err := d.registry.Delete(ctx, config.Key); err != nil {
		t.Fatal(err)
	}
	g.is(t, second.Version, "gone")
	third := d.set(config.Edit{Set: config.Values{"gateway.pending-max": "66"}})
	g.is(t, third.Version, "")

	var said config.Running
	for end := time.Now().Add(time.Minute); said.Version != third.Version; time.Sleep(time.Millisecond) {
		s, err := d.State(ctx)
		if err != nil || time.Now().After(end) {
			t.Fatalf("%+v, %v", s, err)
		}
		if len(s.Running) == 1 {
			said = s.Running[0]
		}
	}
	if said.ID != "g1" || said.Own["gateway.loops"].Source != "--loops" || len(said.Waiting) != 1 {
		t.Errorf("it says %+v", said)
	}
	want := fmt.Sprintf("%d=64 %d=65 %d=66", first.Version, second.Version, third.Version)
	if got := strings.Join(g.applied, " "); got != want {
		t.Errorf("applied %q, want %q", got, want)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s, err := d.State(t.Context()); err != nil || len(s.Running) != 0 {
		t.Errorf("it is gone and said to run: %+v, %v", s.Running, err)
	}
}

// TestBeginWithoutGood: who starts while what stands there is wrong, or is gone, takes the newest good version.
func TestBeginWithoutGood(t *testing.T) {
	d := newDesk(t)
	d.set(config.Edit{Set: config.Values{"gateway.pending-max": "64"}})
	good := d.set(config.Edit{Set: config.Values{"gateway.pending-max": "65"}})
	d.set(config.Edit{Set: config.Values{"gateway.pending-max": "13"}}) // nothing for this process
	d.hand("no: such")
	g := newGate(d)
	if err := g.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.is(t, good.Version, "unknown key")
	if err := d.registry.Delete(t.Context(), config.Key); err != nil {
		t.Fatal(err)
	}
	g = newGate(d)
	if err := g.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.is(t, good.Version, "gone")
}
