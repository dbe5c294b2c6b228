package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/protocol/resp"
	"larder/router"
)

func told(proto int, words ...string) string {
	w := resp.Writer{Proto: proto}
	w.Push(len(words))
	for _, word := range words {
		if n, ok := resp.ParseNumber([]byte(word)); ok && len(words) == 3 && word == words[2] && strings.HasSuffix(words[0], "subscribe") {
			w.Int(n)
		} else {
			w.Bulk(word)
		}
	}
	return string(w.Out)
}

// TestPubSubWords: what is answered here, as Redis answers it.
func TestPubSubWords(t *testing.T) {
	r := newRadio(t, 1, 3, 2)
	two, three, other := r.clientOf(0, 2), r.clientOf(1, 3), r.clientOf(0, 2)
	two.says(told(2, "subscribe", "a", "1")+told(2, "subscribe", "b", "2"), "SUBSCRIBE", "a", "b")
	two.says(told(2, "psubscribe", "a*", "3"), "PSUBSCRIBE", "a*")
	two.says(told(2, "ssubscribe", "a", "1"), "SSUBSCRIBE", "a")
	two.says("-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n", "GET", "k")
	two.says("-ERR Can't execute 'multi': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n", "MULTI")
	two.says(told(2, "pong", ""), "PING")
	two.says(told(2, "pong", "x"), "PING", "x")
	two.says("-ERR wrong number of arguments for 'ping' command\r\n", "PING", "x", "y")
	three.says(told(3, "subscribe", "a", "1"), "SUBSCRIBE", "a")
	three.says("_\r\n", "GET", "k")
	three.says("+PONG\r\n", "PING")
	other.says("*6\r\n$1\r\na\r\n:2\r\n$1\r\nb\r\n:1\r\n$1\r\nc\r\n:0\r\n", "PUBSUB", "NUMSUB", "a", "b", "c")
	other.says("*0\r\n", "PUBSUB", "NUMSUB")
	other.says("*2\r\n$1\r\na\r\n$1\r\nb\r\n", "PUBSUB", "CHANNELS")
	other.says(":1\r\n", "PUBSUB", "NUMPAT")
	other.says("*2\r\n$1\r\na\r\n:1\r\n", "PUBSUB", "SHARDNUMSUB", "a")
	other.says("-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.\r\n", "PUBSUB", "CHANNELS", "a", "b")
	other.says(":3\r\n", "PUBLISH", "a", "hi")
	two.hears(told(2, "message", "a", "hi") + told(2, "pmessage", "a*", "a", "hi"))
	three.hears(told(3, "message", "a", "hi"))
	if got := other.do("CLIENT", "LIST", "TYPE", "pubsub"); strings.Count(got, "flags=P ") != 2 || !strings.Contains(got, " sub=2 psub=1 ssub=1 ") {
		t.Errorf("subscribers: %q", got)
	}
	if got := other.do("INFO", "stats"); !strings.Contains(got, "pubsub_channels:2\r\npubsub_patterns:1\r\npubsubshard_channels:1\r\n") {
		t.Errorf("INFO: %q", got)
	}
	two.says(told(2, "unsubscribe", "a", "2")+told(2, "unsubscribe", "b", "1"), "UNSUBSCRIBE")
	two.says("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:1\r\n", "UNSUBSCRIBE")
	other.says(":2\r\n", "PUBLISH", "a", "hi")
	two.hears(told(2, "pmessage", "a*", "a", "hi"))
	two.says("+RESET\r\n", "RESET")
	two.says("$-1\r\n", "GET", "k")
	other.says(":1\r\n", "CLIENT", "KILL", "TYPE", "pubsub")
	other.says(":0\r\n", "PUBLISH", "a", "hi")
}

// TestPubSubMuted: CLIENT REPLY holds back replies, not messages.
func TestPubSubMuted(t *testing.T) {
	r := newRadio(t, 1, 3, 1)
	k, other := r.clientOf(0, 3), r.clientOf(0, 2)
	k.says("", "CLIENT", "REPLY", "OFF")
	k.says(told(3, "subscribe", "a", "1"), "SUBSCRIBE", "a")
	k.says("", "GET", "x")
	other.says(":1\r\n", "PUBLISH", "a", "m")
	k.hears(told(3, "message", "a", "m"))
}

