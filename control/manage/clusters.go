package manage

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strconv"

	"larder/backends/registry"
	"larder/control/api"
	"larder/control/catalog"
	"larder/control/controller"
	"larder/router"
)

// Clusters implements api.Manager.
func (m *Manager) Clusters(context.Context) ([]api.Cluster, error) {
	f, err := m.fleet()
	if err != nil {
		return nil, err
	}
	var list []api.Cluster
	for _, name := range f.Clusters() {
		if c, ok := m.told(f, name); ok {
			list = append(list, c)
		}
	}
	return list, nil
}

// Cluster implements api.Manager.
func (m *Manager) Cluster(_ context.Context, name string) (api.Cluster, error) {
	f, err := m.fleet()
	if err != nil {
		return api.Cluster{}, err
	}
	c, ok := m.told(f, name)
	if !ok {
		return api.Cluster{}, noCluster(name)
	}
	return c, nil
}

func noCluster(name string) error { return api.Refuse(api.CodeUnknown, "there is no cluster %q", name) }

// told is what is told of a cluster.
func (m *Manager) told(f controller.Fleet, name string) (api.Cluster, bool) {
	seen, ok := f.Cluster(name)
	if !ok {
		return api.Cluster{}, false
	}
	c := api.Cluster{
		Name: name, Endpoint: seen.Spec.Listen, State: api.Ready, Doing: f.Unsettled(name), Waits: f.Reasons(name), Nodes: seen.Total, Members: seen.Members, Spec: &seen.Spec,
	}
	if m.o.Endpoint != nil {
		c.Endpoint = m.o.Endpoint(name)
	}
	if seen.Topology != nil {
		c.Epoch = seen.Topology.Epoch
	}
	switch {
	case seen.Spec.Deleted:
		c.State = api.Deleting
	case seen.Topology == nil:
		c.State = api.Creating
	case c.Doing != "":
		c.State = api.Changing
	}
	return c, true
}

// Create implements api.Manager.
func (m *Manager) Create(ctx context.Context, want api.Wish) (controller.Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := m.fleet()
	if err != nil {
		return controller.Task{}, err
	}
	spec, err := m.wish(f, want)
	if err != nil {
		return controller.Task{}, err
	}
	var old controller.Spec
	found, version, err := m.read(ctx, controller.SpecKey(want.Name), &old)
	switch {
	case err != nil:
		return controller.Task{}, err
	case found && old.Deleted:
		return controller.Task{}, api.Refuse(api.CodeTaken, "a cluster %s is being deleted: wait until it is gone, or take another name", want.Name)
	case found:
		return controller.Task{}, taken(want.Name)
	}
	if err := f.Fits(spec); err != nil {
		return controller.Task{}, api.Refuse(api.CodeNoRoom, "cluster %s has no place: %s", want.Name, err)
	}
	switch err := m.write(ctx, controller.SpecKey(want.Name), spec, version); {
	case errors.Is(err, registry.ErrConflict):
		return controller.Task{}, taken(want.Name)
	case err != nil:
		return controller.Task{}, err
	}
	return m.begin(ctx, controller.TaskCreate, want.Name, "")
}

func taken(name string) error {
	return api.Refuse(api.CodeTaken, "there is a cluster %s already", name)
}

// wish makes a Spec of what was asked for.
func (m *Manager) wish(f controller.Fleet, want api.Wish) (*controller.Spec, error) {
	if err := controller.CheckName(want.Name); err != nil {
		return nil, api.Refuse(api.CodeInvalid, "%s", err)
	}
	spec := &controller.Spec{
		Engine: or(want.Engine, controller.Redis), Memory: want.Memory, Shards: or(want.Shards, 1), Replicas: 1, Durability: or(want.Durability, controller.Async),
		MinInSync: want.MinInSync, Parameters: want.Parameters, Zones: want.Zones, Listen: want.Listen,
		SnapshotWindow: want.SnapshotWindow, SnapshotRetain: want.SnapshotRetain,
	}
	if want.Restore != "" {
		spec.Seed = &controller.Seed{From: want.Restore}
	}
	if want.Replicas != nil {
		spec.Replicas = *want.Replicas
	}
	if len(want.Servers) > 0 {
		stock := controller.ExternalSpec(want.Servers)
		spec.Kind, spec.Servers, spec.Shards, spec.Replicas = stock.Kind, stock.Servers, or(want.Shards, stock.Shards), stock.Replicas
		if want.Replicas != nil {
			spec.Replicas = *want.Replicas
		}
		spec.NodeType = want.NodeType // which is refused
	} else if err := m.size(spec, want.NodeType, want.Memory); err != nil {
		return nil, err
	}
	if err := spec.Validate(m.o.Limits); err != nil {
		return nil, api.Refuse(api.CodeInvalid, "%s", err)
	}
	return spec, m.possible(f, want.Name, spec)
}

