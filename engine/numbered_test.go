package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/engine/lanes"
	"larder/protocol/resp"
)

// lane is a connection whose requests are numbered.
func (b *bed) lane(id string) *talker {
	b.t.Helper()
	k := b.client()
	k.says("+OK\r\n", "LARDER", "LANE", id)
	return k
}

// turn sends commands as one read.
func (k *talker) turn(lines ...string) string { return k.send(commandLines(lines...)) }

// lanesAre compares what the node knows of numbered lanes.
func (b *bed) lanesAre(want map[string]uint64) {
	b.t.Helper()
	if got := b.node.Lanes(); !maps.Equal(got, want) {
		b.t.Errorf("lanes are %v, want %v", got, want)
	}
}

// ended asks about a lane.
func (k *talker) ended(id, number string) {
	k.b.t.Helper()
	got := k.do("LARDER", "ENDED", id)
	if want := fmt.Sprintf("*4\r\n%s:0\r\n:%d\r\n$40\r\n", number, k.b.node.StreamEnd()); !strings.HasPrefix(got, want) || len(got) != len(want)+42 {
		k.b.t.Errorf("lane %s: %q, want %q", id, got, want)
	}
}

// TestMarksGolden is the stream of a numbered lane, byte for byte.
func TestMarksGolden(t *testing.T) {
	b := newBed(t, nil)
	b.node.Listen()
	k := b.lane("gw1:7")
	k.turn("SET a 1", "GET a", "INCR a", "GET a")
	k.turn("GET a", "SELECT 3", "LPUSH l x")
	want := "*3\r\n$7\r\nPUBLISH\r\n$16\r\n__larder:lanes__\r\n$9\r\n1 gw1:7 0\r\n" +
		"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n" +
		"*1\r\n$5\r\nMULTI\r\n" +
		"*3\r\n$7\r\nPUBLISH\r\n$16\r\n__larder:lanes__\r\n$9\r\n1 gw1:7 4\r\n" +
		"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n" +
		"*1\r\n$4\r\nEXEC\r\n" +
		"*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n" +
		"*1\r\n$5\r\nMULTI\r\n" +
		"*3\r\n$7\r\nPUBLISH\r\n$16\r\n__larder:lanes__\r\n$9\r\n1 gw1:7 7\r\n" +
		"*3\r\n$5\r\nLPUSH\r\n$1\r\nl\r\n$1\r\nx\r\n" +
		"*1\r\n$4\r\nEXEC\r\n"
	if got, _ := b.node.Told(0); string(got) != want {
		t.Errorf("told %q\nwant %q", got, want)
	}
}