// TestPubSubInMulti: PUBLISH goes with a transaction; SUBSCRIBE, whose reply would be no part of EXEC's, is refused.
func TestPubSubInMulti(t *testing.T) {
	r := newRadio(t, 1, 3, 1)
	ear, k := r.clientOf(0, 3), r.clientOf(0, 2)
	ear.do("SUBSCRIBE", "a")
	for _, words := range []string{"MULTI", "SET k v", "PUBLISH a m"} {
		k.do(strings.Fields(words)...)
	}
	k.says("*2\r\n+OK\r\n:1\r\n", "EXEC")
	ear.hears(told(3, "message", "a", "m"))
	for i := range 20 { // without keys they go where the channel's other messages go
		name := fmt.Sprint("c", i)
		k.do("MULTI")
		k.do("PUBLISH", name, "m")
		if tx := k.session().tx; tx.home() != r.parts[0].topo.ShardOf([]byte(name)) {
			t.Errorf("PUBLISH %s goes to shard %d", name, tx.home())
		}
		k.says("*1\r\n:0\r\n", "EXEC")
	}
	k.do("MULTI")
	k.says("+QUEUED\r\n", "SUBSCRIBE", "a")
	k.says("*1\r\n"+told(2, "subscribe", "a", "1"), "EXEC")
}

// TestPipelinedSubscriptions: what stands behind SUBSCRIBE is judged as if it had run.
func TestPipelinedSubscriptions(t *testing.T) {
	r := newRadio(t, 1, 3, 1)
	k := r.clientOf(0, 2)
	k.c.Feed([]byte("SET k v\r\nSUBSCRIBE a\r\nGET k\r\nSUBSCRIBE b\r\nPING\r\nUNSUBSCRIBE a b\r\nGET k\r\nSUBSCRIBE a\r\nRESET\r\nGET k\r\n"))
	r.settle(time.Second)
	const refused = "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n"
	k.hears("+OK\r\n" + told(2, "subscribe", "a", "1") + refused + told(2, "subscribe", "b", "2") + told(2, "pong", "") +
		told(2, "unsubscribe", "a", "1") + told(2, "unsubscribe", "b", "0") + "$1\r\nv\r\n" + told(2, "subscribe", "a", "1") + "+RESET\r\n$1\r\nv\r\n")
}

// TestMessageNotWithinReply: a large reply is passed on in pieces; messages stand before or behind it.
func TestMessageNotWithinReply(t *testing.T) {
	r := newRadio(t, 1, 1, 1)
	k, other := r.clientOf(0, 3), r.clientOf(0, 2)
	value := strings.Repeat("v", 3<<20)
	other.says("+OK\r\n", "SET", "k", value)
	k.do("SUBSCRIBE", "a")
	k.say("GET", "k")
	published := 0
	for range 2000 {
		r.clock++
		for _, m := range r.loops {
			m.EndTurn()
		}
		for _, w := range r.wires {
			w.carry(4000)
		}
		if r.clock%100 == 0 {
			other.say("PUBLISH", "a", fmt.Sprint(published)+strings.Repeat("m", r.clock))
			published++
		}
	}
	r.settle(time.Second)
	replies, messages := 0, 0
	for reply := k.next(); reply != nil; reply = k.next() {
		if reply[0] == '$' {
			replies++
			if got, _ := resp.BulkOf(reply); string(got) != value {
				t.Error("the value is not what it was")
			}
		} else if messages++; !strings.Contains(string(reply), fmt.Sprint(messages-1)+"mm") {
			t.Errorf("message %d: %.100q", messages-1, reply)
		}
	}
	if replies != 1 || messages != published {
		t.Errorf("%d replies, %d messages of %d", replies, messages, published)
	}
}

