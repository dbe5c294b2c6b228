package proxy

import (
	"errors"
	"strings"
	"testing"
	"time"

	"larder/loop"
	"larder/protocol/resp"
)

// flushWorld is a loop over three shards with a client that tracks and one that flushes. Nothing happens by itself: serve has nodes work, pass lets time go by.
type flushWorld struct {
	*cacheWorld
	cache, other *loop.MemConn
	said         string // to the one that tracks
}

func eachFlushWorld(t *testing.T, test func(t *testing.T, w *flushWorld)) {
	for _, mode := range []string{"", "BCAST"} {
		t.Run("mode "+mode, func(t *testing.T) {
			w := &flushWorld{cacheWorld: newCacheWorld(t, 1, 3, false, nil)}
			w.calm = true
			w.cache, w.other = w.world.client(1), w.world.client(2)
			words := append([]string{"CLIENT", "TRACKING", "ON"}, strings.Fields(mode)...)
			w.cache.Feed(append(resp.AppendCommandStrings(nil, "HELLO", "3"), resp.AppendCommandStrings(nil, words...)...))
			w.other.Feed(resp.AppendCommandStrings(nil, "MGET", "foo", "bar", "k0")) // it has lanes to all
			w.serve(0, 1, 2)
			w.other.Written()
			if w.nulls(); !strings.HasSuffix(w.said, "+OK\r\n") {
				t.Fatalf("CLIENT TRACKING was answered %q", w.said)
			}
			test(t, w)
			w.cache.Hangup(errors.New("gone"))
			w.other.Hangup(errors.New("gone"))
			w.pass(10*time.Second, 0, 1, 2)
			if n := w.g.flushing.Load(); n != 0 {
				t.Errorf("%d flushes are under way for ever", n)
			}
			for _, all := range w.p.caches.rounds {
				if len(all.open) > 0 {
					t.Errorf("%d rounds are open for ever", len(all.open))
				}
			}
		})
	}
}

// serve has nodes do all that they were asked.
func (w *flushWorld) serve(nodes ...int) {
	for range 10 {
		w.m.EndTurn()
		w.dialled()
		for _, i := range nodes {
			for _, fc := range w.nodes[w.order[i]].conns {
				fc.work(1 << 20)
				fc.answer(1 << 20)
			}
		}
	}
}

// pass lets time go by in small steps, in which nodes work.
func (w *flushWorld) pass(d time.Duration, nodes ...int) {
	const step = 10 * time.Millisecond
	for range d / step {
		w.m.Advance(step)
		w.serve(nodes...)
	}
}

// nulls is how often the client was told that nothing holds.
func (w *flushWorld) nulls() int {
	w.said += string(w.cache.Written())
	return strings.Count(w.said, ">2\r\n$10\r\ninvalidate\r\n_\r\n")
}

func (w *flushWorld) want(nulls int, when string) {
	w.t.Helper()
	if n := w.nulls(); n != nulls {
		w.t.Errorf("%s: told %d times that nothing holds, want %d", when, n, nulls)
	}
}

func (w *flushWorld) flush() { w.other.Feed(resp.AppendCommandStrings(nil, "FLUSHALL")) }

// TestFlushOfAClient: a flush that came through the gateway is told once, however late a shard is. Nobody was told before that it is done.
func TestFlushOfAClient(t *testing.T) {
	eachFlushWorld(t, func(_ *testing.T, w *flushWorld) {
		w.flush()
		w.serve(0)
		w.pass(time.Second, 0)
		w.serve(0, 1)
		w.pass(3*time.Second, 0, 1)
		w.want(0, "a shard has not done it")
		if got := string(w.other.Written()); got != "" {
			w.t.Errorf("FLUSHALL was answered %q by two shards of three", got)
		}
		w.serve(0, 1, 2)
		w.want(1, "all have done it")
		if got := string(w.other.Written()); got != "+OK\r\n" {
			w.t.Errorf("FLUSHALL was answered %q", got)
		}
		w.pass(3*time.Second, 0, 1, 2)
		w.want(1, "later")
	})
}

// TestFlushesOfClients: as many as there are are told, whichever shard is ahead.
func TestFlushesOfClients(t *testing.T) {
	eachFlushWorld(t, func(_ *testing.T, w *flushWorld) {
		w.flush()
		w.flush()
		w.serve(2)
		w.want(0, "one shard has done both")
		w.serve(1)
		w.want(0, "two shards have done both")
		w.serve(0, 1, 2)
		w.want(2, "all have done both")
		w.pass(3*time.Second, 0, 1, 2)
		w.want(2, "later")
	})
}

