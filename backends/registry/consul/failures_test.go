package consul_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/backends/registry"
	"larder/backends/registry/consul"
	"larder/internal/peers"
)

// fleet is what a process of ours does with Consul: it follows a key and keeps a service.
type fleet struct {
	*consul.Registry
	t *testing.T

	mu     sync.Mutex
	told   string // the key's last value, as the follower knows it
	losses int    // how often the registry began to fail, as follower and announcement have noticed
	backs  int    // and to answer again
}

const followed = "larder/clusters/main/topology"

var gateway = registry.Service{ID: "cache-main-gateway-1", Name: "cache-main-gateway", Addr: "127.0.0.1:6379", TTL: 10 * time.Second}

// start begins; all of it ends with the test.
func startFleet(t *testing.T, agent *peers.Consul) *fleet {
	t.Helper()
	o := optionsOf(agent)
	o.Timeout = time.Second
	f := &fleet{Registry: open(t, o), t: t}
	ctx, cancel := context.WithCancel(context.Background())
	dice := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, n)) }
	var group sync.WaitGroup
	group.Go(func() {
		registry.Follow(ctx, f, registry.Follower{Prefix: followed, Dice: dice(1), Lost: f.lost, Told: func(entries []registry.Entry) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.told = "nothing"
			for _, e := range entries {
				f.told = string(e.Value)
			}
		}})
	})
	group.Go(func() {
		registry.Announce(ctx, f, registry.Announcement{
			Service: gateway, Every: 20 * time.Millisecond, Dice: dice(2), Lost: f.lost,
			Look: func(context.Context) (registry.Health, string) { return registry.Passing, "ready" },
		})
	})
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return f
}

func (f *fleet) lost(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.backs++
	} else {
		f.losses++
	}
}

func (f *fleet) eventually(what string, so func() bool) {
	f.t.Helper()
	for end := time.Now().Add(peers.Patience); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("never: %s", what)
		}
	}
}

// hears waits until the follower knows that value.
func (f *fleet) hears(value string) {
	f.t.Helper()
	f.eventually("the follower hears "+value, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.told == value
	})
}

// serves waits until the service is there and well.
func (f *fleet) serves() {
	f.t.Helper()
	f.eventually("the service is listed as passing", func() bool {
		found, err := f.Instances(bounded(f.t), gateway.Name)
		return err == nil && len(found) == 1 && found[0].Health == registry.Passing && found[0].Addr == gateway.Addr
	})
}

// writes puts until Consul takes it, as a controller would try again.
func (f *fleet) writes(value string) {
	f.t.Helper()
	f.eventually("Consul takes "+value, func() bool { return f.Put(bounded(f.t), followed, []byte(value)) == nil })
}

// fails waits until a write is refused as unavailable, and wants each refusal within a bound.
func (f *fleet) fails() {
	f.t.Helper()
	f.eventually("Consul fails", func() bool {
		_, err := f.Get(bounded(f.t), followed)
		if err != nil && !errors.Is(err, registry.ErrUnavailable) {
			f.t.Fatalf("got %v, want ErrUnavailable", err)
		}
		return err != nil
	})
}

// lostAndBack waits until who noticed that the registry fails, follower or announcement, has noticed as often that it is back.
func (f *fleet) lostAndBack() {
	f.t.Helper()
	f.eventually("who has noticed that the registry fails has noticed that it is back", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.losses == f.backs
	})
}