func or[T comparable](value, usual T) T {
	var zero T
	if value == zero {
		return usual
	}
	return value
}

// size gives a wish its nodes' size: that of a type, or plain bytes.
func (m *Manager) size(spec *controller.Spec, nodeType string, memory int64) error {
	switch {
	case nodeType != "" && memory != 0:
		return api.Refuse(api.CodeInvalid, "a node type and a memory are two sizes: say one")
	case memory != 0:
		spec.NodeType, spec.Memory = "", memory
		return nil
	}
	t, err := catalog.Lookup(or(nodeType, m.o.NodeType))
	if err != nil {
		return api.Refuse(api.CodeInvalid, "%s; larder node types lists them", err)
	}
	if t.Previous && t.Name != spec.NodeType {
		return api.Refuse(api.CodeInvalid, "node type %s is of an earlier generation, and not for new nodes: larder node types lists others", t.Name)
	}
	spec.NodeType = t.Name
	if spec.Memory, err = t.MemoryOf(spec.Engine); err != nil {
		return api.Refuse(api.CodeInvalid, "%s", err)
	}
	return nil
}

// possible tells what about a wish cannot be beside what else there is.
func (m *Manager) possible(f controller.Fleet, name string, spec *controller.Spec) error {
	if spec.Parameters != "" {
		g := f.Groups()[spec.Parameters]
		switch {
		case g == nil:
			return api.Refuse(api.CodeInvalid, "there is no parameter group %q: larder parameters list shows which there are", spec.Parameters)
		case g.Engine != spec.Engine:
			return api.Refuse(api.CodeInvalid, "parameter group %s is for %s, and the cluster is of %s", spec.Parameters, g.Engine, spec.Engine)
		}
	}
	if spec.Listen == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(spec.Listen)
	number, wrong := strconv.ParseUint(port, 10, 16)
	if err != nil || wrong != nil {
		return api.Refuse(api.CodeInvalid, "listen %q: want host:port, such as 0.0.0.0:6380", spec.Listen)
	}
	for _, other := range f.Clusters() {
		if seen, _ := f.Cluster(other); other != name && number != 0 && overlap(seen.Spec.Listen, spec.Listen) {
			return api.Refuse(api.CodeTaken, "listen %s: cluster %s has its endpoint at %s", spec.Listen, other, seen.Spec.Listen)
		}
	}
	return nil
}

// overlap tells whether two addresses cannot be listened at together. A host that stands for all is on every one's way.
func overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	every := func(host string) bool {
		ip := net.ParseIP(host)
		return host == "" || ip != nil && ip.IsUnspecified()
	}
	return errA == nil && errB == nil && portA == portB && (hostA == hostB || every(hostA) || every(hostB))
}

// Modify implements api.Manager.
func (m *Manager) Modify(ctx context.Context, name string, change api.Change) (controller.Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.rewrite(ctx, name, func(f controller.Fleet, old *controller.Spec) (*controller.Spec, error) {
		spec, err := m.changed(*old, change)
		if err != nil {
			return nil, err
		}
		if err := spec.ValidateChange(old, m.o.Limits); err != nil {
			return nil, api.Refuse(api.CodeInvalid, "%s", err)
		}
		if err := m.possible(f, name, spec); err != nil {
			return nil, err
		}
		if err := f.FitsChange(name, spec); err != nil {
			return nil, api.Refuse(api.CodeNoRoom, "cluster %s cannot be so: %s", name, err)
		}
		return spec, nil
	})
	if err != nil {
		return controller.Task{}, err
	}
	return m.begin(ctx, controller.TaskModify, name, "")
}

