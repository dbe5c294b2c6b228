package steward

import (
	"slices"
	"time"

	"larder/router"
)

// switchWithin is how long a switch may take before it is given up.
const switchWithin = 2 * time.Second

// next is the record that should follow, and why; nil: the present one may stay.
func (s *Steward) next(record *router.Record, wish string, now time.Time) (*router.Record, string) {
	if s.elected != nil && s.elected.epoch != record.Epoch {
		s.elected = nil
	}
	switch record.State {
	case router.Electing:
		return s.elect(record, now)
	case router.Switching:
		return s.handOver(record, wish, now)
	}
	return s.keep(record, wish, now)
}

// follow is the record that follows with nothing changed.
func follow(record *router.Record) *router.Record {
	next := *record
	next.Epoch++
	next.Set, next.Joining, next.Returned = slices.Clone(record.Set), slices.Clone(record.Joining), false
	return &next
}

// lives tells whether that very run has said something within the steward's patience.
func (s *Steward) lives(run router.Run, now time.Time) bool {
	r, ok := s.heard[run.Node]
	if !ok {
		return now.Sub(s.begun) < s.patience
	}
	return r.run == run && now.Sub(r.at) < s.patience
}

// strays tells whether a member has long not acknowledged anything to the primary. One that cannot go on from where it is may not drop its data while it is
// counted, and nothing is committed without it.
func (s *Steward) strays(record *router.Record, run router.Run, now time.Time) bool {
	if s.reign != record.Reign {
		s.reign = record.Reign
		clear(s.followed)
	}
	since, ok := s.followed[run]
	primary := s.heard[record.Primary.Node]
	if !ok || primary.run == record.Primary && slices.Contains(primary.followers, run) {
		s.followed[run] = now
		return false
	}
	return run != record.Primary && now.Sub(since) > 4*s.patience
}

// keep looks after a shard that has a primary.
func (s *Steward) keep(record *router.Record, wish string, now time.Time) (*router.Record, string) {
	gone := func(run router.Run) bool { return !s.lives(run, now) }
	if gone(record.Primary) {
		if len(record.Set) == 1 || !slices.ContainsFunc(record.Set, func(run router.Run) bool { return s.lives(run, now) }) {
			return nil, ""
		}
		next := follow(record)
		next.State, next.Term = router.Electing, next.Epoch
		return next, "the primary is silent"
	}
	next := follow(record)
	lost := func(run router.Run) bool { return gone(run) || s.strays(record, run, now) }
	next.Set, next.Joining = slices.DeleteFunc(next.Set, lost), slices.DeleteFunc(next.Joining, lost)
	if len(next.Set)+len(next.Joining) < len(record.Set)+len(record.Joining) {
		return next, "a member is silent, or does not follow"
	}
	primary := s.heard[record.Primary.Node]
	if primary.epoch != record.Epoch {
		return nil, "" // it has not obeyed yet: what it says is of another record
	}
	for _, run := range primary.confirmed {
		if at := slices.Index(next.Joining, run); at >= 0 {
			next.Set, next.Joining = append(next.Set, run), slices.Delete(next.Joining, at, at+1)
			return next, run.Node + " has all, and is a member"
		}
	}
	for _, run := range primary.followers {
		named := slices.ContainsFunc(slices.Concat(record.Set, record.Joining), func(other router.Run) bool { return other.Node == run.Node })
		if !named && s.lives(run, now) {
			next.Joining = append(next.Joining, run)
			return next, run.Node + " joins"
		}
	}
	if at := slices.IndexFunc(record.Set, func(run router.Run) bool { return run.Node == wish }); at > 0 {
		next.State, next.Term = router.Switching, next.Epoch
		return next, "a switch to " + wish
	}
	return nil, ""
}

// elect waits for promises: of all members that say something, but not for ever, and of one at least.
func (s *Steward) elect(record *router.Record, now time.Time) (*router.Record, string) {
	if s.elected == nil {
		s.elected = &election{epoch: record.Epoch, begun: now}
	}
	e := s.elected
	for _, r := range s.heard {
		known := slices.ContainsFunc(e.promises, func(p report) bool { return p.run == r.run })
		if r.promised == record.Epoch && record.Member(r.run) && !known {
			e.promises = append(e.promises, r)
		}
	}
	owing := slices.ContainsFunc(record.Set, func(run router.Run) bool {
		return s.lives(run, now) && !slices.ContainsFunc(e.promises, func(p report) bool { return p.run == run })
	})
	if len(e.promises) == 0 || owing && now.Sub(e.begun) < 3*s.patience {
		return nil, ""
	}
	best := slices.MaxFunc(e.promises, func(a, b report) int { return int(a.executed - b.executed) })
	next := follow(record)
	next.State, next.Term, next.Reign, next.Primary = router.Normal, next.Epoch, next.Epoch, best.run
	next.Set, next.Joining = []router.Run{best.run}, nil
	for _, p := range e.promises {
		if p.run != best.run {
			next.Set = append(next.Set, p.run)
		}
	}
	return next, best.run.Node + " is elected"
}

// handOver gives the frozen primary's place to the one that is wished, when that has all; or gives it back.
func (s *Steward) handOver(record *router.Record, wish string, now time.Time) (*router.Record, string) {
	if s.elected == nil {
		s.elected = &election{epoch: record.Epoch, begun: now}
	}
	old := s.heard[record.Primary.Node]
	frozen := s.lives(record.Primary, now) && old.role == "frozen" && old.epoch == record.Epoch
	next := follow(record)
	next.State, next.Term = router.Normal, next.Epoch
	at := slices.IndexFunc(record.Set, func(run router.Run) bool { return run.Node == wish })
	switch {
	case frozen && at > 0 && s.lives(record.Set[at], now) && s.heard[wish].executed == old.executed:
		next.Reign, next.Primary, next.Returned = next.Epoch, record.Set[at], true
		next.Set = append([]router.Run{next.Primary}, slices.DeleteFunc(next.Set, func(run router.Run) bool { return run == next.Primary })...)
		return next, wish + " takes over"
	case now.Sub(s.elected.begun) < switchWithin:
		return nil, ""
	case s.lives(record.Primary, now):
		return next, "the switch is given up"
	}
	next.State = router.Electing
	return next, "the frozen primary is silent"
}
