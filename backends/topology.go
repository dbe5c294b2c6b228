package backends

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"

	"larder/backends/registry"
	"larder/router"
)

// TopologyKey is where a cluster's topology stands, as EncodeTopology wrote it.
func TopologyKey(cluster string) string { return "larder/clusters/" + cluster + "/topology" }

// EncodeTopology is a topology as it stands in the registry (docs/formats/topology.md): the form of a topology file, packed.
func EncodeTopology(t *router.Topology) ([]byte, error) {
	text, err := t.MarshalText()
	if err != nil {
		return nil, err
	}
	return registry.Pack(text)
}

// DecodeTopology reads what EncodeTopology wrote, and the plain form of a topology file.
func DecodeTopology(value []byte) (*router.Topology, error) {
	text, err := registry.Unpack(value)
	if err != nil {
		return nil, err
	}
	return router.Parse(text)
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
	s := &Topologies{registry: r, key: TopologyKey(cluster), log: log}
	entry, err := r.Get(ctx, s.key)
	if err != nil {
		return nil, fmt.Errorf("read topology of cluster %s: %w", cluster, err)
	}
	if len(entry.Value) == 0 { // there was one
		return nil, fmt.Errorf("read topology of cluster %s: %w", cluster, registry.ErrNotFound)
	}
	t, err := DecodeTopology(entry.Value)
	if err != nil {
		return nil, fmt.Errorf("read topology of cluster %s: %w", cluster, err)
	}
	s.newest.Store(t)
	return s, nil
}

// LaterTopologies are those of a cluster that may have none yet: Topology is nil until Watch has told one.
func LaterTopologies(r registry.Store, cluster string, log *slog.Logger) *Topologies {
	return &Topologies{registry: r, key: TopologyKey(cluster), log: log}
}

// Topology implements router.Source.
func (s *Topologies) Topology() *router.Topology { return s.newest.Load() }

// Watch implements router.Source. One caller at a time. It outlives a registry that fails; a topology that is gone from
// the registry, is damaged or is older than the one at hand changes nothing but is logged.
func (s *Topologies) Watch(ctx context.Context, changed func(*router.Topology)) error {
	registry.Follow(ctx, s.registry, registry.Follower{
		Prefix: s.key,
		Told: func(entries []registry.Entry) {
			if t := s.newer(entries); t != nil {
				s.newest.Store(t)
				changed(t)
			}
		},
		Lost: s.lost,
		Dice: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	})
	return nil
}

func (s *Topologies) lost(err error) {
	if err == nil {
		s.log.Info("the registry answers again", "key", s.key)
		return
	}
	s.log.Warn("topology cannot be watched; the last one is used", "key", s.key, "epoch", s.epoch(), "error", err)
}

// epoch is that of the newest, 0 if none is known.
func (s *Topologies) epoch() uint64 {
	if t := s.newest.Load(); t != nil {
		return t.Epoch
	}
	return 0
}

// newer is the topology among the entries if it is newer than the one at hand, else nil.
func (s *Topologies) newer(entries []registry.Entry) *router.Topology {
	for _, e := range entries {
		if e.Key != s.key || len(e.Value) == 0 {
			continue
		}
		t, err := DecodeTopology(e.Value)
		if err != nil {
			s.log.Error("topology in the registry is not taken", "key", s.key, "version", e.Version, "error", err)
			return nil
		}
		have := s.newest.Load()
		if have != nil && t.Epoch < have.Epoch {
			s.log.Error("topology in the registry is not taken: it is older", "key", s.key, "epoch", t.Epoch, "have", have.Epoch)
		}
		if have != nil && t.Epoch <= have.Epoch {
			return nil
		}
		return t
	}
	if s.newest.Load() == nil {
		s.log.Warn("there is no topology in the registry yet", "key", s.key)
		return nil
	}
	s.log.Error("topology is gone from the registry; the last one is used", "key", s.key)
	return nil
}
