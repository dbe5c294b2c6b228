package host

import (
	"errors"
	"fmt"
	"maps"
	"regexp"

	"larder/control/controller"
	"larder/router"
)

// What callers decide on, by errors.Is.
var (
	// ErrLate says that a newer order of that cluster has been obeyed.
	ErrLate = errors.New("a newer order was obeyed")
	// ErrOrder says that an order cannot be; nothing of it was done.
	ErrOrder = errors.New("the order is wrong")
	// ErrNoRoom says that a node is refused for lack of memory.
	ErrNoRoom = errors.New("no memory is left")
)

// nodesMax is how many nodes a host has at most.
const nodesMax = 1000

// nodeName is what can be a folder's name, and a flag's value.
var nodeName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,99}$`)

// memory is what a host remembers. Its parts are replaced and never changed.
type memory struct {
	Clusters map[string]cluster `json:"clusters"` // each of which it has ever had an order
	Nodes    map[string]*node   `json:"nodes"`
}

type cluster struct {
	Obeyed     uint64            `json:"obeyed"` // the version of the newest order
	Parameters map[string]string `json:"parameters,omitempty"`
}

// node is what is remembered of one.
type node struct {
	Cluster   string `json:"cluster"`
	Node      string `json:"node"`
	Shard     int    `json:"shard"`
	Memory    int64  `json:"memory"`           // that it may take
	Holds     int64  `json:"holds,omitempty"`  // that it may have taken, if that is more: until it was set to less, or has ended
	MaxMemory int64  `json:"max_memory"`       // for its data
	Settings  int    `json:"settings"`         // the number of what it is to be set to
	Stop      bool   `json:"stop,omitempty"`   // it is to go, with its data
	Addr      string `json:"addr,omitempty"`   // where it was reached last
	Run       string `json:"run,omitempty"`    // its last run that is known, be it over or not
	Exited    string `json:"exited,omitempty"` // the last run that is known to have ended
}

// holds is what of the host is kept for it.
func (n *node) holds() int64 { return max(n.Memory, n.Holds) }

func (m memory) clone() memory { return memory{maps.Clone(m.Clusters), maps.Clone(m.Nodes)} }

func (m memory) equal(o memory) bool {
	sameCluster := func(a, b cluster) bool { return a.Obeyed == b.Obeyed && maps.Equal(a.Parameters, b.Parameters) }
	return maps.EqualFunc(m.Clusters, o.Clusters, sameCluster) && maps.EqualFunc(m.Nodes, o.Nodes, func(a, b *node) bool { return *a == *b })
}

// obey takes an order over: what the host is to have of its cluster, within a limit of memory for all. What is refused is told a node each; the rest counts.
func (m memory) obey(o controller.Order, limit int64) (refused []error, err error) {
	if err := m.check(o); err != nil {
		return nil, err
	}
	m.Clusters[o.Cluster] = cluster{o.Version, o.Parameters}
	ordered := map[string]bool{}
	for _, a := range o.Nodes {
		ordered[a.Node] = !a.Stop
	}
	for id, n := range m.Nodes {
		if n.Cluster == o.Cluster && !ordered[id] && !n.Stop {
			next := *n
			next.Stop = true
			m.Nodes[id] = &next
		}
	}
	// Who shrinks or stays goes first: whoever reads the list from its other end must not come to another result.
	for _, a := range o.Nodes {
		if n := m.Nodes[a.Node]; !a.Stop && n != nil && a.Memory <= n.Memory {
			refused = append(refused, m.assign(o.Cluster, a, limit)...)
		}
	}
	for _, a := range o.Nodes {
		if n := m.Nodes[a.Node]; !a.Stop && (n == nil || a.Memory > n.Memory) {
			refused = append(refused, m.assign(o.Cluster, a, limit)...)
		}
	}
	return refused, nil
}

// check tells what about an order cannot be.
func (m memory) check(o controller.Order) error {
	if err := controller.CheckName(o.Cluster); err != nil {
		return fmt.Errorf("%w: %w", ErrOrder, err)
	}
	if had := m.Clusters[o.Cluster].Obeyed; o.Version < had {
		return fmt.Errorf("%w: order %d of cluster %s, after %d", ErrLate, o.Version, o.Cluster, had)
	}
	seen := map[string]bool{}
	for _, a := range o.Nodes {
		n := m.Nodes[a.Node]
		switch {
		case !nodeName.MatchString(a.Node):
			return fmt.Errorf("%w: %q is no node's name", ErrOrder, a.Node)
		case seen[a.Node]:
			return fmt.Errorf("%w: node %s stands in it twice", ErrOrder, a.Node)
		case n != nil && n.Cluster != o.Cluster:
			return fmt.Errorf("%w: node %s is of cluster %s here, and not of %s", ErrOrder, a.Node, n.Cluster, o.Cluster)
		case !a.Stop && (a.Memory < 1 || a.MaxMemory < 1 || a.MaxMemory > a.Memory || a.Shard < 0 || a.Shard >= router.ShardsMax):
			return fmt.Errorf("%w: node %s: shard %d, memory %d, of it for its data %d", ErrOrder, a.Node, a.Shard, a.Memory, a.MaxMemory)
		}
		seen[a.Node] = true
	}
	return nil
}

// assign gives a node what it is to have, if there is room.
func (m memory) assign(cluster string, a controller.Assignment, limit int64) []error {
	n, have := m.Nodes[a.Node]
	if have && n.Stop {
		return []error{fmt.Errorf("node %s is being removed here: it is made anew when it is gone", a.Node)}
	}
	next := node{Cluster: cluster, Node: a.Node, Shard: a.Shard}
	if have {
		next = *n
		next.Holds = n.holds()
	}
	free := limit - m.holds()
	if more := a.Memory - next.holds(); more > 0 && more > free {
		return []error{fmt.Errorf("node %s needs %s more, and the host has %s of %s: %w",
			a.Node, controller.Bytes(more), controller.Bytes(max(0, free)), controller.Bytes(limit), ErrNoRoom)}
	}
	if !have && len(m.Nodes) >= nodesMax {
		return []error{fmt.Errorf("node %s: the host has %d nodes, which is all that it can have", a.Node, nodesMax)}
	}
	next.Memory, next.MaxMemory, next.Settings = a.Memory, a.MaxMemory, a.Settings
	if next.Holds <= next.Memory {
		next.Holds = 0
	}
	m.Nodes[a.Node] = &next
	return nil
}

// holds is what all nodes have of the host.
func (m memory) holds() (sum int64) {
	for _, n := range m.Nodes {
		sum += n.holds()
	}
	return sum
}
