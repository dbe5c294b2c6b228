package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/loop"
)

// cable is a connection of a node that follows to the node that it follows, each end on a loop of its own. Bytes go as far as they are carried.
type cable struct {
	up, down           *loop.MemConn // the primary's end, and the follower's
	upward, downward   []byte        // on their way
	primary, following *bed
}

// plug answers a node's dial by a connection to another.
func plug(d *loop.MemDial, following, primary *bed) *cable {
	return &cable{up: primary.m.Open(loopback), down: d.Succeed(), primary: primary, following: following}
}

// takes takes what both ends have said.
func (w *cable) takes() {
	w.upward = append(w.upward, w.down.Written()...)
	w.downward = append(w.downward, w.up.Written()...)
}

// carry brings at most so many bytes down, and all of what goes up. It tells whether anything was carried.
func (w *cable) carry(most int) bool {
	w.primary.m.EndTurn()
	w.following.m.EndTurn()
	w.takes()
	up, n := w.upward, min(most, len(w.downward))
	down := append([]byte(nil), w.downward[:n]...)
	w.upward, w.downward = nil, w.downward[n:]
	if len(up) > 0 {
		w.up.Feed(up)
	}
	if len(down) > 0 {
		w.down.Feed(down)
	}
	w.primary.m.EndTurn()
	w.following.m.EndTurn()
	return len(up)+len(down) > 0
}

// rest carries all there is.
func (w *cable) rest() {
	for range 1000 {
		if !w.carry(1 << 20) {
			return
		}
	}
}

// cut ends the connection; what is on its way is lost.
func (w *cable) cut() {
	w.down.Hangup(fmt.Errorf("cut"))
	w.up.Hangup(fmt.Errorf("cut"))
	w.primary.m.EndTurn()
	w.following.m.EndTurn()
}

// follows has a node follow another.
func follows(t testing.TB, b, primary *bed) *cable {
	t.Helper()
	b.client().says("+OK\r\n", "REPLICAOF", "10.0.0.7", "7000")
	return redials(t, b, primary)
}

// redials plugs a node's next attempt in.
func redials(t testing.TB, b, primary *bed) *cable {
	t.Helper()
	for range 100 {
		if dials := b.m.Dials(); len(dials) > 0 {
			return plug(dials[len(dials)-1], b, primary)
		}
		b.m.Advance(100 * time.Millisecond)
	}
	t.Fatal("the node does not dial")
	return nil
}

// TestStreamCutBetweenWriteAndMark: wherever the stream of a numbered lane's batch is cut, a node that is made the primary then has the mark and the writes, or
// neither (scenario 6 of those that the protocol of a shard is held against).
func TestStreamCutBetweenWriteAndMark(t *testing.T) {
	for at := 0; ; at++ {
		primary, replica := newBed(t, nil), newBed(t, nil)
		k := primary.lane("a")
		k.turn("SET a 1")
		w := follows(t, replica, primary)
		w.rest()
		replica.lanesAre(map[string]uint64{"a": 1})
		k.turn("SET b 2", "GET b", "SET c 3")
		w.takes()
		all := len(w.downward)
		w.carry(at)
		w.cut()
		c := replica.client()
		c.says("+OK\r\n", "REPLICAOF", "NO", "ONE")
		number, exist := ":1\r\n", ":0\r\n"
		if at >= all {
			number, exist = ":4\r\n", ":2\r\n"
		}
		c.says(exist, "EXISTS", "b", "c")
		c.ended("a", number)
		if at >= all {
			break
		}
	}
}

// TestMarkInFullSync: a node that was sent all data knows how far lanes have come in them, and one that follows that one (scenario 7).
func TestMarkInFullSync(t *testing.T) {
	primary, replica, last := newBed(t, nil), newBed(t, nil), newBed(t, nil)
	k, silent := primary.lane("a"), primary.lane("silent")
	k.turn("SET a 1", "GET a", "SET b 2") // nobody listens
	silent.turn("GET a")
	want := map[string]uint64{"a": 3, "silent": 1}
	w := follows(t, replica, primary)
	w.rest()
	replica.lanesAre(want)
	w2 := follows(t, last, replica)
	w2.rest()
	last.lanesAre(want)
	k.turn("SET c 3")
	want["a"] = 4
	w.rest()
	w2.rest()
	last.lanesAre(want)
	w2.cut() // it goes on where it was
	k.turn("SET d 4")
	primary.client().says("+OK\r\n", "LARDER", "FORGET", "silent")
	w.rest()
	w2 = redials(t, last, replica)
	w2.rest()
	if n := replica.client().infoOf("sync_partial_ok"); n != "1" {
		t.Errorf("%s replicas went on where they were", n)
	}
	last.lanesAre(map[string]uint64{"a": 5})
	c := last.client()
	if got := c.do("LARDER", "ENDED", "a"); !strings.HasPrefix(got, "-ERR this node follows another") {
		t.Errorf("a node that follows answers about a lane: %q", got)
	}
	c.says("+OK\r\n", "REPLICAOF", "NO", "ONE")
	c.ended("a", ":5\r\n")
	c.ended("silent", "$-1\r\n")
}

