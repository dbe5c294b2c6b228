package manage

import (
	"context"

	"larder/backends"
	"larder/control/api"
	"larder/control/controller"
)

// Endpoints implements api.Manager.
func (m *Manager) Endpoints(ctx context.Context) ([]api.Endpoint, error) {
	entries, err := m.o.Registry.List(ctx, backends.EndpointsPrefix)
	if err != nil {
		return nil, judged(err)
	}
	var list []api.Endpoint
	for _, e := range entries {
		if at, err := backends.DecodeEndpoint(e.Value); err == nil {
			list = append(list, api.Endpoint{Name: e.Key[len(backends.EndpointsPrefix):], Cluster: at.Cluster})
		}
	}
	return list, nil
}

// Point implements api.Manager.
func (m *Manager) Point(ctx context.Context, name, cluster string) (api.Endpoint, error) {
	if err := controller.CheckName(name); err != nil {
		return api.Endpoint{}, api.Refuse(api.CodeInvalid, "endpoint: %s", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := m.fleet()
	if err != nil {
		return api.Endpoint{}, err
	}
	seen, ok := f.Cluster(cluster)
	switch {
	case !ok:
		return api.Endpoint{}, noCluster(cluster)
	case seen.Spec.Deleted:
		return api.Endpoint{}, api.Refuse(api.CodeInvalid, "cluster %s is being deleted", cluster)
	case seen.Topology == nil:
		return api.Endpoint{}, api.Refuse(api.CodeBusy, "cluster %s does not serve yet: larder cluster show %s says why", cluster, cluster)
	}
	return api.Endpoint{Name: name, Cluster: cluster}, judged(backends.PointEndpoint(ctx, m.o.Registry, name, cluster))
}

// DeleteEndpoint implements api.Manager. Gateways that serve it keep what they have.
func (m *Manager) DeleteEndpoint(ctx context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	list, err := m.Endpoints(ctx)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Name == name {
			return judged(m.o.Registry.Delete(ctx, backends.EndpointKey(name)))
		}
	}
	return api.Refuse(api.CodeUnknown, "there is no endpoint %q", name)
}
