package controller

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"larder/router"
)

// lookAfter compares what is with what is wanted of one cluster, and has done what is missing. It owns c.
func (s *stepper) lookAfter(c *cluster) {
	s.clusters[c.name] = c
	asked := c.asked
	c.asked = map[string]time.Time{}
	s.orders(c, asked)
	if c.plan.value != nil {
		s.tells(c, asked)
	}
	if c.spec.value == nil || c.spec.value.Deleted {
		clear(c.told) // what it waited for it does not need any more
		if c.spec.value != nil {
			s.takeDown(c)
		}
		return
	}
	if c.spec.value.External() {
		s.lookAfterExternal(c)
		return
	}
	for shard := range c.spec.value.Shards {
		s.lookAfterShard(c, shard)
	}
	s.publish(c)
	s.replan(c)
}

// due tells whether something is to be asked for (again), and remembers when it was.
func (s *stepper) due(c *cluster, asked map[string]time.Time, what string) bool {
	return s.dueEvery(c, asked, what, askAgain)
}

func (s *stepper) dueEvery(c *cluster, asked map[string]time.Time, what string, every time.Duration) bool {
	before, ok := asked[what]
	if ok && s.now.Sub(before) < every {
		c.asked[what] = before
		return false
	}
	c.asked[what] = s.now
	return true
}

// orders tells hosts what they are to have, as long as they have something else.
func (s *stepper) orders(c *cluster, asked map[string]time.Time) {
	if c.plan.value == nil {
		return
	}
	for _, id := range sortedKeys(s.hosts) {
		h := s.hosts[id]
		if !h.there || !h.heard {
			continue
		}
		nodes := c.plan.value.order(id)
		if s.obeys(c, h, nodes) || !s.due(c, asked, "order "+id+" "+h.Session+" "+strconv.FormatUint(c.plan.version, 10)) {
			continue
		}
		s.effects = append(s.effects, Order{Host: id, Cluster: c.name, Version: c.plan.version, Nodes: nodes, Parameters: c.plan.value.parameters()})
	}
}

// obeys tells whether a host has of a cluster what it is to have.
func (s *stepper) obeys(c *cluster, h *host, nodes []Assignment) bool {
	has := 0
	for i := range h.says.Nodes {
		if h.says.Nodes[i].Cluster == c.name {
			has++
		}
	}
	if has == 0 && len(nodes) == 0 {
		return true
	}
	for _, a := range nodes {
		r := h.runs(a.Node)
		switch {
		case a.Stop && r == nil:
			continue
		case a.Stop || r == nil || r.Settings != a.Settings:
			return false
		}
		has--
	}
	return has == 0 && h.says.Obeyed[c.name] >= c.plan.version
}

// tells shows nodes the record of their shard, until they obey it, and again when one of those in it is somewhere else.
func (s *stepper) tells(c *cluster, asked map[string]time.Time) {
	for i := range c.plan.value.Nodes {
		n := &c.plan.value.Nodes[i]
		r := s.hosts[n.Host].runs(n.ID)
		record := c.records[n.Shard].value
		if r == nil || r.Run == "" || record == nil || n.State == Stops || record.State != router.Electing && s.ended(c, record.Primary) {
			continue // a record whose primary is no more is followed by another
		}
		places := s.places(c, n.Shard)
		what := "tell " + n.ID + " " + r.Run + " " + strconv.FormatUint(record.Epoch, 10)
		for _, p := range places {
			what += " " + p
		}
		every := s.pressing(c, n, record)
		said := c.said[n.ID]
		if before, ok := asked[what]; ok && said.Run.ID == r.Run && said.Epoch == record.Epoch && every == askAgain {
			c.asked[what] = before
			continue
		}
		if s.dueEvery(c, asked, what, every) {
			_, repeated := asked[what]
			t := Tell{Cluster: c.name, Node: n.ID, Addr: r.Addr, Record: record, Places: places, Repeated: repeated}
			if t.Promise = record.State == router.Electing && record.Member(router.Run{Node: n.ID, ID: r.Run}); t.Promise {
				t.Exited = s.exited(c, record)
			}
			s.effects = append(s.effects, t)
		}
		if every < askAgain {
			s.again(c, s.now.Add(every))
		}
	}
}

// pressing is how often a node is told the record of its shard: often if clients wait for what it answers.
func (s *stepper) pressing(c *cluster, n *Node, r *router.Record) time.Duration {
	run, ok := s.run(n)
	said := c.said[n.ID]
	obeys := said.Run == run && said.Epoch == r.Epoch
	switch {
	case !ok || !r.Member(run) || !c.mute[n.ID].since.IsZero():
		return askAgain
	case r.State == router.Electing && !(obeys && said.Promised == r.Epoch):
		return askPromise
	case r.State == router.Switching && !obeys:
		return askPromise
	case r.State == router.Switching && run != r.Primary:
		if final, frozen := c.final(r); frozen && said.Executed < final {
			return askOffset
		}
	case run == r.Primary && !obeys:
		return askSoon
	}
	return askAgain
}

// exited are those of a record's set that are known to have ended.
func (s *stepper) exited(c *cluster, r *router.Record) (runs []router.Run) {
	for _, run := range r.Set {
		if s.ended(c, run) {
			runs = append(runs, run)
		}
	}
	return runs
}

// places are the addresses of a shard's nodes.
func (s *stepper) places(c *cluster, shard int) (places []string) {
	for _, n := range c.plan.value.of(shard) {
		if r := s.hosts[n.Host].runs(n.ID); r != nil && r.Run != "" {
			places = append(places, router.Place(n.ID, r.Addr))
		}
	}
	return places
}

