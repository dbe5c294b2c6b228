package fleet_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends/registry"
	"larder/backends/registry/consul"
	"larder/control"
	"larder/control/controller"
	"larder/control/fleet"
	parts "larder/internal/fleet"
	"larder/internal/peers"
)

// TestMain: the tests mostly wait.
func TestMain(m *testing.M) {
	const atOnce = 8
	if err := parts.AtOnce(atOnce); err != nil {
		panic(err)
	}
	os.Exit(parts.Main(m))
}

// TestLife: a cluster is created, changed, and deleted, though a host hangs; what happened is kept.
func TestLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	l, _ := w.control("one", 0, nil)
	w.eventually("it leads, and knows the hosts", func() bool { v := l.View(); return v.Leads && len(v.Hosts) == 3 })
	if v := l.View(); v.Leader.ID != "one" || v.Fleet.Fits(spec(3, 2)) != nil {
		t.Errorf("leader %+v, fits: %v", v.Leader, v.Fleet.Fits(spec(3, 2)))
	}
	w.put(controller.SpecKey("orders"), spec(3, 1))
	w.eventually("3 shards of 2", func() bool { return w.whole("orders", 3, 1) })
	w.eventually("all is known to be as it should", func() bool { v := l.View(); return v.Fleet.Unsettled("orders") == "" && len(v.Nodes["orders"]) == 6 })
	w.put(controller.SpecKey("orders"), spec(3, 2))
	w.eventually("3 shards of 3", func() bool { return w.whole("orders", 3, 2) })
	w.mu.Lock()
	w.hosts["h3"].silent = true
	w.mu.Unlock()
	w.put(controller.SpecKey("more"), spec(2, 0))
	w.eventually("another cluster beside a host that hangs", func() bool { return w.whole("more", 2, 0) })
	w.mu.Lock()
	w.hosts["h3"].silent = false
	w.mu.Unlock()
	for _, name := range []string{"orders", "more"} {
		gone := spec(3, 2)
		gone.Deleted = true
		w.put(controller.SpecKey(name), gone)
	}
	w.eventually("nothing is left", func() bool {
		entries, err := w.reg.List(t.Context(), "larder/clusters/")
		return err == nil && !slices.ContainsFunc(entries, func(e registry.Entry) bool { return len(e.Value) > 0 && !strings.HasSuffix(e.Key, "/plan") })
	})
	w.eventually("the events are kept", func() bool {
		events, err := fleet.ReadEvents(t.Context(), w.reg)
		return err == nil && slices.ContainsFunc(events, func(e control.Event) bool { return e.Kind == "cluster-deleted" && strings.Contains(e.Text, "orders") })
	})
}

// TestKilledBetweenAnyTwoEffects: the leader dies after its first effect, its second and so on, and says nothing of it. The other goes on.
func TestKilledBetweenAnyTwoEffects(t *testing.T) {
	t.Parallel()
	for effects := 1; effects <= 32; effects++ {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 3)
			_, first := w.control("one", effects, nil)
			w.eventually("one leads", func() bool { return holderOf(w) == "one" })
			var l *fleet.Leader
			l, _ = w.control("another", 0, func(ctx context.Context, leader fleet.Holder) error {
				if !first.dead.Load() {
					return nil
				}
				return refused(ctx, leader)
			})
			w.put(controller.SpecKey("orders"), spec(2, 1))
			w.eventually("2 shards of 2", func() bool { return w.whole("orders", 2, 1) })
			if !first.dead.Load() {
				t.Logf("%d effects were not needed", effects)
				return
			}
			w.eventually("the other leads, and all is as it should be", func() bool { v := l.View(); return v.Leads && v.Fleet.Unsettled("orders") == "" })
		})
	}
}

// holderOf is the name of who leads, as the lock says.
func holderOf(w *world) string {
	e, err := w.reg.Get(w.t.Context(), fleet.LockKey)
	if err != nil || e.Holder == "" {
		return ""
	}
	_, after, _ := strings.Cut(string(e.Value), `"id":"`)
	name, _, _ := strings.Cut(after, `"`)
	return name
}

