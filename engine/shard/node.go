// Package shard is a node's side of the protocol of its shard: whom it follows, what it has promised, which writes are committed, and whether it may answer.
// The protocol is written down in docs/formats/shard.md.
//
// What must hold, whatever is lost, late or repeated, and however many give orders at once: what a gateway has shown of a committed write stays; two nodes
// never answer as primary at the same time while gateways may believe both; a promise is kept. It holds because a node obeys records in the order of their
// epochs only, because all acknowledgements count only for the run and the reign they name, and because a lease is a promise with a time limit, counted by
// each side from the event that is safe for it: by the primary from when it sent what was acknowledged, by the member from when it acknowledged.
//
// A Node is a value without clock, socket or goroutine: its caller says the time in nanoseconds of a clock that runs on while the machine is paused
// (CLOCK_BOOTTIME), sends what it may send, and asks again just before it writes.
package shard

import (
	"errors"
	"math"

	"larder/router"
)

const (
	// LeaseNS is how long a primary may answer behind an acknowledgement, counted from when it sent what was acknowledged.
	LeaseNS = int64(500e6)
	// marginNS is how much longer a member keeps its word, counted from when it acknowledged: clocks drift.
	marginNS = LeaseNS / 10
)

// ErrOld is of a record that is older than the newest one known, or another one of the same epoch.
var ErrOld = errors.New("the node knows a newer record of its shard")

// Role is what a node is in its shard.
type Role uint8

// The roles.
const (
	Alone    Role = iota // nobody gives it orders
	Waiting              // it gets orders, and none has named its run yet
	Primary              // it serves
	Frozen               // it was the primary until another takes over, or it goes on
	Follower             // it follows the primary
	Elector              // a member while there is no primary
)

// Node is one node's part in the protocol.
type Node struct {
	me      router.Run
	managed bool // it serves as primary only if a record names its run
	loading bool // its data is not whole yet

	record router.Record // the newest that it knows, which it obeys

	given    lease  // the last that it gave
	promised uint64 // the epoch of the last promise
	primary  reign
}

// lease is a promise to follow no other reign until then.
type lease struct {
	to      router.Run
	reign   uint64
	untilNS int64
}

// New makes the node of a run. managed: orders will come, and until then it is nobody's primary.
func New(me router.Run, managed bool) *Node { return &Node{me: me, managed: managed} }

// Me is the run that the node is now.
func (n *Node) Me() router.Run { return n.me }

// Record is the newest that the node knows; Epoch 0: none.
func (n *Node) Record() *router.Record { return &n.record }

// Load says whether the node's data is not whole yet. It then acknowledges and promises nothing.
func (n *Node) Load(loading bool) { n.loading = loading }

// Role is what the node is by the newest record.
func (n *Node) Role() Role {
	r := &n.record
	switch {
	case r.Epoch == 0 && !n.managed:
		return Alone
	case r.Epoch == 0:
		return Waiting
	case r.State == router.Electing && r.Member(n.me):
		return Elector
	case r.Primary == n.me && r.State == router.Switching:
		return Frozen
	case r.Primary == n.me:
		return Primary
	case r.Primary.Node == n.me.Node || r.State == router.Electing: // its own name's earlier run; or an election that is not its business
		return Waiting
	}
	return Follower
}

// Obey takes over a record if it is newer than the newest one known. The one that is known already is taken again. executed is the offset up to which the
// node's data goes: a newcomer has to reach what was there when the primary began to count it.
func (n *Node) Obey(r *router.Record, executed int64) error {
	switch {
	case r.Epoch < n.record.Epoch, r.Epoch == n.record.Epoch && !r.Equal(&n.record):
		return ErrOld
	case r.Epoch == n.record.Epoch:
		return nil
	}
	was := n.record
	n.record = *r
	if r.Primary == n.me && r.State != router.Electing {
		n.primary.count(n, was.Reign != r.Reign || was.Primary != n.me, executed)
	}
	return nil
}

// MayAcknowledge tells whether the node may acknowledge to a primary in its reign what it has from it. If so the primary has a lease from now on: so it is asked
// just before an acknowledgement is sent, which must then name the node's run.
func (n *Node) MayAcknowledge(to router.Run, reign uint64, nowNS int64) bool {
	r := &n.record
	switch {
	case r.Epoch == 0:
		return !n.loading
	case n.loading, r.State == router.Electing, r.Primary != to, r.Reign != reign:
		return false
	case n.given.reign != reign && n.given.untilNS > nowNS && !r.Returned:
		return false
	}
	n.given = lease{to: to, reign: reign, untilNS: nowNS + LeaseNS + marginNS}
	return true
}

// Promise promises to follow nobody by an older record than that of an election, or says how long it is still bound, in nanoseconds. exited is a run that is
// known to have ended. ok is false if there is nothing to promise: the node does not know the election of that epoch, is no member, or has no whole data.
func (n *Node) Promise(epoch uint64, exited router.Run, nowNS int64) (waitNS int64, ok bool) {
	r := &n.record
	if r.Epoch != epoch || r.State != router.Electing || !r.Member(n.me) || n.loading {
		return 0, false
	}
	if bound := n.given; bound.untilNS > nowNS && bound.to != exited && bound.to != n.me {
		return bound.untilNS - nowNS, true
	}
	n.promised, n.given = epoch, lease{} // a lease whose holder has ended binds nobody: the next primary is acknowledged at once
	return 0, true
}

// BoundNS is until when the node is bound by its last acknowledgement.
func (n *Node) BoundNS() int64 { return n.given.untilNS }

// LeasedNS is until when the node may answer as primary, as far as it knows now.
func (n *Node) LeasedNS() int64 {
	if !n.record.Replicated {
		return Never
	}
	return n.primary.leasedNS()
}

// Promised is the epoch of the last promise.
func (n *Node) Promised() uint64 { return n.promised }

// MayDrop tells whether the node may let go of its data, for that of a primary that obeys records up to an epoch: nobody may count on it any more.
func (n *Node) MayDrop(primaryEpoch uint64) bool {
	r := &n.record
	return r.Epoch == 0 || !r.Counted(n.me) && primaryEpoch >= r.Epoch
}

// Drop says that the node's data is gone: what follows is another run.
func (n *Node) Drop(id string) { n.me.ID = id }

// Serves tells whether the node may answer clients now. A primary that has replies to write asks again just before it writes them.
func (n *Node) Serves(nowNS int64) bool {
	switch n.Role() {
	case Alone:
		return true
	case Primary:
		return !n.record.Replicated || n.primary.leasedNS() > nowNS
	}
	return false
}

// TakesWrites tells whether the set is large enough for a write to be accepted, and for one that ran to be confirmed.
func (n *Node) TakesWrites() bool {
	return !n.record.Replicated || len(n.record.Set) >= n.record.MinInSync
}

// Never is a lease's end that does not come.
const Never = int64(math.MaxInt64)