// TestFlushOfOthers: what others do to all nodes is told once too, though the loop stood still between two nodes' words.
func TestFlushOfOthers(t *testing.T) {
	eachFlushWorld(t, func(_ *testing.T, w *flushWorld) {
		for _, n := range w.nodes {
			w.emptied(n)
		}
		w.serve(0)
		w.m.Advance(3 * time.Second) // one tick, before what the other nodes have said is read
		w.want(0, "one node has told of it")
		w.serve(0, 1, 2)
		w.want(1, "all have told of it")
		w.pass(3*time.Second, 0, 1, 2)
		w.want(1, "later")
	})
}

// TestFlushOfOthersLate: a node that stood still, with others' flush and the gateway's question unread, is waited for.
func TestFlushOfOthersLate(t *testing.T) {
	eachFlushWorld(t, func(_ *testing.T, w *flushWorld) {
		w.emptied(w.nodes[w.order[0]])
		w.serve(0)
		w.pass(800*time.Millisecond, 0, 1)
		w.want(0, "a node does not answer")
		w.emptied(w.nodes[w.order[1]])
		w.emptied(w.nodes[w.order[2]])
		w.serve(0, 1, 2)
		w.want(1, "all have told of it")
	})
}

// TestNodeEmptied: who empties one node by itself is told of soon, also where another node does not answer.
func TestNodeEmptied(t *testing.T) {
	for _, answer := range [][]int{{0, 1, 2}, {0, 1}} {
		eachFlushWorld(t, func(_ *testing.T, w *flushWorld) {
			for i := 1; i <= 3; i++ {
				w.emptied(w.nodes[w.order[0]])
				w.serve(0)
				w.want(i-1, "at once")
				w.pass(1200*time.Millisecond, answer...)
				w.want(i, "a second later")
				w.serve(0, 1, 2)
			}
			for range 100 {
				w.emptied(w.nodes[w.order[0]])
			}
			w.serve(0)
			w.want(3+100-roundsMost, "emptied again and again")
			w.pass(1200*time.Millisecond, answer...)
			w.want(3+100, "emptied again and again, a second later")
		})
	}
}

// TestFlushAbandoned: a client that leaves, and a node that dies, hold nothing up.
func TestFlushAbandoned(t *testing.T) {
	eachFlushWorld(t, func(_ *testing.T, w *flushWorld) {
		w.flush()
		w.serve(0, 1)
		w.other.Hangup(errors.New("gone"))
		w.pass(1200*time.Millisecond, 0, 1)
		w.want(1, "its client has left")
	})
	eachFlushWorld(t, func(_ *testing.T, w *flushWorld) {
		w.flush()
		w.serve(0, 1)
		w.nodes[w.order[2]].dead = true
		w.nodes[w.order[2]].die()
		w.pass(200*time.Millisecond, 0, 1)
		if w.nulls() == 0 {
			w.t.Error("a node has died, and nobody was told of the flush")
		}
		w.nodes[w.order[2]].dead = false
	})
}

// TestFlushWhileEarsChange: one ear takes over from another while a client flushes, and nodes do what they are told late and in pieces. The flush is told
// once, whichever ears tell of it.
func TestFlushWhileEarsChange(t *testing.T) {
	eachSeed(t, 100, func(t *testing.T, seed uint64) {
		w := &flushWorld{cacheWorld: newCacheWorld(t, seed, 1+int(seed%3), false, nil)}
		w.calm = true
		w.cache, w.other = w.world.client(1), w.world.client(2)
		w.cache.Feed(append(resp.AppendCommandStrings(nil, "HELLO", "3"), resp.AppendCommandStrings(nil, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "p:")...))
		w.other.Feed(resp.AppendCommandStrings(nil, "DBSIZE"))
		all := make([]int, len(w.order))
		for i := range all {
			all[i] = i
		}
		w.serve(all...)
		late := func() {
			for range w.rand.IntN(30) {
				w.m.EndTurn()
				w.dialled()
				conns := w.nodes[w.order[w.rand.IntN(len(w.order))]].conns
				fc := conns[w.rand.IntN(len(conns))]
				fc.work(w.rand.IntN(4))
				fc.answer(w.rand.IntN(60))
				if w.rand.IntN(10) == 0 {
					w.m.Advance(time.Duration(w.rand.IntN(15)) * time.Millisecond)
				}
			}
		}
		for flushes := 1; flushes <= 5; flushes++ {
			w.cache.Feed(resp.AppendCommandStrings(nil, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", string(rune('a'+flushes))))
			late()
			w.flush()
			late()
			w.pass(1500*time.Millisecond, all...)

			w.want(flushes, "when all is done")
		}
	})
}