// TestSlowSubscribers: large messages are kept once for all who do not read them, in order with what else those are told, and whoever has too much is cut off.
func TestSlowSubscribers(t *testing.T) {
	r := newRadio(t, 1, 1, 1)
	a, b, other := r.clientOf(0, 3), r.clientOf(0, 3), r.clientOf(0, 2)
	for _, k := range []*listener{a, b} {
		k.do("SUBSCRIBE", "a")
		k.c.Full = true
	}
	var want string
	for i := range 6 {
		text := fmt.Sprint(i) + strings.Repeat("m", 700<<10)
		other.says(":2\r\n", "PUBLISH", "a", text)
		want += told(3, "message", "a", text)
	}
	a.say("GET", "k")
	r.settle(40 * time.Millisecond)
	x, y := a.session().ears.mail, b.session().ears.mail
	if len(x.waiting) < 3 || x.waiting[1] != y.waiting[1] {
		t.Errorf("%d messages wait, not shared", len(x.waiting))
	}
	for _, k := range []*listener{a, b} {
		k.c.Full = false
	}
	r.settle(time.Second)
	if got := a.all(); strings.Replace(got, "_\r\n", "", 1) != want || len(got) != len(want)+3 {
		t.Errorf("%d bytes, want %d and a null", len(got), len(want))
	}
	b.hears(want)
	if x := a.session().ears.mail; x.bytes != 0 || x.size()+len(x.waiting)+len(x.after) > 0 {
		t.Errorf("%d bytes still wait", x.size())
	}
	other.says("+OK\r\n", "CONFIG", "SET", "client-output-buffer-limit", "pubsub 2mb 1mb 5")
	a.c.Full = true
	for range 3 {
		other.do("PUBLISH", "a", strings.Repeat("m", 700<<10))
	}
	if !a.c.Closed || b.c.Closed {
		t.Errorf("hard limit: closed %v %v", a.c.Closed, b.c.Closed)
	}
	b.all()
	b.c.Full = true
	for range 2 {
		other.says(":1\r\n", "PUBLISH", "a", strings.Repeat("m", 700<<10))
	}
	if b.c.Closed {
		t.Error("closed before its time")
	}
	r.settle(8 * time.Second)
	if !b.c.Closed {
		t.Error("soft limit: not closed")
	}
	other.says(":0\r\n", "PUBLISH", "a", "x")
}

// TestSubscribeFrozen: a node that hangs delays a SUBSCRIBE for no longer than the reply time-out, other nodes' messages come, and its own once it is back.
func TestSubscribeFrozen(t *testing.T) {
	r := newRadio(t, 1, 3, 1)
	k, other := r.clientOf(0, 3), r.clientOf(0, 2)
	k.do("SUBSCRIBE", "first")
	var on [3]string // a channel of each node
	for i := 0; on[0] == "" || on[1] == "" || on[2] == ""; i++ {
		name := fmt.Sprint("c", i)
		on[r.parts[0].topo.ShardOf([]byte(name))] = name
	}
	r.nodes[1].frozen = true
	k.say("SUBSCRIBE", on[0], on[1], on[2])
	r.settle(2 * time.Second)
	k.hears("")
	r.settle(5 * time.Second)
	k.hears(told(3, "subscribe", on[0], "2") + told(3, "subscribe", on[1], "3") + told(3, "subscribe", on[2], "4"))
	if n := r.parts[0].count.halfHeard; n != 1 {
		t.Errorf("%d incomplete subscriptions", n)
	}
	other.says(":1\r\n", "PUBLISH", on[0], "x")
	k.hears(told(3, "message", on[0], "x"))
	k.says("+PONG\r\n", "PING")
	k.say("SSUBSCRIBE", on[1])
	r.settle(6 * time.Second)
	if got := k.all(); !strings.HasPrefix(got, "-CLUSTERDOWN node "+r.nodes[1].addr+" is out of reach") {
		t.Errorf("a shard channel of the node: %q", got)
	}
	r.nodes[1].frozen = false
	r.settle(5 * time.Second)
	other.says(":1\r\n", "PUBLISH", on[1], "y")
	k.hears(told(3, "message", on[1], "y"))
	k.says(told(3, "ssubscribe", on[1], "1"), "SSUBSCRIBE", on[1])
}

