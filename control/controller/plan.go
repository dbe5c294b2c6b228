package controller

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Plan says which nodes a cluster has. The leading controller writes it before it does anything about it.
type Plan struct {
	Nodes      []Node            `json:"nodes,omitempty"` // in order of their shards, then of their names
	Serial     int               `json:"serial"`          // the number of the node that was named last: no name is used twice
	Settings   int               `json:"settings"`        // the number of the last change of what a node is set to
	Parameters map[string]string `json:"parameters,omitempty"`
	Past       uint64            `json:"past,omitempty"` // epochs up to here belong to a cluster that had this name before
}

// Node is a node as it is planned.
type Node struct {
	ID       string    `json:"id"`
	Host     string    `json:"host"`
	Shard    int       `json:"shard"`
	Memory   int64     `json:"memory"`             // that it may take
	Reserved int64     `json:"reserved,omitempty"` // that is kept for it, if that is more: until it has given back what it had
	Settings int       `json:"settings"`           // the number of its last change
	State    NodeState `json:"state,omitempty"`
	Why      Why       `json:"why,omitempty"` // it does not stay
}

// NodeState says whether a node stays.
type NodeState string

// The states. A node goes through them in this order, and may come back from Leaves.
const (
	Stays  NodeState = ""       // it belongs to its shard
	Leaves NodeState = "leaves" // another takes its place; until then it does its work
	Stops  NodeState = "stops"  // nobody counts on it: its host stops it and lets go of its data
)

// Why says why a node leaves.
type Why string

// The reasons.
const (
	WhyLost     Why = "its host is lost"
	WhyDrained  Why = "its host is drained"
	WhyFailed   Why = "its host cannot run it"
	WhyReplaced Why = "it is replaced"
	WhyAway     Why = "it is moved to another host"
	WhyMoved    Why = "another place is better"
	WhySurplus  Why = "the shard has more nodes than it should"
	WhyMemory   Why = "its host has no room for its new size"
	WhyDeleted  Why = "the cluster is deleted"
)

// holds is what of its host is kept for it.
func (n *Node) holds() int64 { return max(n.Memory, n.Reserved) }

// clone makes a plan that can be changed.
func (p *Plan) clone() *Plan {
	next := *p
	next.Nodes, next.Parameters = slices.Clone(p.Nodes), maps.Clone(p.Parameters)
	return &next
}

func (p *Plan) equal(o *Plan) bool {
	return slices.Equal(p.Nodes, o.Nodes) && p.Serial == o.Serial && p.Settings == o.Settings && maps.Equal(p.Parameters, o.Parameters) && p.Past == o.Past
}

// node finds one by its name.
func (p *Plan) node(id string) *Node {
	at := slices.IndexFunc(p.Nodes, func(n Node) bool { return n.ID == id })
	if at < 0 {
		return nil
	}
	return &p.Nodes[at]
}

// of are the nodes of a shard, to be changed in place.
func (p *Plan) of(shard int) (nodes []*Node) {
	for i := range p.Nodes {
		if p.Nodes[i].Shard == shard {
			nodes = append(nodes, &p.Nodes[i])
		}
	}
	return nodes
}

// staying are those of a shard that stay.
func (p *Plan) staying(shard int) []*Node {
	return slices.DeleteFunc(p.of(shard), func(n *Node) bool { return n.State != Stays })
}

// add plans another node.
func (p *Plan) add(cluster, host string, shard int, memory int64) {
	p.Serial++
	p.Nodes = append(p.Nodes, Node{
		ID: fmt.Sprintf("%s-%04d-%03d", cluster, shard+1, p.Serial), Host: host, Shard: shard, Memory: memory, Settings: p.Settings,
	})
	slices.SortFunc(p.Nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(a.Shard, b.Shard), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
}

// first says for each shard which node should be its first primary, so that hosts have equally many.
func (p *Plan) first(shards int) []string {
	primaries := map[string]int{}
	names := make([]string, shards)
	for shard := range shards {
		var best *Node
		for _, n := range p.staying(shard) {
			if best == nil || primaries[n.Host] < primaries[best.Host] {
				best = n
			}
		}
		if best != nil {
			primaries[best.Host]++
			names[shard] = best.ID
		}
	}
	return names
}

// Assignment is what a host is told of one node.
type Assignment struct {
	Node      string
	Shard     int
	Memory    int64 // that it may take of the host, all in all
	MaxMemory int64 // of it for its data
	Settings  int   // the number of what it is set to, which the host tells back when it is
	Stop      bool  // it ends, and its data is removed
}

// order is what a plan has for one host.
func (p *Plan) order(host string) (nodes []Assignment) {
	percent, _ := reserved(p.Parameters) // one that is not a number was refused before, and counts as the usual
	for _, n := range p.Nodes {
		if n.Host != host {
			continue
		}
		nodes = append(nodes, Assignment{
			Node: n.ID, Shard: n.Shard, Memory: n.Memory, MaxMemory: n.Memory / 100 * int64(100-percent), Settings: n.Settings, Stop: n.State == Stops,
		})
	}
	return nodes
}

// parameters are those that nodes are told.
func (p *Plan) parameters() map[string]string {
	told := maps.Clone(p.Parameters)
	delete(told, ReservedPercent)
	return told
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func number(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && strconv.Itoa(n) == text
}

// cloned is a map that can be changed.
func cloned[V any, K comparable](m map[K]V) map[K]V {
	next := make(map[K]V, len(m))
	maps.Copy(next, m)
	return next
}
