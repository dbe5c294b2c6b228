package consul_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends/registry"
	"larder/backends/registry/consul"
	"larder/internal/peers"
)

// requests sums what a process's metrics say of its requests, by what they are about.
func requests(t *testing.T, metrics prometheus.Gatherer, about string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != "larder_consul_requests_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			if about == "" || m.GetLabel()[0].GetValue() == about {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// TestManyFollow: a hundred gateways follow a topology of a thousand nodes; each change costs each of them one request, and all hear the last one.
func TestManyFollow(t *testing.T) {
	const (
		gateways = 100
		changes  = 5
		bytes    = 62 << 10 // backends TestTopologyIsSmall
	)
	server := peers.StartConsul(t, `limits { http_max_conns_per_client = 1000 }`)
	metrics := prometheus.NewRegistry()
	r, err := consul.New(optionsOf(server), metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	var heard [changes + 1]atomic.Int64
	for i := range gateways {
		group.Go(func() {
			registry.Follow(ctx, r, registry.Follower{
				Prefix: followed, Dice: rand.New(rand.NewPCG(1, uint64(i))), Lost: func(err error) { t.Errorf("lost: %v", err) },
				Told: func(entries []registry.Entry) {
					for _, e := range entries {
						heard[e.Value[0]-'0'].Add(1)
					}
				},
			})
		})
	}
	f := &fleet{Registry: r, t: t}
	var slowest time.Duration
	for i := 1; i <= changes; i++ {
		f.eventually("all watch", func() bool { return requests(t, metrics, "watch") >= float64(gateways*i) })
		written := time.Now()
		if err := r.Put(bounded(t), followed, []byte(fmt.Sprint(i)+strings.Repeat("x", bytes))); err != nil {
			t.Fatal(err)
		}
		f.eventually(fmt.Sprintf("all hear of change %d", i), func() bool { return heard[i].Load() == gateways })
		slowest = max(slowest, time.Since(written))
	}
	t.Logf("the slowest of %d changes of %d KB was with all %d after %s", changes, bytes>>10, gateways, slowest)
	f.eventually("all watch again", func() bool { return requests(t, metrics, "watch") >= gateways*(changes+1) })
	if got := requests(t, metrics, "watch"); got != gateways*(changes+1) {
		t.Errorf("%v requests that wait, want %d: one a change and one that waits still", got, gateways*(changes+1))
	}
	if got := requests(t, metrics, "keys"); got != gateways+changes {
		t.Errorf("%v other requests, want %d: one to begin with each, and the writes", got, gateways+changes)
	}
}

// TestManyGateways: a hundred gateways know of each other; that one fails costs each of them a request, and what happens elsewhere none.
func TestManyGateways(t *testing.T) {
	const gateways, name = 100, "cache-main-gateway"
	server := peers.StartConsul(t, `limits { http_max_conns_per_client = 1000 }`)
	metrics := prometheus.NewRegistry()
	r, err := consul.New(optionsOf(server), metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	say := func(id, name string, health registry.Health) {
		t.Helper()
		if err := errors.Join(r.Register(bounded(t), registry.Service{ID: id, Name: name, Addr: "127.0.0.1:6379", TTL: time.Hour}), r.Report(bounded(t), id, health, "")); err != nil {
			t.Fatal(err)
		}
	}
	for i := range gateways {
		say(fmt.Sprint("g", i), name, registry.Passing)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	var passing [gateways]atomic.Int64 // as each was told
	for i := range gateways {
		group.Go(func() {
			registry.FollowInstances(ctx, r, registry.InstanceFollower{
				Name: name, Dice: rand.New(rand.NewPCG(1, uint64(i))), Lost: func(err error) { t.Errorf("lost: %v", err) },
				Told: func(all []registry.Instance) {
					n := int64(0)
					for _, s := range all {
						if s.Health == registry.Passing {
							n++
						}
					}
					passing[i].Store(n)
				},
			})
		})
	}
	f := &fleet{Registry: r, t: t}
	told := func(n int64) {
		t.Helper()
		f.eventually(fmt.Sprint("all know of ", n), func() bool {
			for i := range passing {
				if passing[i].Load() != n {
					return false
				}
			}
			return true
		})
	}
	told(gateways)
	f.eventually("all watch", func() bool { return requests(t, metrics, "watch") >= gateways })
	before := requests(t, metrics, "watch")
	say("n1", "cache-main", registry.Passing)
	say("o1", "cache-other-gateway", registry.Passing)
	if err := r.Put(bounded(t), followed, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := r.Report(bounded(t), "g0", registry.Failing, "no shard answers"); err != nil {
		t.Fatal(err)
	}
	said := time.Now()
	told(gateways - 1)
	t.Logf("all %d know of it after %s", gateways, time.Since(said))
	f.eventually("all watch again", func() bool { return requests(t, metrics, "watch") >= before+gateways })
	if got := requests(t, metrics, "watch") - before; got > 2*gateways { // the words of a check may follow its state
		t.Errorf("%v requests for one change, want one or two of each", got)
	}
}

// TestIdle: three hosts with nine nodes, two controllers and two gateways ask less than 20 times a second while nothing happens.
func TestIdle(t *testing.T) {
	server := peers.StartConsul(t)
	metrics := prometheus.NewRegistry()
	r, err := consul.New(optionsOf(server), metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	lost := func(err error) { t.Errorf("lost: %v", err) }
	dice := func(n int) *rand.Rand { return rand.New(rand.NewPCG(2, uint64(n))) }
	for i := range 7 + 9 { // processes, and nodes of hosts
		group.Go(func() {
			registry.Announce(ctx, r, registry.Announcement{
				Service: registry.Service{ID: fmt.Sprint("s", i), Name: "cache-main", Addr: "127.0.0.1:6379", TTL: 15 * time.Second}, Every: 100 * time.Millisecond, Dice: dice(i), Lost: lost,
				Look: func(context.Context) (registry.Health, string) { return registry.Passing, "ready" },
			})
		})
	}
	for process := range 7 {
		for what := range 3 { // a topology, settings, access lists
			group.Go(func() {
				registry.Follow(ctx, r, registry.Follower{Prefix: fmt.Sprint("larder/", what), Dice: dice(process), Lost: lost, Told: func([]registry.Entry) {}})
			})
		}
	}
	sessions := make([]registry.SessionID, 5) // of hosts and controllers
	for i := range sessions {
		if sessions[i], err = r.OpenSession(ctx, registry.Session{TTL: registry.TTLMin}); err != nil {
			t.Fatal(err)
		}
		group.Go(func() { renew(ctx, t, r, sessions[i]) })
	}
	if err := r.Acquire(ctx, "larder/leader", nil, sessions[0]); err != nil {
		t.Fatal(err)
	}
	group.Go(func() {
		if err := registry.Lock(ctx, r, "larder/leader", nil, sessions[1]); ctx.Err() == nil {
			t.Errorf("the other controller has the lock: %v", err)
		}
	})
	f := &fleet{Registry: r, t: t}
	f.eventually("all are announced", func() bool {
		found, err := r.Instances(ctx, "cache-main")
		passing := 0
		for _, i := range found {
			if i.Health == registry.Passing {
				passing++
			}
		}
		return err == nil && passing == 16
	})
	f.eventually("all watch", func() bool { return requests(t, metrics, "watch") >= 22 })
	const span = 10 * time.Second // two reports of each service
	begun, before := time.Now(), requests(t, metrics, "")
	f.eventually("time passes", func() bool { return time.Since(begun) > span })
	rate := (requests(t, metrics, "") - before) / time.Since(begun).Seconds()
	t.Logf("%.1f requests a second", rate)
	if rate > 20 {
		t.Errorf("%.1f requests a second, want less than 20", rate)
	}
}

func renew(ctx context.Context, t *testing.T, r *consul.Registry, id registry.SessionID) {
	tick := time.NewTicker(registry.TTLMin / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := r.Renew(ctx, id); err != nil && ctx.Err() == nil {
				t.Errorf("renew: %v", err)
			}
		}
	}
}
