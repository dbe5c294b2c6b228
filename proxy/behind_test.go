package proxy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"larder/loop"
	"larder/protocol/resp"
	"larder/router"
)

// behindWorld is a shard that is well, with a client, whose wires and orders a test moves by hand.
type behindWorld struct {
	*fallModel
	s *fallShard
	c *loop.MemConn
}

func newBehindWorld(t *testing.T) *behindWorld {
	m := &fallModel{}
	m.fallWorld = newFallWorld(t, 2, false)
	if !m.settle(m.whole) {
		t.Fatal("the shard does not come up")
	}
	w := &behindWorld{fallModel: m, s: m.shards[0], c: m.gate.Open(mixAdmin)}
	w.hears("$-1 ", "GET", "k")
	return w
}

func (w *behindWorld) says(args ...string) {
	w.c.Feed(resp.AppendCommandStrings(nil, args...))
	w.gate.EndTurn()
}

// hears says a command, if there is one, and waits for so many replies.
func (w *behindWorld) hears(want string, args ...string) {
	w.t.Helper()
	if len(args) > 0 {
		w.says(args...)
	}
	got := ""
	w.settle(func() bool {
		got += strings.ReplaceAll(string(w.c.Written()), "\r\n", " ")
		return strings.Count(got, " ") >= strings.Count(want, " ")
	})
	if !strings.HasPrefix(got, want) {
		w.t.Errorf("%q is answered %q, want %q", args, got, want)
	}
}

func (w *behindWorld) primary() *fallNode { return w.s.named(w.s.record.Primary.Node) }

// wire is the one lane to a node that has commands.
func (w *behindWorld) wire(to *fallNode) *fallWire {
	at := slices.IndexFunc(w.wires, func(k *fallWire) bool { return k.from == nil && k.to == to })
	return w.wires[at]
}

// show has the gateway know the record before any node does.
func (w *behindWorld) show() {
	r := w.s.record
	r.Set, r.Joining = slices.Clone(r.Set), slices.Clone(r.Joining)
	w.p.enter()
	w.p.learn(&r)
}

// obey has a node know it.
func (w *behindWorld) obey(n *fallNode) {
	words := []string{"LARDER", "RECORD", w.s.record.Line()}
	for _, other := range w.s.nodes {
		words = append(words, other.name+"="+other.addr)
	}
	if got := n.tell(words...); got != "+OK\r\n" {
		w.t.Fatalf("the order is answered %q", got)
	}
}

// refuseOne has the primary refuse a command since it has not heard of the record that the gateway knows, and then obey that, before another command of the client
// reaches it.
func (w *behindWorld) refuseOne() *fallWire {
	n := w.primary()
	w.s.next(chosenOf(w.s.record.Set...))
	w.show()
	k := w.wire(n)
	w.says("RPUSH", "l", "one")
	k.move(1<<30, 0)
	n.m.EndTurn()
	w.says("RPUSH", "l", "two")
	k.move(0, 1<<30)
	w.gate.EndTurn()
	if len(w.p.retries) != 1 {
		w.t.Fatalf("%d commands were refused, want 1", len(w.p.retries))
	}
	w.obey(n)
	k.move(1<<30, 0)
	n.m.EndTurn()
	return k
}

// TestBehind: what a node refuses that has not heard yet what the gateway has does not run behind what its client sent after it.
func TestBehind(t *testing.T) {
	w := newBehindWorld(t)
	w.refuseOne()
	w.hears("-CLUSTERDOWN The shard had no primary when the command came :1 ")
	w.hears("*1 $3 two ", "LRANGE", "l", "0", "-1")
}

// TestBehindLost: nor if the lane is lost before it is known what became of that.
func TestBehindLost(t *testing.T) {
	w := newBehindWorld(t)
	k := w.refuseOne()
	k.reset()
	w.tidy()
	w.hears("-CLUSTERDOWN The shard had no primary when the command came -UNKNOWN ")
	w.hears("*1 $3 two ", "LRANGE", "l", "0", "-1")
}

