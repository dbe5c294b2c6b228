package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/loop"
	"larder/protocol/resp"
)

// heldWorld is a gateway over nodes that say how far they are and commit when the test says so. A write is ten bytes of the stream.
type heldWorld struct {
	*world
	values map[string]string
}

func newHeldWorld(t *testing.T, shards int, change func(*Options)) *heldWorld {
	return newHeldWorldOf(t, 1, shards, change)
}

func newHeldWorldOf(t *testing.T, seed uint64, shards int, change func(*Options)) *heldWorld {
	w := &heldWorld{world: newWorld(t, seed, shards, true, change), values: map[string]string{}}
	w.g.parts = []*part{w.p}
	for i, addr := range w.order {
		w.nodes[addr].stream = &fakeStream{history: fmt.Sprintf("%040d", i), reign: 3, shared: map[string]int64{}}
	}
	w.runs = w.execute
	return w
}

func (w *heldWorld) execute(fc *fakeConn, name string, args [][]byte) bool {
	st := fc.n.stream
	switch name {
	case "LARDER":
		return fc.stampWords(args)
	case "RPUSH":
		st.executed += 10
		return false
	case "SUBSCRIBE":
		if fc.topics == nil {
			fc.topics = map[string]bool{}
		}
		for _, name := range args[1:] {
			fc.topics[string(name)] = true
			fc.out = append(fc.out, fmt.Sprintf(">3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:1\r\n", len(name), name)...)
		}
		return true
	case "SET", "GET", "MGET", "INFO", "PUBLISH", "WAIT":
	default:
		return false
	}
	if fc.multi {
		fc.queue(args)
		return true
	}
	if fc.refusesByRecord() {
		return true
	}
	switch name {
	case "SET":
		if st.refuses {
			fc.out = append(fc.out, "-NOREPLICAS Not enough good replicas to write.\r\n"...)
			return true
		}
		st.executed += 10
		w.values[string(args[1])] = string(args[2])
		fc.out = append(fc.out, "+OK\r\n"...)
	case "GET":
		fc.out = resp.AppendBulkString(fc.out, w.values[string(args[1])])
	case "MGET":
		fc.out = resp.AppendArray(fc.out, len(args)-1)
		for _, key := range args[1:] {
			fc.out = resp.AppendBulkString(fc.out, w.values[string(key)])
		}
	case "INFO":
		fc.out = resp.AppendBulkString(fc.out, "# Server\r\n")
	case "WAIT":
		fc.out = resp.AppendInt(fc.out, 1)
	case "PUBLISH":
		st.executed += 10
		for _, other := range fc.n.conns {
			if other.topics[string(args[1])] {
				at := len(other.out)
				other.out = append(other.out, ">3\r\n$7\r\nmessage\r\n"...)
				other.out = resp.AppendBulk(resp.AppendBulk(other.out, args[1]), args[2])
				other.stamp(at)
			}
		}
		fc.out = resp.AppendInt(fc.out, 1)
	}
	return true
}

// node is the primary of a shard.
func (w *heldWorld) node(shard int) *fakeNode {
	return w.nodes[w.g.topo.Load().Shards[shard].Primary.Addr]
}

// keyOf is a key of a shard.
func (w *heldWorld) keyOf(shard int) string {
	for i := 0; ; i++ {
		if key := fmt.Sprintf("k%d", i); w.g.topo.Load().ShardOf([]byte(key)) == shard {
			return key
		}
	}
}

// flow lets bytes travel until nothing moves, in no time.
func (w *heldWorld) flow() {
	for range 12 {
		w.m.EndTurn()
		w.dialled()
		for _, addr := range w.order {
			for _, fc := range w.nodes[addr].conns {
				fc.work(1 << 20)
				fc.answer(1 << 30)
			}
		}
	}
	w.m.EndTurn()
}

// pass lets time go by.
func (w *heldWorld) pass(d time.Duration) {
	for ; d > 0; d -= 100 * time.Millisecond {
		w.m.Advance(min(d, 100*time.Millisecond))
		w.flow()
	}
}

// commitAll commits what a node has executed.
func (w *heldWorld) commitAll(n *fakeNode) {
	n.commit(n.stream.executed, n.stream.executed)
	w.flow()
}

