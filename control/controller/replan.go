package controller

import (
	"cmp"
	"maps"
	"slices"
)

// replan writes the next plan, if it should be another.
func (s *stepper) replan(c *cluster) {
	key := PlanKey(c.name)
	if s.busy(c, key) {
		return
	}
	had := &Plan{}
	if c.plan.value != nil {
		had = c.plan.value
	}
	p := &planner{stepper: s, c: c, next: had.clone(), reasons: map[string]string{}}
	p.settle()
	p.resize()
	p.comeBack()
	p.fill()
	for _, topic := range sortedKeys(p.reasons) {
		p.why(c, topic, p.reasons[topic])
	}
	p.sendAway()
	p.tooMany()
	p.tellClose()
	if !p.next.equal(had) {
		s.put(c, key, p.next, c.plan.version)
	}
}

// planner is a plan in the making.
type planner struct {
	*stepper
	c    *cluster
	next *Plan
	room *rooms // once something was looked for

	reasons map[string]string // why shards lack nodes; empty: they do not
}

func (p *planner) spec() *Spec { return p.c.spec.value }

// rooms is what hosts have free, beside the nodes of a cluster's next plan, which take what that says.
func (s *stepper) rooms(cluster string, next *Plan) *rooms {
	used, nodes := map[string]int64{}, map[string]int{}
	mine := map[string]bool{} // every node that is reckoned with by its plan
	take := func(n *Node) {
		used[n.Host] += n.holds()
		nodes[n.Host]++
		mine[n.ID] = true
	}
	for name, c := range s.clusters {
		if name == cluster {
			continue
		}
		for _, n := range c.reckoned() {
			take(&n)
		}
	}
	if next != nil {
		for i := range next.Nodes {
			take(&next.Nodes[i])
		}
	}
	r := &rooms{hosts: s.hosts}
	for _, id := range sortedKeys(s.hosts) {
		h := s.hosts[id]
		if !h.usable() {
			continue
		}
		for _, n := range h.says.Nodes { // what no plan knows is being stopped, and is there until then
			if !mine[n.Node] {
				used[id] += n.Memory
			}
		}
		r.list = append(r.list, room{id: id, zone: h.Zone, free: h.Memory - used[id], nodes: nodes[id]})
	}
	return r
}

// reckoned are the nodes of a cluster's plan and of the one that may stand in its place by now, each with the more of the two.
func (c *cluster) reckoned() []Node {
	w, ok := c.writing[PlanKey(c.name)]
	if !ok || w.plan == nil {
		return c.planned()
	}
	nodes := slices.Clone(c.planned())
	for _, n := range w.plan.Nodes {
		at := slices.IndexFunc(nodes, func(o Node) bool { return o.ID == n.ID })
		if at < 0 {
			nodes = append(nodes, n)
		} else if nodes[at].holds() < n.holds() {
			nodes[at].Reserved = n.holds()
		}
	}
	return nodes
}

func (p *planner) free() *rooms {
	if p.room == nil {
		p.room = p.rooms(p.c.name, p.next)
	}
	return p.room
}

// settle takes note of what has come about: nodes that are gone, nodes on which nobody counts any more, memory that was given back.
func (p *planner) settle() {
	for i := range p.next.Nodes {
		n := &p.next.Nodes[i]
		if n.State == Leaves && p.idle(n) && !p.spare(n) {
			n.State = Stops
		}
		if r := p.hosts[n.Host].runs(n.ID); n.Reserved > 0 && r != nil && r.Settings >= n.Settings && r.Memory <= n.Memory {
			n.Reserved = 0
		}
	}
	p.dropGone(p.c, p.next)
}

// idle tells whether nobody counts on a node, and its primary knows. Before a shard has its first record anybody may be named by it, late.
func (p *planner) idle(n *Node) bool {
	held := p.c.records[n.Shard]
	if _, writing := p.c.writing[RecordKey(p.c.name, n.Shard)]; writing || held.value == nil {
		return false
	}
	r := held.value
	for _, run := range slices.Concat(r.Set, r.Joining) {
		if run.Node == n.ID {
			return false
		}
	}
	primary := p.next.node(r.Primary.Node)
	said := p.c.said[r.Primary.Node]
	return primary == nil || p.lost(primary) || said.Run == r.Primary && said.Epoch >= r.Epoch
}

// spare tells whether a node may still be of use though nobody counts on it: its host may return with its data before another has them.
func (p *planner) spare(n *Node) bool {
	r := p.c.records[n.Shard].value
	return n.Why == WhyLost && p.lost(n) && r != nil && !p.manned(p.c, n.Shard, r)
}

// dropGone takes nodes out that were to stop: their host has obeyed and has them no more, or is lost, and will hear of it when it returns.
func (s *stepper) dropGone(c *cluster, next *Plan) {
	next.Nodes = slices.DeleteFunc(next.Nodes, func(n Node) bool {
		if held := c.plan.value.node(n.ID); held == nil || n.State != Stops || held.State != Stops {
			return false // that it stops is not written yet
		}
		h := s.hosts[n.Host]
		if h == nil || !h.there {
			return true
		}
		return h.heard && h.says.Obeyed[c.name] >= c.plan.version && h.runs(n.ID) == nil
	})
}

