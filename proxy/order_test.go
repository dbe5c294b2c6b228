package proxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"larder/loop"
	"larder/protocol/resp"
)

// asked is a command that a client sent.
type asked struct {
	id    string
	key   string
	want  string // the reply, if all goes well
	write bool
	many  bool // over several shards: its parts are not followed
	set   bool // in any order
	cross bool // it may be told that its keys are no longer one shard's
	got   string
	body  string // the script that it brings
}

type orderClient struct {
	number  int
	conn    *loop.MemConn
	asked   []*asked
	replies int
	replied resp.Replies
	in      []byte // replies not yet complete
	rest    []byte // bytes of commands not yet sent
}

// TestOrder sends pipelines of several clients through a gateway whose nodes answer late, in pieces, refuse, die and change places, and checks what
// must never fail: each command has one reply and replies come in order; a write runs at most once, and what its reply says of it is true; a session's
// commands for a key run in the order in which they were sent.
func TestOrder(t *testing.T) {
	eachSeed(t, 300, testOrder)
}

func testOrder(t *testing.T, seed uint64) {
	w := newWorld(t, seed, 1+int(seed%4), seed%2 == 0, func(o *Options) {
		o.PendingMax = 2 + int(seed%30)
		o.Upstream.LaneMaxBytes = 64 << 10
		o.StreamMinBytes = 64 << 10
		o.CrossSlot = crossAllow
	})
	w.large = seed%16 < 2
	var clients []*orderClient
	for i := range 1 + int(seed%5) {
		clients = append(clients, &orderClient{number: i, conn: w.client(i)})
	}
	for range 300 {
		c := clients[w.rand.IntN(len(clients))]
		c.send(w)
		w.step()
		c.read(t)
	}
	for _, c := range clients {
		c.conn.Feed(c.rest)
		c.rest = nil
	}
	w.settle(func() bool {
		left := 0
		for _, c := range clients {
			c.read(t)
			if !c.cutOff() {
				left += len(c.asked) - c.replies
			}
		}
		return left == 0
	})
	for _, c := range clients {
		c.check(t, w)
	}
}

// send writes a few commands, cut anywhere.
func (c *orderClient) send(w *world) {
	r := w.rand
	for range r.IntN(6) {
		id := fmt.Sprintf("%d:%d", c.number, len(c.asked))
		key := fmt.Sprintf("k%d", r.IntN(12))
		a := &asked{id: id, key: key, want: "$" + fmt.Sprint(len(id)) + "\r\n" + id + "\r\n"}
		var words []string
		switch r.IntN(10) {
		case 0, 1, 2:
			a.write = true
			value := id
			if w.large && r.IntN(50) == 0 { // it is passed on as it arrives
				value += "/" + strings.Repeat("x", r.IntN(3<<19))
				a.want = string(resp.AppendBulkString(nil, value))
			}
			words = []string{"GETSET", key, value}
		case 3, 4, 5:
			words = []string{"GETRANGE", key, fmt.Sprint(c.number), fmt.Sprint(len(c.asked))}
		case 6:
			a.many = true
			words = []string{"MGET"}
			for range 1 + r.IntN(6) {
				words = append(words, fmt.Sprintf("k%d", r.IntN(12)))
			}
			a.want = string(resp.AppendArray(nil, len(words)-1))
			for _, key := range words[1:] {
				a.want += string(resp.AppendBulkString(nil, key))
			}
		case 7:
			a.many, a.write = true, true
			words = []string{"DEL", key, "k1", "k2", "k3"}
			a.want = ":4\r\n"
		case 8: // worked out in the gateway
			a.many, a.set, a.cross = true, true, true
			var keys []string
			for range 1 + r.IntN(6) {
				keys = append(keys, fmt.Sprintf("k%d", r.IntN(12)))
			}
			words = append([]string{"SUNION"}, keys...)
			slices.Sort(keys)
			keys = slices.Compact(keys)
			a.want = string(resp.AppendArray(nil, len(keys)))
			for _, key := range keys {
				a.want += string(resp.AppendBulkString(nil, key))
			}
			a.want = inOrder(a.want)
		case 9: // in steps
			a.many, a.write, a.cross = true, true, true
			words = []string{"SMOVE", key, fmt.Sprintf("k%d", r.IntN(12)), "x"}
			a.want = ":1\r\n"
		}
		c.asked = append(c.asked, a)
		c.rest = resp.AppendCommandStrings(c.rest, words...)
	}
	if n := len(c.rest); n > 0 {
		cut := r.IntN(n + 1)
		c.conn.Feed(slices.Clone(c.rest[:cut]))
		c.rest = c.rest[cut:]
	}
}