// teller is a client of the gateway.
type teller struct {
	w    *heldWorld
	conn *loop.MemConn
}

func (w *heldWorld) teller(i int) *teller { return &teller{w, w.client(i)} }

// says sends a command and wants that so much has come.
func (c *teller) says(want string, words ...string) {
	c.w.t.Helper()
	c.conn.Feed(resp.AppendCommandStrings(nil, words...))
	c.w.flow()
	c.gets(want)
}

func (c *teller) gets(want string) {
	c.w.t.Helper()
	if got := string(c.conn.Written()); got != want {
		c.w.t.Errorf("got %.300q, want %.300q", got, want)
	}
}

// TestHeld: what may show an uncommitted write waits until it is committed, and nothing else does.
func TestHeld(t *testing.T) {
	w := newHeldWorld(t, 2, nil)
	a, b := w.keyOf(0), w.keyOf(1)
	writer, reader, other := w.teller(0), w.teller(1), w.teller(2)
	for _, c := range []*teller{writer, reader, other} {
		c.says("$0\r\n\r\n", "GET", a)
		c.says("$0\r\n\r\n", "GET", b)
	}
	writer.says("", "SET", a, "1")
	reader.says("", "GET", a)
	other.says("$0\r\n\r\n", "GET", b)
	writer.says("", "GET", b) // behind its own
	writer.says("", "SET", a, "2")
	w.node(0).commit(10, 10)
	w.flow()
	writer.gets("+OK\r\n$0\r\n\r\n")
	reader.gets("$1\r\n1\r\n")
	w.node(0).commit(15, 15)
	w.flow()
	writer.gets("")
	w.commitAll(w.node(0))
	writer.gets("+OK\r\n")
	reader.says("$1\r\n2\r\n", "GET", a)
	if c := &w.p.count; c.held != 3 || c.unconfirmed != 0 || len(w.p.holds) != 0 {
		t.Errorf("%d were held, %d failed, %d connections hold something", c.held, c.unconfirmed, len(w.p.holds))
	}
	if s := w.p.sessions[1]; s.held != 0 || w.p.bufs.held != 0 {
		t.Errorf("%d bytes of the session are counted, %d of all", s.held, w.p.bufs.held)
	}
}

// TestHeldWhileTheSetIsSmall: writes wait for more than reads do; what was refused does not wait, nor what is not about data.
func TestHeldWhileTheSetIsSmall(t *testing.T) {
	w := newHeldWorld(t, 1, nil)
	k := w.keyOf(0)
	writer, reader := w.teller(0), w.teller(1)
	writer.says("", "SET", k, "1")
	reader.says("", "GET", k)
	w.node(0).stream.refuses = true
	w.node(0).commit(10, 0)
	w.flow()
	writer.gets("")
	reader.gets("$1\r\n1\r\n")
	reader.says("$1\r\n1\r\n", "GET", k)
	reader.says("-NOREPLICAS Not enough good replicas to write.\r\n", "SET", k, "2")
	w.node(0).stream.executed = 20 // another gateway's
	reader.says("-NOREPLICAS Not enough good replicas to write.\r\n", "SET", k, "2")
	reader.conn.Feed(resp.AppendCommandStrings(nil, "INFO", "server"))
	w.flow()
	if text := string(reader.conn.Written()); !strings.Contains(text, "# Server") {
		t.Errorf("INFO: %.100q", text)
	}
	reader.says("", "GET", k)
	w.commitAll(w.node(0))
	writer.gets("+OK\r\n")
	reader.gets("$1\r\n1\r\n")
}

// TestHeldTooLong: after the hold time a write is UNKNOWN, and a read an error that drivers repeat; what came later has its own time.
func TestHeldTooLong(t *testing.T) {
	w := newHeldWorld(t, 1, nil)
	k, addr := w.keyOf(0), w.node(0).addr
	writer, reader, late := w.teller(0), w.teller(1), w.teller(2)
	writer.says("", "SET", k, "1")
	reader.says("", "GET", k)
	w.pass(1900 * time.Millisecond)
	late.says("", "SET", k, "2")
	writer.gets("")
	w.pass(200 * time.Millisecond)
	writer.gets("-UNKNOWN the command ran at node " + addr + " and was not confirmed within 2s: it may be lost\r\n")
	reader.gets("-CLUSTERDOWN node " + addr + " has not confirmed what the reply shows within 2s\r\n")
	late.gets("")
	w.commitAll(w.node(0))
	late.gets("+OK\r\n")
	writer.says("$1\r\n2\r\n", "GET", k)
	if c := &w.p.count; c.unconfirmed != 2 || c.unknown != 1 {
		t.Errorf("%d failed, %d unknown", c.unconfirmed, c.unknown)
	}
}

