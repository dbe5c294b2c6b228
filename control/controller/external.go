package controller

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"larder/router"
)

// External is the kind of a cluster that is made of running servers of others (redis-server, Valkey). Nothing is placed, started or promoted there: the topology
// follows what the servers say of their roles.
const External = "external"

// ParseServers reads the servers of an external cluster as people write them, "host:port,replica:port;host:port": shards apart by semicolons, the servers of a
// shard by commas.
func ParseServers(text string) ([][]string, error) {
	var shards [][]string
	for i, shard := range strings.Split(text, ";") {
		var servers []string
		for _, addr := range strings.Split(shard, ",") {
			if addr = strings.TrimSpace(addr); addr == "" {
				return nil, fmt.Errorf("servers %q: shard %d has an empty address; want host:port,replica:port;host:port", text, i)
			}
			servers = append(servers, addr)
		}
		shards = append(shards, servers)
	}
	return shards, nil
}

// ExternalSpec is the wish for a cluster of those servers, by shard.
func ExternalSpec(servers [][]string) *Spec {
	s := &Spec{Kind: External, Engine: Redis, Durability: Async, Shards: len(servers), Servers: servers}
	for _, shard := range servers {
		s.Replicas = max(s.Replicas, len(shard)-1)
	}
	return s
}

// External tells whether the cluster's nodes are servers of others.
func (s *Spec) External() bool { return s.Kind == External }

// validateServers tells what about an external cluster cannot be.
func (s *Spec) validateServers(l Limits) error {
	switch {
	case s.Engine != Redis:
		return fmt.Errorf("engine %q: an external cluster is of %s", s.Engine, Redis)
	case s.Shards != len(s.Servers):
		return fmt.Errorf("%d shards: there are servers for %d", s.Shards, len(s.Servers))
	case s.Shards < 1 || s.Shards > l.Shards:
		return fmt.Errorf("%d shards: want 1 to %d", s.Shards, l.Shards)
	case s.Replicas != ExternalSpec(s.Servers).Replicas:
		return fmt.Errorf("%d replicas: the list of servers says which there are", s.Replicas)
	case s.Memory != 0 || s.NodeType != "" || s.Parameters != "" || len(s.Zones) > 0:
		return errors.New("node type, memory, parameters and zones: those of an external cluster's servers are not ours to set")
	case s.Durability != Async || s.MinInSync != 0:
		return fmt.Errorf("durability %q: of servers that are not ours it is %s", s.Durability, Async)
	}
	for i, shard := range s.Servers {
		if len(shard) > 1+l.Replicas {
			return fmt.Errorf("shard %d: %d servers: want 1 to %d", i, len(shard), 1+l.Replicas)
		}
	}
	return s.checkServers()
}

// checkServers wants addresses that a topology can have.
func (s *Spec) checkServers() error {
	shards := make([]router.Shard, len(s.Servers))
	for i, servers := range s.Servers {
		if len(servers) == 0 {
			return fmt.Errorf("shard %d has no servers", i)
		}
		shards[i].Primary = router.Node{Addr: servers[0]}
		for _, addr := range servers[1:] {
			shards[i].Replicas = append(shards[i].Replicas, router.Node{Addr: addr})
		}
	}
	_, err := router.New("", 0, shards)
	if err != nil {
		return fmt.Errorf("servers: %w", errors.Unwrap(err))
	}
	return nil
}

// Server is one that an external cluster is made of.
type Server struct{ Cluster, Addr string }

// Servers are those of which it is to be told, once a second, what they say: in order.
func (f Fleet) Servers() (all []Server) {
	for _, name := range sortedKeys(f.clusters) {
		spec := f.clusters[name].spec.value
		if spec == nil || spec.Deleted {
			continue
		}
		for _, addr := range slices.Concat(spec.Servers...) {
			all = append(all, Server{name, addr})
		}
	}
	return all
}

// lookAfterExternal has an external cluster's topology follow its servers.
func (s *stepper) lookAfterExternal(c *cluster) {
	shards, complete := make([]router.Shard, len(c.spec.value.Servers)), true
	for i, servers := range c.spec.value.Servers {
		for _, addr := range servers {
			s.silenceNews(c, addr)
			if _, asked := c.servers[addr]; !asked {
				return // nothing is decided before each has had its say
			}
		}
		primary := s.primaryOf(c, i)
		if primary == "" {
			complete = false
			continue
		}
		shards[i] = router.Shard{Primary: stockNode(primary), Slots: router.EvenSlots(i, len(shards))}
		for _, addr := range servers {
			if s.follows(c, i, addr, primary) {
				shards[i].Replicas = append(shards[i].Replicas, stockNode(addr))
			}
		}
	}
	if key := TopologyKey(c.name); complete && !s.busy(c, key) {
		s.publishShards(c, shards)
	}
}

func stockNode(addr string) router.Node { return router.Node{ID: addr, Addr: addr, External: true} }

// stockProgress says how far an external cluster is: how many of its servers are in its topology.
func (c *cluster) stockProgress() (total, there int) {
	total = len(slices.Concat(c.spec.value.Servers...))
	if t := c.topology.value; t != nil {
		for _, shard := range t.Shards {
			there += 1 + len(shard.Replicas)
		}
	}
	return total, min(there, total)
}

// unsettledServers says what of an external cluster is not as it should be.
func (c *cluster) unsettledServers() string {
	for i, servers := range c.spec.value.Servers {
		if why := c.told[subject(i)]; why != "" {
			return subject(i) + ": " + why
		}
		for _, addr := range servers {
			if c.topology.value == nil || i >= len(c.topology.value.Shards) || !has(&c.topology.value.Shards[i], addr) {
				return subject(i) + ": server " + addr + " does not take part in it"
			}
		}
	}
	return ""
}

func has(shard *router.Shard, addr string) bool {
	is := func(n router.Node) bool { return n.Addr == addr }
	return is(shard.Primary) || slices.ContainsFunc(shard.Replicas, is)
}

// stockNews tells people that shards of servers of others have other primaries.
func (s *stepper) stockNews(c *cluster, next *router.Topology) {
	was := c.topology.value
	if was == nil || next == nil || c.spec.value == nil || !c.spec.value.External() || len(was.Shards) != len(next.Shards) {
		return
	}
	for i := range next.Shards {
		if before, now := was.Shards[i].Primary.Addr, next.Shards[i].Primary.Addr; before != now {
			s.reportOf(c.name, "primary", "cluster %s: shard %d has another primary, %s; it was %s", c.name, i, now, before)
		}
	}
}
