package proxy

import (
	"strings"
	"testing"
	"time"

	"larder/router"
)

// recordWorld is a shard of two nodes that get orders.
func recordWorld(t *testing.T, change func(*Options)) (w *heldWorld, a, b *fakeNode) {
	w = newHeldWorld(t, 1, change)
	a = w.node(0)
	topo, err := router.EvenShards("c", 2, []router.Shard{{Primary: router.Node{ID: "a", Addr: a.addr}, Replicas: []router.Node{{ID: "b", Addr: "127.0.0.1:7999"}}}})
	if err != nil {
		t.Fatal(err)
	}
	b = &fakeNode{w: w.world, addr: "127.0.0.1:7999", done: map[string][]int{}, in: map[string]int{}, name: "b", topo: topo, stream: a.stream}
	a.name, a.topo = "a", topo
	w.nodes[b.addr] = b
	w.order = append(w.order, b.addr)
	w.g.Adopt(topo)
	return w, a, b
}

// ordered is a record of the shard.
func ordered(epoch, term uint64, state router.State, nodes ...string) *router.Record {
	r := &router.Record{Epoch: epoch, Term: term, Reign: term, State: state, MinInSync: 1, Replicated: true}
	for _, node := range nodes {
		r.Set = append(r.Set, router.Run{Node: node, ID: "1"})
	}
	r.Primary = r.Set[0]
	return r
}

// TestRecords: lanes say the term of the shard's record, and commands go to whom it names.
func TestRecords(t *testing.T) {
	w, a, b := recordWorld(t, nil)
	a.record = ordered(3, 3, router.Normal, "a", "b")
	c := w.teller(0)
	c.says("$0\r\n\r\n", "GET", "k")
	a.record = ordered(4, 3, router.Normal, "a") // a mere change of the set
	c.says("$0\r\n\r\n", "GET", "k")
	if w.p.count.stale != 0 {
		t.Errorf("%d commands were refused", w.p.count.stale)
	}
	a.record = ordered(5, 5, router.Switching, "a", "b")
	c.says("", "GET", "k")
	a.record = ordered(6, 6, router.Normal, "b", "a")
	b.record = a.record
	w.pass(300 * time.Millisecond)
	c.gets("$0\r\n\r\n")
	if w.p.shards[0].addr != b.addr || len(w.p.records) != 1 {
		t.Errorf("the primary is thought to be %s, %d records are known", w.p.shards[0].addr, len(w.p.records))
	}
	b.record = ordered(7, 7, router.Normal, "b", "a")
	c.says("$0\r\n\r\n", "GET", "k")
}

// TestRecordOfOthers: when the primary cannot be reached the shard's other nodes are asked who it is.
func TestRecordOfOthers(t *testing.T) {
	w, a, b := recordWorld(t, nil)
	a.record = ordered(3, 3, router.Normal, "a", "b")
	c := w.teller(0)
	c.says("$0\r\n\r\n", "GET", "k")
	b.record = a.record
	a.die()
	a.dead = true
	w.pass(300 * time.Millisecond)
	b.record = ordered(5, 5, router.Normal, "b")
	c.conn.Feed([]byte("GET k\r\n"))
	w.pass(time.Second)
	c.conn.Written()
	c.says("$0\r\n\r\n", "GET", "k")
	a.dead = false
	w.pass(3 * time.Second)
	if u := w.p.upstreams[a.addr]; u != nil {
		t.Errorf("node a is still thought of: %d lanes", len(u.lanes))
	}
}

// TestRecordOfNobody: a command waits for a primary for a while.
func TestRecordOfNobody(t *testing.T) {
	w, a, _ := recordWorld(t, func(o *Options) { o.Upstream.FailoverTime = time.Second })
	a.record = ordered(3, 3, router.Electing, "a", "b")
	c := w.teller(0)
	c.says("", "GET", "k")
	w.pass(900 * time.Millisecond)
	c.gets("")
	w.pass(300 * time.Millisecond)
	c.gets("-CLUSTERDOWN node " + a.addr + " does not serve its shard: another one is to be its primary\r\n")
}

// TestHeldFollowsTheRecord: what was held for a primary is released by the next one, which has committed all that it has.
func TestHeldFollowsTheRecord(t *testing.T) {
	w, a, b := recordWorld(t, nil)
	a.record = ordered(3, 3, router.Normal, "a", "b")
	b.record = a.record
	c := w.teller(0)
	c.says("$0\r\n\r\n", "GET", "k")
	c.says("", "SET", "k", "1")
	a.die()
	a.dead = true
	w.pass(300 * time.Millisecond)
	b.stream = &fakeStream{history: strings.Repeat("b", 40), reign: 5, executed: 10, committed: 10, confirmed: 10, shared: map[string]int64{a.stream.history: 10}}
	c.gets("")
	b.record = ordered(5, 5, router.Normal, "b")
	w.pass(time.Second)
	c.gets("+OK\r\n")
	c.says("$1\r\n1\r\n", "GET", "k")
}

// TestTroubleOfOthers: while a shard has no primary its clients wait, and those of another shard do not; what is more than may wait is refused at once.
func TestTroubleOfOthers(t *testing.T) {
	w := newHeldWorldOf(t, 1, 2, func(o *Options) { o.Upstream.FailoverTime, o.Upstream.FailoverMaxBytes = time.Second, 100 })
	for i, name := range []string{"a", "b"} {
		n := w.node(i)
		n.name, n.record = name, ordered(3, 3, router.Normal, name)
	}
	sick := w.node(w.g.topo.Load().ShardOf([]byte("sick")))
	well := "k1"
	for i := 0; w.g.topo.Load().ShardOf([]byte(well)) == w.g.topo.Load().ShardOf([]byte("sick")); i++ {
		well = "k" + strings.Repeat("1", i)
	}
	one, two, three := w.teller(0), w.teller(1), w.teller(2)
	one.says("$0\r\n\r\n", "GET", "sick")
	two.says("$0\r\n\r\n", "GET", well)
	sick.die()
	sick.dead = true
	w.pass(100 * time.Millisecond)
	one.says("", "SET", "sick", "1")
	two.says("$0\r\n\r\n", "GET", well)
	three.says("-CLUSTERDOWN node "+sick.addr+" is out of reach: connection refused\r\n", "SET", "sick", strings.Repeat("x", 200))
	w.pass(500 * time.Millisecond)
	one.gets("")
	two.says("$0\r\n\r\n", "GET", well)
	w.pass(time.Second)
	one.gets("-CLUSTERDOWN node " + sick.addr + " is out of reach: connection refused\r\n")
	sick.dead = false
	w.pass(3 * time.Second)
	one.says("$0\r\n\r\n", "GET", "sick")
}
