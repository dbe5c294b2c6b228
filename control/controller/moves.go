package controller

import "slices"

// sendAway gives nodes that cannot or should not stay where they are another place: one node of a shard at a time, a few shards at once. Who cannot work where
// it is goes even while another is on its way, which may be waiting for just that one. The new one is planned in the same moment, so a shard never has fewer
// nodes than it should because of this.
func (p *planner) sendAway() {
	moving := 0
	for shard := range p.spec().Shards {
		if p.moving(shard) {
			moving++
		}
	}
	for shard := range p.spec().Shards {
		if len(p.next.staying(shard)) > p.spec().wanted() {
			continue
		}
		switch busy := p.moving(shard); {
		case busy:
			p.sendOneAway(shard, []Why{WhyLost, WhyFailed})
		case moving < p.limits.Moves && p.sendOneAway(shard, []Why{WhyLost, WhyFailed, WhyReplaced, WhyAway, WhyMemory, WhyDrained, WhyMoved}):
			moving++
		}
	}
}

// moving tells whether a shard is about to change its nodes.
func (p *planner) moving(shard int) bool {
	return len(p.next.of(shard)) != len(p.next.staying(shard))
}

// sendOneAway sends the node away that needs it most, if there is a place.
func (p *planner) sendOneAway(shard int, reasons []Why) bool {
	topic := subject(shard) + " cannot move"
	var first string // why the first that should go cannot
	for _, why := range reasons {
		for _, n := range p.replicasFirst(shard) {
			if !p.should(n, why) {
				continue
			}
			find := search{others: p.others(shard, n), memory: p.spec().Memory, zones: p.spec().Zones}
			if why != WhyReplaced && why != WhyMoved {
				find.not = n.Host
			}
			// Beside another node of the shard a copy is worth little: who may return, or could stay, is waited for.
			find.alone = why == WhyLost || why == WhyMoved
			got, err := p.free().pick(find)
			switch {
			case err != nil && why != WhyMoved && first == "":
				first = "node " + n.ID + ": " + string(why) + ": " + err.Error()
			case err == nil && (why != WhyMoved || p.better(got, n)):
				n.State, n.Why = Leaves, why
				p.give(got.id, shard)
				p.why(p.c, topic, "")
				return true
			}
		}
	}
	p.why(p.c, topic, first)
	return false
}

// replicasFirst are the nodes of a shard that stay, the primary last.
func (p *planner) replicasFirst(shard int) (nodes []*Node) {
	var primary *Node
	record := p.c.records[shard].value
	for _, n := range p.next.staying(shard) {
		if record != nil && record.Primary.Node == n.ID {
			primary = n
			continue
		}
		nodes = append(nodes, n)
	}
	if primary != nil {
		nodes = append(nodes, primary)
	}
	return nodes
}

// others are a shard's nodes as they would be without one that stays.
func (p *planner) others(shard int, without *Node) (nodes []*Node) {
	for _, n := range p.next.of(shard) {
		if n == without {
			gone := *n
			gone.State = Leaves
			n = &gone
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// should tells whether there is that reason for a node to go.
func (p *planner) should(n *Node, why Why) bool {
	h := p.hosts[n.Host]
	switch why {
	case WhyLost:
		return p.lost(n) && h != nil && p.now.Sub(h.lost) >= p.limits.ReplaceAfter && !p.lastOfAll(n)
	case WhyFailed:
		r := h.runs(n.ID)
		return r != nil && r.Failed != ""
	case WhyReplaced:
		return p.asked(TaskReplace, n.ID)
	case WhyAway:
		return p.asked(TaskAway, n.ID)
	case WhyMemory:
		return n.Memory < p.spec().Memory && !p.lost(n)
	case WhyDrained:
		return h != nil && h.there && h.draining || len(p.spec().Zones) > 0 && h != nil && h.there && !slices.Contains(p.spec().Zones, h.Zone)
	}
	if why != WhyMoved || h == nil || !h.usable() || !p.steady(n.Shard) {
		return false
	}
	at := p.seatNow(n)
	return at.sameHost+at.sameZone > 0
}

// seatNow is how good the place is where a node stands.
func (p *planner) seatNow(n *Node) seat {
	return seatOf(p.hosts, room{id: n.Host, zone: p.zone(n.Host)}, p.others(n.Shard, n))
}

// lastOfAll tells whether a node may be the only one that has its shard's data: nobody can take it from another.
func (p *planner) lastOfAll(n *Node) bool {
	r := p.c.records[n.Shard].value
	return r != nil && r.Primary.Node == n.ID
}

// steady tells whether a shard is as it should be, so that what is only nicer may be done.
func (p *planner) steady(shard int) bool {
	r := p.c.records[shard].value
	if r == nil || !p.manned(p.c, shard, r) || len(r.Joining) > 0 {
		return false
	}
	return true
}

// better tells whether a place is further from the others of a node's shard than where it is.
func (p *planner) better(got seat, n *Node) bool {
	return got.spread(p.seatNow(n)) < 0
}
