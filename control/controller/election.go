package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"larder/router"
)

// How a primary that is gone is followed by another (docs/formats/shard.md). Whatever is here may be done by many controllers at once, arbitrarily late: nodes
// obey records in order, and the registry takes one record an epoch.
const (
	// promiseWait is how long more promises are waited for behind the first one, of members that answer: those that have not promised are newcomers afterwards.
	// It is longer than a member is bound by what it has acknowledged, so that an old primary that comes back just then is not promised alone.
	promiseWait = 650 * time.Millisecond
	// askPromise is how soon a member is asked again that is still bound, or has not answered.
	askPromise = 20 * time.Millisecond
	// clockMax is by how much the clock of a primary may be off: keys die by it.
	clockMax = 250 * time.Millisecond
)

// How soon a shard may be failed over again: so often after a short rest, and each time within restCount behind that after one twice as long.
const (
	restShort = 500 * time.Millisecond
	restLong  = 30 * time.Second
	restFree  = 4
	restCount = time.Minute
)

// callElection begins an election where the primary is gone, if it can be won. nil: it cannot, or not yet.
func (s *stepper) callElection(c *cluster, shard int, r *router.Record) (next *router.Record, waits string) {
	next = follow(r)
	if !r.Replicated {
		// Nothing was promised of what is on one node only: who streams from the primary may take its place, and has more than nothing.
		next.Set, next.Joining = append(next.Set, next.Joining...), nil
	}
	asked := slices.ContainsFunc(next.Set, func(run router.Run) bool { return s.answers(c, run) })
	ended := s.ended(c, r.Primary)
	switch {
	case !asked:
		return nil, ""
	case !ended && s.cutOff():
		return nil, "its primary " + r.Primary.Node + " does not answer, and neither do most nodes of the fleet: it is rather this controller that is cut off"
	case s.now.Before(c.failed[shard].next()):
		s.again(c, c.failed[shard].next())
		return nil, "its primary " + r.Primary.Node + " is gone, and it has been failed over just before: it is waited for a while"
	}
	next.State, next.Term = router.Electing, next.Epoch
	how := "does not answer"
	if ended {
		how = "has ended"
	}
	s.reportOf(c.name, "primary-gone", "cluster %s: shard %d: its primary %s %s: its members are asked who has most", c.name, shard, r.Primary.Node, how)
	return next, ""
}

// failures are the elections of a shard that this controller has seen end, the latest last.
type failures []time.Time

// next is when the shard may be failed over again.
func (f failures) next() time.Time {
	if len(f) == 0 {
		return time.Time{}
	}
	rest := restShort
	if over := len(f) - restFree; over > 0 {
		rest = min(restLong, restShort<<min(over, 10))
	}
	return f[len(f)-1].Add(rest)
}

// another is with one more, without those that are long past.
func (f failures) another(now time.Time) failures {
	f = slices.DeleteFunc(slices.Clone(f), func(at time.Time) bool { return now.Sub(at) > restCount })
	return append(f, now)
}

// promised tells whether a member has promised the election, and what it has.
func (c *cluster) promised(r *router.Record, run router.Run) (said NodeSays, ok bool) {
	said = c.said[run.Node]
	return said, said.Run == run && said.Epoch == r.Epoch && said.Promised == r.Epoch
}

// elect waits for promises: of all members that answer, but not for ever, and of one at least. Who has most is the primary, and the set is those that promised.
func (s *stepper) elect(c *cluster, shard int, r *router.Record) (next *router.Record, waits string) {
	what := "promised " + subject(shard)
	var all []NodeSays
	owing := false
	for _, run := range r.Set {
		if said, ok := c.promised(r, run); ok {
			all = append(all, said)
		} else if s.answers(c, run) {
			owing = true
		}
	}
	if len(all) == 0 {
		delete(c.since, what)
		return nil, ""
	}
	if wrong := s.contradiction(c, shard, r, all); wrong != "" {
		return nil, s.alarm(c, shard, wrong)
	}
	if begun := s.sinceWhen(c, what); owing && s.now.Sub(begun) < promiseWait {
		s.again(c, begun.Add(promiseWait))
		return nil, ""
	}
	best, off := mostOf(all)
	next = follow(r)
	next.State, next.Term, next.Reign, next.Primary = router.Normal, next.Epoch, next.Epoch, best.Run
	next.Set, next.Joining = []router.Run{best.Run}, nil
	for _, said := range all {
		if said.Run != best.Run && said.Executed <= best.Executed { // who has more than the primary is no beginning of it
			next.Set = append(next.Set, said.Run)
		}
	}
	delete(c.since, what)
	c.failed[shard] = c.failed[shard].another(s.now)
	how := ""
	if off != "" {
		how = "; passed over for clocks that are off:" + off
	}
	s.reportOf(c.name, "elected", "cluster %s: shard %d: %s is elected at offset %d, of %d that promised%s", c.name, shard, best.Node, best.Executed, len(all), how)
	return next, ""
}

// mostOf is who has most, of those whose clocks are right if there is any; off names the others if somebody had more of them.
func mostOf(all []NodeSays) (best NodeSays, off string) {
	right := slices.DeleteFunc(slices.Clone(all), NodeSays.clockOff)
	if len(right) == 0 {
		right = all
	}
	best = slices.MaxFunc(right, func(a, b NodeSays) int {
		return cmp.Or(cmp.Compare(a.Executed, b.Executed), cmp.Compare(b.Node, a.Node))
	})
	for _, said := range all {
		if said.clockOff() && !best.clockOff() {
			off += fmt.Sprintf(" %s by %s", said.Node, said.Skew.Round(time.Millisecond))
		}
	}
	return best, off
}

// clockOff tells whether a node's clock is known to be off by more than keys' deaths may be.
func (n NodeSays) clockOff() bool { return n.Skew.Abs()-n.Doubt > clockMax }

// contradiction says what members that promised say that cannot be if each has the beginning of one history; empty: nothing.
func (s *stepper) contradiction(c *cluster, shard int, r *router.Record, all []NodeSays) string {
	safe := int64(0)
	if f := c.followed[shard]; r.Replicated && f.reign == r.Reign {
		safe = f.committed
	}
	for _, said := range all {
		switch {
		case said.Reign > r.Reign:
			return fmt.Sprintf("%s has data of reign %d, and the record knows none behind %d", said.Node, said.Reign, r.Reign)
		case said.Executed < safe:
			return fmt.Sprintf("%s has data up to %d, and everything up to %d was on every member", said.Node, said.Executed, safe)
		}
	}
	return ""
}

// alarm says that what would lose data is stopped.
func (s *stepper) alarm(c *cluster, shard int, wrong string) (waits string) {
	waits = "the election is stopped: " + wrong + "; larder cluster failover " + c.name + " --shard " + strconv.Itoa(shard) + " --force takes what there is"
	if c.told[subject(shard)] != waits {
		s.reportOf(c.name, "election-stopped", "cluster %s: shard %d: %s", c.name, shard, waits)
	}
	return waits
}
