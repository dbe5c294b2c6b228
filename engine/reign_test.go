package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/engine/commands"
	"larder/protocol/command"
	"larder/router"
)

// TestOrdersMakeRoles: what a managed node is by the records that it is shown, and what it then answers.
func TestOrdersMakeRoles(t *testing.T) {
	e := newRealm(t, 2, nil)
	k := e.nodes[0].client()
	e.states(0, "role", "waiting", "record", "", "reign", "0", "leased", "0", "loaded", "1")
	k.says("-CLUSTERDOWN The node waits for a record of its shard and serves nobody until then\r\n", "GET", "a")
	k.says("-CLUSTERDOWN The node waits for a record of its shard and serves nobody until then\r\n", "SET", "a", "1")
	k.says("+PONG\r\n", "PING")
	k.says("-ERR this node is told by records of its shard whom it follows (LARDER RECORD)\r\n", "REPLICAOF", "10.0.0.7", "7000")
	k.says("-ERR this node is told by records of its shard whom it follows (LARDER RECORD)\r\n", "FAILOVER")
	first := e.run(0)
	e.next(chosen(first))
	e.told(0, 1)
	e.states(0, "role", "primary", "record", e.record.Line(), "reign", "1", "leased", "-1")
	e.states(1, "role", "follower", "following", "1", "reign", "1")
	k.says("+OK\r\n", "SET", "a", "1")
	e.pump()
	f := e.nodes[1].client()
	f.says("$1\r\n1\r\n", "GET", "a")
	f.says("-READONLY You can't write against a read only replica.\r\n", "SET", "a", "2")
	f.says("+OK\r\n", "CONFIG", "SET", "replica-read-only", "no")
	f.says("-READONLY You can't write against a read only replica.\r\n", "SET", "a", "2")

	old := e.record
	e.next(func(r *router.Record) { r.State, r.Term = router.Switching, r.Epoch })
	e.told(0)
	e.states(0, "role", "frozen")
	k.says("-CLUSTERDOWN The shard has no primary at the moment\r\n", "GET", "a")
	k.says("-STALE record "+e.record.Line()+"\r\n", "LARDER", "RECORD", old.Line())
	e.told(0) // the same again
	e.next(func(r *router.Record) { r.State, r.Term = router.Electing, r.Epoch })
	e.told(0, 1)
	e.states(0, "role", "elector")
	e.states(1, "role", "waiting", "following", "0") // it is no member
	k.says("-CLUSTERDOWN The shard has no primary at the moment\r\n", "SET", "a", "2")
	for _, c := range [][2]string{
		{"nonsense", "-ERR parse record: version \"nonsense\": want 1\r\n"},
		{"1 0 0 0 normal - 1 a@1 -", "-ERR a record's epoch is at least 1: 0 is that of a shard that has none\r\n"},
		{"1 9 9 9 normal - 1 - -", "-ERR parse record: the set is empty\r\n"},
	} {
		k.says(c[1], "LARDER", "RECORD", c[0])
	}
	k.says("-ERR \"b\": want node=host:port\r\n", "LARDER", "RECORD", e.record.Line(), "b")
	k.says("+OK\r\n", "MULTI")
	k.says("-ERR Command not allowed inside a transaction\r\n", "LARDER", "RECORD", e.record.Line())
}

// TestUnmanagedTakesNoOrders: a node to which nobody gives orders is as it was.
func TestUnmanagedTakesNoOrders(t *testing.T) {
	k := newBed(t, func(o *engine.Options) { o.ID = "a" }).client()
	for _, word := range []string{"RECORD", "PROMISE"} {
		k.says("-ERR this node takes no orders: start it with --managed and --node-id (engine.managed, engine.id)\r\n", "LARDER", word, "1 1 1 1 normal - 1 a@1 -")
	}
	got := fieldsOf(t, k.do("LARDER", "STATE"))
	if got["role"] != "alone" || got["record"] != "" || got["leased"] != "-1" {
		t.Errorf("%v", got)
	}
	k.says("-ERR this node takes no orders, and is no primary of a record\r\n", "REPLCONF", "larder-run", "b@1", "larder-primary", "a@1", "larder-reign", "1")
	k.says("+OK\r\n", "SET", "a", "1")
	o := engine.DefaultOptions()
	if o.Managed = true; o.Validate() == nil {
		t.Error("managed without an id")
	}
	if o.ID, o.ReplicaOf = "a", "10.0.0.7 7000"; o.Validate() == nil {
		t.Error("managed and told whom to follow")
	}
}

