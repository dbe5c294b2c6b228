package proxy

import (
	"strings"
	"testing"
	"time"

	"larder/loop"
	"larder/protocol/resp"
)

// talk sends a client's lines, lets the nodes answer everything, and gives what came back, its words parted by one blank.
func (w *world) talk(c *loop.MemConn, lines ...string) string {
	for _, line := range lines {
		c.Feed(resp.AppendCommandStrings(nil, strings.Fields(line)...))
	}
	var got []byte
	for range 20 {
		w.talkOnce()
		w.m.Advance(10 * time.Millisecond)
		got = append(got, c.Written()...)
	}
	return strings.Join(strings.Fields(string(got)), " ")
}

const crossSlot = "-CROSSSLOT Keys in request don't hash to the same slot"

// TestMulti: what stands between MULTI and EXEC is judged as it comes and answered as a whole.
func TestMulti(t *testing.T) {
	// foo and bar lie on different ones of three shards.
	for _, c := range []struct {
		name, say, want string
	}{
		{"plain", "MULTI|GETSET foo 1|GETSET {foo}x 2|EXEC|PING", "+OK +QUEUED +QUEUED *2 $1 1 $1 2 +PONG"},
		{"empty", "MULTI|EXEC", "+OK *0"},
		{"discarded", "MULTI|GETSET foo 1|DISCARD|EXEC", "+OK +QUEUED +OK -ERR EXEC without MULTI"},
		{"nested", "MULTI|MULTI|EXEC", "+OK -ERR MULTI calls can not be nested *0"},
		{"over shards", "MULTI|GETSET foo 1|GETSET bar 2|EXEC|EXEC", "+OK +QUEUED " + crossSlot + " -EXECABORT Transaction discarded because of previous errors. -ERR EXEC without MULTI"},
		{"split over shards", "MULTI|MGET foo bar|EXEC", "+OK " + crossSlot + " -EXECABORT Transaction discarded because of previous errors."},
		{"split in one", "MULTI|MGET foo {foo}x|EXEC", "+OK +QUEUED *1 *2 $3 foo $6 {foo}x"},
		{"of all shards", "MULTI|DBSIZE|EXEC", "+OK -CROSSSLOT 'dbsize' is for all shards, and a transaction runs on one -EXECABORT Transaction discarded because of previous errors."},
		{"unknown", "MULTI|NOSUCH|EXEC", "+OK -ERR unknown command 'NOSUCH', with args beginning with: -EXECABORT Transaction discarded because of previous errors."},
		{"bad EXEC", "MULTI|EXEC a|EXEC", "+OK -EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command -ERR EXEC without MULTI"},
		{
			"the gateway's own", "MULTI|CLIENT SETNAME me|GETSET foo 1|CLIENT GETNAME|CONFIG GET databases|GETSET foo 2|EXEC|CLIENT GETNAME",
			"+OK +QUEUED +QUEUED +QUEUED +QUEUED +QUEUED *5 +OK $1 1 $2 me *2 $9 databases $2 16 $1 2 $2 me",
		},
		{"only the gateway's own", "MULTI|CLIENT SETNAME me|CLIENT GETNAME|EXEC|PING", "+OK +QUEUED +QUEUED *2 +OK $2 me +PONG"},
		{"select", "MULTI|SELECT 3|GETSET foo 1|EXEC|GETSET foo 2|CLIENT INFO", "+OK +QUEUED +QUEUED *2 +OK $1 1 $1 2"},
		{"reset", "MULTI|GETSET foo 1|RESET|EXEC", "+OK +QUEUED +RESET -ERR EXEC without MULTI"},
		{
			"not all of one protocol", "MULTI|HELLO 3|GETSET foo 1|EXEC",
			"+OK +QUEUED -ERR HELLO has changed the protocol inside this transaction: through a gateway 'getset' cannot follow it " + textAborted,
		},
		{
			"published behind a subscription", "MULTI|SUBSCRIBE c|GETRANGE foo 1 2|GETSET foo 1|EXEC",
			"+OK +QUEUED +QUEUED -ERR a subscription changes before it in this transaction: through a gateway 'getset', which may publish, cannot follow that " + textAborted,
		},
		{"monitor", "MULTI|GETSET foo 1|MONITOR|GETSET foo 2|EXEC", "+OK +QUEUED +QUEUED +QUEUED *3 $1 1 -ERR MONITOR isn't allowed for DENY BLOCKING client $1 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 1, 3, true, nil)
			lines := strings.Split(c.say, "|")
			got := w.talk(w.client(0), lines...)
			if rest := strings.TrimPrefix(got, c.want); rest == got || rest != "" && !strings.Contains(rest, " db=3 ") {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			one := w.client(1) // one command at a time is answered as all at once
			var all []string
			for _, line := range lines {
				all = append(all, w.talk(one, line))
			}
			if got := strings.Join(all, " "); !strings.HasPrefix(got, c.want) {
				t.Errorf("one by one: got  %q\nwant %q", got, c.want)
			}
			if w.p.txs.bytes != 0 {
				t.Errorf("%d bytes of queued commands are still counted", w.p.txs.bytes)
			}
		})
	}
}