// TestWaitCountsNoLostWrite: a write whose reply came when its node was the primary no more, and that the next one does not have, counts as replicated nowhere.
func TestWaitCountsNoLostWrite(t *testing.T) {
	w := newBehindWorld(t)
	old := w.primary()
	k := w.wire(old)
	w.says("RPUSH", "l", "one")
	k.move(1<<30, 0)
	old.m.EndTurn()
	run := old.run()
	w.s.next(chosenOf(slices.DeleteFunc(slices.Clone(w.s.record.Set), func(o router.Run) bool { return o == run })...))
	for _, n := range w.s.nodes {
		w.obey(n)
	}
	w.show()
	k.move(0, 1<<30)
	w.gate.EndTurn()
	w.hears(":1 ")
	w.hears(":0 ", "WAIT", "1", "0")
	w.hears("*0 ", "LRANGE", "l", "0", "-1")
}

// TestBlockedOutlivesManyPrimaries: a command may wait for as long as its client likes, whatever becomes of primaries meanwhile.
func TestBlockedOutlivesManyPrimaries(t *testing.T) {
	w := newBehindWorld(t)
	o := *w.p.opts
	o.Upstream.FailoverTime = 2 * time.Second
	w.p.opts = &o
	w.says("BLPOP", "q", "0")
	for range 3 {
		term := w.s.record.Term
		w.s.next(func(r *router.Record) { r.State, r.Term = router.Switching, r.Epoch })
		w.settle(func() bool { return w.s.record.Term > term+1 && w.whole() })
		from := w.gate.Loop.Now()
		w.settle(func() bool { return w.gate.Loop.Now().Sub(from) > 3*time.Second })
	}
	other := w.gate.Open(mixAdmin)
	other.Feed(resp.AppendCommandStrings(nil, "RPUSH", "q", "job"))
	w.hears("*2 $1 q $3 job ")
}

// TestWaitsWhileAnotherLaneIsDialled: who needs a lane that cannot be dialled yet waits, although another line's is just being dialled.
func TestWaitsWhileAnotherLaneIsDialled(t *testing.T) {
	w := newBehindWorld(t)
	u := w.p.shards[0]
	for _, line := range [...]int{2, 3} {
		if ln := u.shared[line-2]; ln != nil {
			ln.fail(errMixReset)
		}
	}
	w.p.enter()
	u.lane(3)
	u.down(errMixReset)
	w.hears(":1 ", "RPUSH", "l", "one")
}

// TestLeavesWhileItWaits: a client that leaves while its shard has no primary leaves nothing behind; who stays is told when nobody waits any more.
func TestLeavesWhileItWaits(t *testing.T) {
	w := newBehindWorld(t)
	w.s.next(func(r *router.Record) { r.State, r.Term = router.Switching, r.Epoch })
	w.show()
	w.says("RPUSH", "l", "one")
	other := w.gate.Open(mixAdmin)
	other.Feed(resp.AppendCommandStrings(nil, "RPUSH", "l", "two"))
	w.gate.EndTurn()
	if len(w.p.waiting) != 2 || w.p.waitBytes == 0 {
		t.Fatalf("%d clients wait with %d bytes", len(w.p.waiting), w.p.waitBytes)
	}
	before := w.p.waitBytes
	other.Hangup(nil)
	w.gate.EndTurn()
	if len(w.p.waiting) != 1 || w.p.waitBytes != before/2 {
		t.Errorf("one has left: %d clients wait with %d of %d bytes", len(w.p.waiting), w.p.waitBytes, before)
	}
	for range int(w.p.opts.Upstream.FailoverTime/time.Second) + 2 {
		w.gate.Advance(time.Second)
	}
	if got := string(w.c.Written()); !strings.HasPrefix(got, "-CLUSTERDOWN ") || len(w.p.waiting) != 0 {
		t.Errorf("after the time for a failover the client was told %q, %d wait", got, len(w.p.waiting))
	}
}

// TestPrimaryAgainAtOnce: a node that is the primary again before the lanes have ended that it had before may say so on one of them.
func TestPrimaryAgainAtOnce(t *testing.T) {
	w := newBehindWorld(t)
	n := w.primary()
	k := w.wire(n)
	w.says("RPUSH", "l", "one")
	set := slices.Clone(w.s.record.Set)
	w.s.next(chosenOf(set[1], set[0]))
	k.move(0, 0) // the command is on its way
	w.show()
	w.s.next(chosenOf(set...))
	w.obey(n)
	k.move(1<<30, 0)
	n.m.EndTurn()
	k.move(0, 1<<30)
	w.hears(":1 ")
	w.hears("*1 $3 one ", "LRANGE", "l", "0", "-1")
}