// TestLaneEndedBeforeItIsRead: what lies unread when somebody asks about a lane is never read, and a connection that waits to be accepted is no lane any more
// (scenario 8).
func TestLaneEndedBeforeItIsRead(t *testing.T) {
	b := newBed(t, nil)
	b.node.Listen()
	k, c := b.lane("a"), b.client()
	k.turn("SET a 1")
	c.says("+OK\r\n", "CLIENT", "PAUSE", "1000", "WRITE")
	k.turn("SET b 2")
	k.c.Feed(commandLines("SET c 3")) // in the socket: the connection is not read
	c.ended("a", ":1\r\n")
	c.says("+OK\r\n", "CLIENT", "UNPAUSE")
	b.m.EndTurn()
	if !k.c.Closed {
		t.Error("the lane is open")
	}
	late := b.client() // it was in the queue
	if got := late.send([]byte(words2("LARDER", "LANE", "a") + words2("SET", "d", "4"))); got != "-ERR lane a has ended\r\n" || !late.c.Closed {
		t.Errorf("the ended lane comes again: %q, closed %v", got, late.c.Closed)
	}
	waits := b.lane("w")
	waits.turn("BLPOP l 0", "SET b 2")
	large := b.lane("l")
	large.c.Feed([]byte("*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1000000\r\n" + strings.Repeat("v", 500_000)))
	queued := b.lane("q")
	queued.turn("MULTI", "SET b 2")
	c.ended("w", ":0\r\n")
	c.ended("l", ":0\r\n")
	c.ended("q", ":0\r\n")
	c.ended("later", "$-1\r\n")
	c.says(":1\r\n", "RPUSH", "l", "x")
	c.says(":1\r\n", "LLEN", "l")
	c.says(":0\r\n", "EXISTS", "b", "c", "d")
	late = b.client()
	late.says("-ERR lane later has ended\r\n", "LARDER", "LANE", "later")
	c.ended("a", ":1\r\n") // asked again
}

// TestLanesOfFollower: lanes of a node that follows are in no table, until it is the primary. When it leads again they end: what they did may not be there.
func TestLanesOfFollower(t *testing.T) {
	primary, replica := newBed(t, nil), newBed(t, nil)
	old := replica.lane("old")
	replica.lanesAre(map[string]uint64{"old": 0})
	w := follows(t, replica, primary)
	w.rest()
	lane, late := replica.lane("r"), replica.lane("late")
	lane.turn("GET a", "SET a 1") // refused
	old.turn("GET a")
	replica.lanesAre(map[string]uint64{})
	w.cut()
	late.turn("GET a", "REPLICAOF NO ONE", "SET b 1")
	replica.lanesAre(map[string]uint64{"r": 0, "late": 3})
	if !old.c.Closed {
		t.Error("the lane that wrote before the node followed another is open")
	}
	lane.turn("SET a 1")
	replica.lanesAre(map[string]uint64{"r": 3, "late": 3})
	w = follows(t, primary, replica)
	w.rest()
	primary.lanesAre(map[string]uint64{"r": 3, "late": 3})

	w.cut()
	primary.client().says("+OK\r\n", "REPLICAOF", "NO", "ONE")
	w = follows(t, replica, primary)
	w.rest()
	if lane.c.Closed || late.c.Closed {
		t.Error("a lane was closed that may read")
	}
	if got := late.turn("GET b", "REPLICAOF NO ONE", "SET b 2"); got != "$1\r\n1\r\n+OK\r\n" || !lane.c.Closed || !late.c.Closed {
		t.Errorf("lanes that wrote before: %q, closed %v, %v", got, lane.c.Closed, late.c.Closed)
	}
	replica.lanesAre(map[string]uint64{"r": 3, "late": 3})
	replica.client().says("-ERR lane r has ended\r\n", "LARDER", "LANE", "r")
}

// TestMarkNotUnderstood: a mark of another form is told in the log and counted, and the stream goes on.
func TestMarkNotUnderstood(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	e := b.following(k)
	e.synced(emptyFile, 0)
	stream := words2("PUBLISH", "__larder:lanes__", "2 a 7 more") + words2("PUBLISH", "__larder:lanes__", "1 b 7") + words2("SET", "a", "1")
	e.says(stream)
	k.says("$1\r\n1\r\n", "GET", "a")
	b.lanesAre(map[string]uint64{"b": 7})
	b.m.Advance(time.Second)
	if got := k.infoOf("slave_repl_offset"); got != fmt.Sprint(len(stream)) {
		t.Errorf("the stream is at %s", got)
	}
}
