package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/router"
)

// TestLanesUnderRecords: only the primary of the newest record says how far a lane has come, and only to who goes by it; what it knows is what it was sent.
func TestLanesUnderRecords(t *testing.T) {
	e := reigning(t, 2, true, nil)
	lane := e.lane(0)
	lane.says("+OK\r\n", "LARDER", "LANE", "l")
	lane.turn("SET a 1", "GET a")
	e.pump()
	refused := func(who string, k *talker, want string) {
		t.Helper()
		if got := k.do("LARDER", "ENDED", "l"); got != want+"\r\n" {
			t.Errorf("%s answers %q, want %q", who, got, want)
		}
		if lane.c.Closed {
			t.Fatalf("%s has ended the lane", who)
		}
	}
	stale := func() string { return "-STALE record " + e.record.Line() }
	refused("the follower", e.lane(1), stale())
	early := e.lane(0)
	e.next(func(r *router.Record) { r.State, r.Term = router.Switching, r.Epoch })
	e.told(0, 1)
	refused("a frozen node", e.lane(0), stale())
	refused("a frozen node", e.nodes[0].client(), "-CLUSTERDOWN The shard has no primary at the moment")
	e.next(func(r *router.Record) { r.State, r.Term = router.Normal, r.Epoch })
	e.told(0, 1)
	e.passes(200 * time.Millisecond)
	refused("the primary, by an old term,", early, stale())
	lane.turn(fmt.Sprint("LARDER TERM 0 ", e.record.Term), "SET b 2")
	e.pump()
	for i, b := range e.nodes {
		if got := b.node.Lanes()["l"]; got != 4 {
			t.Errorf("node %d knows the lane up to %d", i, got)
		}
	}
	last := e.lane(0)
	e.cut[0] = true
	lane.turn("SET c 3")
	e.passes(700 * time.Millisecond)
	refused("a primary without a lease", last, "-CLUSTERDOWN Not every member of the shard's set is in touch with its primary, which answers nothing without them")
	e.next(func(r *router.Record) { r.State, r.Term = router.Electing, r.Epoch })
	e.admins[1].do("LARDER", "PROMISE", e.record.Line())
	e.next(chosen(e.run(1)))
	e.told(1)
	e.passes(100 * time.Millisecond)
	k := e.lane(1)
	want := fmt.Sprintf("*4\r\n:4\r\n:%d\r\n:%s\r\n$40\r\n", e.record.Reign, e.state(1)["executed"])
	if got := k.do("LARDER", "ENDED", "l"); !strings.HasPrefix(got, want) {
		t.Errorf("the new primary answers %q, want %q", got, want)
	}
	k.says("*3\r\n$1\r\n1\r\n$1\r\n2\r\n$-1\r\n", "MGET", "a", "b", "c")
	e.cut[0] = false
	e.told(0)
	e.passes(500 * time.Millisecond)
	if got := e.nodes[0].node.Lanes()["l"]; got != 4 {
		t.Errorf("the old primary, which follows, knows the lane up to %d", got)
	}
}
