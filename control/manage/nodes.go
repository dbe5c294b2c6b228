package manage

import (
	"context"
	"errors"

	"larder/backends/registry"
	"larder/control/api"
	"larder/control/controller"
)

// Nodes implements api.Manager.
func (m *Manager) Nodes(_ context.Context, cluster string) ([]api.Node, error) {
	f, err := m.fleet()
	if err != nil {
		return nil, err
	}
	names := f.Clusters()
	if cluster != "" {
		if _, ok := f.Cluster(cluster); !ok {
			return nil, noCluster(cluster)
		}
		names = []string{cluster}
	}
	var list []api.Node
	for _, name := range names {
		for _, n := range f.Nodes(name) {
			list = append(list, toldNode(n))
		}
		list = append(list, servers(f, name)...)
	}
	return list, nil
}

// servers are the nodes of a cluster of servers of others, as its topology has them.
func servers(f controller.Fleet, cluster string) (list []api.Node) {
	seen, _ := f.Cluster(cluster)
	if !seen.Spec.External() || seen.Topology == nil {
		return nil
	}
	for shard, s := range seen.Topology.Shards {
		list = append(list, api.Node{ID: s.Primary.ID, Cluster: cluster, Shard: shard, Role: controller.Primary, State: api.NodeRunning, Addr: s.Primary.Addr})
		for _, r := range s.Replicas {
			list = append(list, api.Node{ID: r.ID, Cluster: cluster, Shard: shard, Role: controller.Replica, State: api.NodeRunning, Addr: r.Addr})
		}
	}
	return list
}

func toldNode(n controller.SeenNode) api.Node {
	told := api.Node{
		ID: n.ID, Cluster: n.Cluster, Shard: n.Shard, Role: n.Role, State: api.NodeStarting, Host: n.Host, Zone: n.Zone, Addr: n.Addr, Memory: n.Memory, Why: string(n.Why),
	}
	switch {
	case n.State == controller.Stops:
		told.State = api.NodeStopping
	case n.State == controller.Leaves:
		told.State = api.NodeLeaving
	case !n.There:
		told.State, told.Why = api.NodeLost, string(controller.WhyLost)
	case n.Failed != "":
		told.State, told.Why = api.NodeFailed, n.Failed
	case n.Runs:
		told.State = api.NodeRunning
	}
	return told
}

// Replace implements api.Manager.
func (m *Manager) Replace(ctx context.Context, node string) (controller.Task, error) {
	return m.away(ctx, node, controller.TaskReplace)
}

// DrainNode implements api.Manager.
func (m *Manager) DrainNode(ctx context.Context, node string) (controller.Task, error) {
	return m.away(ctx, node, controller.TaskAway)
}

func (m *Manager) away(ctx context.Context, node, kind string) (controller.Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := m.fleet()
	if err != nil {
		return controller.Task{}, err
	}
	n, err := find(f, node)
	if err != nil {
		return controller.Task{}, err
	}
	if running(f, node, controller.TaskReplace, controller.TaskAway) || n.State != controller.Stays {
		return controller.Task{}, api.Refuse(api.CodeBusy, "node %s is on its way out already", node)
	}
	if err := f.FitsAnother(n.Cluster, node, kind == controller.TaskAway); err != nil {
		return controller.Task{}, api.Refuse(api.CodeNoRoom, "there is no place for another in the stead of node %s: %s", node, err)
	}
	return m.begin(ctx, kind, n.Cluster, node)
}

// find finds a planned node by its name.
func find(f controller.Fleet, id string) (controller.SeenNode, error) {
	for _, cluster := range f.Clusters() {
		for _, n := range f.Nodes(cluster) {
			if n.ID == id {
				return n, nil
			}
		}
		for _, n := range servers(f, cluster) {
			if n.ID == id {
				return controller.SeenNode{}, api.Refuse(api.CodeInvalid, "%s of cluster %s is no node of ours to replace: change the cluster's list of servers", id, cluster)
			}
		}
	}
	return controller.SeenNode{}, api.Refuse(api.CodeUnknown, "there is no node %q: larder node list shows which there are", id)
}

// Hosts implements api.Manager.
func (m *Manager) Hosts(context.Context) ([]api.Host, error) {
	f, err := m.fleet()
	if err != nil {
		return nil, err
	}
	var list []api.Host
	for _, h := range f.Hosts() {
		list = append(list, api.Host{ID: h.ID, State: stateOf(h), Zone: h.Zone, Addr: h.Addr, Memory: h.Memory, Free: h.Free, Nodes: h.Nodes})
	}
	return list, nil
}

func stateOf(h controller.SeenHost) api.HostState {
	switch {
	case !h.There:
		return api.HostLost
	case h.Draining && h.Nodes == 0:
		return api.HostDrained
	case h.Draining:
		return api.HostDraining
	case !h.Heard:
		return api.HostSilent
	}
	return api.HostUp
}

// DrainHost implements api.Manager. What has no other place stays where it is, and the task says why: others can go meanwhile.
func (m *Manager) DrainHost(ctx context.Context, host string) (controller.Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := m.knows(host)
	if err != nil {
		return controller.Task{}, err
	}
	if running(f, host, controller.TaskDrain) {
		return controller.Task{}, api.Refuse(api.CodeBusy, "host %s is being drained already", host)
	}
	err = m.write(ctx, controller.DrainKey(host), struct{}{}, 0)
	if err != nil && !errors.Is(err, registry.ErrConflict) { // it stands there: that is what is wanted
		return controller.Task{}, err
	}
	return m.begin(ctx, controller.TaskDrain, "", host)
}

// UndrainHost implements api.Manager.
func (m *Manager) UndrainHost(ctx context.Context, host string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.knows(host); err != nil {
		return err
	}
	if err := m.o.Registry.Delete(ctx, controller.DrainKey(host)); err != nil {
		return judged(err)
	}
	m.await(ctx, func(f controller.Fleet) bool {
		for _, h := range f.Hosts() {
			if h.ID == host && h.Draining {
				return false
			}
		}
		return true
	})
	return nil
}

func (m *Manager) knows(host string) (controller.Fleet, error) {
	f, err := m.fleet()
	if err != nil {
		return f, err
	}
	for _, h := range f.Hosts() {
		if h.ID == host {
			return f, nil
		}
	}
	return f, api.Refuse(api.CodeUnknown, "there is no host %q: larder host list shows which there are", host)
}
