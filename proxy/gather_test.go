package proxy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/loop"
	"larder/protocol/resp"
	"larder/router"
)

// Of two shards foo and y are the one's, bar the other's.
const acrossKeys = "foo bar"

// gatherWorld has two shards whose lanes are greeted, and a client.
func gatherWorld(t *testing.T, larder bool, change func(*Options)) (*world, *loop.MemConn) {
	w := newWorld(t, 1, 2, larder, change)
	c := w.client(0)
	w.talk(c, "MGET foo bar")
	if a, b := w.p.topo.ShardOf([]byte("foo")), w.p.topo.ShardOf([]byte("bar")); a == b {
		t.Fatal("the keys are one shard's")
	}
	return w, c
}

// conn is the node's end of the shared lane to the shard of a key.
func (w *world) conn(key string) *fakeConn {
	ln := w.p.shards[w.p.topo.ShardOf([]byte(key))].shared[0]
	for _, n := range w.nodes {
		for _, fc := range n.conns {
			if ln != nil && fc.mc.Conn == ln.c {
				return fc
			}
		}
	}
	w.t.Fatalf("the shard of %s has no lane", key)
	return nil
}

// say has a client send lines; the nodes do nothing yet.
func (w *world) say(c *loop.MemConn, lines ...string) {
	for _, line := range lines {
		c.Feed(resp.AppendCommandStrings(nil, strings.Fields(line)...))
	}
	w.m.EndTurn()
}

// heard is what has come to a node and was not run, words parted by blanks.
func (fc *fakeConn) heard() string {
	fc.take()
	var words []string
	var requests resp.Requests
	requests.Reset(resp.DefaultLimits())
	for at := 0; ; {
		req, n, st := requests.Next(fc.in[at:])
		if st != resp.Done {
			return strings.Join(words, " ")
		}
		at += n
		for _, word := range req.Args {
			words = append(words, string(word))
		}
	}
}

// reply answers by hand what a node has heard.
func (w *world) reply(fc *fakeConn, reply string) {
	fc.take()
	fc.in = nil
	fc.mc.Feed([]byte(reply))
	w.m.EndTurn()
}

func wants(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %.200q, want %q", what, got, want)
	}
}

func written(c *loop.MemConn) string { return strings.Join(strings.Fields(string(c.Written())), " ") }

// rest: nothing is kept, and the session goes on.
func (w *world) rest(c *loop.MemConn) {
	w.t.Helper()
	if w.p.gathered != 0 {
		w.t.Errorf("%d bytes are still kept", w.p.gathered)
	}
	wants(w.t, "what comes next", w.talk(c, "GETSET foo 7", "GETSET bar 8"), "$1 7 $1 8")
}

// TestGatherAlone: a command over shards begins when all before it is answered, and what follows waits for it.
func TestGatherAlone(t *testing.T) {
	w, c := gatherWorld(t, false, nil)
	other := w.client(1)
	foo, bar := w.conn("foo"), w.conn("bar")
	w.say(c, "GETSET foo 1", "SUNION "+acrossKeys, "GETSET bar 2")
	wants(t, "before", foo.heard()+"|"+bar.heard(), "GETSET foo 1|")
	w.reply(foo, "$1\r\n1\r\n")
	wants(t, "asked", foo.heard()+"|"+bar.heard(), "smembers foo|smembers bar")
	w.reply(bar, "*1\r\n$1\r\nb\r\n")
	wants(t, "half of it", written(c), "$1 1")
	w.say(other, "GETSET bar 5")
	w.reply(bar, "$1\r\n5\r\n")
	wants(t, "another session", written(other), "$1 5")
	w.reply(foo, "*2\r\n$1\r\na\r\n$1\r\nb\r\n")
	wants(t, "answered", written(c), "*2 $1 a $1 b")
	wants(t, "behind", bar.heard(), "GETSET bar 2")
	w.reply(bar, "$1\r\n2\r\n")
	wants(t, "in order", written(c), "$1 2")
	w.rest(c)
}

// TestGatherMax: what is too much is dropped as it comes, the command fails, and nothing else does.
func TestGatherMax(t *testing.T) {
	w, c := gatherWorld(t, false, func(o *Options) { o.GatherMaxBytes = 4 << 10 })
	foo, bar := w.conn("foo"), w.conn("bar")
	w.say(c, "SUNION "+acrossKeys, "GETSET foo 1")
	large := "*1000\r\n" + strings.Repeat("$10\r\n0123456789\r\n", 1000)
	w.reply(bar, "*0\r\n")
	for at := 0; at < len(large); at += 1000 {
		w.reply(foo, large[at:min(at+1000, len(large))])
		if w.p.gathered > 4<<10+1000 {
			t.Fatalf("%d bytes are kept", w.p.gathered)
		}
	}
	if got := string(c.Written()); !strings.HasPrefix(got, "-ERR what sunion needs of several shards is more than gateway.gather-max (4096 bytes)") {
		t.Errorf("got %q", got)
	}
	if w.p.count.gatherRefused != 1 {
		t.Error("it is not counted")
	}
	w.reply(foo, "$1\r\n1\r\n")
	wants(t, "behind", written(c), "$1 1")
	w.rest(c)
	// Members count more than their bytes.
	w.say(c, "SDIFF "+acrossKeys)
	w.reply(bar, "*0\r\n")
	w.reply(foo, "*100\r\n"+strings.Repeat("$1\r\na\r\n", 100))
	if got := written(c); !strings.HasPrefix(got, "-ERR what sdiff needs") {
		t.Errorf("got %q", got)
	}
	w.rest(c)
}