// TestWritesWaitForMembers: a write is answered when every member has it; what shows nothing of it is not held; a lane is told by stamps.
func TestWritesWaitForMembers(t *testing.T) {
	e := reigning(t, 3, true, nil)
	w, r := e.nodes[0].client(), e.nodes[0].client()
	w.says("", "SET", "a", "1")
	r.says("$-1\r\n", "GET", "b")
	r.says("", "GET", "a")
	if got := e.got(w) + e.got(r); got != "+OK\r\n$1\r\n1\r\n" {
		t.Errorf("carried to all: %q", got)
	}
	lane := e.lane(0)
	parts, rest := stampOf(t, lane.do("LARDER", "STAMPS", "ON"))
	if rest != "+OK\r\n" || parts[0] != fmt.Sprint(e.record.Reign) || parts[1] != parts[2] {
		t.Errorf("stamp %q, then %q", parts, rest)
	}
	parts, rest = stampOf(t, lane.do("SET", "a", "2"))
	if rest != "+OK\r\n" || parts[1] == parts[2] {
		t.Errorf("before anybody has it: stamp %q, then %q", parts, rest)
	}
	executed := parts[1]
	e.cut[2] = true
	if got := e.got(lane); got != "" {
		t.Errorf("one of two has it, and the lane is told %q", got)
	}
	e.cut[2] = false
	if parts, rest = stampOf(t, e.got(lane)); rest != "" || parts[1] != executed || parts[2] != executed {
		t.Errorf("both have it: stamp %q, then %q", parts, rest)
	}
	e.states(0, "executed", executed, "committed", executed)
	f := e.nodes[1].client()
	f.says("-MASTERDOWN This node is a replica of a shard whose writes wait for all members: only its primary answers clients\r\n", "GET", "a")
	f.says("-READONLY You can't write against a read only replica.\r\n", "SET", "a", "3")
	behind := e.lane(1)
	if parts, _ = stampOf(t, behind.do("LARDER", "STAMPS", "ON")); parts[0] != "1" || parts[1] != executed || parts[2] != "0" {
		t.Errorf("a lane at a follower: stamp %q", parts)
	}
	behind.says("$1\r\n2\r\n", "GET", "a")
}

// TestNoLeaseNoAnswer: a primary whose members are not heard of answers nothing about data; what it has found when the lease ends is not told.
func TestNoLeaseNoAnswer(t *testing.T) {
	e := reigning(t, 2, true, nil)
	k, late, lane := e.nodes[0].client(), e.nodes[0].client(), e.lane(0)
	const down = "-CLUSTERDOWN Not every member of the shard's set is in touch with its primary, which answers nothing without them\r\n"
	k.says("$-1\r\n", "GET", "a")
	e.passes(3 * time.Second)
	k.says("$-1\r\n", "GET", "a") // nobody has written anything, and the lease lives
	e.cut[1] = true
	e.passes(300 * time.Millisecond)
	k.says("$-1\r\n", "GET", "a")
	e.nodes[0].node.SetHandler(command.CmdStrLen, func(c *commands.Call) { // the machine stands still before the reply is written
		e.nodes[0].m.Pass(600 * time.Millisecond)
		c.W.Int(7)
	})
	for i, c := range []*talker{late, lane} {
		if got := c.send([]byte("PING\r\nSTRLEN a\r\n")); i == 0 && (got != "" || !c.c.Closed) {
			t.Errorf("told %q, closed: %v", got, c.c.Closed)
		} else if i == 1 && got != "+PONG\r\n"+down {
			t.Errorf("a lane, later: told %q", got)
		}
	}
	e.nodes[0].m.Advance(100 * time.Millisecond)
	k.says(down, "GET", "a")
	k.says(down, "SET", "a", "1")
	k.says("+PONG\r\n", "PING")
	e.states(0, "role", "primary", "leased", "0")
	e.cut[1] = false
	e.passes(200 * time.Millisecond)
	k.says("$-1\r\n", "GET", "a")
}