// TestSubscribeDown: while no node can be reached there is nothing to subscribe to.
func TestSubscribeDown(t *testing.T) {
	r := newRadio(t, 1, 1, 1)
	k := r.clientOf(0, 2)
	r.kill(r.nodes[0])
	r.tidy()
	if got := k.do("SUBSCRIBE", "a"); !strings.HasPrefix(got, "-CLUSTERDOWN node ") {
		t.Errorf("%q", got)
	}
	if got := k.do("GET", "k"); !strings.HasPrefix(got, "-CLUSTERDOWN node ") {
		t.Errorf("it is no subscriber: %q", got)
	}
	r.start(r.nodes[0])
	r.settle(5 * time.Second)
	k.says(told(2, "subscribe", "a", "1"), "SUBSCRIBE", "a")
}

// TestShardChannelsMove: with a topology that gives a slot to another node, its shard channels are subscribed there.
func TestShardChannelsMove(t *testing.T) {
	r := newRadio(t, 1, 3, 1)
	k, other := r.clientOf(0, 3), r.clientOf(0, 2)
	names := []string{"a", "b", "c", "d", "e", "f"}
	k.do(append([]string{"SSUBSCRIBE"}, names...)...)
	topo, err := router.Even("c", 1, []router.Node{{Addr: r.nodes[2].addr}, {Addr: r.nodes[0].addr}})
	if err != nil {
		t.Fatal(err)
	}
	r.gateways[0].Adopt(topo)
	r.settle(time.Second)
	for _, name := range names {
		other.says(":1\r\n", "SPUBLISH", name, "x")
		k.hears(told(3, "smessage", name, "x"))
	}
	r.settle(time.Second)
	for _, u := range r.parts[0].upstreams {
		if u.addr == r.nodes[1].addr {
			t.Error("the node that has left is still there")
		}
	}
	other.says(":0\r\n", "PUBSUB", "NUMPAT")
	k.says(told(3, "subscribe", "a", "1"), "SUBSCRIBE", "a")
}

// TestSubscriptionsAreBounded: what one client may be subscribed to has a limit, above which it is told so.
func TestSubscriptionsAreBounded(t *testing.T) {
	r := newRadio(t, 1, 1, 1)
	r.gateways[0].opts.Load().SubsMaxBytes = 1000
	k := r.clientOf(0, 3)
	k.says(told(3, "subscribe", "a", "1"), "SUBSCRIBE", "a")
	k.says("-ERR too many subscriptions: the limit is gateway.subscribed-max\r\n", "SUBSCRIBE", strings.Repeat("b", 900))
	k.says(told(3, "unsubscribe", "a", "0"), "UNSUBSCRIBE", "a")
	k.says(told(3, "subscribe", strings.Repeat("b", 700), "1"), "SUBSCRIBE", strings.Repeat("b", 700))
}

// TestSubscribeAtOldServers: a server without RESP3 is subscribed to in RESP2, and clients of either protocol hear it.
func TestSubscribeAtOldServers(t *testing.T) {
	r := newRadio(t, 1, 2, 1)
	for _, n := range r.nodes {
		n.old = true
	}
	two, three, other := r.clientOf(0, 2), r.clientOf(0, 3), r.clientOf(0, 2)
	for _, k := range []*listener{two, three} {
		k.say("SUBSCRIBE", "a")
		r.settle(5 * time.Second)
		k.hears(told(k.proto, "subscribe", "a", "1"))
		k.says(told(k.proto, "psubscribe", "a*", "2"), "PSUBSCRIBE", "a*")
	}
	other.says(":2\r\n", "PUBLISH", "a", "x") // the connection, once by name and once by pattern
	for _, k := range []*listener{two, three} {
		k.hears(told(k.proto, "message", "a", "x") + told(k.proto, "pmessage", "a*", "a", "x"))
	}
	r.settle(5 * time.Second) // it is asked whether it is there
	two.says(told(2, "pong", ""), "PING")
	two.says(told(2, "unsubscribe", "a", "1"), "UNSUBSCRIBE", "a")
	three.says(told(3, "punsubscribe", "a*", "1"), "PUNSUBSCRIBE", "a*")
	other.says(":2\r\n", "PUBLISH", "a", "y")
	two.hears(told(2, "pmessage", "a*", "a", "y"))
	three.hears(told(3, "message", "a", "y"))
}

