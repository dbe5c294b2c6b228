package shard_test

import (
	"testing"

	"larder/engine/shard"
	"larder/router"
)

var a, b, c = router.Run{Node: "a", ID: "1"}, router.Run{Node: "b", ID: "2"}, router.Run{Node: "c", ID: "3"}

// record is one of a reign of a.
func record(epoch, reign uint64, set ...router.Run) *router.Record {
	return &router.Record{Epoch: epoch, Term: reign, Reign: reign, Primary: set[0], Set: set, MinInSync: 2, Replicated: true}
}

// TestOrders: records count by their epochs, whoever brings them and however often.
func TestOrders(t *testing.T) {
	n := shard.New(a, true)
	if n.Role() != shard.Waiting || n.Serves(0) {
		t.Fatal("a node serves that nobody has named")
	}
	first := record(5, 5, a, b)
	if err := n.Obey(first, 0); err != nil || n.Role() != shard.Primary {
		t.Fatalf("first order: %v, role %d", err, n.Role())
	}
	if err := n.Obey(first, 0); err != nil {
		t.Errorf("the same order again: %v", err)
	}
	if err := n.Obey(record(5, 5, a, c), 0); err != shard.ErrOld {
		t.Errorf("another order of the same epoch: %v", err)
	}
	if err := n.Obey(record(4, 4, b, a), 0); err != shard.ErrOld || n.Role() != shard.Primary {
		t.Errorf("an old order: %v", err)
	}
	again := shard.New(router.Run{Node: "a", ID: "9"}, true)
	if err := again.Obey(first, 0); err != nil || again.Role() != shard.Waiting || again.Serves(0) {
		t.Errorf("a later run under the name of the primary: role %d", again.Role())
	}
	plain := shard.New(a, false)
	if plain.Role() != shard.Alone || !plain.Serves(0) || !plain.TakesWrites() || !plain.MayAcknowledge(b, 0, 0) || !plain.MayDrop(0) {
		t.Error("a node to which nobody gives orders is bound by something")
	}
}

// TestLease: a primary answers while it holds a lease of everyone that it counts, counted from when it sent what was acknowledged.
func TestLease(t *testing.T) {
	n := shard.New(a, true)
	_ = n.Obey(record(1, 1, a, b, c), 100)
	if n.Serves(0) {
		t.Fatal("it serves without any lease")
	}
	n.Sent(110, 1000)
	n.Sent(120, 1000+shard.LeaseNS/2)
	n.Sent(120, 1000+shard.LeaseNS) // nothing new
	n.Acknowledged(b, 1, 120)
	if n.Serves(1001) {
		t.Error("it serves with one lease of two")
	}
	n.Acknowledged(c, 1, 115)
	if !n.Serves(shard.LeaseNS+999) || n.Serves(shard.LeaseNS+1000) {
		t.Error("the lease is not counted from when the last that was acknowledged was sent")
	}
	n.Acknowledged(c, 1, 120)
	n.Acknowledged(b, 2, 500)
	if end := 1000 + shard.LeaseNS + shard.LeaseNS/2; !n.Serves(end-1) || n.Serves(end) {
		t.Error("bytes that had been sent before make the lease younger")
	}
}

// TestCommit: the committed offset never goes back, and counts who joins.
func TestCommit(t *testing.T) {
	n := shard.New(a, true)
	_ = n.Obey(record(1, 1, a, b), 100)
	n.Own(150)
	if got := n.Committed(); got > 0 {
		t.Errorf("committed %d before anybody acknowledged", got)
	}
	n.Acknowledged(b, 1, 140)
	if got := n.Committed(); got != 140 {
		t.Errorf("committed %d, want 140", got)
	}
	joining := record(2, 1, a, b)
	joining.Joining = []router.Run{c}
	_ = n.Obey(joining, 150)
	n.Acknowledged(b, 1, 150)
	if got := n.Committed(); got != 140 {
		t.Errorf("committed %d without who joins", got)
	}
	n.Acknowledged(c, 1, 149)
	if len(n.Confirmed()) != 0 || n.Committed() != 149 {
		t.Errorf("confirmed %v, committed %d", n.Confirmed(), n.Committed())
	}
	n.Acknowledged(c, 1, 150)
	if got := n.Confirmed(); len(got) != 1 || got[0] != c {
		t.Errorf("confirmed %v", got)
	}
	_ = n.Obey(record(3, 1, a), 150)
	if n.TakesWrites() {
		t.Error("it takes writes with a set that is too small")
	}
	frozen := record(4, 1, a)
	frozen.State, frozen.Term = router.Switching, 4
	_ = n.Obey(frozen, 150)
	n.Own(200)
	if n.Role() != shard.Frozen || n.Serves(0) || n.Committed() != 149 {
		t.Errorf("frozen: role %d, committed %d", n.Role(), n.Committed())
	}
}

// TestPromise: who has acknowledged waits for the end of the lease, unless its holder is known to have ended.
func TestPromise(t *testing.T) {
	n := shard.New(b, true)
	_ = n.Obey(record(1, 1, a, b), 0)
	if !n.MayAcknowledge(a, 1, 1000) || n.MayAcknowledge(c, 1, 1000) || n.MayAcknowledge(a, 2, 1000) {
		t.Fatal("acknowledges to others than its primary")
	}
	election := record(2, 1, a, b)
	election.State, election.Term = router.Electing, 2
	_ = n.Obey(election, 0)
	if n.MayAcknowledge(a, 1, 2000) {
		t.Error("it acknowledges once it is asked to promise")
	}
	if wait, ok := n.Promise(2, c, 2000); !ok || wait < shard.LeaseNS-1000 || n.Promised() == 2 {
		t.Errorf("promise: wait %d, %v", wait, ok)
	}
	n.Load(true)
	if _, ok := n.Promise(2, a, 2000); ok {
		t.Error("it promises without whole data")
	}
	n.Load(false)
	if wait, ok := n.Promise(2, a, 2000); !ok || wait != 0 || n.Promised() != 2 {
		t.Errorf("promise, the holder has ended: wait %d, %v", wait, ok)
	}
	if _, ok := n.Promise(3, a, 2000); ok {
		t.Error("it promises an epoch that it does not know")
	}
	_ = n.Obey(record(3, 3, c, b), 0)
	if !n.MayAcknowledge(c, 3, 2001) {
		t.Error("it is bound by the lease of one that is known to have ended, and does not acknowledge to the next primary")
	}
}
