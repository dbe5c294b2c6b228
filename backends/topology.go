package backends

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"larder/backends/registry"
	"larder/router"
)

// topologyKey is where a cluster's topology stands, in the form of a topology file.
func topologyKey(cluster string) string { return "larder/clusters/" + cluster + "/topology" }

// Publish writes the cluster's next topology: build gets the present one's epoch (0 if there is none) and makes a
// topology of a greater one. Errors: registry.ErrConflict if somebody else wrote meanwhile.
func Publish(ctx context.Context, r registry.Store, cluster string, build func(epoch uint64) (*router.Topology, error)) (*router.Topology, error) {
	key := topologyKey(cluster)
	have, err := r.Get(ctx, key)
	var epoch uint64
	switch {
	case errors.Is(err, registry.ErrNotFound): // version 0: it must still not be there
	case err != nil:
		return nil, fmt.Errorf("publish topology: %w", err)
	default:
		old, err := router.Parse(have.Value)
		if err != nil {
			return nil, fmt.Errorf("publish topology: what stands under %s: %w", key, err)
		}
		epoch = old.Epoch
	}
	t, err := build(epoch)
	if err != nil {
		return nil, fmt.Errorf("publish topology: %w", err)
	}
	if t.Epoch <= epoch {
		return nil, fmt.Errorf("publish topology: epoch %d after %d: want a greater one", t.Epoch, epoch)
	}
	text, err := t.MarshalText()
	if err != nil {
		return nil, fmt.Errorf("publish topology: %w", err)
	}
	if _, err := r.CompareAndSet(ctx, key, text, have.Version); err != nil {
		return nil, fmt.Errorf("publish topology: %w", err)
	}
	return t, nil
}

// Topologies is a router.Source over the registry.
type Topologies struct {
	registry registry.Store
	key      string
	log      *slog.Logger
	newest   atomic.Pointer[router.Topology]
}

// NewTopologies reads the cluster's topology. Errors: registry.ErrNotFound if the cluster has none.
func NewTopologies(ctx context.Context, r registry.Store, cluster string, log *slog.Logger) (*Topologies, error) {
	s := &Topologies{registry: r, key: topologyKey(cluster), log: log}
	entry, err := r.Get(ctx, s.key)
	if err != nil {
		return nil, fmt.Errorf("read topology of cluster %s: %w", cluster, err)
	}
	t, err := router.Parse(entry.Value)
	if err != nil {
		return nil, fmt.Errorf("read topology of cluster %s: %w", cluster, err)
	}
	s.newest.Store(t)
	return s, nil
}

// Topology implements router.Source.
func (s *Topologies) Topology() *router.Topology { return s.newest.Load() }

// Waits between attempts at a registry that fails; the topology at hand stays good meanwhile.
const (
	retryMin = 50 * time.Millisecond
	retryMax = 5 * time.Second
)

// Watch implements router.Source. One caller at a time. It outlives a registry that fails; a topology that is gone from
// the registry, is damaged or is older than the one at hand changes nothing but is logged.
func (s *Topologies) Watch(ctx context.Context, changed func(*router.Topology)) error {
	var seen uint64
	pause := retryMin
	for ctx.Err() == nil {
		entries, next, err := s.registry.Watch(ctx, s.key, seen)
		if err != nil {
			if ctx.Err() == nil {
				s.log.Warn("topology cannot be watched", "key", s.key, "error", err, "again in", pause)
			}
			sleep(ctx, pause)
			pause = min(2*pause, retryMax)
			continue
		}
		seen, pause = next, retryMin
		if t := s.newer(entries); t != nil {
			s.newest.Store(t)
			changed(t)
		}
	}
	return nil
}

// newer is the topology among the entries if it is newer than the one at hand, else nil.
func (s *Topologies) newer(entries []registry.Entry) *router.Topology {
	for _, e := range entries {
		if e.Key != s.key {
			continue
		}
		t, err := router.Parse(e.Value)
		if err != nil {
			s.log.Error("topology in the registry is not taken", "key", s.key, "version", e.Version, "error", err)
			return nil
		}
		have := s.newest.Load()
		if t.Epoch < have.Epoch {
			s.log.Error("topology in the registry is not taken: it is older", "key", s.key, "epoch", t.Epoch, "have", have.Epoch)
		}
		if t.Epoch <= have.Epoch {
			return nil
		}
		return t
	}
	s.log.Error("topology is gone from the registry; the last one is used", "key", s.key)
	return nil
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
