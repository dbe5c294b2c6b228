package controller

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"larder/router"
)

// patientFor is how long an election may take before somebody is told that it does.
const patientFor = 2 * time.Second

// failOver is the record that follows when a shard's primary is not there any more; nil: nothing can be done, or need be.
//
// Where a member is left there is an election (election.go). Where every member is known to have ended, or is long lost beside a primary that has, and nothing
// was promised to be kept, one that was started again begins anew with what it has on its disk. waits: why there is no election.
func (s *stepper) failOver(c *cluster, shard int, r *router.Record, waits string) *router.Record {
	if !slices.ContainsFunc(slices.Concat(r.Set, r.Joining), func(run router.Run) bool { return c.plan.value.node(run.Node) != nil }) {
		return s.beginAnew(c, shard, r)
	}
	n := c.plan.value.node(r.Primary.Node)
	alive := r.State != router.Electing && n != nil && !s.lost(n) && !s.gone(c, r.Primary)
	asked := "electing " + subject(shard)
	if r.State != router.Electing {
		delete(c.since, asked)
	}
	if alive {
		s.why(c, subject(shard), "")
		return nil
	}
	heard := n != nil && s.hosts[n.Host] != nil && s.hosts[n.Host].there && !s.hosts[n.Host].heard
	if heard {
		return nil // its host is there and has not said yet what it has
	}
	if r.Replicated || slices.ContainsFunc(r.Set, func(run router.Run) bool { return !s.beyond(c, r, run) }) {
		if r.State == router.Electing && waits == "" && s.now.Sub(s.sinceWhen(c, asked)) < patientFor {
			return nil
		}
		s.why(c, subject(shard), cmp.Or(waits, s.missed(c, shard, r)))
		return nil
	}
	var heir router.Run
	for _, run := range r.Set { // the primary stands first: it has most
		n := c.plan.value.node(run.Node)
		if now, ok := s.run(n); ok {
			heir = now
			break
		}
		if s.lost(n) {
			continue
		}
		if failed := s.hosts[n.Host].runs(n.ID); failed == nil || failed.Failed == "" {
			return nil // it is being started
		}
	}
	if heir.Node == "" {
		return nil
	}
	return reignOf(r, heir)
}

// missed says what a shard without a primary lacks.
func (s *stepper) missed(c *cluster, shard int, r *router.Record) string {
	if slices.ContainsFunc(r.Set, func(run router.Run) bool { return !s.ended(c, run) }) {
		return "its primary " + r.Primary.Node + " is not there"
	}
	return fmt.Sprintf("all its members have ended, and nothing that was answered may be lost: larder cluster failover %s --shard %d --force says what may be", c.name, shard)
}

// beyond tells whether a member can be waited for no longer: its run has ended, or it is no primary and its host has been away for long.
func (s *stepper) beyond(c *cluster, r *router.Record, run router.Run) bool {
	n := c.plan.value.node(run.Node)
	return s.ended(c, run) || n != nil && run != r.Primary && s.lost(n) && s.now.Sub(s.hosts[n.Host].lost) >= s.limits.ReplaceAfter
}

// beginAnew is for a record that names only nodes that are gone for good. A node goes when no record names it, so this one was written late.
func (s *stepper) beginAnew(c *cluster, shard int, r *router.Record) *router.Record {
	first := s.begin(c, shard)
	if first == nil {
		return nil
	}
	next := reignOf(r, first.Primary)
	next.Replicated, next.MinInSync = first.Replicated, first.MinInSync
	return next
}

// reignOf is the record that follows in which a run is the primary, alone.
func reignOf(r *router.Record, heir router.Run) *router.Record {
	next := follow(r)
	next.State, next.Term, next.Reign, next.Primary = router.Normal, next.Epoch, next.Epoch, heir
	next.Set, next.Joining = []router.Run{heir}, nil
	return next
}