// TestCrowd: while messages to very many clients follow each other they leave together, a few milliseconds later; one that comes alone leaves at once, and
// all come, in order, to everybody.
func TestCrowd(t *testing.T) {
	r := newRadio(t, 1, 1, 1)
	other := r.clientOf(0, 2)
	other.do("GET", "k")
	var ears []*listener
	for range crowdMin {
		k := r.clientOf(0, 2)
		k.say("SUBSCRIBE", "a")
		ears = append(ears, k)
	}
	r.settle(time.Second)
	for _, k := range ears {
		k.hears(told(2, "subscribe", "a", "1"))
	}
	// carry lets everything arrive; no time passes.
	carry := func() {
		for range 4 {
			r.loops[0].EndTurn()
			for _, w := range r.wires {
				w.carry(1 << 20)
			}
		}
		r.loops[0].EndTurn()
	}
	other.say("PUBLISH", "a", "0")
	carry()
	for _, k := range ears {
		k.hears(told(2, "message", "a", "0"))
	}
	var want string
	for i := 1; i < 4; i++ {
		other.say("PUBLISH", "a", fmt.Sprint(i))
		carry()
		want += told(2, "message", "a", fmt.Sprint(i))
	}
	ears[0].hears("")
	if got, want := other.all(), strings.Repeat(fmt.Sprintf(":%d\r\n", crowdMin), 4); got != want {
		t.Errorf("the publisher is told %q, want %q", got, want)
	}
	ears[1].say("PING") // who is answered has what came before
	r.settle(time.Millisecond)
	if got := ears[1].all(); got != want+told(2, "pong", "") {
		t.Errorf("got %q", got)
	}
	r.settle(40 * time.Millisecond)
	for i, k := range ears {
		if i != 1 {
			k.hears(want)
		}
	}
	ears[1].hears("")
	r.settle(time.Second)
	other.say("PUBLISH", "a", "alone")
	carry()
	for _, k := range ears {
		k.hears(told(2, "message", "a", "alone"))
	}
}

// TestCrowdIsBounded: however much comes at once, not more than a bounded share of it stands in clients' outputs before it is written.
func TestCrowdIsBounded(t *testing.T) {
	r := newRadio(t, 1, 1, 1)
	other := r.clientOf(0, 2)
	other.do("GET", "k")
	const clients = 2 * crowdMin
	var ears []*listener
	for range clients {
		k := r.clientOf(0, 2)
		k.say("SUBSCRIBE", "a")
		ears = append(ears, k)
	}
	r.settle(time.Second)
	for _, k := range ears {
		k.all()
	}
	var pipeline []byte
	text := strings.Repeat("x", 900)
	const messages = 120 // 59 MB in all
	for range messages {
		pipeline = resp.AppendCommandStrings(pipeline, "PUBLISH", "a", text)
	}
	other.c.Feed(pipeline)
	for range 50 {
		for _, m := range r.loops {
			m.EndTurn()
		}
		for _, w := range r.wires {
			w.carry(1 << 20)
		}
	}
	r.settle(time.Second)
	want := strings.Repeat(told(2, "message", "a", text), messages)
	for _, k := range ears {
		if got := k.all(); got != want {
			t.Fatalf("%d bytes, want %d", len(got), len(want))
		}
		if most := cap(k.c.Conn.Out); most > 2*owedMax/clients+4096 {
			t.Fatalf("a client's output grew to %d bytes", most)
		}
	}
}