// TestGatherMaxOfLoop: all commands of a loop together have a limit too.
func TestGatherMaxOfLoop(t *testing.T) {
	w, c := gatherWorld(t, false, func(o *Options) { o.GatherMaxBytes = 4 << 10 })
	foo, bar := w.conn("foo"), w.conn("bar")
	reply := "$3000\r\n" + strings.Repeat("x", 3000) + "\r\n"
	const clients = 6
	var all []*loop.MemConn
	for i := range clients {
		all = append(all, w.client(i+1))
		w.say(all[i], "PFCOUNT "+acrossKeys)
		w.reply(bar, reply)
	}
	for range all {
		w.reply(foo, "$-1\r\n")
	}
	refused, wrong := 0, 0
	for _, one := range all {
		switch got := written(one); {
		case strings.HasPrefix(got, "-ERR what pfcount needs"):
			refused++
		case strings.HasPrefix(got, "-WRONGTYPE Key is not a valid HyperLogLog"):
			wrong++
		}
	}
	if refused == 0 || wrong == 0 || refused+wrong != clients {
		t.Errorf("%d refused, %d answered", refused, wrong)
	}
	w.rest(c)
}

// TestGatherLost: a reply that was lost half way is asked for again; what stays out of reach is an error.
func TestGatherLost(t *testing.T) {
	w, c := gatherWorld(t, false, nil)
	foo, bar := w.conn("foo"), w.conn("bar")
	w.say(c, "SUNION "+acrossKeys)
	w.reply(bar, "*1\r\n$1\r\nb\r\n")
	w.reply(foo, "*2\r\n$1\r\nx\r\n$1\r\n")
	foo.n.die()
	wants(t, "after the loss", w.talk(c), "*2 $3 foo $1 b")
	w.rest(c)

	w.say(c, "SUNION "+acrossKeys)
	n := w.conn("foo").n
	n.dead = true
	n.die()
	if got := w.talk(c, "GETSET bar 3"); !strings.HasPrefix(got, "-CLUSTERDOWN node "+n.addr) || !strings.HasSuffix(got, "$1 3") {
		t.Errorf("got %q", got)
	}
	n.dead = false
	w.m.Advance(3 * time.Second)
	w.rest(c)
}

// TestGatherSlow: a shard that does not answer delays only who waits for it; the deadline ends that, in order.
func TestGatherSlow(t *testing.T) {
	w, c := gatherWorld(t, false, nil)
	other := w.client(1)
	bar := w.conn("bar")
	w.say(c, "SUNION "+acrossKeys, "GETSET bar 1")
	for i := range 3 * int(w.p.opts.Upstream.ReplyTimeout/time.Second) { // foo's shard hears and says nothing
		w.say(other, "GETSET bar 2")
		bar.work(10)
		bar.answer(1 << 20)
		w.m.EndTurn()
		if got := written(other); got != "$1 2" {
			t.Fatalf("another session got %q in second %d", got, i)
		}
		w.m.Advance(time.Second)
		for _, d := range w.m.Dials() {
			d.Fail(errors.New("no answer"))
		}
	}
	bar.work(10)
	bar.answer(1 << 20)
	w.m.EndTurn()
	if got := written(c); !strings.HasPrefix(got, "-CLUSTERDOWN node ") || !strings.HasSuffix(got, "$1 1") {
		t.Errorf("got %q", got)
	}
	w.rest(c)
}

// TestGatherMoves: keys of one shard that become two shards' while they are asked for: all is asked anew, of the new owners.
func TestGatherMoves(t *testing.T) {
	w, c := gatherWorld(t, true, nil)
	w.say(c, "SUNION foo y bar")
	newer := w.parted(2, 12200)
	if newer.ShardOf([]byte("foo")) == newer.ShardOf([]byte("y")) || w.p.topo.ShardOf([]byte("foo")) != w.p.topo.ShardOf([]byte("y")) {
		t.Fatal("the keys do not part")
	}
	for i, addr := range w.order {
		w.nodes[addr].topo, w.nodes[addr].shard = newer, i
	}
	wants(t, "reply", inOrder(strings.ReplaceAll(w.talk(c), " ", "\r\n")+"\r\n"), inOrder("*3\r\n$3\r\nbar\r\n$3\r\nfoo\r\n$1\r\ny\r\n"))
	if w.p.count.stale == 0 {
		t.Error("nothing was stale")
	}
	w.rest(c)
}