// TestMultiLimit: what a client may queue is bounded, and what is too much breaks the transaction, not the connection.
func TestMultiLimit(t *testing.T) {
	w := newWorld(t, 1, 1, true, func(o *Options) { o.MultiMaxBytes = 64 << 10 })
	c := w.client(0)
	big := "GETSET k " + strings.Repeat("x", 40<<10)
	want := "+OK +QUEUED -ERR the transaction is larger than the 65536 bytes that a gateway keeps for one +QUEUED " + textAborted
	if got := w.talk(c, "MULTI", big, big, "GETSET k 1", "EXEC"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

const textAborted = "-" + textExecAbort

// TestMultiLost: a transaction whose EXEC was never wholly handed over goes again; one that may have run is answered UNKNOWN unless it only reads.
func TestMultiLost(t *testing.T) {
	for _, c := range []struct {
		name, say, want string
	}{
		{"writes", "MULTI|GETSET foo 1|EXEC", "+OK +QUEUED -UNKNOWN node"},
		{"reads", "MULTI|GETRANGE foo 1 2|PING|EXEC", "+OK +QUEUED +QUEUED *2 $3 1:2 +PONG"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 1, 1, true, nil)
			client := w.client(0)
			w.talk(client, "GETSET foo 0")
			node := w.nodes[w.order[0]]
			for line := range strings.SplitSeq(c.say, "|") {
				client.Feed(resp.AppendCommandStrings(nil, strings.Fields(line)...))
			}
			w.m.EndTurn()
			node.conns[0].take() // all of it is with the node, which says nothing
			node.die()
			if got := w.talk(client); !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestMultiMoves: a transaction that its node refuses goes to whoever has its keys now, or is refused where that is more than one.
func TestMultiMoves(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed, 3, true, nil)
		client := w.client(0)
		w.talk(client, "GETSET foo 0", "GETSET bar 0")
		topo := w.topology(2, 3)
		for i, addr := range w.order {
			w.nodes[addr].topo, w.nodes[addr].shard = topo, i
		}
		want := "+OK +QUEUED +QUEUED +QUEUED *3 $1 1 +OK $1 2 $1 3"
		if got := w.talk(client, "MULTI", "GETSET foo 1", "SELECT 5", "GETSET foo 2", "EXEC", "GETSET foo 3"); got != want {
			t.Errorf("seed %d: got %q, want %q", seed, got, want)
		}
		for _, n := range w.nodes {
			for id, db := range map[string]int{"1": 0, "2": 5, "3": 5} {
				if in, ran := n.in[id]; ran && in != db {
					t.Errorf("seed %d: %s ran in database %d", seed, id, in)
				}
			}
		}
	}
}
