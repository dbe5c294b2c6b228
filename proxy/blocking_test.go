package proxy

import (
	"errors"
	"strings"
	"testing"
	"time"

	"larder/loop"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// blockedWorld has a client whose BLPOP waits at the one node.
func blockedWorld(t *testing.T, change func(*Options)) (*world, *loop.MemConn) {
	t.Helper()
	w := newWorld(t, 1, 1, true, change)
	c := w.client(0)
	if got := w.talk(c, "BLPOP q {q}me 0"); got != "" {
		t.Fatalf("got %q", got)
	}
	if n := w.g.blocked.Load(); n != 1 {
		t.Fatalf("%d clients wait", n)
	}
	return w, c
}

// TestBlockedNodeFrozen: a client that waits for ever is told when its node gives no sign of life, and not before.
func TestBlockedNodeFrozen(t *testing.T) {
	w, c := blockedWorld(t, nil)
	for range 1000 { // the node is quick to answer the gateway's PINGs
		w.talkOnce()
		w.m.Advance(100 * time.Millisecond)
	}
	if got := c.Written(); len(got) > 0 {
		t.Fatalf("after 100 s: %q", got)
	}
	for range 80 { // 8 s, more than the reply time-out and a half
		w.m.Advance(100 * time.Millisecond)
	}
	if got, want := string(c.Written()), "-UNKNOWN node 127.0.0.1:7000 was lost before its reply, the command may have run: no reply in time\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := w.p.lentLanes(); n != 0 || w.g.blocked.Load() != 0 {
		t.Errorf("%d lanes are lent, %d clients wait", n, w.g.blocked.Load())
	}
}

// talkOnce lets the nodes answer what they were asked.
func (w *world) talkOnce() {
	w.m.EndTurn()
	w.dialled()
	for _, addr := range w.order {
		for _, fc := range w.nodes[addr].conns {
			fc.work(1 << 20)
			fc.answer(1 << 20)
		}
	}
	w.m.EndTurn()
}

// TestBlockedMoves: a client that waits goes where its key goes, and gets there what comes. A read that waits goes again when its node dies.
func TestBlockedMoves(t *testing.T) {
	w := newWorld(t, 3, 3, true, nil)
	c, other := w.client(0), w.client(1)
	w.talk(c, "BLPOP q {q}me 0")
	for epoch := uint64(2); epoch < 6; epoch++ {
		topo := w.topology(epoch, 3)
		for i, addr := range w.order {
			n := w.nodes[addr]
			n.topo, n.shard = topo, i
			n.refuseWaiting()
		}
		if got := w.talk(c); got != "" {
			t.Fatalf("epoch %d: %q", epoch, got)
		}
	}
	w.talk(other, "RPUSH q element")
	if got := w.talk(c); got != "*2 $1 q $7 element" {
		t.Errorf("got %q", got)
	}
}

// TestUnblock: CLIENT UNBLOCK asks the node, and ends at once what no node has.
func TestUnblock(t *testing.T) {
	w, c := blockedWorld(t, nil)
	other := w.client(1)
	for _, x := range []struct{ say, want string }{
		{"CLIENT UNBLOCK 99", ":0"},
		{"CLIENT UNBLOCK x", "-ERR value is not an integer or out of range"},
		{"CLIENT UNBLOCK 1 NOW", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"},
		{"CLIENT UNBLOCK 1", ":1"},
		{"CLIENT UNBLOCK 1", ":0"},
	} {
		if got := w.talk(other, x.say); got != x.want {
			t.Errorf("%s: got %q, want %q", x.say, got, x.want)
		}
	}
	if got := w.talk(c); got != "*-1" {
		t.Errorf("the unblocked got %q", got)
	}
	w.nodes[w.order[0]].die()
	c.Feed(resp.AppendCommandStrings(nil, "BLPOP", "q", "{q}me", "0")) // its lane is only being dialled
	other.Feed(resp.AppendCommandStrings(nil, "CLIENT", "UNBLOCK", "1", "ERROR"))
	w.m.EndTurn()
	if got, want := string(c.Written())+string(other.Written()), "-"+textUnblocked+"\r\n:1\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := w.p.lentLanes(); n != 0 {
		t.Errorf("%d lanes are lent", n)
	}
}

