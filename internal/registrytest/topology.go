package registrytest

import (
	"errors"
	"testing"

	"larder/backends"
	"larder/backends/registry"
	"larder/router"
)

// Publish writes a cluster's next topology, which build makes with the epoch that it is to have.
func Publish(t testing.TB, r registry.Store, cluster string, build func(epoch uint64) (*router.Topology, error)) *router.Topology {
	t.Helper()
	key := backends.TopologyKey(cluster)
	have, err := r.Get(t.Context(), key)
	last := &router.Topology{}
	switch {
	case errors.Is(err, registry.ErrNotFound):
	case err != nil:
		t.Fatal(err)
	default:
		if last, err = backends.DecodeTopology(have.Value); err != nil {
			t.Fatal(err)
		}
	}
	next, err := build(last.Epoch + 1)
	if err != nil {
		t.Fatal(err)
	}
	value, err := backends.EncodeTopology(next)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.CompareAndSet(t.Context(), key, value, have.Version); err != nil {
		t.Fatal(err)
	}
	return next
}