// TestHeldParts: a reply over several shards waits for each shard's commit, a transaction for its own, a command that waited too, whose lane goes back meanwhile.
func TestHeldParts(t *testing.T) {
	w := newHeldWorld(t, 2, nil)
	a, b := w.keyOf(0), w.keyOf(1)
	c, other := w.teller(0), w.teller(1)
	c.says("*2\r\n$0\r\n\r\n$0\r\n\r\n", "MGET", a, b)
	w.node(0).stream.executed, w.node(1).stream.executed = 10, 10
	c.says("", "MGET", a, b)
	w.commitAll(w.node(1))
	c.gets("")
	w.commitAll(w.node(0))
	c.gets("*2\r\n$0\r\n\r\n$0\r\n\r\n")

	c.says("+OK\r\n", "MULTI")
	c.says("+QUEUED\r\n", "SET", a, "1")
	c.says("+QUEUED\r\n", "GET", a)
	c.says("", "EXEC")
	w.commitAll(w.node(0))
	c.gets("*2\r\n+OK\r\n$1\r\n1\r\n")

	c.says("", "BLPOP", a, "0")
	other.says("", "RPUSH", a, "x")
	c.gets("")
	if u := w.p.shards[0]; u.lent != 0 || len(u.idle) != 1 || w.g.blocked.Load() != 0 {
		t.Errorf("%d lanes are lent, %d rest, %d clients are said to wait", u.lent, len(u.idle), w.g.blocked.Load())
	}
	w.commitAll(w.node(0))
	c.gets(fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$1\r\nx\r\n", len(a), a))
	other.gets(":1\r\n")

	// A client that leaves takes only what is its own with it.
	c.says("", "BLPOP", a, "0")
	other.says("", "RPUSH", a, "y")
	c.conn.Hangup(errors.New("gone"))
	w.commitAll(w.node(0))
	other.gets(":1\r\n")
	if u := w.p.shards[0]; len(u.idle) != 1 || len(w.p.sessions) != 1 || len(w.p.holds) != 0 {
		t.Errorf("%d lanes rest, %d sessions, %d holds", len(u.idle), len(w.p.sessions), len(w.p.holds))
	}
}

// TestHeldIsHeardOnAnyLane: a stamp on one lane lets go what came over another of the same node.
func TestHeldIsHeardOnAnyLane(t *testing.T) {
	w := newHeldWorld(t, 1, nil)
	k := w.keyOf(0)
	two, three := w.teller(0), w.teller(1)
	three.conn.Feed(resp.AppendCommandStrings(nil, "HELLO", "3"))
	w.flow()
	three.conn.Written()
	two.says("", "SET", k, "1")
	w.node(0).stream.committed, w.node(0).stream.confirmed = 10, 10 // nobody is told
	two.gets("")
	three.says("$1\r\n1\r\n", "GET", k)
	two.gets("+OK\r\n")
}

// TestHeldMessages: what is published is held, and what the node says behind it; it is lost if it is not committed in time.
func TestHeldMessages(t *testing.T) {
	w := newHeldWorld(t, 1, nil)
	hearer, speaker, late := w.teller(0), w.teller(1), w.teller(2)
	hearer.says("*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n", "SUBSCRIBE", "ch")
	speaker.says(":1\r\n", "PUBLISH", "ch", "one")
	hearer.gets("")
	hearer.says("", "PING") // behind what was published before
	w.commitAll(w.node(0))
	hearer.gets("*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$3\r\none\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n")

	speaker.says(":1\r\n", "PUBLISH", "ch", "two")
	late.says("", "SUBSCRIBE", "other")
	w.pass(2100 * time.Millisecond)
	hearer.gets("")
	late.gets("*3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:1\r\n")
	if w.p.count.messagesUnsafe != 1 {
		t.Errorf("%d messages are lost", w.p.count.messagesUnsafe)
	}
	w.commitAll(w.node(0))
	speaker.says(":1\r\n", "PUBLISH", "ch", "three")
	w.commitAll(w.node(0))
	hearer.gets("*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$5\r\nthree\r\n")
}

// TestHeldLarge: a large reply is passed on in pieces once it may be, of which is heard over another lane while it stands in the way.
func TestHeldLarge(t *testing.T) {
	w := newHeldWorld(t, 1, nil)
	k := w.keyOf(0)
	c := w.teller(0)
	c.says("$0\r\n\r\n", "GET", k)
	w.values[k] = strings.Repeat("x", 4<<20)
	w.node(0).stream.executed = 10
	c.conn.Feed(resp.AppendCommandStrings(nil, "GET", k))
	w.m.EndTurn()
	fc := w.node(0).conns[0]
	fc.work(1)
	fc.answer(1 << 19)
	w.m.Advance(20 * time.Millisecond)
	fc.answer(1 << 19)
	all := w.node(0).conns
	w.node(0).conns = all[1:] // it says no more for now
	w.pass(100 * time.Millisecond)
	if got := c.conn.Written(); len(got) != 0 || len(w.node(0).conns) == 0 {
		t.Fatalf("%d bytes have come that are not committed, there are %d other lanes", len(got), len(w.node(0).conns))
	}
	w.commitAll(w.node(0))
	w.node(0).conns = append(w.node(0).conns, fc)
	fc.answer(1 << 20)
	w.m.EndTurn()
	first := len(c.conn.Written())
	if first < 1<<20 {
		t.Errorf("%d bytes have come", first)
	}
	fc.answer(1 << 30)
	w.flow()
	if rest := len(c.conn.Written()); first+rest != 4<<20+len("$4194304\r\n\r\n") {
		t.Errorf("%d bytes and %d", first, rest)
	}

	w.node(0).stream.executed = 20 // and of one that is committed only when it is there
	c.says("", "GET", k)
	w.commitAll(w.node(0))
	if got := len(c.conn.Written()); got != 4<<20+len("$4194304\r\n\r\n") {
		t.Errorf("%d bytes", got)
	}
}

// TestHeldBytes: what is held is the client's output, and bounded like that.
func TestHeldBytes(t *testing.T) {
	w := newHeldWorld(t, 1, func(o *Options) { o.OutputMaxBytes = 1 << 20 })
	k := w.keyOf(0)
	c, other := w.teller(0), w.teller(1)
	w.values[k] = strings.Repeat("x", 200<<10)
	w.node(0).stream.executed = 10
	for i := range 7 {
		c.says("", "GET", k)
		if want := i >= 5; c.conn.Closed != want {
			t.Fatalf("after %d replies: closed %v", i+1, c.conn.Closed)
		}
	}
	other.says("", "GET", k)
	w.commitAll(w.node(0))
	if got := other.conn.Written(); len(got) < 200<<10 || w.p.bufs.held != 0 {
		t.Errorf("the other one got %d bytes, %d are counted", len(got), w.p.bufs.held)
	}
}

// TestHeldWhenItsLaneIsLost: what had come goes on waiting for the same stream, or for a later primary that has it.
func TestHeldWhenItsLaneIsLost(t *testing.T) {
	for _, c := range []struct {
		name  string
		then  func(w *heldWorld, n *fakeNode) // what the node is when it is back
		write string
		read  string
	}{
		{"the same stream", func(w *heldWorld, n *fakeNode) { w.commitAll(n) }, "+OK\r\n", "$1\r\n1\r\n"},
		{"a later primary has it", func(w *heldWorld, n *fakeNode) {
			n.stream = &fakeStream{history: strings.Repeat("b", 40), reign: 4, executed: 12, shared: map[string]int64{n.stream.history: 10}}
			w.pass(200 * time.Millisecond)
			if len(w.p.holds) == 0 {
				w.t.Error("it is released before the new primary has committed it")
			}
			w.commitAll(n)
		}, "+OK\r\n", "$1\r\n1\r\n"},
		{
			"a later primary lacks it", func(w *heldWorld, n *fakeNode) {
				n.stream = &fakeStream{history: strings.Repeat("b", 40), reign: 4, executed: 9, committed: 9, confirmed: 9, shared: map[string]int64{n.stream.history: 9}}
				w.pass(200 * time.Millisecond)
			}, "-UNKNOWN the command ran at node ADDR, which was replaced by one that does not have it\r\n",
			"-CLUSTERDOWN node ADDR was replaced by one that does not have what the reply shows\r\n",
		},
		{"another stream", func(w *heldWorld, n *fakeNode) {
			n.stream = &fakeStream{history: strings.Repeat("b", 40), reign: 4, executed: 90, committed: 90, confirmed: 90}
			w.pass(2100 * time.Millisecond)
		}, "-UNKNOWN the command ran at node ADDR and was not confirmed within 2s: it may be lost\r\n", "-CLUSTERDOWN node ADDR has not confirmed what the reply shows within 2s\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newHeldWorld(t, 1, nil)
			k, n := w.keyOf(0), w.node(0)
			writer, reader := w.teller(0), w.teller(1)
			writer.says("", "SET", k, "1")
			reader.says("", "GET", k)
			n.die()
			w.flow()
			writer.gets("")
			c.then(w, n)
			w.pass(300 * time.Millisecond)
			writer.gets(strings.ReplaceAll(c.write, "ADDR", n.addr))
			reader.gets(strings.ReplaceAll(c.read, "ADDR", n.addr))
			if len(w.p.holds) != 0 || w.p.bufs.held != 0 {
				t.Errorf("%d holds, %d bytes", len(w.p.holds), w.p.bufs.held)
			}
		})
	}
}