// TestBorrowMax: who needs a lane of its own and finds all lent is told so, and does not wait; what shares lanes goes on.
func TestBorrowMax(t *testing.T) {
	w, _ := blockedWorld(t, func(o *Options) { o.Upstream.BorrowMax = 1 })
	c := w.client(1)
	const all = "-ERR all 1 connections to node 127.0.0.1:7000 that a gateway's loop lends to clients who block, watch or monitor are taken"
	for _, say := range []string{"BLPOP q x 0", "WATCH k", "MONITOR"} {
		if got := w.talk(c, say); got != all {
			t.Errorf("%s: got %q", say, got)
		}
	}
	w.talk(c, "UNWATCH")
	if got := w.talk(c, "GETSET k 1"); got != "$1 1" {
		t.Errorf("got %q", got)
	}
}

// TestWatchLost: when the lane that watches is lost, EXEC answers null and nothing runs.
func TestWatchLost(t *testing.T) {
	w := newWorld(t, 1, 1, true, nil)
	c := w.client(0)
	w.talk(c, "WATCH k")
	w.talk(c, "MULTI", "GETSET k 1")
	w.nodes[w.order[0]].die()
	if got := w.talk(c, "EXEC", "GETSET k 2"); got != "*-1 $1 2" {
		t.Errorf("got %q", got)
	}
	if ran := w.ran("1"); len(ran) != 0 {
		t.Error("it ran")
	}
	if n := w.p.lentLanes(); n != 0 {
		t.Errorf("%d lanes are lent", n)
	}
}

// TestMonitor: lines of all shards go on as they come, but for what the gateway says itself; a shard that was lost is shown again when it is back.
func TestMonitor(t *testing.T) {
	w := newWorld(t, 1, 3, true, nil)
	c := w.client(0)
	if got := w.talk(c, "MONITOR"); got != "+OK" {
		t.Fatalf("got %q", got)
	}
	show := func(line string) string {
		for _, addr := range w.order {
			for _, fc := range w.nodes[addr].conns {
				if fc.monitors {
					fc.mc.Feed([]byte(line))
				}
			}
		}
		w.m.EndTurn()
		return string(c.Written())
	}
	const line = "+1.2 [0 127.0.0.1:1] \"GET\" \"k\"\r\n"
	if got := show(line); got != line+line+line {
		t.Errorf("got %q", got)
	}
	if got := show("+1.2 [0 127.0.0.1:1] \"SELECT\" \"3\"\r\n"); got != "" {
		t.Errorf("got %q", got)
	}
	w.nodes[w.order[0]].die()
	for range 30 {
		w.talk(c)
	}
	if got := show(line); got != line+line+line {
		t.Errorf("after a shard was lost: %q", got)
	}
	c.Hangup(errors.New("gone"))
	if n := w.p.lentLanes(); n != 0 || w.p.watchers != 0 {
		t.Errorf("%d lanes are lent, %d watch", n, w.p.watchers)
	}
}

// TestShortened: a command that waits anew waits for what is left of its time.
func TestShortened(t *testing.T) {
	w, c := blockedWorld(t, nil)
	_ = c
	s := w.p.sessions[1]
	s.block.beganNS = w.p.nowNS - int64(1500*time.Millisecond)
	for given, want := range map[string]string{
		"BLPOP a b 2":                              "BLPOP a b 0.500",
		"BLPOP a b 0":                              "BLPOP a b 0",
		"BLPOP a b 1":                              "BLPOP a b 0.001",
		"BLMOVE a b LEFT LEFT 4":                   "BLMOVE a b LEFT LEFT 2.500",
		"BLMPOP 2.5 1 a LEFT":                      "BLMPOP 1.000 1 a LEFT",
		"XREAD COUNT 3 BLOCK 2000 STREAMS s 0":     "XREAD COUNT 3 BLOCK 500 STREAMS s 0",
		"XREAD BLOCK 0 STREAMS s 0":                "XREAD BLOCK 0 STREAMS s 0",
		"XREADGROUP GROUP g c BLOCK 1 STREAMS s >": "XREADGROUP GROUP g c BLOCK 1 STREAMS s >",
	} {
		raw := resp.AppendCommandStrings(nil, strings.Fields(given)...)
		req, _, _ := w.p.again.Next(raw)
		row, _ := command.Resolve(req.Args)
		if got := string(s.shortened(row, req)); got != string(resp.AppendCommandStrings(nil, strings.Fields(want)...)) {
			t.Errorf("%s: got %q", given, got)
		}
	}
}
