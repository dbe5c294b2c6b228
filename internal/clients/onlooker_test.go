package clients_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	backing "larder/backends"
	"larder/backends/registry"
	"larder/control/controller"
	"larder/router"
)

// onlooker follows all that is decided and keeps count of it, and of what must not be.
type onlooker struct {
	t      *testing.T
	memory int64 // of a host

	mu      sync.Mutex // of what follows
	entries map[string]registry.Entry
	changes map[string]int    // by key
	planned map[string]string // the host on which a node was planned, ever
	there   int               // how many are planned now
	epochs  map[string]uint64 // of topologies and records
	wrong   []string
}

// look begins to watch a registry, until the test ends.
func look(t *testing.T, r registry.Registry, memory int64) *onlooker {
	t.Helper()
	o := &onlooker{
		t: t, memory: memory, entries: map[string]registry.Entry{}, changes: map[string]int{}, planned: map[string]string{}, epochs: map[string]uint64{},
	}
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		registry.Follow(ctx, r, registry.Follower{
			Prefix: controller.Prefix, Told: o.told, Lost: func(error) {}, Dice: rand.New(rand.NewPCG(1, 1)),
		})
	})
	t.Cleanup(func() {
		stop()
		group.Wait()
	})
	return o
}

func (o *onlooker) told(entries []registry.Entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	held := map[string]int64{}
	o.there = 0
	for _, e := range entries {
		if was, ok := o.entries[e.Key]; !ok || was.Version != e.Version {
			if e.Version < was.Version {
				o.isWrong("%s went back from version %d to %d", e.Key, was.Version, e.Version)
			}
			o.entries[e.Key] = e
			o.changes[e.Key]++
			o.epoch(e)
		}
		if strings.HasSuffix(e.Key, "/plan") && len(e.Value) > 0 {
			o.plan(e, held)
		}
	}
	for host, bytes := range held {
		if bytes > o.memory {
			o.isWrong("host %s has %d bytes, and is to have nodes of %d", host, o.memory, bytes)
		}
	}
}

// plan adds what its nodes may take to what their hosts hold. A name is a node's, and a node has one host, for ever.
func (o *onlooker) plan(e registry.Entry, held map[string]int64) {
	var plan controller.Plan
	if err := json.Unmarshal(e.Value, &plan); err != nil {
		o.isWrong("%s: %v", e.Key, err)
		return
	}
	copies := map[string]bool{}
	o.there += len(plan.Nodes)
	for _, n := range plan.Nodes {
		held[n.Host] += max(n.Memory, n.Reserved)
		if was, ok := o.planned[n.ID]; ok && was != n.Host {
			o.isWrong("node %s was on host %s and is on %s", n.ID, was, n.Host)
		}
		o.planned[n.ID] = n.Host
		place := fmt.Sprint(n.Shard, " on ", n.Host)
		if copies[place] {
			o.isWrong("two copies of a shard on one host: %s, shard %s", e.Key, place)
		}
		copies[place] = true
	}
}

// epoch wants that of a topology or a record to grow with each change.
func (o *onlooker) epoch(e registry.Entry) {
	var epoch uint64
	switch {
	case len(e.Value) == 0:
		return
	case strings.HasSuffix(e.Key, "/topology"):
		t, err := backing.DecodeTopology(e.Value)
		if err != nil {
			o.isWrong("%s: %v", e.Key, err)
			return
		}
		epoch = t.Epoch
	case strings.Contains(e.Key, "/shards/"):
		r, err := router.ParseRecord(string(e.Value))
		if err != nil {
			o.isWrong("%s: %v", e.Key, err)
			return
		}
		epoch = r.Epoch
	default:
		return
	}
	if epoch <= o.epochs[e.Key] {
		o.isWrong("%s: epoch %d follows %d", e.Key, epoch, o.epochs[e.Key])
	}
	o.epochs[e.Key] = epoch
}

func (o *onlooker) isWrong(format string, args ...any) {
	o.wrong = append(o.wrong, fmt.Sprintf(format, args...))
}

// count is how often plans, records and topologies have changed so far, how many nodes have ever been planned, and how many of them are no more.
func (o *onlooker) count() (decided, planned, gone int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, changes := range o.changes {
		if strings.HasPrefix(key, "larder/clusters/") && !strings.HasSuffix(key, "/spec") {
			decided += changes
		}
	}
	return decided, len(o.planned), len(o.planned) - o.there
}

// judge fails the test for what must not be.
func (o *onlooker) judge() {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, text := range o.wrong {
		o.t.Error(text)
	}
	o.wrong = nil
}
