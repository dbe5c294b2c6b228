package controller

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"larder/router"
)

// lookAfterShard has the record follow that the shard needs.
func (s *stepper) lookAfterShard(c *cluster, shard int) {
	held := c.records[shard]
	if c.plan.value == nil || s.busy(c, RecordKey(c.name, shard)) {
		return
	}
	var next *router.Record
	waits := "" // why nothing follows though it should
	switch {
	case held.value == nil:
		next = s.begin(c, shard)
	case held.value.State == router.Electing:
		next, waits = s.elect(c, shard, held.value)
	case s.gone(c, held.value.Primary):
		next, waits = s.callElection(c, shard, held.value)
	case held.value.State == router.Switching:
		next = s.handOver(c, shard, held.value)
	case held.value.State == router.Normal:
		next = s.keep(c, shard, held.value)
	}
	if next == nil && held.value != nil {
		next = s.forced(c, shard, held.value, waits)
	}
	if next == nil && held.value != nil {
		next = s.failOver(c, shard, held.value, waits)
	}
	if next != nil {
		s.put(c, RecordKey(c.name, shard), next, held.version)
	}
}

func subject(shard int) string { return "shard " + strconv.Itoa(shard) }

// follow is the record that follows with nothing changed.
func follow(r *router.Record) *router.Record {
	next := *r
	next.Epoch++
	next.Set, next.Joining, next.Returned = slices.Clone(r.Set), slices.Clone(r.Joining), false
	return &next
}

// begin is a shard's first record: its primary alone is the set. It is made when the node runs that is to be the primary, or any if that one cannot run.
func (s *stepper) begin(c *cluster, shard int) *router.Record {
	spec := c.spec.value
	first := c.plan.value.first(spec.Shards)[shard]
	for _, n := range c.plan.value.staying(shard) {
		if n.ID == first {
			if r := s.hosts[n.Host].runs(n.ID); s.lost(n) || r != nil && r.Failed != "" {
				first = ""
			}
		}
	}
	for _, n := range c.plan.value.staying(shard) {
		run, ok := s.run(n)
		if !ok || first != "" && n.ID != first {
			continue
		}
		epoch := c.plan.value.Past + 1
		return &router.Record{
			Epoch: epoch, Term: epoch, Reign: epoch, Primary: run, Set: []router.Run{run}, MinInSync: spec.MinInSync, Replicated: spec.Durability == Replicated,
		}
	}
	return nil
}

// keep looks after a shard that has a primary: who is to go falls out, who has all is a member, who follows joins, and a primary that leaves hands over.
func (s *stepper) keep(c *cluster, shard int, r *router.Record) *router.Record {
	if s.lost(c.plan.value.node(r.Primary.Node)) {
		return nil // it does its work, and its host is about to return
	}
	next := follow(r)
	out := func(run router.Run) bool { return run != r.Primary && s.dispensable(c, shard, r, run) }
	next.Set, next.Joining = slices.DeleteFunc(next.Set, out), slices.DeleteFunc(next.Joining, out)
	if len(next.Set)+len(next.Joining) < len(r.Set)+len(r.Joining) {
		return next
	}
	if replicated := c.spec.value.Durability == Replicated; r.Replicated != replicated || r.MinInSync != c.spec.value.MinInSync {
		next.Replicated, next.MinInSync, next.Term = replicated, c.spec.value.MinInSync, next.Epoch
		return next
	}
	said := c.said[r.Primary.Node]
	if said.Run != r.Primary || said.Epoch != r.Epoch {
		return nil // what the primary says is of another record
	}
	for _, run := range said.Confirmed {
		if at := slices.Index(next.Joining, run); at >= 0 {
			next.Set, next.Joining = append(next.Set, run), slices.Delete(next.Joining, at, at+1)
			return next
		}
	}
	for _, f := range said.Followers {
		run := f.Run
		named := slices.ContainsFunc(slices.Concat(r.Set, r.Joining), func(o router.Run) bool { return o.Node == run.Node })
		n := c.plan.value.node(run.Node)
		if named || n == nil || n.Shard != shard || n.State != Stays || c.followed[shard].strays(r, run, s.limits.DownAfter) {
			continue
		}
		if now, ok := s.run(n); ok && now == run && c.mute[n.ID].since.IsZero() {
			next.Joining = append(next.Joining, run)
			return next
		}
	}
	if (s.handsOver(c, shard, r) || s.wished(TaskSwitch, c.name, shard, r.Reign)) && s.mayFreeze(c, shard) && s.mayBegin(c) && s.ready(c, shard, r) {
		next.State, next.Term = router.Switching, next.Epoch
		return next
	}
	return nil
}

// dispensable tells whether a run should not be counted any more: it cannot be heard, or is not needed.
func (s *stepper) dispensable(c *cluster, shard int, r *router.Record, run router.Run) bool {
	n := c.plan.value.node(run.Node)
	switch {
	case n == nil || n.State == Stops || s.ended(c, run):
		return true
	case n.State == Leaves && s.manned(c, shard, r):
		return true
	case s.missing(n):
		return !c.followed[shard].goesOn(r, run, s.now, s.limits.DownAfter) // only its host may be away
	}
	silent := s.down(c, n) || c.followed[shard].strays(r, run, strayPatience*s.limits.DownAfter)
	return silent && !s.cutOff()
}

// manned tells whether all nodes that stay are members: nobody else is needed. Who leaves has had another planned in its place in the same moment.
func (s *stepper) manned(c *cluster, shard int, r *router.Record) bool {
	staying := c.plan.value.staying(shard)
	for _, n := range staying {
		if run, ok := s.run(n); !ok || !r.Member(run) {
			return false
		}
	}
	return len(staying) > 0
}

// sinceWhen is when this controller first saw something.
func (s *stepper) sinceWhen(c *cluster, what string) time.Time {
	at, ok := c.since[what]
	if !ok {
		at = s.now
		s.remember(c, what)
	}
	return at
}

func (s *stepper) remember(c *cluster, what string) {
	c.since[what] = s.now
}

func compareText(a, b string) int { return cmp.Compare(a, b) }
