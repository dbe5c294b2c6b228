package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"larder/backends/registry"
	"larder/backends/registry/embedded"
	"larder/control/controller"
)

// flaky is a registry that cannot be reached now and then.
type flaky struct {
	registry.Registry
	away atomic.Bool
}

func (f *flaky) Renew(ctx context.Context, id registry.SessionID) error {
	if f.away.Load() {
		return registry.ErrUnavailable
	}
	return f.Registry.Renew(ctx, id)
}

func (f *flaky) OpenSession(ctx context.Context, s registry.Session) (registry.SessionID, error) {
	if f.away.Load() {
		return "", registry.ErrUnavailable
	}
	return f.Registry.OpenSession(ctx, s)
}

// said is a log that is read while it is written.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// herald is an announcement that runs.
type herald struct {
	*Announcement
	log  said
	stop func()
}

// announce runs one in a bubble of synctest.
func announce(t *testing.T, r registry.Registry, dir, session string) *herald {
	h := &herald{}
	h.Announcement = &Announcement{
		Host:     controller.Host{ID: "a", Zone: "z", Addr: "a:1", Memory: 5, Session: session},
		Registry: r, Dir: dir, Log: slog.New(slog.NewTextHandler(&h.log, nil)), Chance: rand.New(rand.NewPCG(1, 2)),
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	h.stop = func() {
		stop()
		<-ended
	}
	go func() {
		defer close(ended)
		h.Run(ctx)
	}()
	synctest.Wait()
	return h
}

func registered(t *testing.T) (*flaky, func() string) {
	r, err := embedded.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	session := func() string {
		entry, err := r.Get(t.Context(), controller.HostKey("a"))
		if errors.Is(err, registry.ErrNotFound) {
			return ""
		}
		if err != nil {
			t.Fatal(err)
		}
		var h controller.Host
		if err := json.Unmarshal(entry.Value, &h); err != nil || h.Zone != "z" || h.Addr != "a:1" || h.Memory != 5 || entry.Holder == "" {
			t.Fatalf("announced as %s by %q: %v", entry.Value, entry.Holder, err)
		}
		return h.Session
	}
	return &flaky{Registry: r}, session
}

// TestAnnounced: a host is announced while its process lives and as long again as its session does, by whatever befalls the entry and the session.
func TestAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, session := registered(t)
		defer r.Close()
		h := announce(t, r, t.TempDir(), "one")
		if session() != "one" || !h.There() {
			t.Fatal("not announced")
		}
		key := controller.HostKey("a")
		entry, _ := r.Get(t.Context(), key)
		for what, befall := range map[string]func() error{
			"its entry is deleted": func() error { return r.Delete(t.Context(), key) },
			"its session is ended": func() error { return r.EndSession(t.Context(), entry.Holder) },
			"its lock is given up": func() error { return r.Release(t.Context(), key, entry.Holder) },
			"nothing befalls it":   func() error { return nil },
			"the registry is silent": func() error {
				r.away.Store(true)
				time.Sleep(time.Minute)
				if session() != "" {
					t.Error("announced though nobody could renew its session")
				}
				r.away.Store(false)
				return nil
			},
		} {
			entry, _ = r.Get(t.Context(), key)
			if err := befall(); err != nil {
				t.Fatal(what, err)
			}
			time.Sleep(2 * sessionEvery)
			synctest.Wait()
			now, err := r.Get(t.Context(), key)
			if session() != "one" || err != nil || now.Holder == "" {
				t.Errorf("when %s: held by %q: %v", what, now.Holder, err)
			}
		}
		before, _ := r.Get(t.Context(), key)
		time.Sleep(time.Minute)
		if after, _ := r.Get(t.Context(), key); after.Version != before.Version {
			t.Error("the entry is written though it stands")
		}
		h.stop()
		if session() != "one" {
			t.Error("who ends with its nodes going on has taken itself back")
		}
		time.Sleep(2*sessionTTL + time.Second)
		if session() != "" {
			t.Error("announced long after its end")
		}
		again := announce(t, r, t.TempDir(), "two")
		again.stop()
		if err := again.Leave(t.Context()); err != nil || session() != "" {
			t.Errorf("who takes itself back is still announced as %q: %v", session(), err)
		}
	})
}

// TestReplaced: a host's next process takes the place of the one before at once; another host of that name does not.
func TestReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, session := registered(t)
		defer r.Close()
		dir := t.TempDir()
		h := announce(t, r, dir, "one")
		h.stop()
		before, _ := r.Get(t.Context(), controller.HostKey("a"))
		h = announce(t, r, dir, "two")
		if after, _ := r.Get(t.Context(), controller.HostKey("a")); session() != "two" || after.Holder != before.Holder {
			t.Errorf("announced as %q, held by %s, and by %s before: somebody may have missed it", session(), after.Holder, before.Holder)
		}
		clone := announce(t, r, dir, "clone") // nobody can tell it from the next process
		time.Sleep(time.Minute)
		if session() != "clone" || h.There() || strings.Count(h.log.String(), "another process is announced as host a") != 1 {
			t.Errorf("announced as %q; the one before said %s", session(), &h.log)
		}
		clone.stop()
		h.stop()
		h = announce(t, r, dir, "two")
		other := announce(t, r, t.TempDir(), "other")
		time.Sleep(time.Minute)
		if session() != "two" || other.There() || strings.Count(other.log.String(), "another host is announced as a") != 1 {
			t.Errorf("announced as %q; the other said %s", session(), &other.log)
		}
		h.stop()
		time.Sleep(2*sessionTTL + againMax)
		synctest.Wait()
		if session() != "other" || !other.There() {
			t.Errorf("announced as %q", session())
		}
		other.stop()
	})
}