// TestTakenOver: who waits finds a dead leader by itself, long before its session ends, and has the lock within two seconds; one that lives keeps it.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	one, first := w.control("one", 0, nil)
	w.eventually("one leads", func() bool { return one.View().Leads })
	var asked int
	other, _ := w.control("other", 0, func(ctx context.Context, leader fleet.Holder) error {
		asked++
		if first.dead.Load() {
			return refused(ctx, leader)
		}
		return nil
	})
	w.eventually("the other knows who leads", func() bool { return other.View().Leader.Addr == "one" })
	first.dead.Store(true)
	first.left.Store(0)
	first.die()
	begun := time.Now()
	w.eventually("the other leads", func() bool { return other.View().Leads })
	took := time.Since(begun)
	t.Logf("taken over in %s", took)
	if took >= registry.TTLMin {
		t.Errorf("it took %s: the session's end was waited for", took)
	}
}

// TestConsul: the leader dies amid a creation, and the other goes on, with Consul between them.
func TestConsul(t *testing.T) {
	t.Parallel()
	server := peers.StartConsul(t)
	o := consul.DefaultOptions()
	o.Address = server.Addr
	reg, err := consul.New(o, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldOn(t, reg, 3)
	one, first := w.control("one", 0, nil)
	w.eventually("one leads, and knows the hosts", func() bool { v := one.View(); return v.Leads && len(v.Hosts) == 3 })
	other, _ := w.control("other", 0, func(ctx context.Context, leader fleet.Holder) error {
		if !first.dead.Load() {
			return nil
		}
		return refused(ctx, leader)
	})
	w.eventually("the other knows who leads", func() bool { return other.View().Leader.Addr == "one" })
	const effects = 6
	first.left.Store(effects)
	w.put(controller.SpecKey("orders"), spec(3, 1))
	w.eventually("the leader is dead", first.dead.Load)
	begun := time.Now()
	w.eventually("the other leads", func() bool { return other.View().Leads })
	took := time.Since(begun)
	w.eventually("3 shards of 2", func() bool { return w.whole("orders", 3, 1) })
	t.Logf("taken over in %s, created %s later", took, time.Since(begun)-took)
	if took >= registry.TTLMin {
		t.Errorf("it took %s: the session's end was waited for", took)
	}
}

// TestDeposed: a leader whose place was taken while it lived notices, and competes again.
func TestDeposed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	one, _ := w.control("one", 0, nil)
	w.eventually("one leads", func() bool { return one.View().Leads })
	term := <-one.Terms()
	for _, text := range []string{"{}", `{"a":1}`} {
		if err := term.Store.Put(t.Context(), "larder/clusters/one/tasks/early", []byte(text)); err != nil {
			t.Error(err)
		}
	}
	id, err := w.reg.OpenSession(t.Context(), registry.Session{Name: "thief", TTL: registry.TTLMin})
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("the thief has the lock", func() bool { // the leader may be quicker
		e, err := w.reg.Get(t.Context(), fleet.LockKey)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.reg.EndSession(t.Context(), e.Holder); err != nil {
			t.Fatal(err)
		}
		return w.reg.Acquire(t.Context(), fleet.LockKey, []byte("{}"), id) == nil
	})
	w.eventually("it does not lead any more", func() bool { return !one.View().Leads })
	if err := term.Store.Put(t.Context(), "larder/clusters/one/tasks/late", []byte("{}")); !errors.Is(err, registry.ErrNotHeld) || term.Ctx.Err() == nil {
		t.Error("who was deposed writes:", err)
	}
	if err := w.reg.EndSession(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.eventually("it leads again", func() bool { return one.View().Leads })
	if again := <-one.Terms(); again.Store.Put(t.Context(), "larder/clusters/one/tasks/late", []byte("{}")) != nil {
		t.Error("who leads again cannot write")
	}
}
