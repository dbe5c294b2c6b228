package registrytest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"larder/backends/registry"
)

func register(t *testing.T, r registry.Registry, s registry.Service) {
	t.Helper()
	want(t, "register "+s.ID, r.Register(bounded(t), s), nil)
}

// instances shows the services of a name: "id addr health note".
func instances(t *testing.T, r registry.Registry, name string) string {
	t.Helper()
	found, err := r.Instances(bounded(t), name)
	want(t, "list "+name, err, nil)
	return shown(found)
}

func shown(found []registry.Instance) string {
	shown := ""
	for _, i := range found {
		shown += fmt.Sprintf("[%s %s %v %s %s]", i.ID, i.Addr, i.Tags, i.Health, i.Note)
	}
	return shown
}

func services(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	const ttl = time.Hour
	want(t, "report on nothing", r.Report(ctx, "g2", registry.Passing, ""), registry.ErrNotFound)
	register(t, r, registry.Service{ID: "g2", Name: "cache-a-gateway", Addr: "127.0.0.2:6379", TTL: ttl})
	register(t, r, registry.Service{ID: "g1", Name: "cache-a-gateway", Addr: "127.0.0.1:6379", Tags: []string{"a", "b"}, TTL: ttl})
	register(t, r, registry.Service{ID: "n1", Name: "cache-a", Addr: "127.0.0.1:7000", TTL: ttl})
	want(t, "report", r.Report(ctx, "g1", registry.Passing, "fine"), nil)
	agree := func(wanted string) {
		t.Helper()
		eventually(t, patience, wanted, func() bool { return instances(t, r, "cache-a-gateway") == wanted })
	}
	agree("[g1 127.0.0.1:6379 [a b] passing fine][g2 127.0.0.2:6379 [] critical ]")
	want(t, "report", r.Report(ctx, "g2", registry.Warning, "slow"), nil)
	agree("[g1 127.0.0.1:6379 [a b] passing fine][g2 127.0.0.2:6379 [] warning slow]")
	want(t, "deregister", r.Deregister(ctx, "g1"), nil)
	want(t, "deregister again", r.Deregister(ctx, "g1"), nil)
	agree("[g2 127.0.0.2:6379 [] warning slow]")
	register(t, r, registry.Service{ID: "g2", Name: "cache-a-gateway", Addr: "127.0.0.3:6379", TTL: ttl})
	want(t, "report", r.Report(ctx, "g2", registry.Passing, "moved"), nil)
	agree("[g2 127.0.0.3:6379 [] passing moved]")
}

// serviceWatched is followed through all that can become of services, and tells the last of it each time.
func serviceWatched(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	const name = "cache-c-gateway"
	s := registry.Service{ID: "w1", Name: name, Addr: "127.0.0.1:6379", TTL: time.Hour}
	var seen uint64
	told := func(wanted string) {
		t.Helper()
		for {
			found, next, err := r.WatchInstances(ctx, name, seen)
			want(t, "watch "+name, err, nil)
			if err != nil {
				t.Fatalf("waited for %s", wanted)
			}
			seen = next
			if shown(found) == wanted {
				return
			}
		}
	}
	told("")
	register(t, r, s)
	told("[w1 127.0.0.1:6379 [] critical ]")
	want(t, "report", r.Report(ctx, "w1", registry.Passing, "fine"), nil)
	told("[w1 127.0.0.1:6379 [] passing fine]")
	register(t, r, registry.Service{ID: "w0", Name: name, Addr: "127.0.0.2:6379", Tags: []string{"a"}, Probe: time.Hour})
	told("[w0 127.0.0.2:6379 [a] passing ][w1 127.0.0.1:6379 [] passing fine]")
	want(t, "deregister", r.Deregister(ctx, "w1"), nil)
	told("[w0 127.0.0.2:6379 [a] passing ]")
	s.TTL = time.Second
	register(t, r, s)
	want(t, "report", r.Report(ctx, "w1", registry.Passing, "fine"), nil)
	told("[w0 127.0.0.2:6379 [a] passing ][w1 127.0.0.1:6379 [] passing fine]")
	for health := registry.Passing; health != registry.Failing; { // its words may be others now
		found, next, err := r.WatchInstances(ctx, name, seen)
		want(t, "watch "+name, err, nil)
		if err != nil || len(found) != 2 {
			t.Fatalf("waited for w1 to fail, have %s", shown(found))
		}
		seen, health = next, found[1].Health
	}
	ended, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	for {
		_, next, err := r.WatchInstances(ended, name, seen)
		if err != nil {
			want(t, "watch that nothing ends", err, context.DeadlineExceeded)
			return
		}
		seen = next
	}
}

func serviceFails(t *testing.T, r registry.Registry) {
	register(t, r, registry.Service{ID: "g", Name: "cache-a-gateway", Addr: "127.0.0.1:6379", TTL: time.Second})
	want(t, "report", r.Report(bounded(t), "g", registry.Passing, ""), nil)
	eventually(t, patience, "it fails", func() bool {
		found, err := r.Instances(bounded(t), "cache-a-gateway")
		want(t, "list", err, nil)
		return len(found) == 1 && found[0].Health == registry.Failing
	})
}
