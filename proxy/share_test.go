package proxy

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"larder/loop"
	"larder/protocol/resp"
)

// deepMost is what a deep client of these tests sends at once.
const deepMost = 10_000

func deepCommands(n int, words ...string) []byte {
	return bytes.Repeat(resp.AppendCommandStrings(nil, words...), n)
}

// countReplies counts what was written, and takes it.
func countReplies(t *testing.T, c *loop.MemConn) int {
	t.Helper()
	return repliesIn(t, c.Written())
}

func repliesIn(t *testing.T, p []byte) (n int) {
	t.Helper()
	var parse resp.Replies
	for ; len(p) > 0; n++ {
		used, _, st := parse.Next(p)
		if st != resp.Done {
			t.Fatalf("%v: %.100q", st, p)
		}
		p = p[used:]
	}
	return n
}

// Beside a client that sends ten thousand commands at once, the single commands of another never stand behind more than a few of them, whenever they come:
// not on the lane that both share, and not behind what the loop does for the deep one.
func TestSharedLane(t *testing.T) {
	for _, command := range [][]string{{"GETRANGE", "k", "0", "1"}, {"DBSIZE"}, {"MGET", "k", "l", "k"}} {
		t.Run(command[0], func(t *testing.T) { testSharedLane(t, command) })
	}
}

func testSharedLane(t *testing.T, command []string) {
	w := newWorld(t, 1, 1, true, nil)
	deep, single := w.client(1), w.client(2)
	deep.Feed(deepCommands(1, command...))
	w.settle(func() bool { return countReplies(t, deep) == 1 })
	fc := w.nodes[w.order[0]].conns[0]
	deep.Feed(deepCommands(deepMost, command...))
	answered, turns := 0, 0
	for ; answered < deepMost && turns < deepMost; turns++ {
		single.Feed(resp.AppendCommandStrings(nil, "GETSET", "s", fmt.Sprint(turns)))
		w.m.EndTurn()
		fc.take()
		mine := resp.AppendCommandStrings(nil, "GETSET", "s", fmt.Sprint(turns))
		at := bytes.Index(fc.in, mine)
		if at < 0 {
			t.Fatalf("turn %d: the single command has not reached the node, but %d bytes have", turns, len(fc.in))
		}
		most := shareFew
		if turns == 0 { // nobody else was heard of before
			most = w.p.opts.PendingMax
		}
		if before := bytes.Count(fc.in[:at], []byte(command[0]+"\r\n")); before > most {
			t.Fatalf("turn %d: %d commands stand before a single one, want at most %d", turns, before, most)
		}
		fc.work(1 << 20)
		fc.answer(1 << 20)
		w.m.EndTurn()
		answered += countReplies(t, deep)
		if countReplies(t, single) != 1 {
			t.Fatalf("turn %d: the single command is not answered", turns)
		}
	}
	if most := 2*deepMost/shareFew + 2; answered != deepMost || turns > most {
		t.Errorf("the deep client has %d replies after %d turns, want all within %d", answered, turns, most)
	}
}

// What is taken from a client at a time is bounded in bytes too: few large values fill a node's time as well.
func TestSharedLaneBytes(t *testing.T) {
	w := newWorld(t, 1, 1, true, nil)
	deep := w.client(1)
	value := string(bytes.Repeat([]byte("x"), shareBytes/10))
	deep.Feed(deepCommands(1, "GETSET", "k", value))
	w.settle(func() bool { return len(deep.Written()) > 0 })
	deep.Feed(deepCommands(100, "GETSET", "k", value))
	w.m.EndTurn()
	fc, got, most := w.nodes[w.order[0]].conns[0], 0, 0
	for turns := 0; got < 100 && turns < 100; turns++ {
		fc.take()
		most = max(most, len(fc.in))
		fc.work(1 << 20)
		fc.answer(1 << 30)
		w.m.EndTurn()
		got += countReplies(t, deep)
	}
	if got != 100 || most > 2*shareBytes {
		t.Errorf("%d of 100 replies; %d bytes were on the way at a time, want at most %d", got, most, 2*shareBytes)
	}
}

// Commands that the gateway answers itself make way for others too, by time.
func TestSharedLoop(t *testing.T) {
	w := newWorld(t, 1, 1, true, nil)
	deep, single := w.client(1), w.client(2)
	w.m.EndTurn()
	w.m.Drift = shareTime + time.Microsecond
	deep.Feed(deepCommands(deepMost, "TIME"))
	single.Feed(deepCommands(1, "TIME"))
	w.m.Drift = 0
	if got := repliesIn(t, deep.Conn.Out); got != shareLook-1 {
		t.Errorf("%d commands ran before another client's", got)
	}
	w.m.EndTurn()
	if countReplies(t, single) != 1 {
		t.Error("the single command is not answered")
	}
	if deep.Paused() {
		t.Error("the deep client is still not read")
	}
}

// Who is alone has more on the way, and so has each of several who send much.
func TestSharesOfDeepOnes(t *testing.T) {
	for _, clients := range []int{1, 3} {
		w := newWorld(t, 1, 1, true, nil)
		var deep []*loop.MemConn
		for i := range clients {
			deep = append(deep, w.client(i))
			deep[i].Feed(deepCommands(1, "GETRANGE", "k", "0", "1"))
		}
		w.settle(func() bool { return len(w.nodes[w.order[0]].conns) > 0 })
		w.m.Advance(time.Duration(shareNS) + 1)
		for _, c := range deep {
			c.Feed(deepCommands(deepMost, "GETRANGE", "k", "0", "1"))
		}
		w.m.EndTurn()
		fc, most := w.nodes[w.order[0]].conns[0], 0
		for range 10 {
			fc.take()
			most = max(most, bytes.Count(fc.in, []byte("GETRANGE\r\n")))
			fc.work(1 << 20)
			fc.answer(1 << 20)
			w.m.EndTurn()
		}
		if want := (clients-1)*w.p.opts.PendingMax + shareFew; most < want || clients == 1 && most != w.p.opts.PendingMax {
			t.Errorf("%d commands of %d clients are on the way at a time, want %d or more", most, clients, want)
		}
	}
}