// TestAgentRestarts: what the agent keeps on its disk is kept; an agent that lost it is told anew.
func TestAgentRestarts(t *testing.T) {
	server := peers.StartConsul(t)
	f := startFleet(t, server)
	f.writes("one")
	f.hears("one")
	f.serves()
	id, err := f.OpenSession(bounded(t), registry.Session{Name: "leader", TTL: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Acquire(bounded(t), "larder/leader", nil, id); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	f.fails()
	f.eventually("that it fails is noticed", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.losses > 0
	})
	f.hears("one")
	server.Again()
	f.writes("two")
	f.hears("two")
	f.serves()
	if err := f.Renew(bounded(t), id); err != nil {
		t.Errorf("the session is lost: %v", err)
	}
	if e, err := f.Get(bounded(t), "larder/leader"); err != nil || e.Holder != id {
		t.Errorf("the lock is lost: %+v, %v", e, err)
	}
	server.Kill()
	server.Forget()
	server.Again()
	f.hears("nothing")
	f.serves()
	f.writes("three")
	f.hears("three")
	if err := f.Renew(bounded(t), id); !errors.Is(err, registry.ErrSessionLost) {
		t.Errorf("renew a session that is forgotten: %v", err)
	}
	f.lostAndBack()
}

// TestServersFail: the leader is killed, the quorum is lost, the agent is frozen; nothing is lost and all goes on by itself.
func TestServersFail(t *testing.T) {
	servers, agent := peers.StartConsuls(t)
	f := startFleet(t, agent)
	f.writes("one")
	f.hears("one")
	f.serves()
	id, err := f.OpenSession(bounded(t), registry.Session{Name: "leader", TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	f.eventually("the lock is taken", func() bool { return f.Acquire(bounded(t), "larder/leader", nil, id) == nil })
	fence := registry.Fence{Key: "larder/leader", Session: id}

	leader := leaderOf(t, f, servers)
	leader.Kill()
	f.writes("led by another")
	f.hears("led by another")
	leader.Again()

	old := leaderOf(t, f, servers)
	for _, s := range servers {
		if s != old {
			s.Kill()
		}
	}
	f.fails()
	f.hears("led by another")
	for _, s := range servers {
		if s != old {
			s.Again()
		}
	}
	f.writes("with a quorum")
	f.hears("with a quorum")
	f.serves()
	e, err := f.Get(bounded(t), followed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.CompareAndSet(bounded(t), followed, []byte("fenced"), e.Version, fence); err != nil {
		t.Errorf("the lock is lost: %v", err)
	}
	f.hears("fenced")

	other := open(t, optionsOf(leaderOf(t, f, servers)))
	agent.Freeze()
	f.fails()
	if err := other.EndSession(bounded(t), id); err != nil {
		t.Error(err)
	}
	if err := other.Put(bounded(t), followed, []byte("while it was frozen")); err != nil {
		t.Error(err)
	}
	agent.Thaw()
	f.hears("while it was frozen")
	f.serves()
	_, err = f.CompareAndSet(bounded(t), followed, nil, 0, fence)
	if !errors.Is(err, registry.ErrNotHeld) {
		t.Errorf("a write of a leader that was deposed: %v", err)
	}
	f.lostAndBack()
}

// TestTakeOver: a standby that has found the leader dead ends its session, and has the lock long before the session's time to live is over.
func TestTakeOver(t *testing.T) {
	server := peers.StartConsul(t)
	leader, standby := open(t, optionsOf(server)), open(t, optionsOf(server))
	ctx := bounded(t)
	session := func(r *consul.Registry, name string) registry.SessionID {
		id, err := r.OpenSession(ctx, registry.Session{Name: name, TTL: registry.TTLMin})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	dead, next := session(leader, "leader"), session(standby, "standby")
	if err := registry.Lock(ctx, leader, "larder/leader", []byte("leader"), dead); err != nil {
		t.Fatal(err)
	}
	if err := leader.Close(); err != nil {
		t.Fatal(err)
	}
	locked := make(chan error, 1)
	var group sync.WaitGroup
	group.Go(func() { locked <- registry.Lock(ctx, standby, "larder/leader", []byte("standby"), next) })
	defer group.Wait()
	begun := time.Now()
	if err := standby.EndSession(ctx, dead); err != nil {
		t.Fatal(err)
	}
	if err := <-locked; err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	t.Logf("taken over in %s", took)
	if took > registry.TTLMin {
		t.Errorf("it took %s: the session's end was waited for", took)
	}
	if e, err := standby.Get(ctx, "larder/leader"); err != nil || e.Holder != next || string(e.Value) != "standby" {
		t.Errorf("%+v, %v", e, err)
	}
}

// leaderOf waits for one that all agree on.
func leaderOf(t *testing.T, f *fleet, servers []*peers.Consul) *peers.Consul {
	t.Helper()
	var leader *peers.Consul
	f.eventually("the servers have a leader", func() bool {
		leader = nil
		for _, s := range servers {
			for _, who := range servers {
				if addr := s.Leader(); strings.Contains(addr, ":") && who.Leads(addr) {
					if leader != nil && leader != who {
						return false
					}
					leader = who
				}
			}
		}
		return leader != nil
	})
	return leader
}