// TestHeldBesideCaches: that a key is invalid is told at once, but behind what its session has read before.
func TestHeldBesideCaches(t *testing.T) {
	w := newHeldWorld(t, 1, nil)
	k := w.keyOf(0)
	c := w.teller(0)
	c.conn.Feed(resp.AppendCommandStrings(nil, "HELLO", "3"))
	w.flow()
	c.conn.Written()
	c.conn.Feed(resp.AppendCommandStrings(nil, "CLIENT", "TRACKING", "ON"))
	w.pass(100 * time.Millisecond)
	c.gets("+OK\r\n")
	w.values[k] = "1"
	c.says("$1\r\n1\r\n", "GET", k)
	invalid := fmt.Sprintf(">2\r\n$10\r\ninvalidate\r\n*1\r\n$%d\r\n%s\r\n", len(k), k)
	tell := func() {
		for _, fc := range w.node(0).conns {
			if fc.mc.Conn == w.p.shards[0].shared[lineReads3-2].c {
				fc.mc.Feed([]byte(invalid))
			}
		}
		w.flow()
	}
	w.node(0).stream.executed = 10
	tell()
	c.gets(invalid)
	c.says("", "GET", k)
	tell()
	c.gets("")
	w.commitAll(w.node(0))
	c.gets("$1\r\n1\r\n" + invalid)
}