// TestTooFewMembers: without enough members a write is refused before it runs; one that ran before is not told of, though everyone has it.
func TestTooFewMembers(t *testing.T) {
	e := reigning(t, 2, true, func(o *engine.Options) { o.HoldTime = time.Second })
	k, o := e.nodes[0].client(), e.nodes[0].client()
	k.says("", "SET", "a", "1")
	e.next(func(r *router.Record) { r.MinInSync, r.Set = 2, r.Set[:1] })
	e.told(0)
	if got := k.got(); got != "" {
		t.Errorf("the set has become too small: %q", got)
	}
	o.says("-NOREPLICAS Not enough good replicas to write.\r\n", "SET", "b", "1")
	o.says("$1\r\n1\r\n", "GET", "a") // all that are left have it
	o.says("+OK\r\n", "MULTI")
	o.says("-NOREPLICAS Not enough good replicas to write.\r\n", "SET", "b", "1")
	o.says("-EXECABORT Transaction discarded because of previous errors.\r\n", "EXEC")
	o.says(":1\r\n", "EVAL", "return 1", "0")
	if got := o.do("EVAL", "return redis.call('set', 'b', '1')", "0"); !strings.HasPrefix(got, "-NOREPLICAS ") {
		t.Errorf("a script that writes: %q", got)
	}
	e.passes(1200 * time.Millisecond)
	if got := k.got(); got != "-UNKNOWN the command ran and was not confirmed in time: not every member of the shard's set has it, or the set is too small\r\n" {
		t.Errorf("after the hold time: %q", got)
	}
}

// TestNotConfirmedInTime: a write that a silent member lacks is told to be unknown, each reply for itself, in order; later ones wait on for their own time.
func TestNotConfirmedInTime(t *testing.T) {
	e := reigning(t, 2, true, nil)
	k, o := e.nodes[0].client(), e.nodes[0].client()
	e.cut[1] = true
	const unknown = "-UNKNOWN the command ran and was not confirmed in time: not every member of the shard's set has it, or the set is too small\r\n"
	if got := k.send([]byte("SET a 1\r\nPING\r\nINCR a\r\n")); got != "" {
		t.Errorf("%q", got)
	}
	o.says("$-1\r\n", "GET", "b")
	e.passes(300 * time.Millisecond)
	k.says("", "GET", "b") // behind
	e.passes(1750 * time.Millisecond)
	if got := k.got(); got != strings.Repeat(unknown, 3) {
		t.Errorf("%q", got)
	}
	e.passes(300 * time.Millisecond)
	if got := k.got(); !strings.HasPrefix(got, unknown) {
		t.Errorf("what stood behind: %q", got)
	}
	e.cut[1] = false
	e.passes(300 * time.Millisecond)
	k.says("$1\r\n2\r\n", "GET", "a")
}