// TestBatches is what turns of a numbered lane come to in the stream: M n is a mark with that number.
func TestBatches(t *testing.T) {
	b := newBed(t, withDebug)
	b.node.Listen()
	k, other := &teller{talker: b.lane("a")}, b.client()
	k.told()
	k.turn("SELECT 0", "SET string x", "CONFIG SET maxmemory 0")
	k.told()
	for _, c := range []struct {
		said string // by the lane, one turn
		want string // of the stream
		last uint64 // number of the table
	}{
		{"GET a|GET b", "", 2},
		{"SET a 1", "MULTI|M 6|SET a 1|EXEC", 6},
		{"DEL none|LPUSH string x|SETNX string y", "", 6}, // nothing was done
		{"SET a 2|SET b 2|NOSUCH|GET a", "MULTI|M 13|SET a 2|SET b 2|EXEC", 13},
		{"PUBLISH c m", "MULTI|M 14|PUBLISH c m|EXEC", 14},
		{"MULTI|SET a 3|GET a|SET b 3|EXEC", "MULTI|M 19|SET a 3|SET b 3|EXEC", 19},
		{"SET a 4|MULTI|SET b 4", "MULTI|M 20|SET a 4|EXEC", 20}, // what is queued has not run
		{"SET c 4|EXEC", "MULTI|M 24|SET b 4|SET c 4|EXEC", 24},
		{"MULTI|SET a 5|DISCARD|SET a 6", "MULTI|M 28|SET a 6|EXEC", 28},
		{"SET a 7|MULTI|SET a 8|EXEC|SET a 9", "MULTI|M 29|SET a 7|EXEC|MULTI|M 33|SET a 8|SET a 9|EXEC", 33}, // a transaction might look at the stream
		{"SET a 1|EVAL return{redis.call('INCR','a'),redis.call('INCR','b')} 0|INCR a", "MULTI|M 34|SET a 1|EXEC|MULTI|M 36|INCR a|INCR b|INCR a|EXEC", 36},
		{"EVAL return(redis.call('get','a')) 0", "", 36},
		{"EVAL redis.set_repl(redis.REPL_NONE);redis.call('set','silent','1') 0", "", 38}, // it ran here
		{"SET a 1|INFO replication|SET a 2", "MULTI|M 39|SET a 1|EXEC|MULTI|M 41|SET a 2|EXEC", 41},
		{"RPUSH l a b|LARDER TERM 0|LPOP l", "MULTI|M 44|RPUSH l a b|LPOP l|EXEC", 44},
		{"BLPOP l 1|BLPOP l 1", "MULTI|M 45|LPOP l|EXEC", 45}, // the second waits
	} {
		k.turn(strings.Split(c.said, "|")...)
		got := strings.ReplaceAll(strings.Join(toldLines(t, k.told()), "|"), `PUBLISH __larder:lanes__ "1 a `, "M ")
		if got = strings.ReplaceAll(got, `"`, ""); got != c.want {
			t.Errorf("%s\n  told %s\n  want %s", c.said, got, c.want)
		}
		b.lanesAre(map[string]uint64{"a": c.last})
	}
	other.says(":1\r\n", "LPUSH", "l", "w")
	k.got()
	b.lanesAre(map[string]uint64{"a": 46})
	if got, want := toldLines(t, k.told()), []string{"LPUSH l w", "MULTI", `PUBLISH __larder:lanes__ "1 a 46"`, "LPOP l", "EXEC"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	other.ended("a", ":46\r\n")
}

// TestBatchWakes: who is served amid a batch has a unit of its own, behind that of the one that wakes it.
func TestBatchWakes(t *testing.T) {
	b := newBed(t, nil)
	b.node.Listen()
	waits, plain, k := b.lane("w"), b.client(), &teller{talker: b.lane("a")}
	waits.turn("SET w 1", "BLPOP l 0", "SET w 2")
	plain.turn("BLPOP m 0", "WAIT 0 0")
	k.told()
	k.turn("SET a 1", "RPUSH l x y", "SET a 2", "RPUSH m x", "SET a 3")
	got := strings.Join(toldLines(t, k.told()), "|")
	want := `MULTI|PUBLISH __larder:lanes__ "1 a 2"|SET a 1|RPUSH l x y|EXEC|MULTI|PUBLISH __larder:lanes__ "1 w 2"|LPOP l|EXEC|` +
		`MULTI|PUBLISH __larder:lanes__ "1 a 4"|SET a 2|RPUSH m x|EXEC|LPOP m|MULTI|PUBLISH __larder:lanes__ "1 a 5"|SET a 3|EXEC|` +
		`MULTI|PUBLISH __larder:lanes__ "1 w 3"|SET w 2|EXEC`
	if got != want {
		t.Errorf("told %s\nwant %s", got, want)
	}
	if got := waits.got(); got != "*2\r\n$1\r\nl\r\n$1\r\nx\r\n+OK\r\n" {
		t.Errorf("the lane that waited got %q", got)
	}
}

// TestBatchesAreBounded: many commands, or much of them, are several units.
func TestBatchesAreBounded(t *testing.T) {
	b := newBed(t, nil)
	b.node.Listen()
	k := &teller{talker: b.lane("a")}
	k.told()
	var lines []string
	for i := range 150 {
		lines = append(lines, fmt.Sprint("SET k v", i))
	}
	k.turn(lines...)
	marks := func() (numbers []string) {
		nests(t, toldLines(t, k.b.streamOf(k)))
		for _, line := range toldLines(t, k.told()) {
			if strings.HasPrefix(line, "PUBLISH") {
				numbers = append(numbers, strings.Trim(line[strings.LastIndex(line, " "):], ` "`))
			}
		}
		return numbers
	}
	if got := marks(); fmt.Sprint(got) != "[60 120 150]" {
		t.Errorf("150 commands have marks %v", got)
	}
	large := strings.Repeat("v", 100<<10)
	k.send([]byte(words2("SET", "a", large) + words2("SET", "b", large) + words2("APPEND", "a", "x")))
	if got := marks(); fmt.Sprint(got) != "[151 152 153]" {
		t.Errorf("large values have marks %v", got)
	}
	huge := strings.Repeat("v", 1<<20) // the store takes it over as it came
	k.send([]byte(words2("SET", "a", huge) + words2("APPEND", "a", "x") + words2("SETRANGE", "a", "0", "w")))
	stream := string(k.b.streamOf(k))
	if got := marks(); fmt.Sprint(got) != "[154 156]" || !strings.Contains(stream, huge) {
		t.Errorf("a huge value has marks %v; told as it was: %v", got, strings.Contains(stream, huge))
	}
}

// streamOf is what a teller has not looked at yet.
func (b *bed) streamOf(k *teller) []byte {
	bytes, _ := b.node.Told(k.heard)
	return bytes
}

// TestUnheardLanes: without listeners nothing is told, and every request counts.
func TestUnheardLanes(t *testing.T) {
	b := newBed(t, nil)
	k := b.lane("a")
	k.turn("GET a", "SET a 1", "GET a")
	b.lanesAre(map[string]uint64{"a": 3})
	k.turn("GET a")
	b.lanesAre(map[string]uint64{"a": 4})
	if stream, end := b.node.Told(0); len(stream) != 0 || end != 0 {
		t.Errorf("told %q", stream)
	}
}

// TestLaneNames: a lane has one name, which is no other's.
func TestLaneNames(t *testing.T) {
	b := newBed(t, nil)
	k, other := b.lane("a"), b.client()
	refused := func(want string, args ...string) {
		t.Helper()
		c := b.client()
		c.turn("MULTI")
		c.says("-ERR Command not allowed inside a transaction\r\n", args...)
		c = b.client()
		if got := c.send([]byte(words2(args...) + words2("SET", "a", "refused"))); got != want+"\r\n" || !c.c.Closed {
			t.Errorf("%.100q: %q, closed %v", args, got, c.c.Closed)
		}
	}
	const name = "-ERR a lane's name has 1 to 64 letters, digits and any of -._:"
	refused(name, "LARDER", "LANE", "")
	refused(name, "LARDER", "LANE", "a b")
	refused(name, "LARDER", "LANE", strings.Repeat("a", 65))
	used := func(id string) string {
		return "-ERR there was a lane " + id + " already: its name is to be another for each connection, for ever"
	}
	refused(used("a"), "LARDER", "LANE", "a")
	k.c.Hangup(nil)
	refused(used("a"), "LARDER", "LANE", "a")
	other.ended("never", "$-1\r\n")
	refused("-ERR lane never has ended", "LARDER", "LANE", "never")
	k = b.lane("b")
	k.says("-ERR a lane cannot end itself\r\n", "LARDER", "ENDED", "b")
	k.says("-ERR a lane cannot end itself\r\n", "LARDER", "FORGET", "a", "b")
	k.says(name+"\r\n", "LARDER", "FORGET", "a b")
	k.says(name+"\r\n", "LARDER", "ENDED", "")
	if got := k.do("LARDER", "LANE", "c"); got != "-ERR this connection is lane b already\r\n" || !k.c.Closed {
		t.Errorf("twice: %q, closed %v", got, k.c.Closed)
	}
	other.says("$-1\r\n", "GET", "a")
	const reserved = "ERR this channel is for what nodes tell each other of lanes\r\n"
	other.says("-"+reserved, "PUBLISH", lanes.Channel, "1 a 100")
	if got := other.do("EVAL", "return redis.call('publish', KEYS[1], '1 a 100')", "1", lanes.Channel); !strings.Contains(got, "ERR this channel is for") {
		t.Errorf("a script may publish on the channel of marks: %q", got)
	}
	b.lanesAre(map[string]uint64{"a": 0, "b": 5})
}

// TestForgetLanes: by a gateway's word, by age, and where there are too many; whoever follows is told.
func TestForgetLanes(t *testing.T) {
	b := newBed(t, nil)
	b.node.Listen()
	k := &teller{talker: b.client()}
	lane := b.lane("a")
	b.lane("b")
	lane.turn("SET a 1")
	k.told()
	k.says("+OK\r\n", "LARDER", "FORGET", "a", "b", "unknown")
	if got := toldLines(t, k.told()); !slices.Equal(got, []string{`PUBLISH __larder:lanes__ "1 a -"`, `PUBLISH __larder:lanes__ "1 b -"`}) {
		t.Errorf("told %q", got)
	}
	b.lanesAre(map[string]uint64{})
	if !lane.c.Closed {
		t.Error("the lane was not closed")
	}
	k.ended("a", "$-1\r\n")

	b.lane("c")
	b.lane("d").c.Hangup(nil)
	for range 3 {
		b.m.Advance(time.Minute)
	}
	b.lanesAre(map[string]uint64{"c": 0, "d": 0})
	b.m.Advance(time.Hour)
	b.lanesAre(map[string]uint64{"c": 0})

	many := fill(b, "e", lanes.Most-1)
	k.told()
	if got := b.client().do("LARDER", "LANE", "f"); got != "-ERR max number of numbered lanes reached\r\n" {
		t.Errorf("one too many: %q", got)
	}
	many[5].c.Hangup(nil)
	b.m.Advance(time.Minute)
	many[3].c.Hangup(nil)
	b.m.Advance(ms(10))
	b.lane("f")
	if all := b.node.Lanes(); all["e3"] != 1 || all["e5"] != 0 {
		t.Error("the lane that is without a connection for longest should have made room")
	}
	got := toldLines(t, k.told())
	if last := got[len(got)-2:]; !slices.Equal(last, []string{`PUBLISH __larder:lanes__ "1 e5 -"`, `PUBLISH __larder:lanes__ "1 f 0"`}) {
		t.Errorf("told %q", last)
	}
}

// fill opens lanes, each with a write.
func fill(b *bed, id string, n int) (all []*talker) {
	for i := range n {
		k := b.lane(fmt.Sprint(id, i))
		k.turn("INCR n")
		all = append(all, k)
	}
	return all
}

// TestLanesWhileStreamStands: while writes are held back the stream says nothing of lanes; their first batch does.
func TestLanesWhileStreamStands(t *testing.T) {
	b := newBed(t, nil)
	b.node.Listen()
	k := &teller{talker: b.client()}
	b.lane("old").turn("SET a 1")
	k.told()
	k.says("+OK\r\n", "CLIENT", "PAUSE", "100", "WRITE")
	lane := b.lane("a")
	k.says("+OK\r\n", "LARDER", "FORGET", "old")
	if got := k.told(); len(got) != 0 {
		t.Errorf("told %q", got)
	}
	b.lanesAre(map[string]uint64{"a": 0, "old": 1})
	k.ended("old", ":1\r\n")
	k.says("+OK\r\n", "CLIENT", "UNPAUSE")
	lane.turn("SET a 2")
	if got := toldLines(t, k.told()); !slices.Equal(got, []string{"MULTI", `PUBLISH __larder:lanes__ "1 a 1"`, "SET a 2", "EXEC"}) {
		t.Errorf("told %q", got)
	}
}

// TestMarksAllocateNothing: nor does a numbered lane's turn.
func TestMarksAllocateNothing(t *testing.T) {
	for _, listen := range []bool{false, true} {
		b := newBed(t, nil)
		if listen {
			b.node.Listen()
		}
		k := b.lane("a")
		var batch []byte
		for i := range 64 {
			batch = resp.AppendCommandStrings(batch, "SET", fmt.Sprint("k", i%10), "v")
		}
		if got, base := k.allocates(batch); got > base {
			t.Errorf("listened to: %v: 64 × SET allocate %v times, one PING %v times", listen, got, base)
		}
	}
}

// TestLargeArgumentIsNumbered: a request that is taken in piece by piece is one.
func TestLargeArgumentIsNumbered(t *testing.T) {
	b := newBed(t, nil)
	b.node.Listen()
	k := b.lane("a")
	text := words2("SET", "a", "1") + words2("SET", "large", strings.Repeat("v", 2<<20)) + words2("SET", "b", "1")
	for len(text) > 0 {
		n := min(len(text), 100_000)
		k.c.Feed([]byte(text[:n]))
		b.m.EndTurn()
		text = text[n:]
	}
	b.lanesAre(map[string]uint64{"a": 3})
	k.turn("GET large", "SET a 2") // a large reply leaves in pieces
	for range 20 {
		k.got()
		b.m.EndTurn()
	}
	b.lanesAre(map[string]uint64{"a": 5})
}

// TestScriptOfLaneRunsOn: a script that takes long ends its lane's batch when it ends.
func TestScriptOfLaneRunsOn(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.DebugCommand = "yes" })
	b.node.Listen()
	lane, other, k := b.lane("a"), b.lane("b"), &teller{talker: b.client()}
	k.says("+OK\r\n", "CONFIG", "SET", "busy-reply-threshold", "1")
	k.told()
	lane.c.Feed(append(commandLines("SET a 1"), resp.AppendCommandStrings(nil, "EVAL", "redis.call('set','a',2); while redis.call('get','go') ~= 'x' and redis.call('incr','n') < 20000 do end redis.call('set','a',3)", "0")...))
	other.c.Feed(commandLines("SET b 1"))
	b.until(func() bool { return strings.Contains(lane.got()+other.got(), "BUSY") || b.node.Lanes()["a"] == 2 })
	b.until(func() bool { return b.node.Lanes()["a"] == 2 })
	lane.turn("SET a 4")
	lines := toldLines(t, k.told())
	nests(t, lines)
	want := []string{"SELECT 0", "MULTI", `PUBLISH __larder:lanes__ "1 a 1"`, "SET a 1", "EXEC", "MULTI", `PUBLISH __larder:lanes__ "1 a 2"`, "set a 2"}
	if head := lines[:len(want)]; !slices.Equal(head, want) {
		t.Errorf("told at first %q", head)
	}
	if tail := lines[len(lines)-4:]; !slices.Equal(tail, []string{"MULTI", `PUBLISH __larder:lanes__ "1 a 3"`, "SET a 4", "EXEC"}) {
		t.Errorf("told at the end %q", tail)
	}
}