// TestStampsAllocateNothing: the way of a GET or SET makes no garbage where the node says with each write how far it is, and all of it is committed.
func TestStampsAllocateNothing(t *testing.T) {
	w := newHeldWorld(t, 3, nil)
	client := w.client(0)
	get, value := []byte("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"), []byte("$5\r\nvalue\r\n")
	client.Feed(get)
	w.flow()
	client.Written()
	node := w.node(w.g.topo.Load().ShardOf([]byte("key"))).conns[0]
	set, ok := []byte("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n"), []byte("+OK\r\n")
	var said []byte
	at := int64(1000)
	run := func(command, reply []byte) {
		client.Feed(command)
		w.m.EndTurn()
		if !bytes.Equal(node.mc.Written(), command) {
			t.Fatal("the command did not reach the node")
		}
		at++
		said = append(said[:0], ">4\r\n$5\r\nstamp\r\n:3\r\n"...)
		said = resp.AppendInt(resp.AppendInt(said, at), at)
		node.mc.Feed(append(said, reply...))
		w.m.EndTurn()
		if !bytes.Equal(client.Written(), reply) {
			t.Fatal("the reply did not reach the client")
		}
	}
	run(set, ok)
	run(get, value)
	if allocs := testing.AllocsPerRun(1000, func() { run(get, value); run(set, ok) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