// TestElection: members promise when their lease has ended, or the run they gave it to; the one that is chosen serves, and what was acknowledged is there.
func TestElection(t *testing.T) {
	e := reigning(t, 3, true, nil)
	k := e.nodes[0].client()
	k.says("", "SET", "a", "1")
	if got := e.got(k); got != "+OK\r\n" {
		t.Fatalf("%q", got)
	}
	e.cut[0] = true
	e.next(func(r *router.Record) { r.State, r.Term = router.Electing, r.Epoch })
	ask := func(i int, exited ...string) map[string]string {
		return fieldsOf(t, e.admins[i].do(append([]string{"LARDER", "PROMISE", e.record.Line()}, exited...)...))
	}
	got := ask(1)
	if got["promised"] != "0" || got["wait"] == "0" || got["run"] != e.run(1).String() || got["reign"] != "1" {
		t.Errorf("at once: %v", got)
	}
	if got = ask(1, "EXITED", "a@another"); got["promised"] != "0" {
		t.Errorf("another run has ended: %v", got)
	}
	if got = ask(2, "EXITED", "a@another", e.run(0).String()); got["promised"] != fmt.Sprint(e.record.Epoch) || got["wait"] != "0" || got["offset"] != e.state(2)["executed"] {
		t.Errorf("the primary has ended: %v", got)
	}
	e.passes(600 * time.Millisecond)
	if got = ask(1); got["promised"] != fmt.Sprint(e.record.Epoch) {
		t.Errorf("after the lease: %v", got)
	}
	e.states(1, "role", "elector", "following", "0", "promised", fmt.Sprint(e.record.Epoch))
	e.next(chosen(e.runs(1, 2)...))
	e.told(1, 2)
	e.passes(200 * time.Millisecond)
	e.states(1, "role", "primary", "reign", fmt.Sprint(e.record.Reign))
	e.states(2, "role", "follower", "following", "1", "reign", fmt.Sprint(e.record.Reign))
	n := e.nodes[1].client()
	n.says("$1\r\n1\r\n", "GET", "a")
	n.says("", "SET", "a", "2")
	if got := e.got(n); got != "+OK\r\n" {
		t.Errorf("the new primary: %q", got)
	}
	k.says("-CLUSTERDOWN Not every member of the shard's set is in touch with its primary, which answers nothing without them\r\n", "GET", "a")
	e.cut[0] = false
	e.told(0)
	e.passes(200 * time.Millisecond)
	e.states(0, "role", "follower", "following", "1", "reign", fmt.Sprint(e.record.Reign))
	if got := e.state(0)["executed"]; got != e.state(1)["executed"] {
		t.Errorf("the old primary is at %s, the new one at %s", got, e.state(1)["executed"])
	}
	n.says("-ERR there is nothing to promise: the record is no election\r\n", "LARDER", "PROMISE", e.record.Line())
}

// TestPlannedSwitch: a frozen primary answers nothing more, its data stands still, and who has all of it takes over without a wait.
func TestPlannedSwitch(t *testing.T) {
	e := reigning(t, 2, true, nil)
	k, held, lane := e.nodes[0].client(), e.nodes[0].client(), e.lane(0)
	k.says("", "SET", "a", "1", "PX", "100")
	e.pump()
	e.cut[1] = true
	held.says("", "SET", "b", "1")
	before := e.record
	e.next(func(r *router.Record) { r.State, r.Term = router.Switching, r.Epoch })
	e.told(0, 1)
	e.states(0, "role", "frozen")
	lane.says("-STALE record "+e.record.Line()+"\r\n", "GET", "a")
	final := e.state(0)["executed"]
	e.passes(300 * time.Millisecond)
	e.states(0, "executed", final) // nobody dies here
	e.cut[1] = false
	e.passes(100 * time.Millisecond)
	e.states(1, "role", "follower", "executed", final)
	if got := held.got(); got != "" {
		t.Errorf("a frozen node says %q", got)
	}
	e.next(func(r *router.Record) {
		chosen(before.Set[1], before.Set[0])(r)
		r.Returned = true
	})
	e.told(1, 0)
	e.passes(100 * time.Millisecond)
	n := e.nodes[1].client()
	n.says("$-1\r\n", "GET", "a") // its time is over
	if got := e.got(n); got != "" {
		t.Errorf("%q", got)
	}
	n.says("$1\r\n1\r\n", "GET", "b")
	if got := held.got(); !strings.HasPrefix(got, "-UNKNOWN the command ran and was not confirmed: another node is the shard's primary now") {
		t.Errorf("what was held: %q", got)
	}
	e.states(0, "role", "follower", "following", "1")
}

// TestSwitchAborted: the record goes back to the old primary, which goes on where it was, its reign too.
func TestSwitchAborted(t *testing.T) {
	e := reigning(t, 2, true, nil)
	k := e.nodes[0].client()
	e.cut[1] = true
	k.says("", "SET", "a", "1")
	e.next(func(r *router.Record) { r.State, r.Term = router.Switching, r.Epoch })
	e.told(0, 1)
	e.next(func(r *router.Record) { r.State, r.Term = router.Normal, r.Epoch })
	e.cut[1] = false
	e.told(0, 1)
	e.passes(200 * time.Millisecond)
	if got := k.got(); got != "+OK\r\n" {
		t.Errorf("held over the freeze: %q", got)
	}
	k.says("$1\r\n1\r\n", "GET", "a")
}