// resize gives nodes the memory and the parameters that are wanted now. Who shrinks keeps its room until it has given back what is too much.
func (p *planner) resize() {
	values := map[string]string{}
	if name := p.spec().Parameters; name != "" {
		g, ok := p.groups[name]
		if !ok {
			p.why(p.c, "parameters", "there is no group "+name+"; nodes stay as they are set")
			values = p.next.Parameters
		} else {
			p.why(p.c, "parameters", "")
			values = g.Values
		}
	}
	changed := !maps.Equal(p.next.Parameters, values)
	if changed {
		p.next.Parameters = maps.Clone(values)
		p.next.Settings++
	}
	numbered := changed
	for i := range p.next.Nodes {
		n := &p.next.Nodes[i]
		if n.State == Stops {
			continue
		}
		resized := p.resizeNode(n)
		if resized && !numbered {
			p.next.Settings++
			numbered = true
		}
		if resized || changed {
			n.Settings = p.next.Settings
		}
	}
}

// resizeNode changes a node's memory where it is; if there is no room for more it stays as it is, and sendAway finds it another place.
func (p *planner) resizeNode(n *Node) bool {
	want := p.spec().Memory
	switch {
	case n.State != Stays || n.Memory == want:
		return false
	case n.Memory > want:
		n.Reserved = n.holds()
	default:
		if more := want - n.holds(); more > 0 {
			h := p.hosts[n.Host]
			if h == nil || !h.usable() || p.free().free(n.Host) < more {
				return false
			}
			p.free().take(n.Host, more, 0)
		}
		if n.Reserved <= want {
			n.Reserved = 0
		}
	}
	n.Memory = want
	return true
}

// comeBack keeps nodes that were to leave for a reason that is no more, unless others have taken their places.
func (p *planner) comeBack() {
	for i := range p.next.Nodes {
		n := &p.next.Nodes[i]
		h := p.hosts[n.Host]
		if n.State != Leaves || h == nil || !h.usable() || n.Why != WhyLost && n.Why != WhyDrained {
			continue
		}
		if r := h.runs(n.ID); r == nil || r.Failed != "" {
			continue
		}
		if record := p.c.records[n.Shard].value; record != nil && p.manned(p.c, n.Shard, record) {
			continue
		}
		n.State, n.Why = Stays, ""
	}
}

// fill places nodes where shards have too few. A shard after the other finds different hosts for its nodes whenever there are such; where not all have room,
// each shard gets its first node before any gets its second.
func (p *planner) fill() {
	had := p.next.clone()
	if p.fillTo(p.spec().wanted()) {
		return
	}
	p.next, p.room = had, nil
	for upTo := 1; upTo <= p.spec().wanted(); upTo++ {
		p.fillTo(upTo)
	}
}

// fillTo places nodes until each shard has so many, and tells whether all have.
func (p *planner) fillTo(upTo int) bool {
	all := true
	for shard := range p.spec().Shards {
		reason := ""
		for len(p.next.staying(shard)) < upTo && reason == "" {
			got, err := p.free().pick(search{others: p.next.of(shard), memory: p.spec().Memory, zones: p.spec().Zones})
			if err != nil {
				reason, all = err.Error(), false
				continue
			}
			p.give(got.id, shard)
		}
		p.lacks(shard, reason)
	}
	return all
}

func (p *planner) lacks(shard int, reason string) {
	if reason != "" || len(p.next.staying(shard)) >= p.spec().wanted() {
		p.reasons[subject(shard)+" lacks a node"] = reason
	}
}

// tellClose says where nodes of a shard are closer together than they should be.
func (p *planner) tellClose() {
	for shard := range p.spec().Shards {
		text := ""
		for _, n := range p.next.staying(shard) {
			if at := p.seatNow(n); at.sameHost+at.sameZone > 0 {
				text = p.free().apart(at, search{others: p.others(shard, n), memory: p.spec().Memory, zones: p.spec().Zones})
			}
		}
		p.why(p.c, subject(shard)+" is close together", text)
	}
}

func (p *planner) give(host string, shard int) {
	p.next.add(p.c.name, host, shard, p.spec().Memory)
	p.free().take(host, p.spec().Memory, 1)
}

// tooMany sends nodes away where shards have more than they should: who is of least use.
func (p *planner) tooMany() {
	for shard := range p.spec().Shards {
		staying := p.next.staying(shard)
		if len(staying) <= p.spec().wanted() {
			continue
		}
		record := p.c.records[shard].value
		use := func(n *Node) (use [4]int) {
			run, runs := p.run(n)
			on := p.seatNow(n)
			use = [4]int{0, 0, -on.sameHost, -on.sameZone}
			if record != nil && record.Primary.Node == n.ID {
				use[0] = 2
			} else if runs && record != nil && record.Member(run) {
				use[0] = 1
			}
			if runs {
				use[1] = 1
			}
			return use
		}
		slices.SortStableFunc(staying, func(a, b *Node) int {
			ua, ub := use(a), use(b)
			return cmp.Or(slices.Compare(ub[:], ua[:]), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
		})
		for _, n := range staying[p.spec().wanted():] {
			n.State, n.Why = Leaves, WhySurplus
		}
	}
}

func (p *planner) zone(host string) string {
	if h := p.hosts[host]; h != nil {
		return h.Zone
	}
	return ""
}
