package controller

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"larder/router"
)

// switchWithin is how long a planned switch may take before it is given up, and switchRest how long it is then before it is tried again.
const (
	switchWithin = 2 * time.Second
	switchRest   = 10 * time.Second
)

// lookAfterShard has the record follow that the shard needs.
func (s *stepper) lookAfterShard(c *cluster, shard int) {
	held := c.records[shard]
	if c.plan.value == nil || s.busy(c, RecordKey(c.name, shard)) {
		return
	}
	var next *router.Record
	switch {
	case held.value == nil:
		next = s.begin(c, shard)
	case held.value.State == router.Switching:
		next = s.handOver(c, shard, held.value)
	case held.value.State == router.Normal:
		next = s.keep(c, shard, held.value)
	}
	if next == nil && held.value != nil {
		next = s.failOver(c, shard, held.value)
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
// Where the primary is gone the members stay what they are: they are all that is left.
func (s *stepper) keep(c *cluster, shard int, r *router.Record) *router.Record {
	if n := c.plan.value.node(r.Primary.Node); n == nil || s.lost(n) || s.ended(c, r.Primary) {
		return nil
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
	for _, run := range said.Followers {
		named := slices.ContainsFunc(slices.Concat(r.Set, r.Joining), func(o router.Run) bool { return o.Node == run.Node })
		n := c.plan.value.node(run.Node)
		if named || n == nil || n.Shard != shard || n.State != Stays {
			continue
		}
		if now, ok := s.run(n); ok && now == run {
			next.Joining = append(next.Joining, run)
			return next
		}
	}
	if s.handsOver(c, shard, r) {
		next.State, next.Term = router.Switching, next.Epoch
		return next
	}
	return nil
}

// dispensable tells whether a run should not be counted any more: it cannot be heard, or is not needed.
func (s *stepper) dispensable(c *cluster, shard int, r *router.Record, run router.Run) bool {
	n := c.plan.value.node(run.Node)
	switch {
	case n == nil || n.State == Stops || s.missing(n) || s.ended(c, run):
		return true
	case n.State == Stays:
		return false
	}
	return s.manned(c, shard, r)
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

// handsOver tells whether the primary is to give its place to another: it leaves, and all others are there.
func (s *stepper) handsOver(c *cluster, shard int, r *router.Record) bool {
	n := c.plan.value.node(r.Primary.Node)
	if n == nil || n.State != Leaves || !s.manned(c, shard, r) {
		return false
	}
	if now, ok := s.run(n); !ok || now != r.Primary {
		return false
	}
	gaveUp, ok := c.since["gave up "+subject(shard)]
	return !ok || s.now.Sub(gaveUp) >= switchRest
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

// handOver gives the frozen primary's place to a member that has all, or gives it back.
func (s *stepper) handOver(c *cluster, shard int, r *router.Record) *router.Record {
	what := "switching " + subject(shard) + " " + strconv.FormatUint(r.Epoch, 10)
	begun := s.sinceWhen(c, what)
	next := follow(r)
	next.State, next.Term = router.Normal, next.Epoch
	old := c.said[r.Primary.Node]
	if old.Run == r.Primary && old.Epoch == r.Epoch && old.Frozen {
		if heir, ok := s.heir(c, shard, r, old.Executed); ok {
			delete(c.since, what)
			next.Reign, next.Primary, next.Returned = next.Epoch, heir, true
			next.Set = append([]router.Run{heir}, slices.DeleteFunc(next.Set, func(run router.Run) bool { return run == heir })...)
			return next
		}
	}
	n := c.plan.value.node(r.Primary.Node)
	if s.now.Sub(begun) < switchWithin || n == nil || s.lost(n) || s.ended(c, r.Primary) {
		return nil // a frozen primary that is gone cannot be given its place back: failOver's
	}
	delete(c.since, what)
	s.remember(c, "gave up "+subject(shard))
	s.reportOf(c.name, "switch-given-up", "cluster %s: shard %d: no other node had all within %s; %s stays the primary for now", c.name, shard, switchWithin, n.ID)
	return next
}

// heir is a member that stays and has all that the frozen primary has.
func (s *stepper) heir(c *cluster, shard int, r *router.Record, executed int64) (router.Run, bool) {
	var able []router.Run
	for _, n := range c.plan.value.staying(shard) {
		if run, ok := s.run(n); ok && run != r.Primary && r.Member(run) && c.said[n.ID].Run == run && c.said[n.ID].Executed == executed {
			able = append(able, run)
		}
	}
	if len(able) == 0 {
		return router.Run{}, false
	}
	primaries := func(run router.Run) (n int) { // of this cluster, on that node's host
		for _, other := range c.records {
			if other.value == nil {
				continue
			}
			if p := c.plan.value.node(other.value.Primary.Node); p != nil && p.Host == c.plan.value.node(run.Node).Host {
				n++
			}
		}
		return n
	}
	return slices.MinFunc(able, func(a, b router.Run) int {
		return cmp.Or(cmp.Compare(primaries(a), primaries(b)), cmp.Compare(a.Node, b.Node))
	}), true
}

func compareText(a, b string) int { return cmp.Compare(a, b) }
