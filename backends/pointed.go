package backends

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"

	"larder/backends/registry"
	"larder/router"
)

// Pointed is a router.Source over an endpoint: the topologies of the cluster that it points to, and then of another one. The cluster before is followed until the next
// has a topology; an endpoint that is gone, cannot be read or points nowhere changes nothing but is logged. One that has a home is there while nothing says where it
// points to.
type Pointed struct {
	registry registry.Store
	name     string
	home     string // a cluster; empty: it has none
	log      *slog.Logger

	mu      sync.Mutex                              // clusters begin and end to be followed under it, so that this is always what wanted and serving say
	changed func(*router.Topology)                  // Watch's; called under mu
	start   func(cluster string) context.CancelFunc // likewise
	running map[string]context.CancelFunc           // the clusters that are followed
	newest  *router.Topology
	wanted  string // the cluster that the endpoint points to
	serving string // the one that newest is of
	words   string // what was wrong with the endpoint when it was looked at last
}

// NewPointed reads where the endpoint points to, and that cluster's topology. Errors: registry.ErrNotFound if there is one of both not.
func NewPointed(ctx context.Context, r registry.Store, name string, log *slog.Logger) (*Pointed, error) {
	return newPointed(ctx, r, &Pointed{name: name, log: log})
}

// NewPointedFrom is NewPointed for the endpoint of a cluster's name, which leads to that cluster while nothing else is said.
func NewPointedFrom(ctx context.Context, r registry.Store, home string, log *slog.Logger) (*Pointed, error) {
	return newPointed(ctx, r, &Pointed{name: home, home: home, log: log})
}

func newPointed(ctx context.Context, r registry.Store, s *Pointed) (*Pointed, error) {
	s.registry, s.wanted = r, s.home
	entry, err := r.Get(ctx, EndpointKey(s.name))
	if err == nil {
		var e Endpoint
		e, err = DecodeEndpoint(entry.Value)
		s.wanted = e.Cluster
	} else if s.home != "" && errors.Is(err, registry.ErrNotFound) {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("read endpoint %s: %w", s.name, err)
	}
	first, err := NewTopologies(ctx, r, s.wanted, s.log)
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", s.name, err)
	}
	s.newest, s.serving = first.Topology(), s.wanted
	return s, nil
}

// Topology implements router.Source.
func (s *Pointed) Topology() *router.Topology {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

// point takes what stands in the registry.
func (s *Pointed) point(entries []registry.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, err := s.wanted, errors.New("it is gone from the registry")
	if s.home != "" {
		s.wanted, err = s.home, nil
	}
	for _, e := range entries {
		if e.Key != EndpointKey(s.name) {
			continue
		}
		var to Endpoint
		if to, err = DecodeEndpoint(e.Value); err == nil {
			s.wanted = to.Cluster
		} else {
			s.wanted = before
		}
	}
	words := ""
	if err != nil {
		words = err.Error()
	}
	if words != "" && words != s.words {
		s.log.Error("endpoint cannot be followed; the cluster before is served", "endpoint", s.name, "cluster", s.serving, "error", err)
	}
	s.words = words
	s.follow()
}

// follow has those clusters followed that count from now on, and no other. Under mu.
func (s *Pointed) follow() {
	for cluster, stop := range s.running {
		if cluster != s.wanted && cluster != s.serving {
			stop()
			delete(s.running, cluster)
		}
	}
	for _, cluster := range []string{s.serving, s.wanted} {
		if s.running[cluster] == nil {
			s.running[cluster] = s.start(cluster)
		}
	}
}

// take tells a topology of a cluster, unless that is followed no more: ctx is its own.
func (s *Pointed) take(ctx context.Context, cluster string, t *router.Topology) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	if cluster == s.wanted {
		s.serving = cluster
	}
	s.newest = t
	s.changed(t)
	s.follow()
}

// following is a cluster that is followed. Under mu.
func (s *Pointed) following(cluster string) *Topologies {
	t := LaterTopologies(s.registry, cluster, s.log.With("endpoint", s.name))
	if cluster == s.serving {
		t.newest.Store(s.newest)
	}
	return t
}

func (s *Pointed) followsEndpoint(told func([]registry.Entry)) registry.Follower {
	return registry.Follower{
		Prefix: EndpointKey(s.name), Told: told, Dice: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		Lost: func(err error) {
			if err == nil {
				s.log.Info("the endpoint is known again", "endpoint", s.name)
				return
			}
			s.log.Warn("the endpoint cannot be watched; where it pointed to last is served", "endpoint", s.name, "error", err)
		},
	}
}
