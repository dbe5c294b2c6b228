package proxy

import (
	"strings"
	"testing"
	"time"

	"larder/protocol/resp"
)

// A client that leaves while its command waits to go again has no lane any more: the one that it had is another's by then.
func TestLeavesBetweenTwoNodes(t *testing.T) {
	w := newWorld(t, 1, 1, true, nil)
	n := w.nodes[w.order[0]]
	leaves, stays := w.client(0), w.client(1)
	if got := w.talk(leaves, "BLPOP q {q}leaves 0"); got != "" {
		t.Fatalf("it does not wait: %q", got)
	}
	n.topo = w.topology(2, 1)
	newest := w.topology(3, 1)
	w.g.Adopt(newest)
	n.refuseWaiting() // by an epoch that the gateway is past: the command is to be tried again in a while
	for _, fc := range n.conns {
		fc.answer(1 << 20)
	}
	if len(w.p.retries) != 1 {
		t.Fatalf("%d commands are to go again, want 1", len(w.p.retries))
	}
	stays.Feed(resp.AppendCommandStrings(nil, "BLPOP", "q", "{q}stays", "0"))
	w.m.EndTurn()
	leaves.Hangup(nil)
	n.topo = newest
	if got := w.talk(w.client(2), "RPUSH q element"); got != ":1" {
		t.Fatalf("RPUSH: %q", got)
	}
	if got := w.talk(stays); got != "*2 $1 q $7 element" {
		t.Errorf("who still waits is given %q", got)
	}
	if w.taken["element"] != "{q}stays" {
		t.Errorf("the element was given to %q", w.taken["element"])
	}
}

// A lane that is still being dialled when its client's command gets another one is given up.
func TestLaneGivenUp(t *testing.T) {
	for name, lines := range map[string]string{"waits": "BLPOP q {q}id 0", "watches": "WATCH k"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, 1, true, nil)
			c := w.client(0)
			c.Feed(resp.AppendCommandStrings(nil, strings.Fields(lines)...))
			newest := w.topology(2, 1)
			w.nodes[w.order[0]].topo = newest
			w.g.Adopt(newest)
			w.m.Advance(time.Millisecond)
			if n := w.p.lentLanes(); n != 1 {
				t.Errorf("%d lanes are lent for one command", n)
			}
			w.talk(c)
			c.Hangup(nil)
			w.talk(w.client(1), "GETSET k 1")
			if n := w.p.lentLanes(); n != 0 {
				t.Errorf("%d lanes are lent to a client that is gone", n)
			}
		})
	}
}

// WATCH whose lane is lost before it is answered is said again, whatever the key is called; after three times the client is told, and its EXEC does nothing.
func TestWatchIsSaidAgain(t *testing.T) {
	for _, key := range []string{"k", "$"} {
		w := newWorld(t, 1, 1, true, nil)
		n, c := w.nodes[w.order[0]], w.client(0)
		w.talk(c, "GETSET "+key+" 1")
		lose := func() {
			w.m.EndTurn()
			w.dialled()
			w.m.EndTurn()
			for _, fc := range n.conns {
				for fc.take(); !strings.Contains(string(fc.in), "WATCH") && len(fc.in) > 0; fc.take() { // the greeting, and not the command
					fc.work(1)
					fc.answer(1 << 20)
					w.m.EndTurn()
				}
			}
			n.die()
		}
		c.Feed(resp.AppendCommandStrings(nil, "WATCH", key))
		lose()
		if got := w.talk(c, "MULTI", "GETSET "+key+" 2w", "EXEC"); !strings.HasPrefix(got, "+OK +OK +QUEUED *") {
			t.Errorf("%s: lost once: %q", key, got)
		}
		c.Feed(resp.AppendCommandStrings(nil, "WATCH", key))
		for range triesMax {
			lose()
			w.m.Advance(4 * time.Second)
		}
		if got := w.talk(c, "MULTI", "GETSET "+key+" 3w", "EXEC"); !strings.HasPrefix(got, "-CLUSTERDOWN ") || !strings.HasSuffix(got, " +OK +QUEUED *-1") {
			t.Errorf("%s: lost again and again: %q", key, got)
		}
		if len(w.ran("3w")) != 0 {
			t.Errorf("%s: it ran unwatched", key)
		}
	}
}
