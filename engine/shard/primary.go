package shard

import (
	"slices"

	"larder/router"
)

// reign is what a primary knows of those that it counts, since it was made the primary.
type reign struct {
	others    []counted
	sent      []sample
	last      int64 // offset up to which the stream was sent
	own       int64 // up to where its own data counts: what it executed, or what its journal has synced
	committed int64
}

// counted is a member, or one that joins.
type counted struct {
	run     router.Run
	acked   int64 // the offset; -1: nothing yet
	leaseNS int64 // the lease's end
	goal    int64 // what a newcomer has to reach
}

// sample says that the last of the stream up to an offset left after a time.
type sample struct {
	offset int64
	atNS   int64
}

const (
	sampleEveryNS = LeaseNS / 50 // what is sent sooner behind a sample belongs to it
	nothing       = int64(-1)
)

// count takes over whom the record counts. What is known of a run stays while it is counted on; a run that comes is counted from here, whatever its node was
// before. fresh: a reign begins.
func (g *reign) count(n *Node, fresh bool, executed int64) {
	if fresh {
		*g = reign{own: nothing, last: executed}
	}
	r := &n.record
	var next []counted
	for _, run := range slices.Concat(r.Set, r.Joining) {
		if run == n.me {
			continue
		}
		at := slices.IndexFunc(g.others, func(c counted) bool { return c.run == run })
		if at >= 0 {
			next = append(next, g.others[at])
		} else {
			next = append(next, counted{run: run, acked: nothing, goal: executed})
		}
	}
	g.others = next
}

// Sent says that the stream up to an offset is about to be sent to who follows. Without anything new it says nothing: what was sent before may have been
// acknowledged before.
func (n *Node) Sent(offset, nowNS int64) {
	g := &n.primary
	if offset <= g.last {
		return
	}
	g.last = offset
	if k := len(g.sent); k > 0 && nowNS-g.sent[k-1].atNS < sampleEveryNS {
		return
	}
	old := 0
	for old < len(g.sent) && nowNS-g.sent[old].atNS > LeaseNS {
		old++
	}
	g.sent = append(slices.Delete(g.sent, 0, old), sample{offset, nowNS})
}

// Acknowledged says that a run has everything up to an offset of this reign's stream. Of a run that is not counted, and of another reign, it is nothing.
func (n *Node) Acknowledged(run router.Run, reign uint64, offset int64) {
	g := &n.primary
	at := slices.IndexFunc(g.others, func(c counted) bool { return c.run == run })
	if at < 0 || reign != n.record.Reign || n.record.Primary != n.me {
		return
	}
	c := &g.others[at]
	c.acked = max(c.acked, offset)
	for i := len(g.sent) - 1; i >= 0; i-- {
		if g.sent[i].offset <= offset {
			c.leaseNS = max(c.leaseNS, g.sent[i].atNS+LeaseNS)
			break
		}
	}
}

// Own says up to where the primary's own data counts.
func (n *Node) Own(offset int64) { n.primary.own = max(n.primary.own, offset) }

// Committed is the offset up to which every member, and everyone that joins, has the stream of this reign. It never goes back. A node that may not serve
// commits nothing more.
func (n *Node) Committed() int64 {
	g := &n.primary
	if n.Role() != Primary {
		return g.committed
	}
	least := g.own
	for _, c := range g.others {
		least = min(least, c.acked)
	}
	g.committed = max(g.committed, least)
	return g.committed
}

// leasedNS is when the first of the leases ends that the primary holds.
func (g *reign) leasedNS() int64 {
	least := Never
	for _, c := range g.others {
		least = min(least, c.leaseNS)
	}
	return least
}

// Confirmed are the runs that join and have reached what the primary had executed when it began to count them: they can be made members by a record that
// follows the present one.
func (n *Node) Confirmed() (runs []router.Run) {
	if n.Role() != Primary {
		return nil
	}
	for _, c := range n.primary.others {
		if c.acked >= c.goal && slices.Contains(n.record.Joining, c.run) {
			runs = append(runs, c.run)
		}
	}
	return runs
}