// run is the run that a node has now, as its host says.
func (s *stepper) run(n *Node) (run router.Run, ok bool) {
	r := s.hosts[n.Host].runs(n.ID)
	if r == nil || r.Run == "" {
		return router.Run{}, false
	}
	return router.Run{Node: n.ID, ID: r.Run}, true
}

// ended tells whether a run is known to have ended: its host has said so, or has another run of that node.
func (s *stepper) ended(c *cluster, run router.Run) bool {
	n := c.plan.value.node(run.Node)
	if n == nil {
		return false
	}
	r := s.hosts[n.Host].runs(n.ID)
	return r != nil && (r.Exited == run.ID || r.Run != "" && r.Run != run.ID)
}

// lost tells whether a node's host is not announced.
func (s *stepper) lost(n *Node) bool {
	h := s.hosts[n.Host]
	return h == nil || !h.there
}

// missing tells whether a host has been away for long enough to do without its nodes. When many come back at once nobody falls out of a set for that.
func (s *stepper) missing(n *Node) bool {
	return s.lost(n) && s.hosts[n.Host] != nil && s.now.Sub(s.hosts[n.Host].lost) >= missingAfter
}

// publish writes the topology if it is another. Without knowing every primary's address it waits.
func (s *stepper) publish(c *cluster) {
	key := TopologyKey(c.name)
	if c.plan.value == nil || s.busy(c, key) {
		return
	}
	shards, ok := s.shards(c)
	if !ok {
		return
	}
	s.publishShards(c, shards)
}

// publishShards writes the topology of those shards if it is another.
func (s *stepper) publishShards(c *cluster, shards []router.Shard) {
	epoch, have := uint64(0), c.topology.value
	if c.plan.value != nil {
		epoch = c.plan.value.Past
	}
	if have != nil {
		if epoch = have.Epoch; slices.EqualFunc(have.Shards, shards, sameShard) {
			return
		}
	}
	next, err := router.New(c.name, epoch+1, shards)
	if err != nil {
		s.why(c, "topology", err.Error())
		return
	}
	s.why(c, "topology", "")
	s.put(c, TopologyKey(c.name), next, c.topology.version)
}

func sameShard(a, b router.Shard) bool {
	return a.Primary == b.Primary && slices.Equal(a.Replicas, b.Replicas) && slices.Equal(a.Slots, b.Slots)
}

// shards are those of the topology as it should be: the records' members. Slots stay where they are.
func (s *stepper) shards(c *cluster) ([]router.Shard, bool) {
	known := map[string]string{} // where nodes were that cannot be asked now
	count := c.spec.value.Shards
	if t := c.topology.value; t != nil {
		count = len(t.Shards)
		for _, shard := range t.Shards {
			for _, n := range append(slices.Clone(shard.Replicas), shard.Primary) {
				known[n.ID] = n.Addr
			}
		}
	}
	for _, n := range c.plan.value.Nodes {
		if r := s.hosts[n.Host].runs(n.ID); r != nil && r.Addr != "" {
			known[n.ID] = r.Addr
		}
	}
	shards := make([]router.Shard, count)
	for i := range shards {
		record := c.records[i].value
		if record == nil || known[record.Primary.Node] == "" {
			return nil, false
		}
		shards[i] = router.Shard{Primary: router.Node{ID: record.Primary.Node, Addr: known[record.Primary.Node]}, Slots: router.EvenSlots(i, count)}
		if t := c.topology.value; t != nil {
			shards[i].Slots = t.Shards[i].Slots
		}
		for _, run := range record.Set {
			if run != record.Primary && known[run.Node] != "" {
				shards[i].Replicas = append(shards[i].Replicas, router.Node{ID: run.Node, Addr: known[run.Node]})
			}
		}
		slices.SortFunc(shards[i].Replicas, func(a, b router.Node) int { return compareText(a.ID, b.ID) })
	}
	return shards, true
}

// takeDown stops all nodes of a cluster that is to go, and then has nothing be there any more, what was wanted last.
func (s *stepper) takeDown(c *cluster) {
	plan := &Plan{}
	if c.plan.value != nil {
		plan = c.plan.value
	}
	if s.busy(c, PlanKey(c.name)) {
		return
	}
	next := plan.clone()
	for i := range next.Nodes {
		if n := &next.Nodes[i]; n.State != Stops {
			n.State, n.Why = Stops, WhyDeleted
		}
	}
	s.dropGone(c, next)
	next.Past = max(next.Past, c.lastEpoch())
	if !next.equal(plan) {
		s.put(c, PlanKey(c.name), next, c.plan.version)
		return
	}
	if len(next.Nodes) > 0 || s.clearing(c) {
		return
	}
	if key := SpecKey(c.name); !s.busy(c, key) {
		s.put(c, key, nil, c.spec.version)
	}
}

// lastEpoch is the highest that stands anywhere in a cluster.
func (c *cluster) lastEpoch() (epoch uint64) {
	for _, r := range c.records {
		if r.value != nil {
			epoch = max(epoch, r.value.Epoch)
		}
	}
	if c.topology.value != nil {
		epoch = max(epoch, c.topology.value.Epoch)
	}
	return epoch
}

// clearing takes topology and records away, and tells whether some are still there.
func (s *stepper) clearing(c *cluster) bool {
	left := false
	for _, key := range sortedKeys(c.writing) { // what is on its way is waited for: it would stand there afterwards
		left = s.busy(c, key) || left
	}
	if key := TopologyKey(c.name); c.topology.value != nil {
		left = true
		if !s.busy(c, key) {
			s.put(c, key, nil, c.topology.version)
		}
	}
	for _, shard := range slices.Sorted(maps.Keys(c.records)) {
		r := c.records[shard]
		if key := RecordKey(c.name, shard); r.value != nil {
			left = true
			if !s.busy(c, key) {
				s.put(c, key, nil, r.version)
			}
		}
	}
	return left
}
