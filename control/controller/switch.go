package controller

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"larder/router"
)

// How a primary that is there gives its place to another (docs/formats/shard.md): the record that says so freezes it, and only another record thaws it.

// switchWithin is how long a planned switch may take before it is given up, and switchRest how long it is then before it is tried again.
const (
	switchWithin = 2 * time.Second
	switchRest   = 10 * time.Second
)

// heirWait is how long others are waited for behind the first that has all: one of them may stand at a better place.
const heirWait = 20 * time.Millisecond

// How often who clients wait for is told a record again: one that has only to come up to an offset, and a primary that has not obeyed.
const (
	askOffset = 5 * time.Millisecond
	askSoon   = 200 * time.Millisecond
)

// handsOver tells whether the primary is to give its place to another because it leaves, and all others are there.
func (s *stepper) handsOver(c *cluster, shard int, r *router.Record) bool {
	n := c.plan.value.node(r.Primary.Node)
	if n == nil || n.State != Leaves || !s.manned(c, shard, r) {
		return false
	}
	now, ok := s.run(n)
	return ok && now == r.Primary
}

// mayFreeze tells whether it is not just now that a switch was given up.
func (s *stepper) mayFreeze(c *cluster, shard int) bool {
	gaveUp, ok := c.since["gave up "+subject(shard)]
	return !ok || s.now.Sub(gaveUp) >= switchRest
}

// handOver gives the frozen primary's place to a member that has all, or gives it back.
func (s *stepper) handOver(c *cluster, shard int, r *router.Record) *router.Record {
	what := "switching " + subject(shard) + " " + strconv.FormatUint(r.Epoch, 10)
	begun := s.sinceWhen(c, what)
	next := follow(r)
	next.State, next.Term = router.Normal, next.Epoch
	if final, frozen := c.final(r); frozen {
		if heir, ok := s.heir(c, shard, r, final); ok {
			delete(c.since, what)
			next.Reign, next.Primary, next.Returned = next.Epoch, heir, true
			next.Set = append([]router.Run{heir}, slices.DeleteFunc(next.Set, func(run router.Run) bool { return run == heir })...)
			return next
		}
	}
	hopeless := !slices.ContainsFunc(r.Set, func(run router.Run) bool { return run != r.Primary && !s.gone(c, run) })
	if s.now.Sub(begun) < switchWithin && !hopeless || s.lost(c.plan.value.node(r.Primary.Node)) {
		s.again(c, begun.Add(switchWithin))
		return nil
	}
	delete(c.since, what)
	s.remember(c, "gave up "+subject(shard))
	s.reportOf(c.name, "switch-given-up", "cluster %s: shard %d: no other node has all after %s; %s stays the primary for now", c.name, shard, s.now.Sub(begun).Round(time.Millisecond), r.Primary.Node)
	return next
}

// heir is a member that stays and has all that the frozen primary has.
func (s *stepper) heir(c *cluster, shard int, r *router.Record, executed int64) (router.Run, bool) {
	var able []router.Run
	for _, n := range c.plan.value.staying(shard) {
		if run, ok := s.run(n); ok && run != r.Primary && r.Member(run) && c.has(r, run, executed) {
			able = append(able, run)
		}
	}
	what := "able " + subject(shard)
	if len(able) == 0 {
		delete(c.since, what)
		return router.Run{}, false
	}
	late := func(run router.Run) bool {
		return run != r.Primary && c.said[run.Node].Epoch < r.Epoch && s.answers(c, run)
	}
	if begun := s.sinceWhen(c, what); slices.ContainsFunc(r.Set, late) && s.now.Sub(begun) < heirWait {
		s.again(c, begun.Add(heirWait))
		return router.Run{}, false
	}
	delete(c.since, what)
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
	off := func(run router.Run) int {
		if c.said[run.Node].clockOff() {
			return 1
		}
		return 0
	}
	return slices.MinFunc(able, func(a, b router.Run) int {
		return cmp.Or(cmp.Compare(off(a), off(b)), cmp.Compare(primaries(a), primaries(b)), cmp.Compare(a.Node, b.Node))
	}), true
}

// has tells whether a member obeys a record and has everything up to an offset: so it lives now, and is not only known to have been so far.
func (c *cluster) has(r *router.Record, run router.Run, executed int64) bool {
	said := c.said[run.Node]
	return said.Run == run && said.Epoch == r.Epoch && said.Executed == executed
}

// final is up to where a frozen primary's data goes.
func (c *cluster) final(r *router.Record) (offset int64, frozen bool) {
	old := c.said[r.Primary.Node]
	return old.Executed, old.Run == r.Primary && old.Epoch == r.Epoch && old.Frozen
}