// changed is a Spec with what a change says.
func (m *Manager) changed(spec controller.Spec, c api.Change) (*controller.Spec, error) {
	set(&spec.Replicas, c.Replicas)
	set(&spec.Durability, c.Durability)
	set(&spec.MinInSync, c.MinInSync)
	set(&spec.Parameters, c.Parameters)
	set(&spec.Zones, c.Zones)
	set(&spec.Listen, c.Listen)
	set(&spec.SnapshotWindow, c.SnapshotWindow)
	if c.SnapshotRetain != nil {
		if spec.SnapshotRetain = c.SnapshotRetain; *c.SnapshotRetain == -1 {
			spec.SnapshotRetain = nil
		}
	}
	if c.Servers != nil {
		stock := controller.ExternalSpec(*c.Servers)
		spec.Servers, spec.Replicas = stock.Servers, stock.Replicas // as many shards as before is for the check to want
	}
	var nodeType string
	var memory int64
	set(&nodeType, c.NodeType)
	set(&memory, c.Memory)
	if nodeType == "" && memory == 0 {
		return &spec, nil
	}
	return &spec, m.size(&spec, nodeType, memory)
}

func set[T any](at, value *T) {
	if value != nil {
		*at = *value
	}
}

// rewrite changes a cluster's Spec.
func (m *Manager) rewrite(ctx context.Context, name string, change func(f controller.Fleet, old *controller.Spec) (*controller.Spec, error)) error {
	for range attempts {
		f, err := m.fleet()
		if err != nil {
			return err
		}
		var old controller.Spec
		found, version, err := m.read(ctx, controller.SpecKey(name), &old)
		if err != nil {
			return err
		}
		if !found {
			return noCluster(name)
		}
		next, err := change(f, &old)
		if err != nil || reflect.DeepEqual(next, &old) {
			return err
		}
		if err = m.write(ctx, controller.SpecKey(name), next, version); !errors.Is(err, registry.ErrConflict) {
			return err
		}
	}
	return api.Refuse(api.CodeBusy, "cluster %s is being changed by others all the time: try again", name)
}

// Delete implements api.Manager. With a last snapshot it is only noted: who looks after the cluster's data has it deleted then.
func (m *Manager) Delete(ctx context.Context, name, final string) (controller.Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	pointed, err := m.Endpoints(ctx)
	if err != nil {
		return controller.Task{}, err
	}
	for _, e := range pointed {
		if e.Cluster == name {
			return controller.Task{}, api.Refuse(api.CodeInUse, "endpoint %s leads to cluster %s: point it to another first (larder endpoint point %s CLUSTER)", e.Name, name, e.Name)
		}
	}
	err = m.rewrite(ctx, name, func(_ controller.Fleet, old *controller.Spec) (*controller.Spec, error) {
		next := *old
		switch {
		case final == "":
			next.Deleted = true
		case old.Deleted:
			return nil, api.Refuse(api.CodeBusy, "cluster %s is being deleted already", name)
		case old.External():
			return nil, api.Refuse(api.CodeInvalid, "cluster %s is of servers of others, of which no snapshots are taken: they keep their keys", name)
		case old.Final != "":
			return nil, api.Refuse(api.CodeBusy, "cluster %s is deleted as soon as snapshot %s is taken", name, old.Final)
		default:
			next.Final = final
		}
		return &next, nil
	})
	if err != nil {
		return controller.Task{}, err
	}
	return m.begin(ctx, controller.TaskDelete, name, "")
}

// Topology implements api.Manager.
func (m *Manager) Topology(_ context.Context, cluster string) (api.Topology, error) {
	f, err := m.fleet()
	if err != nil {
		return api.Topology{}, err
	}
	seen, ok := f.Cluster(cluster)
	switch {
	case !ok:
		return api.Topology{}, noCluster(cluster)
	case seen.Topology == nil:
		return api.Topology{}, api.Refuse(api.CodeUnknown, "cluster %s has no topology yet: larder cluster show %s says why", cluster, cluster)
	}
	planned := map[string]controller.SeenNode{}
	for _, n := range f.Nodes(cluster) {
		planned[n.ID] = n
	}
	node := func(n router.Node) api.TopologyNode {
		return api.TopologyNode{ID: n.ID, Addr: n.Addr, Host: planned[n.ID].Host, Zone: planned[n.ID].Zone}
	}
	t := api.Topology{Cluster: cluster, Epoch: seen.Topology.Epoch, Shards: []api.TopologyShard{}}
	for i, shard := range seen.Topology.Shards {
		s := api.TopologyShard{Shard: i, Slots: string(router.AppendRanges(nil, shard.Slots)), Primary: node(shard.Primary), Replicas: []api.TopologyNode{}}
		for _, r := range shard.Replicas {
			s.Replicas = append(s.Replicas, node(r))
		}
		t.Shards = append(t.Shards, s)
	}
	return t, nil
}