func (c *orderClient) read(t *testing.T) {
	c.in = append(c.in, c.conn.Written()...)
	for {
		n, _, st := c.replied.Next(c.in)
		if st == resp.More {
			return
		}
		if st == resp.Failed {
			t.Fatalf("client %d: %s in %q", c.number, c.replied.Err(), c.in)
		}
		if c.replies == len(c.asked) {
			t.Fatalf("client %d: one reply too many: %q", c.number, c.in[:n])
		}
		a := c.asked[c.replies]
		a.got = string(c.in[:n])
		if a.set {
			a.got = inOrder(a.got)
		}
		c.replies++
		c.in = slices.Clone(c.in[n:])
		c.replied.Reset()
	}
}

// cutOff says whether the connection was closed because a node died in the middle of a reply, half of which was passed on.
func (c *orderClient) cutOff() bool { return c.conn.Closed && len(c.in) > 0 }

const cutOff = "cut off"

func (c *orderClient) check(t *testing.T, w *world) {
	if c.cutOff() {
		for _, a := range c.asked[c.replies:] {
			a.got = cutOff
		}
	} else if c.replies != len(c.asked) || len(c.in) > 0 {
		t.Errorf("client %d: %d replies for %d commands, %.100q over", c.number, c.replies, len(c.asked), c.in)
		return
	}
	ran := map[string][]int{}
	for _, n := range w.nodes {
		for id, at := range n.done {
			ran[id] = append(ran[id], at...)
		}
	}
	for _, a := range c.asked {
		a.check(t, ran[a.id])
	}
	// From the last command to the first: what was sent earlier must not have run later. A read counts when it ran last: that is what its reply shows.
	first := map[string]run{} // by key: the earliest run of a command that was sent later
	for _, a := range slices.Backward(c.asked) {
		runs := ran[a.id]
		if a.many || len(runs) == 0 {
			continue
		}
		slices.Sort(runs)
		if at, next := runs[len(runs)-1], first[a.key]; a.ok() && next.of != nil && at > next.at {
			t.Errorf("%s on %s ran at %d, after %s at %d, which was sent later", a.id, a.key, at, next.of.id, next.at)
		}
		// A read that was answered by a later run of it, or by an error, showed nothing at its first.
		if next := first[a.key]; a.write || a.ok() {
			if at := runs[len(runs)-1]; next.of == nil || at < next.at {
				first[a.key] = run{at, a}
			}
		}
	}
}

type run struct {
	at int
	of *asked
}

// inOrder sorts the elements of a reply that is a set.
func inOrder(reply string) string {
	var elements []string
	for it := resp.Elements([]byte(reply)); it.Left() > 0; {
		e, _ := it.Next()
		elements = append(elements, string(e))
	}
	if len(elements) == 0 {
		return reply
	}
	slices.Sort(elements)
	return string(resp.AppendArray(nil, len(elements))) + strings.Join(elements, "")
}

func (a *asked) ok() bool { return a.got == a.want }

// check holds the reply against the command's runs.
func (a *asked) check(t *testing.T, runs []int) {
	down, unknown := strings.HasPrefix(a.got, "-CLUSTERDOWN "), strings.HasPrefix(a.got, "-UNKNOWN ")
	switch {
	case a.cross && strings.HasPrefix(a.got, "-TRYAGAIN "):
	case a.got != cutOff && !a.ok() && !down && !unknown || unknown && !a.write:
		t.Errorf("%s (%s): got %.100q, want %.100q", a.id, a.key, a.got, a.want)
	case a.many:
	case a.ok() && len(runs) == 0:
		t.Errorf("%s: answered, but never ran", a.id)
	case a.write && len(runs) > 1:
		t.Errorf("%s: a write ran %d times", a.id, len(runs))
	case a.write && down && len(runs) > 0:
		t.Errorf("%s: told that it did not run, but it did: %q", a.id, a.got)
	}
}
