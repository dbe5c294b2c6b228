package backends

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"larder/backends/registry"
)

// EndpointsPrefix is where endpoints stand, each under its name.
const EndpointsPrefix = "larder/endpoints/"

// EndpointKey is where it stands to which cluster an endpoint points.
func EndpointKey(name string) string { return EndpointsPrefix + name }

// Endpoint is a name that clients keep while the cluster behind it becomes another. Gateways of an endpoint follow its key.
type Endpoint struct {
	Cluster string `json:"cluster"`
}

// EncodeEndpoint is an endpoint as it stands in the registry.
func EncodeEndpoint(e Endpoint) []byte {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // it is made of texts
	}
	return text
}

// DecodeEndpoint reads what EncodeEndpoint wrote.
func DecodeEndpoint(value []byte) (e Endpoint, err error) {
	if err := json.Unmarshal(value, &e); err != nil {
		return Endpoint{}, fmt.Errorf("%q: want {\"cluster\": \"NAME\"}: %w", value, err)
	}
	if e.Cluster == "" || strings.Contains(e.Cluster, "/") {
		return Endpoint{}, fmt.Errorf("%q: want {\"cluster\": \"NAME\"}", value)
	}
	return e, nil
}

// PointEndpoint has an endpoint point to a cluster, which must have a topology: without one its gateways would go on serving the old one. Errors:
// registry.ErrNotFound for the topology.
func PointEndpoint(ctx context.Context, r registry.Store, name, cluster string) error {
	entry, err := r.Get(ctx, TopologyKey(cluster))
	if err == nil && len(entry.Value) == 0 { // the cluster was deleted
		err = registry.ErrNotFound
	}
	if errors.Is(err, registry.ErrNotFound) {
		return fmt.Errorf("point endpoint %s: cluster %s has no topology (yet): %w", name, cluster, err)
	} else if err != nil {
		return fmt.Errorf("point endpoint %s: %w", name, err)
	}
	if err := r.Put(ctx, EndpointKey(name), EncodeEndpoint(Endpoint{Cluster: cluster})); err != nil {
		return fmt.Errorf("point endpoint %s: %w", name, err)
	}
	return nil
}
