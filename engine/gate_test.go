package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"larder/protocol/resp"
)

// gatedBed is a node whose stream is safe as far as a test says.
func gatedBed(t *testing.T) *bed {
	t.Helper()
	b := newBed(t, nil)
	b.node.Listen()
	b.node.ShutGate()
	return b
}

// pass lets go what is held up to the present end of the stream.
func (b *bed) pass() {
	b.node.PassGate(b.node.StreamEnd())
	b.m.EndTurn()
}

// TestGateHoldsWrites: the reply to a write waits, what shows nothing of it does not, and order is kept.
func TestGateHoldsWrites(t *testing.T) {
	b := gatedBed(t)
	w, r, o := b.client(), b.client(), b.client()
	o.says("+PONG\r\n", "PING")
	w.says("", "SET", "a", "1")
	r.says("", "GET", "a")
	r.says("", "PING") // behind a reply that waits
	o.says("$-1\r\n", "GET", "b")
	o.says("$-1\r\n", "GET", "b")
	o.says("+PONG\r\n", "PING")
	o.says("", "DBSIZE")
	b.pass()
	for _, c := range []struct {
		k    *talker
		want string
	}{{w, "+OK\r\n"}, {r, "$1\r\n1\r\n+PONG\r\n"}, {o, ":1\r\n"}} {
		if got := c.k.got(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	r.says("$1\r\n1\r\n", "GET", "a")
	w.says("", "DEL", "a")
	w.says("", "SET", "c", "1", "XX") // changes nothing, and waits behind the other
	b.pass()
	if got := w.got(); got != ":1\r\n$-1\r\n" {
		t.Errorf("%q", got)
	}
	w.says("$-1\r\n", "SET", "c", "1", "XX")
}

// TestGateInPieces: what is safe leaves, what came behind it stays.
func TestGateInPieces(t *testing.T) {
	b := gatedBed(t)
	k := b.client()
	k.says("", "INCR", "a")
	first := b.node.StreamEnd()
	k.says("", "INCR", "a")
	b.node.PassGate(first)
	b.m.EndTurn()
	if got := k.got(); got != ":1\r\n" {
		t.Errorf("%q", got)
	}
	b.node.PassGate(first)
	b.m.EndTurn()
	if got := k.got(); got != "" {
		t.Errorf("%q", got)
	}
	b.node.OpenGate()
	b.m.EndTurn()
	if got := k.got(); got != ":2\r\n" {
		t.Errorf("%q", got)
	}
	k.says(":3\r\n", "INCR", "a")
}

// TestGateHoldsWakeups: who waited for what is not safe yet, and who hears of it, waits on.
func TestGateHoldsWakeups(t *testing.T) {
	b := gatedBed(t)
	blocked, pusher, hears, tracks := b.client(), b.client(), b.client(), b.client()
	hears.do("CONFIG", "SET", "notify-keyspace-events", "KEA")
	hears.do("SUBSCRIBE", "__keyevent@0__:rpush")
	tracks.do("HELLO", "3")
	tracks.do("CLIENT", "TRACKING", "ON")
	tracks.says("_\r\n", "GET", "l2")
	blocked.says("", "BLPOP", "l", "0")
	pusher.says("", "RPUSH", "l", "x")
	pusher.says("", "RPUSH", "l2", "y")
	for i, k := range []*talker{blocked, hears, tracks} {
		if got := k.got(); got != "" {
			t.Errorf("%d was told %q", i, got)
		}
	}
	b.pass()
	for i, c := range []struct {
		k    *talker
		want string
	}{{blocked, "*2\r\n$1\r\nl\r\n$1\r\nx\r\n"}, {pusher, ":1\r\n:1\r\n"}, {hears, "rpush"}, {tracks, "invalidate"}} {
		if got := c.k.got(); got != c.want && (i < 2 || !strings.Contains(got, c.want)) {
			t.Errorf("%d: got %q, want %q", i, got, c.want)
		}
	}
}

// TestGateHoldsWholes: transactions, scripts, and what is a rest of a large reply.
func TestGateHoldsWholes(t *testing.T) {
	b := gatedBed(t)
	k, other := b.client(), b.client()
	k.says("+OK\r\n", "MULTI")
	k.says("+QUEUED\r\n", "SET", "a", "1")
	k.says("", "EXEC")
	other.says("", "GET", "zzz") // a transaction may have written anything
	other.says("", "EVAL", "return redis.call('get', 'a')", "0")
	b.pass()
	if got := k.got() + other.got(); got != "*1\r\n+OK\r\n$-1\r\n$1\r\n1\r\n" {
		t.Errorf("%q", got)
	}
	large := strings.Repeat("x", 600<<10)
	other.says("", "SET", "large", large)
	k.says("", "GET", "large")
	b.pass()
	b.until(func() bool { return other.got() == "+OK\r\n" })
	want := fmt.Sprintf("$%d\r\n%s\r\n", len(large), large)
	got := ""
	b.until(func() bool {
		b.m.Advance(1e6)
		got += k.got()
		return len(got) >= len(want)
	})
	if got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

// TestGateEnds: a connection that is to end gets what it is owed; one that is closed does not hear what is not safe.
func TestGateEnds(t *testing.T) {
	b := gatedBed(t)
	quits, ended, killed, admin := b.client(), b.client(), b.client(), b.client()
	quits.says("", "SET", "a", "1")
	quits.says("", "QUIT")
	ended.says("", "SET", "a", "2")
	ended.c.Hangup(nil)
	id := killed.do("CLIENT", "ID")
	killed.says("", "SET", "a", "3")
	b.m.EndTurn()
	if quits.c.Closed || ended.c.Closed {
		t.Error("closed before the replies left")
	}
	admin.says(":1\r\n", "CLIENT", "KILL", "ID", strings.Trim(id, ":\r\n"))
	b.pass()
	b.m.EndTurn()
	if got := quits.got(); got != "+OK\r\n+OK\r\n" || !quits.c.Closed {
		t.Errorf("%q, closed: %v", got, quits.c.Closed)
	}
	if got := ended.got(); got != "+OK\r\n" || !ended.c.Closed {
		t.Errorf("%q, closed: %v", got, ended.c.Closed)
	}
	if got := killed.got(); got != "" || !killed.c.Closed {
		t.Errorf("%q, closed: %v", got, killed.c.Closed)
	}
}

// TestGateIsBounded: a client that sends on and on while its replies are held is not run any further, and goes on when they are let go.
func TestGateIsBounded(t *testing.T) {
	b := gatedBed(t)
	k := b.client()
	value := strings.Repeat("v", 64<<10)
	k.says("", "SET", "a", value)
	b.m.EndTurn()
	const gets = 200
	var all []byte
	for range gets {
		all = resp.AppendCommandStrings(all, "GET", "a")
	}
	for len(all) > 0 {
		n := min(len(all), 1000)
		k.c.Feed(all[:n])
		all = all[n:]
		b.m.Advance(1e6)
	}
	if !k.c.Paused() {
		t.Error("it is read on")
	}
	if got := k.got(); got != "" {
		t.Errorf("%d bytes were let out", len(got))
	}
	b.pass()
	want := len("+OK\r\n") + gets*len(fmt.Sprintf("$%d\r\n%s\r\n", len(value), value))
	n := 0
	b.until(func() bool {
		b.m.Advance(1e6)
		n += len(k.got())
		return n >= want
	})
	if n != want {
		t.Errorf("%d bytes, want %d", n, want)
	}
}