// TestDataIsNotDropped: who would need a copy of all data waits while the record counts on what it has; then it is another run before it lets go of it.
func TestDataIsNotDropped(t *testing.T) {
	e := reigning(t, 2, true, nil)
	k := e.nodes[0].client()
	was := e.run(1)
	e.cut[1] = true
	e.passes(200 * time.Millisecond)
	for _, w := range e.wires {
		for _, end := range w.ends {
			end.Hangup(fmt.Errorf("reset"))
		}
	}
	e.nodes[0].node.Restart(strings.Repeat("7", 40), 5000) // as if its history were another
	e.cut[1] = false
	e.passes(3 * time.Second)
	e.states(1, "run", was.String(), "following", "0")
	e.next(func(r *router.Record) { r.Set = r.Set[:1] })
	e.told(1)
	e.passes(3 * time.Second)
	if now := e.run(1); now == was || now.Node != "b" {
		t.Errorf("left out it is still %v", now)
	}
	e.states(1, "following", "1", "loaded", "1")
	k.infoSays("server", "run_id", e.run(0).ID)
	e.nodes[1].client().infoSays("server", "run_id", e.run(1).ID)
	if got := e.state(0)["followers"]; got != e.run(1).String()+" "+e.state(1)["executed"] {
		t.Errorf("followers of the primary: %q", got)
	}
}

// TestLanesGoByTheTerm: a lane that has not said the record's term is told the record; what stands in a transaction is judged at its end.
func TestLanesGoByTheTerm(t *testing.T) {
	e := newRealm(t, 1, nil)
	lane := e.nodes[0].client()
	if hello := fieldsOf(t, lane.do("LARDER", "HELLO", "1")); hello["record"] != "" || hello["run"] != e.run(0).ID {
		t.Errorf("HELLO: %v", hello)
	}
	lane.says("-CLUSTERDOWN The node waits for a record of its shard and serves nobody until then\r\n", "GET", "a")
	e.next(chosen(e.run(0)))
	e.told(0)
	stale := "-STALE record " + e.record.Line() + "\r\n"
	if hello := fieldsOf(t, lane.do("LARDER", "HELLO", "1")); hello["record"] != e.record.Line() {
		t.Errorf("HELLO: %v", hello)
	}
	for _, command := range []string{"GET a", "SET a 1", "WATCH a", "PUBLISH a b", "EVAL return 0"} {
		lane.says(stale, words(command)...)
	}
	lane.says("+PONG\r\n", "PING")
	lane.says("+OK\r\n", "LARDER", "TERM", "0", "1")
	lane.says("+OK\r\n", "SET", "a", "1")
	if got := lane.send([]byte("LARDER TERM 0 9\r\nGET a\r\nLARDER TERM 0 1\r\nGET a\r\nGET a\r\n")); got != "+OK\r\n"+stale+"+OK\r\n$1\r\n1\r\n$1\r\n1\r\n" {
		t.Errorf("%q", got)
	}
	lane.says("-ERR term is not an integer or out of range\r\n", "LARDER", "TERM", "0", "x")
	e.next(func(r *router.Record) { r.MinInSync = 0 }) // a mere change of the set keeps the term
	e.told(0)
	lane.says("$1\r\n1\r\n", "GET", "a")
	lane.says("", "BLPOP", "l", "0")
	lane2 := e.lane(0)
	lane2.says("+OK\r\n", "MULTI")
	lane2.says("+QUEUED\r\n", "SET", "a", "2")
	e.next(func(r *router.Record) { r.State, r.Term = router.Switching, r.Epoch })
	e.told(0)
	stale = "-STALE record " + e.record.Line() + "\r\n"
	if got := lane.got(); got != stale {
		t.Errorf("who waits for a key: %q", got)
	}
	lane2.says("+QUEUED\r\n", "GET", "a")
	lane2.says(stale, "EXEC")
	lane2.says(stale, "GET", "a")
	lane2.says("+OK\r\n", "LARDER", "TERM", "0", fmt.Sprint(e.record.Term))
	lane2.says(stale, "GET", "a") // a frozen node
}

