package manage

import (
	"context"
	"errors"
	"maps"
	"slices"

	"larder/backends/registry"
	"larder/control/api"
	"larder/control/controller"
)

// Groups implements api.Manager.
func (m *Manager) Groups(context.Context) ([]api.Group, error) {
	f, err := m.fleet()
	if err != nil {
		return nil, err
	}
	groups := f.Groups()
	var list []api.Group
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		list = append(list, toldGroup(f, name, groups[name]))
	}
	return list, nil
}

// Group implements api.Manager.
func (m *Manager) Group(_ context.Context, name string) (api.Group, error) {
	f, err := m.fleet()
	if err != nil {
		return api.Group{}, err
	}
	g := f.Groups()[name]
	if g == nil {
		return api.Group{}, noGroup(name)
	}
	return toldGroup(f, name, g), nil
}

func noGroup(name string) error {
	return api.Refuse(api.CodeUnknown, "there is no parameter group %q", name)
}

func toldGroup(f controller.Fleet, name string, g *controller.Group) api.Group {
	told := api.Group{Name: name, Group: *g}
	for _, cluster := range f.Clusters() {
		if seen, _ := f.Cluster(cluster); seen.Spec.Parameters == name && !seen.Spec.Deleted {
			told.Clusters = append(told.Clusters, cluster)
		}
	}
	return told
}

// SetGroup implements api.Manager.
func (m *Manager) SetGroup(ctx context.Context, g api.Group) (api.Group, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := m.fleet()
	if err != nil {
		return api.Group{}, err
	}
	if g.Values == nil {
		g.Values = map[string]string{}
	}
	wrong := controller.CheckName(g.Name)
	if wrong == nil {
		wrong = g.Validate(m.o.CheckParameter)
	}
	if wrong != nil {
		return api.Group{}, api.Refuse(api.CodeInvalid, "%s", wrong)
	}
	for range attempts {
		var old controller.Group
		found, version, err := m.read(ctx, controller.ParametersKey(g.Name), &old)
		if err != nil {
			return api.Group{}, err
		}
		if users := toldGroup(f, g.Name, &g.Group).Clusters; found && old.Engine != g.Engine && len(users) > 0 {
			return api.Group{}, api.Refuse(api.CodeInUse, "cluster %s names group %s, which is for %s: make another group", users[0], g.Name, old.Engine)
		}
		switch err := m.write(ctx, controller.ParametersKey(g.Name), g.Group, version); {
		case errors.Is(err, registry.ErrConflict):
			continue
		case err != nil:
			return api.Group{}, err
		}
		return toldGroup(f, g.Name, &g.Group), nil
	}
	return api.Group{}, api.Refuse(api.CodeBusy, "group %s is being changed by others all the time: try again", g.Name)
}

// DeleteGroup implements api.Manager.
func (m *Manager) DeleteGroup(ctx context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := m.fleet()
	if err != nil {
		return err
	}
	g := f.Groups()[name]
	if g == nil {
		return noGroup(name)
	}
	if users := toldGroup(f, name, g).Clusters; len(users) > 0 {
		return api.Refuse(api.CodeInUse, "cluster %s names group %s: have it name another first (larder cluster modify %s --parameters …)", users[0], name, users[0])
	}
	var old controller.Group
	found, version, err := m.read(ctx, controller.ParametersKey(name), &old)
	if err != nil || !found {
		return err
	}
	next, err := m.o.Registry.CompareAndSet(ctx, controller.ParametersKey(name), nil, version)
	if errors.Is(err, registry.ErrConflict) {
		return api.Refuse(api.CodeBusy, "group %s was changed by somebody just now: try again", name)
	}
	if err == nil {
		m.await(ctx, func(f controller.Fleet) bool { return f.Seen(controller.ParametersKey(name), next) })
	}
	return judged(err)
}
