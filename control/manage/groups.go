package manage

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

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
	return m.writeGroup(ctx, g.Name, func(*controller.Group) controller.Group { return g.Group })
}

// ChangeGroup implements api.Manager.
func (m *Manager) ChangeGroup(ctx context.Context, name string, change api.GroupChange) (api.Group, error) {
	return m.writeGroup(ctx, name, func(old *controller.Group) controller.Group {
		next := controller.Group{Engine: controller.Redis}
		if old != nil {
			next = *old
		}
		if change.Description != nil {
			next.Description = *change.Description
		}
		values := map[string]string{}
		maps.Copy(values, next.Values)
		for name, value := range change.Set {
			values[strings.ToLower(name)] = value
		}
		for _, name := range change.Unset {
			delete(values, strings.ToLower(name))
		}
		next.Values = values
		return next
	})
}

// writeGroup has a group be what next makes of what stands there, nil if none does. It is asked again when another has changed it meanwhile.
func (m *Manager) writeGroup(ctx context.Context, name string, next func(old *controller.Group) controller.Group) (api.Group, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := m.fleet()
	if err != nil {
		return api.Group{}, err
	}
	if wrong := controller.CheckName(name); wrong != nil {
		return api.Group{}, api.Refuse(api.CodeInvalid, "%s", wrong)
	}
	for range attempts {
		var there controller.Group
		var old *controller.Group
		found, version, err := m.read(ctx, controller.ParametersKey(name), &there)
		if err != nil {
			return api.Group{}, err
		}
		if found {
			old = &there
		}
		g := next(old)
		if g.Values == nil {
			g.Values = map[string]string{}
		}
		if wrong := g.Validate(m.o.CheckParameter); wrong != nil {
			return api.Group{}, api.Refuse(api.CodeInvalid, "%s", wrong)
		}
		told := toldGroup(f, name, &g)
		if found && old.Engine != g.Engine && len(told.Clusters) > 0 {
			return api.Group{}, api.Refuse(api.CodeInUse, "cluster %s names group %s, which is for %s: make another group", told.Clusters[0], name, old.Engine)
		}
		switch err := m.write(ctx, controller.ParametersKey(name), g, version); {
		case errors.Is(err, registry.ErrConflict):
			continue
		case err != nil:
			return api.Group{}, err
		}
		return told, nil
	}
	return api.Group{}, api.Refuse(api.CodeBusy, "group %s is being changed by others all the time: try again", name)
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
