// Package roster keeps the nodes of a machine registered as services of their clusters: cache-<cluster>, with the tags primary or replica, shard-<n>, and primary-<n>,
// as the topology says. Operators and tools find nodes by them; clients don't.
//
// What must hold: a node is registered where it runs, with the agent of its machine; what it is follows from the topology alone; whether it serves is looked at by the
// registry itself, by connecting, so that nodes whose host is started anew stay listed, and nobody has to report. A host's process calls Run, on a goroutine of
// its own.
package roster

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"larder/backends/registry"
	"larder/router"
)

const (
	probe = 5 * time.Second  // how often it is looked whether a node takes connections
	look  = time.Second      // which nodes run here
	again = 30 * time.Second // an agent that has lost its files is told all once more
)

// Node is one that runs here.
type Node struct{ Cluster, ID string }

// Roster is the services of one machine's nodes.
type Roster struct {
	registry registry.Registry
	nodes    func(context.Context) []Node
	log      *slog.Logger
	news     chan struct{} // a topology is another

	mu         sync.Mutex
	here       []Node
	topologies map[string]*router.Topology // by cluster, of those that are followed
}

// New makes one that asks again and again which nodes run here.
func New(r registry.Registry, nodes func(context.Context) []Node, log *slog.Logger) *Roster {
	return &Roster{registry: r, nodes: nodes, log: log, news: make(chan struct{}, 1), topologies: map[string]*router.Topology{}}
}

// told takes the topology of a cluster.
func (r *Roster) told(cluster string, t *router.Topology) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.topologies[cluster] = t
	select {
	case r.news <- struct{}{}:
	default: // it will be looked at
	}
}

// clusters are those of which nodes run here. What is known of others is forgotten.
func (r *Roster) clusters(here []Node) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.here = here
	names := map[string]bool{}
	for _, n := range here {
		names[n.Cluster] = true
	}
	maps.DeleteFunc(r.topologies, func(cluster string, _ *router.Topology) bool { return !names[cluster] })
	return slices.Sorted(maps.Keys(names))
}

// wanted are the services that should be there, by their ids. A node that is in no topology (yet, or any more) is none.
func (r *Roster) wanted() map[string]registry.Service {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]registry.Service{}
	for _, n := range r.here {
		if t := r.topologies[n.Cluster]; t != nil {
			if s, ok := service(n, t); ok {
				all[s.ID] = s
			}
		}
	}
	return all
}

func service(n Node, t *router.Topology) (registry.Service, bool) {
	s := registry.Service{Name: "cache-" + n.Cluster, ID: "cache-" + n.Cluster + "-" + n.ID, Probe: probe}
	for i, shard := range t.Shards {
		number := strconv.Itoa(i)
		if shard.Primary.ID == n.ID {
			s.Addr, s.Tags = shard.Primary.Addr, []string{"primary", "primary-" + number, "shard-" + number}
			return s, true
		}
		for _, replica := range shard.Replicas {
			if replica.ID == n.ID {
				s.Addr, s.Tags = replica.Addr, []string{"replica", "shard-" + number}
				return s, true
			}
		}
	}
	return s, false
}

func same(a, b registry.Service) bool { return a.Addr == b.Addr && slices.Equal(a.Tags, b.Tags) }
