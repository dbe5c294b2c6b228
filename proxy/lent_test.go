package proxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"larder/loop"
	"larder/protocol/resp"
)

// lentClient mixes transactions, watched ones among them, commands that wait, and plain ones.
type lentClient struct {
	number int
	conn   *loop.MemConn
	asked  []lentAsked
	got    []string
	parse  resp.Replies
	in     []byte
	rest   []byte
	left   bool // it has closed its connection
}

// lentAsked is a command that a client sent, and what may be answered.
type lentAsked struct {
	what string   // OK, QUEUED, EXEC, value, push, pop
	ids  []string // of EXEC: its commands; else its own
	held bool     // of EXEC: keys were watched
}

// TestLent: replies come in the order of the commands and are each its own client's; a transaction runs once and as a whole, and a watched one never
// unwatched; no element is given away twice; and when all clients have gone nothing is left: no lent lane, no command that waits, no byte that is counted.
func TestLent(t *testing.T) {
	eachSeed(t, 300, testLent)
}

func testLent(t *testing.T, seed uint64) {
	w := newWorld(t, seed, 1+int(seed%4), seed%2 == 0, func(o *Options) { o.PendingMax = 2 + int(seed%30) })
	var clients []*lentClient
	for i := range 2 + int(seed%5) {
		clients = append(clients, &lentClient{number: i, conn: w.client(i)})
	}
	for range 300 {
		c := clients[w.rand.IntN(len(clients))]
		c.send(w)
		w.step()
		c.read(t)
		if w.rand.IntN(150) == 0 && !c.left {
			c.left = true
			c.conn.Hangup(nil)
		}
	}
	for _, c := range clients {
		c.conn.Feed(c.rest)
		c.rest = nil
	}
	w.settle(func() bool {
		for _, c := range clients {
			c.read(t)
			if !c.left && !c.waits(w) && len(c.got) < len(c.asked) {
				return false
			}
		}
		return true
	})
	for _, c := range clients {
		c.check(t, w)
	}
	w.checkOnce()
	for _, c := range clients {
		c.conn.Hangup(nil)
	}
	w.settle(func() bool { return w.p.lentLanes() == 0 && len(w.p.retries) == 0 && len(w.p.sessions) == 0 })
	if n := w.p.lentLanes(); n > 0 {
		t.Errorf("%d lanes are still lent", n)
	}
	if w.g.blocked.Load() != 0 || w.p.txs.bytes != 0 || len(w.p.retries) != 0 {
		t.Errorf("%d clients wait, %d bytes are queued, %d commands are to go again", w.g.blocked.Load(), w.p.txs.bytes, len(w.p.retries))
	}
	for _, n := range w.nodes {
		for _, fc := range n.conns {
			if (fc.waits != nil || fc.watched != nil) && !fc.mc.Closed {
				t.Errorf("a connection to %s still waits or watches: %+v %v", n.addr, fc.waits, fc.watched)
			}
		}
	}
}

func (p *part) lentLanes() (n int) {
	for _, u := range p.upstreams {
		n += u.lent
	}
	return n
}

// waits says whether the client's next reply is that of a command for which there is nothing.
func (c *lentClient) waits(w *world) bool {
	at := len(c.got)
	return at < len(c.asked) && c.asked[at].what == "pop" && len(w.lists["q"]) == 0
}

func (c *lentClient) say(what string, held bool, ids []string, words ...string) {
	c.asked = append(c.asked, lentAsked{what: what, ids: ids, held: held})
	c.rest = resp.AppendCommandStrings(c.rest, words...)
}

