package proxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"larder/protocol/resp"
)

// TestScriptOrder sends scripts by text and by name among other commands, through a gateway whose nodes answer late, refuse, die, come back with no
// scripts, and in every other run forget them while they live. A command that names a script runs at most once and in its place. One whose script was
// known when it was sent is never told that there is none, unless nodes forget.
func TestScriptOrder(t *testing.T) {
	lacked := uint64(0)
	eachSeed(t, 150, func(t *testing.T, seed uint64) {
		lacked += testScriptOrder(t, seed)
	})
	if lacked == 0 && *seedsFlag == 0 {
		t.Error("no command was ever sent again because its node lacked the script")
	}
}

// scriptClient is an orderClient that sends scripts, too.
type scriptClient struct {
	orderClient
	known []bool // by command: its script was known when it was sent
}

func testScriptOrder(t *testing.T, seed uint64) uint64 {
	w := newWorld(t, seed, 1+int(seed%4), seed/2%2 == 0, nil)
	forgetful := seed%2 == 0
	bodies := make([]string, 3)
	for i := range bodies {
		bodies[i] = fmt.Sprintf("return ARGV[1] -- %d of %d", i, seed)
	}
	known := map[string]bool{}
	var clients []*scriptClient
	for i := range 1 + int(seed%5) {
		clients = append(clients, &scriptClient{orderClient: orderClient{number: i, conn: w.client(i)}})
	}
	for range 300 {
		c := clients[w.rand.IntN(len(clients))]
		c.send(w, bodies, known)
		w.step()
		if n := w.nodes[w.order[w.rand.IntN(len(w.order))]]; forgetful && w.rand.IntN(10) == 0 {
			n.scripts = nil
		}
		c.read(t)
		c.learn(known)
	}
	for _, c := range clients {
		c.conn.Feed(c.rest)
		c.rest = nil
	}
	w.settle(func() bool {
		left := 0
		for _, c := range clients {
			c.read(t)
			left += len(c.asked) - c.replies
		}
		return left == 0
	})
	for _, c := range clients {
		for i, a := range c.asked {
			if !strings.HasPrefix(a.got, "-NOSCRIPT ") {
				continue
			}
			if c.known[i] && !forgetful {
				t.Errorf("%s: its script was known: %q", a.id, a.got)
			}
			a.got = "-CLUSTERDOWN it did not run" // which is what check holds it against
		}
		c.check(t, w)
	}
	return w.p.count.scriptsLacked
}

// send writes a few commands, cut anywhere.
func (c *scriptClient) send(w *world, bodies []string, known map[string]bool) {
	r := w.rand
	for range r.IntN(6) {
		id := fmt.Sprintf("%d:%d", c.number, len(c.asked))
		key := fmt.Sprintf("k%d", r.IntN(12))
		body := bodies[r.IntN(len(bodies))]
		a := &asked{id: id, key: key, want: "$" + fmt.Sprint(len(id)) + "\r\n" + id + "\r\n", write: true}
		var words []string
		switch r.IntN(6) {
		case 0:
			words = []string{"GETSET", key, id}
		case 1:
			a.write = false
			words = []string{"GETRANGE", key, fmt.Sprint(c.number), fmt.Sprint(len(c.asked))}
		case 2:
			words = []string{"EVAL", body, "1", key, id}
		default:
			words = []string{"EVALSHA", shaOf(body), "1", key, id}
		}
		c.asked = append(c.asked, a)
		c.known = append(c.known, known[body])
		c.rest = resp.AppendCommandStrings(c.rest, words...)
		if words[0] == "EVAL" {
			a.body = body
		}
	}
	if n := len(c.rest); n > 0 {
		cut := r.IntN(n + 1)
		c.conn.Feed(slices.Clone(c.rest[:cut]))
		c.rest = c.rest[cut:]
	}
}

// learn notes the scripts that have been answered.
func (c *scriptClient) learn(known map[string]bool) {
	for _, a := range c.asked[:c.replies] {
		if a.body != "" && a.ok() {
			known[a.body] = true
		}
	}
}
