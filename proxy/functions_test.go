package proxy

import (
	"strings"
	"testing"
	"time"

	"larder/protocol/resp"
	"larder/router"
)

// library is a payload that has some.
const library = "a-payload-with-libraries"

// keyOn is a key that a shard has.
func (w *world) keyOn(shard int) string {
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		if w.p.topo.ShardOf([]byte(key)) == shard {
			return key
		}
	}
	w.t.Fatalf("no key for shard %d", shard)
	return ""
}

// node is the node of a shard.
func (w *world) node(shard int) *fakeNode { return w.nodes[w.p.topo.Shards[shard].Primary.Addr] }

// TestFunctionsOfNodeStartedAnew: a node that comes back with no functions is given those of the others before a client's command reaches it.
func TestFunctionsOfNodeStartedAnew(t *testing.T) {
	for _, larder := range []bool{true, false} {
		for _, shards := range []int{1, 3} {
			w := newWorld(t, 1, shards, larder, nil)
			c := w.client(0)
			if got := w.talk(c, "FUNCTION LOAD "+library); got != "+OK" {
				t.Fatalf("FUNCTION LOAD: %q", got)
			}
			for shard := range shards {
				w.node(shard).die()
				key := w.keyOn(shard)
				if got := w.talk(c, "GETRANGE "+key+" 1 2", "FCALL f 1 "+key+" x"+key); !strings.HasSuffix(got, "$2 x"+key) {
					t.Errorf("larder %v, %d shards, shard %d: %q", larder, shards, shard, got)
				}
			}
		}
	}
}

// TestFunctionsOfOthers: a gateway that has just begun finds a node without functions, and the functions with another shard.
func TestFunctionsOfOthers(t *testing.T) {
	for shard := range 3 {
		w := newWorld(t, 1, 3, true, nil)
		for other := range 3 {
			if other != shard {
				w.node(other).functions = library
			}
		}
		key := w.keyOn(shard)
		if got := w.talk(w.client(0), "GETRANGE "+key+" 1 2", "FCALL f 1 "+key+" 7", "FUNCTION LIST"); got != "$3 1:2 $1 7 *1 $24 "+library {
			t.Errorf("shard %d: %q", shard, got)
		}
		if got := w.node(shard).functions; got != library {
			t.Errorf("shard %d has %q", shard, got)
		}
	}
}

// TestFunctionsNowhere: where no shard has functions, a call of one is refused, and later ones ask nobody.
func TestFunctionsNowhere(t *testing.T) {
	w := newWorld(t, 1, 3, true, nil)
	c := w.client(0)
	for range 2 {
		if got := w.talk(c, "FCALL f 1 a 1"); got != "-ERR Function not found" {
			t.Error(got)
		}
	}
	if u := w.p.shards[w.p.topo.ShardOf([]byte("a"))]; !u.settled || u.asking != 0 || len(u.wanting) != 0 {
		t.Errorf("settled %v, asking %d, wanting %d", u.settled, u.asking, len(u.wanting))
	}
}

// TestFunctionsNobodyAnswers: the other shards keep silent; the node that came back is used after half the time of a greeting, with the functions that
// the gateway has kept.
func TestFunctionsNobodyAnswers(t *testing.T) {
	w := newWorld(t, 1, 3, true, nil)
	c := w.client(0)
	w.talk(c, "FUNCTION LOAD "+library)
	w.node(0).die()
	key := w.keyOn(0)
	c.Feed(resp.AppendCommandStrings(nil, "FCALL", "f", "1", key, "x"))
	var got []byte
	for range 12 {
		w.m.EndTurn()
		w.dialled()
		for _, fc := range w.node(0).conns {
			fc.work(100)
			fc.answer(1 << 20)
		}
		w.m.Advance(100 * time.Millisecond)
		got = append(got, c.Written()...)
	}
	if string(got) != "$1\r\nx\r\n" {
		t.Errorf("%q", got)
	}
}

// TestFunctionsOfClusterLeft: what nodes of another cluster have said of their functions is not kept, however late the answer comes, or the question was put.
func TestFunctionsOfClusterLeft(t *testing.T) {
	w := newWorld(t, 1, 3, true, nil)
	if got := w.talk(w.client(0), "FUNCTION LOAD "+library); got != "+OK" || string(w.g.knownFunctions()) != library {
		t.Fatalf("%q, and known is %q", got, w.g.knownFunctions())
	}
	asked := w.g.dumps.Add(1)
	nodes := w.g.topo.Load().Shards
	other, err := router.Even("other", 1, []router.Node{nodes[0].Primary, nodes[1].Primary, nodes[2].Primary})
	if err != nil {
		t.Fatal(err)
	}
	w.g.told(other)
	before := w.g.functions.Load()
	w.g.keepFunctions(asked, "other", []byte(library))        // the number tells
	w.g.keepFunctions(w.g.dumps.Add(1), "c", []byte(library)) // a loop asked that had not heard of the move
	if known := w.g.functions.Load(); known != before || known.payload != nil || !known.publishes {
		t.Errorf("kept: %q of the cluster that was left", known.payload)
	}
	if w.g.keepFunctions(w.g.dumps.Add(1), "other", []byte("theirs-of-the-other")); string(w.g.knownFunctions()) != "theirs-of-the-other" {
		t.Errorf("known is %q", w.g.knownFunctions())
	}
}

// TestFunctionsFewerShards: a change that only some shards have made is told, in words that nobody sends again by himself.
func TestFunctionsSomeShards(t *testing.T) {
	w := newWorld(t, 1, 3, true, nil)
	w.node(1).functions = library
	want := "-ERR done on 2 of 3 shards only, send it again (FUNCTION LOAD and RESTORE with REPLACE): ERR Library already exists"
	if got := w.talk(w.client(0), "FUNCTION LOAD "+library, "PING"); got != want+" +PONG" {
		t.Error(got)
	}
	if w.g.changing.Load() != nil {
		t.Error("nobody else may change functions any more")
	}
}

// TestFunctionsOneAtATime: two clients change functions at once; the second waits for the first, also if the first goes away.
func TestFunctionsOneAtATime(t *testing.T) {
	w := newWorld(t, 1, 3, true, nil)
	a, b := w.client(0), w.client(1)
	w.talk(a, "DBSIZE") // the lanes are there
	a.Feed(resp.AppendCommandStrings(nil, "FUNCTION", "LOAD", library))
	b.Feed(resp.AppendCommandStrings(nil, "FUNCTION", "LOAD", library))
	w.m.EndTurn()
	a.Hangup(nil)
	if got := w.talk(b); got != "-ERR Library already exists" {
		t.Errorf("the second: %q", got)
	}
	if w.g.changing.Load() != nil || len(w.p.turns) != 0 {
		t.Error("somebody still has, or waits for, a turn")
	}
}
