package clients_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"larder/control/api"
	"larder/internal/clients"
	"larder/internal/peers"
)

// dialogue is what a gateway and its nodes have to agree about: what is said by two clients, and the answers. Keys of several slots are among it.
var dialogue = []struct {
	client int
	words  string
	want   string
}{
	{0, "MSET a 1 b 2 c 3 {x}1 v {x}2 w", "+OK"},
	{0, "MGET a b c nothing", "*4 $1 1 $1 2 $1 3 $-1"},
	{0, "SELECT 3", "+OK"},
	{0, "SET a other", "+OK"},
	{0, "SELECT 0", "+OK"},
	{0, "EXISTS a b c d", ":3"},
	{0, "MULTI", "+OK"},
	{0, "INCR {x}n", "+QUEUED"},
	{0, "GET {x}1", "+QUEUED"},
	{0, "EXEC", "*2 :1 $1 v"},
	{0, "WATCH a", "+OK"},
	{1, "SET a changed", "+OK"},
	{0, "MULTI", "+OK"},
	{0, "GET a", "+QUEUED"},
	{0, "EXEC", "*-1"},
	{0, "EVAL return{KEYS[1],redis.call('GET',KEYS[1])} 1 b", "*2 $1 b $1 2"},
	{0, "FUNCTION LOAD #!lua~name=l|redis.register_function('f',function(k)~return~redis.call('GET',k[1])~end)", "$1 l"},
	{0, "FCALL f 1 c", "$1 3"},
	{0, "RPUSH list x", ":1"},
	{0, "BLPOP list 0", "*2 $4 list $1 x"},
	{0, "BLPOP list 0.01", "*-1"},
	{0, "XADD stream 1-1 k v", "$3 1-1"},
	{0, "XREAD COUNT 1 STREAMS stream 0", "*1 *2 $6 stream *1 *2 $3 1-1 *2 $1 k $1 v"},
	{0, "SADD s1 a b", ":2"},
	{0, "SADD s2 b c", ":2"},
	{0, "SINTER s1 s2", "*1 $1 b"},
	{0, "DBSIZE", ":9"},
	{0, "GETDEL {x}n", "$1 1"},
	{1, "HELLO 3", "%"},
	{1, "CLIENT TRACKING on", "+OK"},
	{1, "GET b", "$1 2"},
	{0, "SET b new", "+OK"},
	{1, "PING", ">2 $10 invalidate *1 $1 b +PONG"},
	{1, "SUBSCRIBE news", ">3 $9 subscribe $4 news :1"},
	{0, "PUBLISH news text", ":1"},
	{1, "PING", ">3 $7 message $4 news $4 text +PONG"},
	{0, "WAIT 0 10", ":0"},
	{0, "FUNCTION DELETE l", "+OK"},
	{0, "FLUSHALL", "+OK"},
	{0, "DBSIZE", ":0"},
}

