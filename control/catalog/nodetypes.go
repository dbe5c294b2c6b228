// Package catalog is what users choose from when they want a cluster: node types by their names. What must hold: the names and sizes are those of the service
// that users know them from, so that what they have written down for it works here; values only, nothing is looked up anywhere. The management API asks it
// before it writes what a user wants; whoever decides about a cluster later knows the sizes only as numbers.
package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrUnknown is of a name that no node type has. The error's text says what is near.
var ErrUnknown = errors.New("no such node type")

// NodeType is a named size.
type NodeType struct {
	Name         string
	Memory       int64 // bytes that a redis node takes of its host, all in all
	Replicas     int64 // bytes of it that may wait for a replica; 0: a tenth of Memory
	MemcachedMiB int64 // that a memcached node's items may take; 0: no memcached node has this type
	Processors   int
	NetworkMbit  int // what it always has; 0: not limited
	BurstMbit    int // what it has for a while; 0: no more than always
	Clients      int
	Previous     bool // of an earlier generation: known, and not for new clusters
}

// Lookup finds a node type by its name. Errors: ErrUnknown.
func Lookup(name string) (NodeType, error) {
	at := slices.IndexFunc(nodeTypes, func(t NodeType) bool { return t.Name == name })
	if at >= 0 {
		return nodeTypes[at], nil
	}
	family, _, _ := strings.Cut(strings.TrimPrefix(name, "cache."), ".")
	var near []string
	for _, t := range nodeTypes {
		if strings.HasPrefix(t.Name, "cache."+family+".") {
			near = append(near, t.Name)
		}
	}
	if len(near) == 0 {
		near = []string{"cache.t3.micro", "cache.m6g.large", "cache.r6g.large"}
	}
	return NodeType{}, fmt.Errorf("%w: %q; there are %s and others", ErrUnknown, name, strings.Join(near, ", "))
}

// All are the node types, the smallest first.
func All() []NodeType {
	all := slices.Clone(nodeTypes)
	slices.SortStableFunc(all, func(a, b NodeType) int { return cmp.Compare(a.Memory, b.Memory) })
	return all
}

// MemoryOf is what a node of an engine takes of its host.
func (t NodeType) MemoryOf(engine string) (int64, error) {
	if engine != "memcached" {
		return t.Memory, nil
	}
	if t.MemcachedMiB == 0 {
		return 0, fmt.Errorf("node type %s: memcached nodes cannot have it", t.Name)
	}
	return max(t.Memory, t.MemcachedMiB<<20), nil
}
