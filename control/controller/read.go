package controller

import (
	"strconv"
	"strings"

	"larder/router"
)

// read takes over what stands in the registry. What cannot be read counts as it was before.
func (s *stepper) read(e Registry) {
	first := !s.known
	s.index, s.known = e.Index, true
	old := s.entries
	s.entries = make(map[string]entry, len(e.Entries))
	announced := map[string]*Host{}
	drained := map[string]bool{}
	s.groups, s.tasks = map[string]*Group{}, map[string]stored[*Task]{}
	for _, raw := range e.Entries {
		was, ok := old[raw.Key]
		fresh := !ok || was.version != raw.Version
		if fresh {
			value, ours, err := parse(raw)
			if !ours {
				continue
			}
			if err != nil {
				s.report("unreadable", "%s", err)
				value = was.value
			}
			was = entry{raw.Version, value}
		}
		s.entries[raw.Key] = was
		s.place(raw.Key, was, announced, drained, fresh, first)
	}
	s.readHosts(announced, drained, first)
}

// place puts what was read where it belongs. What is kept of clusters was put there when it was fresh.
func (s *stepper) place(key string, e entry, announced map[string]*Host, drained map[string]bool, fresh, first bool) {
	kind, name := kindOf(key)
	switch kind {
	case "host":
		if h, ok := e.value.(*Host); ok {
			announced[name] = h
		}
	case "drain":
		drained[name] = true
	case "group":
		if g, ok := e.value.(*Group); ok {
			s.groups[name] = g
		}
	case "task":
		if t, ok := e.value.(*Task); ok {
			s.tasks[name] = stored[*Task]{t, e.version}
		}
	default:
		if fresh {
			s.readCluster(name, kind, key, e, first)
		}
	}
}

func (s *stepper) readCluster(name, kind, key string, e entry, first bool) {
	c := s.clusters[name]
	if c == nil {
		c = &cluster{name: name, records: map[int]stored[*router.Record]{}}
	}
	next := c.clone()
	switch kind {
	case "spec":
		value, _ := e.value.(*Spec)
		if !first {
			s.specNews(c, value)
		}
		next.spec = stored[*Spec]{value, e.version}
		next.forgetServers()
	case "plan":
		value, _ := e.value.(*Plan)
		if !first {
			s.planNews(c, value)
		}
		next.plan = stored[*Plan]{value, e.version}
		next.forget()
	case "topology":
		value, _ := e.value.(*router.Topology)
		if !first && value != nil {
			s.reportOf(name, "topology", "cluster %s: topology of epoch %d", name, value.Epoch)
			s.stockNews(c, value)
		}
		next.topology = stored[*router.Topology]{value, e.version}
	case "record":
		shard, _ := strconv.Atoi(key[strings.LastIndexByte(key, '/')+1:])
		value, _ := e.value.(*router.Record)
		if !first {
			s.recordNews(c, shard, c.records[shard].value, value)
		}
		next.records = cloned(c.records)
		next.records[shard] = stored[*router.Record]{value, e.version}
	}
	if w, ok := next.writing[key]; ok && e.version > w.Version { // it came about, or something else did
		delete(next.writing, key)
	}
	s.clusters[name] = next
}

// readHosts takes over who is announced, and who is not any more.
func (s *stepper) readHosts(announced map[string]*Host, drained map[string]bool, first bool) {
	for _, id := range sortedKeys(announced) {
		a, next := announced[id], host{}
		if was := s.hosts[id]; was != nil {
			next = *was
		}
		switch {
		case first:
		case !next.there && next.ID == "":
			s.report("host-came", "host %s is there, with %s in zone %q", id, Bytes(a.Memory), a.Zone)
		case !next.there:
			s.report("host-returned", "host %s is there again", id)
		}
		if next.Session != a.Session {
			next.heard, next.says, next.mute = false, HostSays{}, muted{}
		}
		next.Host, next.there = *a, true
		next.ID = id
		s.hosts[id] = &next
	}
	for _, id := range sortedKeys(s.hosts) {
		if h := s.hosts[id]; h.there && announced[id] == nil {
			s.loseHost(id, *h, first)
		}
	}
	for _, c := range s.clusters { // of those that were lost before this controller came it knows only the names
		for _, n := range c.planned() {
			if s.hosts[n.Host] == nil {
				s.loseHost(n.Host, host{}, true)
			}
		}
	}
	named := map[string]bool{}
	for _, c := range s.clusters {
		for _, n := range c.planned() {
			named[n.Host] = true
		}
	}
	for id, h := range s.hosts {
		if !h.there && !named[id] {
			delete(s.hosts, id)
			continue
		}
		if h.draining != drained[id] {
			next := *h
			next.draining = drained[id]
			s.hosts[id] = &next
		}
	}
}

