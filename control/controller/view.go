package controller

import (
	"maps"
	"slices"

	"larder/router"
)

// What is told here is of the moment of a Fleet, and for those who show it to people: nothing is decided by it. The caller must not change what it is given.

// Known tells whether the fleet has been read: before, that something is not there means nothing.
func (f Fleet) Known() bool { return f.known }

// Seen tells whether what stands under a key is known in this version or a newer one.
func (f Fleet) Seen(key string, version uint64) bool { return f.entries[key].version >= version }

// Clusters are the names of those that somebody wants, or that are on their way out, in order.
func (f Fleet) Clusters() (names []string) {
	for _, name := range sortedKeys(f.clusters) {
		if f.clusters[name].spec.value != nil {
			names = append(names, name)
		}
	}
	return names
}

// Watched tells whether a cluster's nodes have others to take their places, so that one that is down is to be found out soon.
func (f Fleet) Watched(name string) bool {
	c := f.clusters[name]
	return c != nil && c.spec.value != nil && c.spec.value.Replicas > 0 && !c.spec.value.External()
}

// SeenCluster is a cluster with how far it is what is wanted.
type SeenCluster struct {
	Spec     Spec
	Total    int // nodes that it has to have
	Members  int // nodes that are members of their shards
	Topology *router.Topology
}

// Cluster tells of one.
func (f Fleet) Cluster(name string) (seen SeenCluster, ok bool) {
	c := f.clusters[name]
	if c == nil || c.spec.value == nil {
		return SeenCluster{}, false
	}
	seen = SeenCluster{Spec: *c.spec.value, Topology: c.topology.value}
	switch {
	case seen.Spec.External():
		seen.Total, seen.Members = c.stockProgress()
	case c.plan.value != nil:
		seen.Total, seen.Members = (&stepper{Fleet: f}).count(c)
	default:
		seen.Total = seen.Spec.Shards * seen.Spec.wanted()
	}
	return seen, true
}

// SeenNode is a node as it is planned, and as its host and its shard's record have it.
type SeenNode struct {
	Node
	Cluster string
	Zone    string
	Addr    string
	Role    Role
	There   bool   // its host is announced
	Runs    bool   // as its host says
	Failed  string // why its host has given up starting it
}

// Role is what a node is in its shard.
type Role string

// The roles.
const (
	None    Role = ""        // nobody counts on it
	Primary Role = "primary" // writes are sent to it
	Replica Role = "replica" // it has all, and counts
	Joining Role = "joining" // it is being filled
)

// Nodes are those of a cluster.
func (f Fleet) Nodes(cluster string) (nodes []SeenNode) {
	c := f.clusters[cluster]
	if c == nil {
		return nil
	}
	s := &stepper{Fleet: f}
	for _, n := range c.planned() {
		seen := SeenNode{Node: n, Cluster: cluster}
		if h := f.hosts[n.Host]; h != nil {
			seen.Zone, seen.There = h.Zone, h.there
		}
		run, runs := s.run(&n)
		seen.Runs = runs
		if r := f.hosts[n.Host].runs(n.ID); r != nil {
			seen.Addr, seen.Failed = r.Addr, r.Failed
		}
		seen.Role = roleOf(c.records[n.Shard].value, run, runs)
		nodes = append(nodes, seen)
	}
	return nodes
}

// roleOf is what a run is by a shard's record.
func roleOf(record *router.Record, run router.Run, runs bool) Role {
	switch {
	case record == nil || !runs:
		return None
	case record.Primary == run:
		return Primary
	case record.Member(run):
		return Replica
	case slices.Contains(record.Joining, run):
		return Joining
	}
	return None
}

// SeenHost is a host with what it gives away.
type SeenHost struct {
	Host
	There    bool // it is announced
	Heard    bool // it says what it has
	Draining bool
	Free     int64 // bytes that nothing is planned for
	Nodes    int   // that are planned there
}

// Hosts are all that are known, in order of their names.
func (f Fleet) Hosts() (hosts []SeenHost) {
	used, nodes := map[string]int64{}, map[string]int{}
	for _, c := range f.clusters {
		for _, n := range c.reckoned() {
			used[n.Host] += n.holds()
			nodes[n.Host]++
		}
	}
	for _, id := range sortedKeys(f.hosts) {
		h := f.hosts[id]
		hosts = append(hosts, SeenHost{
			Host: h.Host, There: h.there, Heard: h.heard, Draining: h.draining, Free: max(0, h.Memory-used[id]), Nodes: nodes[id],
		})
	}
	return hosts
}

// Groups are the parameter groups by their names.
func (f Fleet) Groups() map[string]*Group { return maps.Clone(f.groups) }

// Tasks are all that are kept, in order of their names, which begin with when they began.
func (f Fleet) Tasks() (tasks []Task) {
	for _, id := range sortedKeys(f.tasks) {
		if t := f.tasks[id].value; t != nil {
			tasks = append(tasks, *t)
		}
	}
	return tasks
}
