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
// has a topology; an endpoint that is gone, cannot be read or points nowhere changes nothing but is logged.
type Pointed struct {
	registry registry.Store
	name     string
	log      *slog.Logger

	mu      sync.Mutex
	changed func(*router.Topology) // Watch's
	newest  *router.Topology
	wanted  string // the cluster that the endpoint points to
	serving string // the one that newest is of
	words   string // what was wrong with the endpoint when it was looked at last
}

// NewPointed reads where the endpoint points to, and that cluster's topology. Errors: registry.ErrNotFound if there is one of both not.
func NewPointed(ctx context.Context, r registry.Store, name string, log *slog.Logger) (*Pointed, error) {
	entry, err := r.Get(ctx, EndpointKey(name))
	if err != nil {
		return nil, fmt.Errorf("read endpoint %s: %w", name, err)
	}
	e, err := DecodeEndpoint(entry.Value)
	if err != nil {
		return nil, fmt.Errorf("read endpoint %s: %w", name, err)
	}
	first, err := NewTopologies(ctx, r, e.Cluster, log)
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", name, err)
	}
	return &Pointed{registry: r, name: name, log: log, newest: first.Topology(), wanted: e.Cluster, serving: e.Cluster}, nil
}

// Topology implements router.Source.
func (s *Pointed) Topology() *router.Topology {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

// point takes what stands in the registry, and gives the clusters that are to be followed.
func (s *Pointed) point(entries []registry.Entry) (clusters []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := errors.New("it is gone from the registry")
	for _, e := range entries {
		if e.Key != EndpointKey(s.name) {
			continue
		}
		var to Endpoint
		if to, err = DecodeEndpoint(e.Value); err == nil {
			s.wanted = to.Cluster
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
	return s.followed()
}

func (s *Pointed) followed() []string {
	if s.wanted == s.serving {
		return []string{s.serving}
	}
	return []string{s.serving, s.wanted}
}

// take tells a topology of a cluster, if that is the one that counts, and gives the clusters that are to be followed from now on.
func (s *Pointed) take(cluster string, t *router.Topology) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cluster == s.wanted || cluster == s.serving {
		if cluster == s.wanted {
			s.serving = cluster
		}
		s.newest = t
		s.changed(t)
	}
	return s.followed()
}

// following is a cluster that is followed.
func (s *Pointed) following(cluster string) *Topologies {
	s.mu.Lock()
	defer s.mu.Unlock()
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