func (s *stepper) loseHost(id string, h host, quiet bool) {
	h.ID, h.there, h.heard, h.says, h.mute, h.lost = id, false, false, HostSays{}, muted{}, s.now
	s.hosts[id] = &h
	if !quiet {
		s.report("host-lost", "host %s is not there any more", id)
	}
}

// planned are the nodes of a cluster's plan.
func (c *cluster) planned() []Node {
	if c.plan.value == nil {
		return nil
	}
	return c.plan.value.Nodes
}

// forget lets go of what nodes said that are no more.
func (c *cluster) forget() {
	said, mute := map[string]NodeSays{}, map[string]muted{}
	for _, n := range c.planned() {
		if what, ok := c.said[n.ID]; ok {
			said[n.ID] = what
		}
		if what, ok := c.mute[n.ID]; ok {
			mute[n.ID] = what
		}
	}
	c.said, c.mute = said, mute
}

// specNews tells people what is wanted.
func (s *stepper) specNews(c *cluster, next *Spec) {
	switch was := c.spec.value; {
	case next == nil && was != nil:
		s.reportOf(c.name, "cluster-deleted", "cluster %s is gone", c.name)
	case next == nil:
	case next.External() && !next.Deleted:
		s.reportOf(c.name, "cluster-wanted", "cluster %s: %d shards of servers that are not ours", c.name, next.Shards)
	case was == nil:
		s.reportOf(c.name, "cluster-wanted", "cluster %s: %d shards with %d replicas each, %s a node", c.name, next.Shards, next.Replicas, Bytes(next.Memory))
	case next.Deleted && !was.Deleted:
		s.reportOf(c.name, "cluster-deleting", "cluster %s is to be deleted", c.name)
	case next.Final != "" && was.Final == "":
		s.reportOf(c.name, "cluster-deleting", "cluster %s is to be deleted when snapshot %s is taken", c.name, next.Final)
	case next.Final != was.Final, (next.Seed == nil) != (was.Seed == nil), next.Seed != nil && *next.Seed != *was.Seed: // whoever fills it and takes snapshots tells of that
	default:
		s.reportOf(c.name, "cluster-changed", "cluster %s: %d replicas a shard, %s a node, parameters %q", c.name, next.Replicas, Bytes(next.Memory), next.Parameters)
	}
}

// planNews tells people which nodes come and go.
func (s *stepper) planNews(c *cluster, next *Plan) {
	was := c.plan.value
	if was == nil {
		was = &Plan{}
	}
	if next == nil {
		next = &Plan{}
	}
	for _, n := range next.Nodes {
		switch before := was.node(n.ID); {
		case before == nil:
			s.reportOf(c.name, "node-placed", "node %s of shard %d is placed on host %s", n.ID, n.Shard, n.Host)
		case before.State == n.State:
		case n.State == Leaves:
			s.reportOf(c.name, "node-leaves", "node %s on host %s leaves: %s", n.ID, n.Host, n.Why)
		case n.State == Stays:
			s.reportOf(c.name, "node-stays", "node %s on host %s stays after all", n.ID, n.Host)
		}
	}
	for _, n := range was.Nodes {
		if next.node(n.ID) == nil {
			s.reportOf(c.name, "node-gone", "node %s is gone from host %s: %s", n.ID, n.Host, n.Why)
		}
	}
}

// recordNews tells people who is the primary, and that a shard is in between.
func (s *stepper) recordNews(c *cluster, shard int, was, next *router.Record) {
	switch {
	case next == nil:
	case was == nil:
		s.reportOf(c.name, "shard-begun", "cluster %s: shard %d has its first primary, %s", c.name, shard, next.Primary.Node)
	case next.State != was.State && next.State != router.Normal:
		s.reportOf(c.name, "shard-"+next.State.String(), "cluster %s: shard %d: %s stops being the primary", c.name, shard, was.Primary.Node)
	case next.Primary != was.Primary:
		s.reportOf(c.name, "primary", "cluster %s: shard %d has another primary, %s", c.name, shard, next.Primary.Node)
	}
}