// TestFollowersPublishNothing: under r who subscribes at a follower hears nothing of the stream, which may not be committed; without it as in Redis.
func TestFollowersPublishNothing(t *testing.T) {
	for _, replicated := range []bool{true, false} {
		e := reigning(t, 2, replicated, nil)
		hears, k := e.nodes[1].client(), e.nodes[0].client()
		hears.do("CONFIG", "SET", "notify-keyspace-events", "KEA")
		hears.do("PSUBSCRIBE", "*")
		k.do("SET", "a", "1")
		k.do("PUBLISH", "news", "b")
		if got := e.got(hears); (got == "") != replicated || strings.Contains(got, "news") == replicated || strings.Contains(got, "set") == replicated {
			t.Errorf("replicated %v: a follower tells its subscribers %q", replicated, got)
		}
	}
}

// TestWritesBeginToWait: a record has the writes of a reign wait that did not before; what was written until then may be shown when every member has it.
func TestWritesBeginToWait(t *testing.T) {
	e := reigning(t, 2, false, nil)
	k := e.nodes[0].client()
	e.cut[1] = true
	k.says("+OK\r\n", "SET", "a", "1")
	e.next(func(r *router.Record) { r.Replicated = true })
	e.told(0)
	if got := k.do("GET", "a"); strings.HasPrefix(got, "$") {
		t.Errorf("shown before the member has it: %q", got)
	}
	e.cut[1] = false
	e.passes(300 * time.Millisecond)
	k.got()
	k.says("$1\r\n1\r\n", "GET", "a")
	e.next(func(r *router.Record) { r.Replicated = false })
	e.told(0, 1)
	e.cut[1] = true
	k.says("+OK\r\n", "SET", "a", "2")
}

// TestDeposedWithinATurn: what a node has run in the turn in which it learns that it is not the primary any more is not told as if it were done.
func TestDeposedWithinATurn(t *testing.T) {
	e := reigning(t, 2, true, nil)
	blocked, k, free := e.nodes[0].client(), e.nodes[0].client(), e.nodes[0].client()
	blocked.says("", "BLPOP", "l", "0")
	e.next(chosen(e.runs(1, 0)...))
	e.nodes[0].node.SetHandler(command.CmdStrLen, func(c *commands.Call) {
		e.nodes[0].node.Learn(e.record.Line())
		c.W.Int(7)
	})
	if got := k.send([]byte("RPUSH l x\r\nSTRLEN a\r\n")); got != "" || !k.c.Closed {
		t.Errorf("who pushed is told %q, closed: %v", got, k.c.Closed)
	}
	if got := blocked.got(); !strings.HasPrefix(got, "-UNKNOWN the command ran and was not confirmed: another node") {
		t.Errorf("who waited is told %q", got)
	}
	free.says("+PONG\r\n", "PING")
	e.states(0, "role", "follower")
}

// TestDeposedTellsNoMessages: a message that was held, and a large value, are not let out by the gate's opening when the node is deposed.
func TestDeposedTellsNoMessages(t *testing.T) {
	e := reigning(t, 2, true, nil)
	hears, reads, k := e.nodes[0].client(), e.nodes[0].client(), e.nodes[0].client()
	hears.do("SUBSCRIBE", "news")
	e.cut[1] = true
	k.says("", "SET", "large", strings.Repeat("x", 600<<10))
	reads.says("", "GET", "large")
	k.says("", "EVAL", "redis.call('RPUSH', 'l', '1') return redis.call('PUBLISH', 'news', 'lost')", "0")
	if got := hears.got(); got != "" {
		t.Fatalf("at once: %q", got)
	}
	e.next(chosen(e.runs(1, 0)...))
	e.told(0)
	for range 3 {
		e.nodes[0].m.Advance(100 * time.Millisecond)
		for i, c := range []*talker{hears, reads} {
			if got := c.got(); got != "" {
				t.Errorf("%d is told %.80q", i, got)
			}
		}
	}
	if !hears.c.Closed || !reads.c.Closed {
		t.Errorf("closed: %v, %v", hears.c.Closed, reads.c.Closed)
	}
}