func (c *lentClient) send(w *world) {
	r := w.rand
	if c.left {
		return
	}
	id := func() string { return fmt.Sprintf("%d:%d", c.number, len(c.asked)) }
	key := fmt.Sprintf("{k%d}", r.IntN(8))
	switch r.IntN(8) {
	case 0, 1:
		one := id()
		c.say("value", false, []string{one}, "GETSET", key, one)
	case 2, 3, 4:
		watch := r.IntN(2) == 0
		mark := ""
		if watch {
			mark = "w"
			c.say("OK", false, nil, "WATCH", key)
		}
		c.say("OK", false, nil, "MULTI")
		var ids []string
		for i := range 1 + r.IntN(4) {
			one := id() + mark
			ids = append(ids, one)
			c.say("QUEUED", false, nil, "GETSET", key+fmt.Sprint(i), one)
		}
		switch r.IntN(8) {
		case 0:
			c.say("OK", false, nil, "DISCARD")
		case 1:
			c.say("QUEUED", false, nil, "CLIENT", "GETNAME")
			c.say("EXEC", watch, append(ids, "$-1"), "EXEC")
		default:
			c.say("EXEC", watch, ids, "EXEC")
		}
	case 5:
		one := id()
		c.say("push", false, []string{one}, "RPUSH", "q", one)
	case 6:
		one := id()
		c.say("pop", false, []string{one}, "BLPOP", "q", "{q}"+one, "0")
	case 7:
		c.say("OK", false, nil, "WATCH", key)
		c.say("OK", false, nil, "UNWATCH")
	}
	cut := r.IntN(len(c.rest) + 1)
	c.conn.Feed(slices.Clone(c.rest[:cut]))
	c.rest = c.rest[cut:]
}

func (c *lentClient) read(t *testing.T) {
	c.in = append(c.in, c.conn.Written()...)
	for {
		n, _, st := c.parse.Next(c.in)
		if st == resp.More {
			return
		}
		if st == resp.Failed || len(c.got) == len(c.asked) {
			t.Fatalf("client %d: %s, got %q after %d replies for %d commands", c.number, c.parse.Err(), c.in, len(c.got), len(c.asked))
		}
		c.got = append(c.got, string(c.in[:n]))
		c.in = slices.Clone(c.in[n:])
		c.parse.Reset()
	}
}

// check holds the client's replies against what ran.
func (c *lentClient) check(t *testing.T, w *world) {
	if !c.left && !c.waits(w) && len(c.got) < len(c.asked) {
		t.Errorf("client %d: %d replies for %d commands, the next is %v", c.number, len(c.got), len(c.asked), c.asked[len(c.got)])
	}
	for i, got := range c.got {
		a := &c.asked[i]
		down, unknown := strings.HasPrefix(got, "-CLUSTERDOWN "), strings.HasPrefix(got, "-UNKNOWN ")
		null := a.held && (got == "*-1\r\n" || got == "_\r\n")
		runs := 0
		for _, id := range a.ids {
			runs += len(w.ran(id))
		}
		ok := false
		switch a.what {
		case "OK", "QUEUED":
			ok = got == "+"+a.what+"\r\n" || a.what == "OK" && down
		case "value":
			ok = got == string(resp.AppendBulkString(nil, a.ids[0])) && runs == 1
		case "push":
			ok = got == ":1\r\n" && runs == 1
		case "pop":
			ok = unknown || down || c.popped(w, a, got)
		case "EXEC":
			ok = c.executed(w, a, got) || null && runs == 0
		}
		if a.what != "OK" && a.what != "QUEUED" {
			ok = ok || unknown || down && runs == 0
		}
		if !ok {
			t.Errorf("client %d, command %d, %v: got %q; it ran %d times", c.number, i, *a, got, runs)
		}
	}
}

// popped says whether the reply has an element that was given to this command.
func (c *lentClient) popped(w *world, a *lentAsked, got string) bool {
	it := resp.Elements([]byte(got))
	it.Next()
	value, ok := it.Next()
	element, _ := resp.BulkOf(value)
	return ok && w.taken[string(element)] == "{q}"+a.ids[0]
}

// executed says whether the reply is that of the whole transaction, and all of it ran one behind the other.
func (c *lentClient) executed(w *world, a *lentAsked, got string) bool {
	want, last := resp.AppendArray(nil, len(a.ids)), 0
	for _, id := range a.ids {
		if id == "$-1" {
			want = append(want, "$-1\r\n"...)
			continue
		}
		want = resp.AppendBulkString(want, id)
		at := w.ran(id)
		if len(at) != 1 || last != 0 && at[0] != last+1 {
			return false
		}
		last = at[0]
	}
	return got == string(want)
}

func (w *world) ran(id string) (at []int) {
	for _, n := range w.nodes {
		at = append(at, n.done[id]...)
	}
	return at
}

// checkOnce: nothing that writes ran twice, whatever was answered.
func (w *world) checkOnce() {
	for _, n := range w.nodes {
		for id := range n.done {
			if runs := w.ran(id); len(runs) > 1 {
				w.t.Errorf("%s ran %d times", id, len(runs))
			}
		}
	}
}
