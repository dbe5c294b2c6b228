package controller

import (
	"maps"
	"slices"
	"time"

	"larder/router"
)

// strayPatience is for how many times Limits.DownAfter a member may not go on before it is taken out. Who cannot go on from where it is may not drop its data
// while it is counted, and under replicated nothing is committed without it.
const strayPatience = 4

// followed is what a primary has said of those that follow it, in one reign.
type followed struct {
	reign     uint64
	said      time.Time // when it was asked the last time
	committed int64
	acks      map[router.Run]acked
}

// acked is up to where a run has acknowledged, and when it had all the last time, or got on.
type acked struct {
	offset, lag int64
	at          time.Time
}

// follows takes in what a primary says under its record.
func (c *cluster) follows(e NodeSays) {
	shard := c.plan.value.node(e.Node).Shard
	r := c.records[shard].value
	if r == nil || r.Primary != e.Run || r.Epoch != e.Epoch || r.State != router.Normal {
		return
	}
	was := c.followed[shard]
	next := followed{reign: r.Reign, said: e.At, acks: map[router.Run]acked{}}
	if was.reign == r.Reign {
		next.committed, next.acks = was.committed, maps.Clone(was.acks)
	}
	if r.Replicated { // else it counts nobody, and has committed all that it has
		next.committed = max(next.committed, e.Committed)
	}
	maps.DeleteFunc(next.acks, func(run router.Run, _ acked) bool {
		return !r.Counted(run) && !slices.ContainsFunc(e.Followers, func(f Follower) bool { return f.Run == run })
	})
	for _, run := range slices.Concat(r.Set, r.Joining) {
		if _, ok := next.acks[run]; !ok && run != r.Primary {
			next.acks[run] = acked{at: e.At, lag: e.Executed} // from now on it is waited for
		}
	}
	for _, f := range e.Followers {
		at, lag := e.At, e.Executed-f.Acked
		if before, ok := next.acks[f.Run]; ok && f.Acked == before.offset && lag > 0 {
			at = before.at
		}
		next.acks[f.Run] = acked{f.Acked, lag, at}
	}
	c.followed = cloned(c.followed)
	c.followed[shard] = next
}

// goesOn tells whether one that is counted is known to do its work now, by its primary's word.
func (f followed) goesOn(r *router.Record, run router.Run, now time.Time, patience time.Duration) bool {
	_, ok := f.acks[run]
	return ok && f.reign == r.Reign && now.Sub(f.said) <= strayPatience*patience && !f.strays(r, run, patience)
}

// strays tells whether one that follows has not got on for so long in the record's reign, though there was something.
func (f followed) strays(r *router.Record, run router.Run, patience time.Duration) bool {
	a, ok := f.acks[run]
	return ok && f.reign == r.Reign && f.said.Sub(a.at) > patience
}