// parted is a topology in which the slots from one on are the second node's, all others the first's.
func (w *world) parted(epoch uint64, from int) *router.Topology {
	shards := make([]router.Shard, 2)
	for i, addr := range w.order {
		shards[i].Primary = router.Node{Addr: addr, External: !w.larder}
	}
	shards[0].Slots = []router.Range{{From: 0, To: from - 1}}
	shards[1].Slots = []router.Range{{From: from, To: router.Slots - 1}}
	topo, err := router.New("c", epoch, shards)
	if err != nil {
		w.t.Fatal(err)
	}
	return topo
}

// TestStepsGone: what writes goes to its end though its client has left.
func TestStepsGone(t *testing.T) {
	w, c := gatherWorld(t, false, func(o *Options) { o.CrossSlot = crossAllow })
	foo, bar := w.conn("foo"), w.conn("bar")
	w.say(c, "LMOVE "+acrossKeys+" LEFT RIGHT")
	wants(t, "first", foo.heard(), "lindex foo 0")
	w.reply(foo, "$1\r\nx\r\n")
	wants(t, "second", bar.heard(), "rpush bar x")
	c.Hangup(errors.New("gone"))
	w.reply(bar, ":1\r\n")
	wants(t, "third", foo.heard(), "lrem foo 1 x")
	w.reply(foo, ":1\r\n")
	w.rest(w.client(1))
}

// TestStepsContend: an element that another took meanwhile is taken back, and the next is moved; not for ever.
func TestStepsContend(t *testing.T) {
	w, c := gatherWorld(t, false, func(o *Options) { o.CrossSlot = crossAllow })
	foo, bar := w.conn("foo"), w.conn("bar")
	w.say(c, "RPOPLPUSH "+acrossKeys)
	for try := range stepTriesMax {
		wants(t, "look", foo.heard(), "lindex foo -1")
		w.reply(foo, fmt.Sprintf("$2\r\n%02d\r\n", try))
		wants(t, "add", bar.heard(), fmt.Sprintf("lpush bar %02d", try))
		w.reply(bar, ":1\r\n")
		wants(t, "take", foo.heard(), fmt.Sprintf("lrem foo -1 %02d", try))
		w.reply(foo, ":0\r\n")
		wants(t, "take back", bar.heard(), fmt.Sprintf("lrem bar 1 %02d", try))
		w.reply(bar, ":1\r\n")
	}
	if got := string(c.Written()); !strings.HasPrefix(got, "-TRYAGAIN ") {
		t.Errorf("got %q", got)
	}
	w.rest(c)
}

// TestGatherLittle: SINTER and SINTERCARD fetch as little as is right.
func TestGatherLittle(t *testing.T) {
	w, c := gatherWorld(t, false, nil)
	foo, bar := w.conn("foo"), w.conn("bar")
	w.say(c, "SINTER foo y bar")
	wants(t, "sizes", foo.heard()+"|"+bar.heard(), "scard foo scard y|scard bar")
	w.reply(foo, ":5000\r\n:0\r\n")
	w.reply(bar, ":7\r\n")
	wants(t, "of an empty set", written(c), "*0")

	w.say(c, "SINTERCARD 3 foo y bar LIMIT 2")
	w.reply(foo, ":4\r\n:3\r\n")
	w.reply(bar, ":5\r\n")
	wants(t, "few", foo.heard()+"|"+bar.heard(), "sinter foo y|smembers bar")
	w.reply(foo, "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n")
	w.reply(bar, "*5\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n")
	wants(t, "of few", written(c), ":2")

	w.say(c, "SINTER foo y bar")
	w.reply(foo, ":5000\r\n:9000\r\n")
	w.reply(bar, ":3\r\n")
	wants(t, "the smallest", foo.heard()+"|"+bar.heard(), "|smembers bar")
	w.reply(bar, "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n")
	wants(t, "who has them", foo.heard(), "smismember foo a b c smismember y a b c")
	w.reply(foo, "*3\r\n:1\r\n:1\r\n:0\r\n*3\r\n:0\r\n:1\r\n:1\r\n")
	wants(t, "of many", written(c), "*1 $1 b")

	w.say(c, "SINTERCARD 2 foo bar")
	w.reply(foo, ":5000\r\n")
	w.reply(bar, "-WRONGTYPE no set\r\n")
	wants(t, "of no set", written(c), "-WRONGTYPE no set")
	w.rest(c)
}
