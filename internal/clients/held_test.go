package clients_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/protocol/resp"
	"larder/router"
)

// heldShards is two shards whose nodes get orders from the test: the first of nodes a and b, the second of c alone. A gateway knows them.
type heldShards struct {
	t       *testing.T
	nodes   map[string]*clients.Process
	records map[string]*router.Record // by the name of the shard's first node
	gateway *clients.Process
}

func newHeldShards(t *testing.T, args ...string) *heldShards {
	s := &heldShards{t: t, nodes: map[string]*clients.Process{}, records: map[string]*router.Record{}}
	named := map[string]router.Node{}
	for _, name := range []string{"a", "b", "c"} {
		s.nodes[name] = larder.Engine(t, "--managed", "--node-id", name)
		named[name] = router.Node{ID: name, Addr: s.nodes[name].Addr}
	}
	topo, err := router.EvenShards("main", 0, []router.Shard{{Primary: named["a"], Replicas: []router.Node{named["b"]}}, {Primary: named["c"]}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := topo.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "topology.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.records["a"] = s.first("a")
	s.records["c"] = s.first("c")
	s.order("c", "c")
	s.order("a", "a", "b")
	replica := peers.Dial(t, s.nodes["b"].Addr, 2)
	eventually(t, "node b follows", func() bool { return info(t, replica, "master_link_status") == "up" })
	joining := s.next("a") // and becomes a member when it has all; its run is that of its present data
	joining.Joining = []router.Run{s.run("b")}
	s.order("a", "a", "b")
	node := peers.Dial(t, s.nodes["a"].Addr, 2)
	eventually(t, "node b has everything", func() bool { return strings.Contains(string(node.Do("LARDER", "STATE")), "$9\r\nconfirmed\r\n*1\r\n") })
	member := s.next("a")
	member.Set, member.Joining = append(member.Set, member.Joining...), nil
	member.MinInSync = 1
	s.order("a", "a", "b")
	s.gateway = larder.Gateway(t, nil, append([]string{"--topology", path}, args...)...)
	return s
}

// run is the run of a node.
func (s *heldShards) run(name string) router.Run {
	s.t.Helper()
	return router.Run{Node: name, ID: info(s.t, peers.Dial(s.t, s.nodes[name].Addr, 2), "run_id")}
}

// first is the record that makes a node the primary of a shard of its own.
func (s *heldShards) first(name string) *router.Record {
	run := s.run(name)
	return &router.Record{Epoch: 1, Term: 1, Reign: 1, Primary: run, Set: []router.Run{run}, MinInSync: 1, Replicated: true}
}

// next is the record that follows, to be changed.
func (s *heldShards) next(shard string) *router.Record {
	r := *s.records[shard]
	r.Epoch++
	s.records[shard] = &r
	return &r
}

// order shows nodes the record of a shard.
func (s *heldShards) order(shard string, nodes ...string) {
	s.t.Helper()
	words := []string{"LARDER", "RECORD", s.records[shard].Line()}
	for name, node := range s.nodes {
		words = append(words, name+"="+node.Addr)
	}
	for _, name := range nodes {
		want(s.t, peers.Dial(s.t, s.nodes[name].Addr, 2), "+OK\r\n", words...)
	}
}

// keyOf is a key of the first or second shard.
func (s *heldShards) keyOf(shard int) string {
	for i := 0; ; i++ {
		if key := "k" + string(rune('a'+i)); (router.Slot([]byte(key)) >= router.Slots/2) == (shard == 1) {
			return key
		}
	}
}

// asked sends commands on a connection of its own; their replies come through the channel.
func (s *heldShards) asked(replies int, lines ...string) <-chan string {
	s.t.Helper()
	c := peers.Dial(s.t, s.gateway.Addr, 2)
	var all []byte
	for _, line := range lines {
		all = resp.AppendCommandStrings(all, strings.Fields(line)...)
	}
	c.Send(all)
	got := make(chan string, replies)
	go func() {
		for range replies {
			got <- string(c.Reply())
		}
	}()
	return got
}

func (s *heldShards) gets(got <-chan string, want string) {
	s.t.Helper()
	select {
	case reply := <-got:
		if !strings.HasPrefix(reply, want) {
			s.t.Fatalf("got %.200q, want %q", reply, want)
		}
	case <-time.After(peers.Patience):
		s.t.Fatalf("no reply, want %q", want)
	}
}

// silent wants that nothing comes while a session of the second shard is answered.
func (s *heldShards) silent(got <-chan string) {
	s.t.Helper()
	other := peers.Dial(s.t, s.gateway.Addr, 2)
	for began := time.Now(); time.Since(began) < 200*time.Millisecond; {
		want(s.t, other, "+OK\r\n", "SET", s.keyOf(1), "x")
		select {
		case reply := <-got:
			s.t.Fatalf("%.200q came before it was committed", reply)
		default:
		}
	}
}

// TestHeldThroughGateway: while a replica is frozen, what may show a write is held, in a session with what stands behind it; other shards' replies are not. When the set
// is smaller, or the replica is back, it comes; after the hold time it is an error.
func TestHeldThroughGateway(t *testing.T) {
	s := newHeldShards(t)
	a, c := s.keyOf(0), s.keyOf(1)
	client := peers.Dial(t, s.gateway.Addr, 2)
	want(t, client, "+OK\r\n", "SET", a, "1")
	want(t, client, "$1\r\n1\r\n", "GET", a)
	want(t, client, "+OK\r\n", "SET", c, "x")

	s.nodes["b"].Freeze(t)
	writes, reads := s.asked(3, "SET "+a+" 2", "GET "+c, "GET "+a), s.asked(1, "GET "+a)
	s.silent(writes)
	smaller := s.next("a")
	smaller.Set = smaller.Set[:1]
	s.order("a", "a")
	s.gets(writes, "+OK\r\n")
	s.gets(writes, "$1\r\nx\r\n")
	s.gets(writes, "$1\r\n2\r\n")
	select {
	case reply := <-reads:
		if reply != "$1\r\n1\r\n" && reply != "$1\r\n2\r\n" {
			t.Errorf("read %q", reply)
		}
	case <-time.After(peers.Patience):
		t.Error("the read has no reply")
	}
	s.nodes["b"].Thaw(t)
}

// TestHeldTooLongThroughGateway: after the hold time a write is UNKNOWN.
func TestHeldTooLongThroughGateway(t *testing.T) {
	s := newHeldShards(t, "--set", "gateway.upstream.hold-time=300ms")
	s.nodes["b"].Freeze(t)
	began := time.Now()
	s.gets(s.asked(1, "SET "+s.keyOf(0)+" 2"), "-UNKNOWN the command ran at node "+s.nodes["a"].Addr+" and was not confirmed within 300ms")
	if took := time.Since(began); took < 300*time.Millisecond || took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	s.nodes["b"].Thaw(t)
}

// TestHeldOverPromotion: what had come from a primary that dies is released when the next one has committed it.
func TestHeldOverPromotion(t *testing.T) {
	s := newHeldShards(t, "--set", "gateway.upstream.hold-time=20s")
	a := s.keyOf(0)
	client := peers.Dial(t, s.gateway.Addr, 2)
	want(t, client, "+OK\r\n", "SET", a, "1")
	s.nodes["b"].Freeze(t)
	writes := s.asked(1, "SET "+a+" 2") // it lies in the socket of node b
	s.silent(writes)
	dead := s.run("a")
	s.nodes["a"].Kill()
	s.nodes["b"].Thaw(t)
	election := s.next("a")
	election.State, election.Term = router.Electing, election.Epoch
	node := peers.Dial(t, s.nodes["b"].Addr, 2)
	eventually(t, "node b promises", func() bool {
		reply := string(node.Do("LARDER", "PROMISE", election.Line(), "EXITED", dead.String()))
		return strings.Contains(reply, "$8\r\npromised\r\n:"+"4\r\n")
	})
	s.silent(writes)
	next := s.next("a")
	next.State, next.Term, next.Reign = router.Normal, next.Epoch, next.Epoch
	next.Set = []router.Run{s.run("b")}
	next.Primary = next.Set[0]
	s.order("a", "b")
	s.gets(writes, "+OK\r\n")
	eventually(t, "node b serves", func() bool { return string(client.Do("GET", a)) == "$1\r\n2\r\n" })
}

// TestSwitchThroughGateway: clients notice nothing of a planned change of the primary but a delay, and nothing is lost.
func TestSwitchThroughGateway(t *testing.T) {
	s := newHeldShards(t)
	key := s.keyOf(0)
	const writers = 8
	stop, ended := make(chan struct{}), make(chan string, writers)
	var written atomic.Int64
	more := func() { // some are written
		t.Helper()
		was := written.Load()
		eventually(t, "clients go on", func() bool { return written.Load() >= was+10*writers || len(ended) > 0 })
	}
	for i := range writers {
		c := peers.Dial(t, s.gateway.Addr, 2+i%2)
		go func() {
			mine, n := fmt.Sprintf("{%s}%d", key, i), 0
			for {
				select {
				case <-stop:
					ended <- ""
					return
				default:
				}
				n++
				if got := string(c.Do("INCR", mine)); got != fmt.Sprintf(":%d\r\n", n) {
					ended <- fmt.Sprintf("INCR %s for the time %d: %q", mine, n, got)
					return
				}
				if got, want := string(c.Do("GET", mine)), string(resp.AppendBulkString(nil, strconv.Itoa(n))); got != want {
					ended <- fmt.Sprintf("GET %s: %q, want %q", mine, got, want)
					return
				}
				written.Add(1)
			}
		}()
	}
	for from, to := "a", "b"; from != ""; from, to = to, from {
		more()
		freeze := s.next("a")
		freeze.State, freeze.Term = router.Switching, freeze.Epoch
		s.order("a", from, to)
		old, next := peers.Dial(t, s.nodes[from].Addr, 3), peers.Dial(t, s.nodes[to].Addr, 3)
		eventually(t, "the next primary has everything", func() bool { return stateOf(old, "executed") == stateOf(next, "executed") })
		over := s.next("a")
		over.State, over.Term, over.Reign, over.Returned = router.Normal, over.Epoch, over.Epoch, true
		over.Set = []router.Run{over.Set[1], over.Set[0]}
		over.Primary = over.Set[0]
		s.order("a", to, from)
		if to == "a" {
			break
		}
		eventually(t, "the one before follows", func() bool { return stateOf(old, "following") == ":1" })
	}
	more()
	close(stop)
	for range writers {
		if wrong := <-ended; wrong != "" {
			t.Error(wrong)
		}
	}
}

// stateOf is a field of what LARDER STATE says in RESP3.
func stateOf(c *peers.Conn, field string) string {
	_, rest, _ := strings.Cut(string(c.Do("LARDER", "STATE")), "\r\n"+field+"\r\n")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}