// says has a dialogue at a gateway.
func says(t *testing.T, gateway *clients.Process) {
	t.Helper()
	var wires [2]*clients.Wire
	for i := range wires {
		w, err := clients.Open(gateway.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		wires[i] = w
	}
	for _, d := range dialogue {
		var words []string
		for _, word := range strings.Fields(d.words) {
			words = append(words, strings.NewReplacer("~", " ", "|", "\n").Replace(word))
		}
		reply, err := wires[d.client].DoWithin(peers.Patience, words...)
		for err == nil && strings.Contains(d.want, " +PONG") && !strings.HasSuffix(string(reply), "+PONG\r\n") { // a push comes before the answer
			var more []byte
			more, err = wires[d.client].ReplyWithin(peers.Patience)
			reply = append(reply, more...)
		}
		if got := strings.Join(strings.Fields(string(reply)), " "); err != nil || got != d.want && (d.want != "%" || !strings.HasPrefix(got, d.want)) {
			t.Errorf("%s: %s, %v; want %s", d.words, got, err, d.want)
			return
		}
	}
}

// TestPreviousGatewaysAndNodes: gateways of this release work with nodes of the previous one, and the other way round.
func TestPreviousGatewaysAndNodes(t *testing.T) {
	t.Parallel()
	previous := clients.Previous(t)
	old, now := previous.Engine(t), larder.Engine(t)
	for _, c := range []struct {
		name    string
		gateway clients.Binary
		nodes   []*clients.Process
	}{
		{"a gateway of this release over the previous one's nodes", larder, []*clients.Process{old, previous.Engine(t)}},
		{"the previous one's gateway over nodes of this release", previous, []*clients.Process{now, larder.Engine(t)}},
		{"over nodes of both", larder, []*clients.Process{now, old}},
	} {
		t.Run(c.name, func(t *testing.T) { says(t, c.gateway.Gateway(t, c.nodes)) })
	}
}

// TestRollingUpgrade: a fleet of the previous release becomes one of this release, in the order of docs/upgrade.md, while clients read and write: no command of
// theirs fails, and what was acknowledged is there. At each step both releases work together; and a controller of the previous one that leads again, as when an
// upgrade is taken back, goes on from what those of this release have written.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	previous := clients.Previous(t)
	a := startReleased(t, previous, 2, 2)
	a.known(2)
	a.larder(0, "cluster", "create", "orders", "--shards", "2", "--replicas", "1", "--memory", "64mb")
	gateways := []*clients.Process{}
	for range 2 {
		gateways = append(gateways, previous.Gateway(t, nil, "--consul", a.consul.Addr, "--cluster", "orders"))
	}
	f := startTraffic(t, gateways[0].Addr, gateways[1].Addr)
	f.goesOn(t, 100)
	become := func(release clients.Binary, what string, p *clients.Process) {
		t.Helper()
		if err := p.Terminate(); err != nil {
			t.Fatal(err)
		}
		if code := p.Wait(t); code != 0 {
			t.Errorf("%s ended with code %d", what, code)
		}
		p.Become(release)
		p.Start(t)
		f.goesOn(t, 100)
	}
	next := func(what string, p *clients.Process) {
		t.Helper()
		become(larder, what, p)
	}
	for i, p := range a.controls {
		next("controller "+strconv.Itoa(i), p)
		a.known(2)
	}
	for i, p := range a.hosts {
		before := fmt.Sprint(a.ofRelease(previous))
		next("host "+strconv.Itoa(i), p)
		a.known(2)
		if after := fmt.Sprint(a.ofRelease(previous)); after != before {
			t.Errorf("nodes of the previous release: %s, and %s when their host was started anew", before, after)
		}
	}
	for i, p := range gateways {
		next("gateway "+strconv.Itoa(i), p)
	}
	old := a.list()
	a.larder(0, "node", "replace", old[0].ID)
	f.goesOn(t, 100)
	for i, p := range a.controls { // one of the previous release leads again
		become(previous, "controller "+strconv.Itoa(i), p)
		a.known(2)
	}
	a.larder(0, "node", "replace", old[1].ID)
	f.goesOn(t, 100)
	for i, p := range a.controls {
		next("controller "+strconv.Itoa(i), p)
		a.known(2)
	}
	for _, n := range old[2:] {
		a.larder(0, "node", "replace", n.ID)
		f.goesOn(t, 100)
	}
	if left := a.ofRelease(previous); len(left) > 0 {
		t.Errorf("nodes of the previous release are left: %v", left)
	}
	if got := a.nodes("orders"); got["running"] != 4 || got["primary"] != 2 || got["replica"] != 2 {
		t.Errorf("the cluster has %v", got)
	}
	f.stop()
	if err := f.group.Wait(); err != nil {
		t.Error(err)
	}
}

// list are all nodes.
func (a *appliance) list() (nodes []api.Node) {
	a.t.Helper()
	if text := a.larder(1, "node", "list", "--json"); json.Unmarshal([]byte(text), &nodes) != nil {
		a.t.Fatalf("no list of nodes: %s", text)
	}
	return nodes
}

// ofRelease are the processes of nodes that are of a release.
func (a *appliance) ofRelease(b clients.Binary) (pids []int) {
	a.t.Helper()
	hosts := map[int]bool{}
	for _, p := range a.hosts {
		hosts[p.PID()] = true
	}
	for _, dir := range a.folders {
		for _, pid := range clients.Running(a.t, dir) {
			if !hosts[pid] && b.Of(a.t, pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
