package clients_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/internal/steward"
	"larder/router"
)

// shardOf is a shard of real nodes, with stewards, in which all links between nodes, and those of stewards to nodes, can be troubled.
type shardOf struct {
	t        *testing.T
	registry *steward.Registry
	members  []*member
	stop     context.CancelFunc
	ended    sync.WaitGroup
	dead     map[router.Run]bool // runs whose process has ended; kept while the registry stands still
	told     peers.Output
	patience time.Duration
	nodes    []steward.Node
	toxi     *peers.Toxiproxy
	gateways []string // where clients reach them
}

// member is a node of the shard.
type member struct {
	*clients.Process
	name   string
	up     bool                   // its process is there; kept while the registry stands still
	to     map[string]*peers.Link // to the others, by their names
	orders *peers.Link            // the stewards' way to it
	gates  []*peers.Link          // the gateways' ways to it
}

// startShard starts n nodes, the first of them the primary and the whole set. Nobody gives orders before lead is called.
func startShard(t *testing.T, n, least int, args ...string) *shardOf {
	t.Helper()
	s := &shardOf{t: t, dead: map[router.Run]bool{}, patience: 500 * time.Millisecond}
	s.toxi = peers.StartToxiproxy(t)
	for i := range n {
		name := string(rune('a' + i))
		m := &member{name: name, up: true, to: map[string]*peers.Link{}}
		m.Process = larder.Engine(t, append([]string{"--managed", "--node-id", name}, args...)...)
		m.orders = s.toxi.Link(m.Addr)
		s.members = append(s.members, m)
	}
	for _, m := range s.members {
		node := steward.Node{Name: m.name, Addr: m.orders.Addr}
		for _, other := range s.members {
			if other == m {
				node.Peers = append(node.Peers, steward.Peer{Name: m.name, Addr: m.Addr})
				continue
			}
			m.to[other.name] = s.toxi.Link(other.Addr)
			node.Peers = append(node.Peers, steward.Peer{Name: other.name, Addr: m.to[other.name].Addr})
		}
		s.nodes = append(s.nodes, node)
	}
	first := router.Run{Node: s.members[0].name, ID: info(t, peers.Dial(t, s.members[0].Addr, 0), "run_id")}
	s.registry = steward.NewRegistry(router.Record{Epoch: 1, Term: 1, Reign: 1, Primary: first, Set: []router.Run{first}, MinInSync: least, Replicated: true}, s.someLive)
	t.Cleanup(func() {
		s.rest()
		if t.Failed() {
			t.Logf("the stewards said:\n%s", lastOf(s.told.String(), 8000))
		}
	})
	return s
}

func lastOf(text string, n int) string { return text[max(0, len(text)-n):] }

// guard starts a gateway, which has links of its own to the nodes. It finds the primary by the records that nodes show it.
func (s *shardOf) guard() {
	s.t.Helper()
	var shard router.Shard
	for i, m := range s.members {
		link := s.toxi.Link(m.Addr)
		m.gates = append(m.gates, link)
		if node := (router.Node{ID: m.name, Addr: link.Addr}); i == 0 {
			shard.Primary = node
		} else {
			shard.Replicas = append(shard.Replicas, node)
		}
	}
	topology, err := router.EvenShards("main", 0, []router.Shard{shard})
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := topology.MarshalText()
	if err != nil {
		s.t.Fatal(err)
	}
	path := filepath.Join(s.t.TempDir(), "topology.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.gateways = append(s.gateways, larder.Gateway(s.t, nil, "--topology", path).Addr)
}

// doors are all addresses to which clients can turn.
func (s *shardOf) doors() (addrs []string) {
	for _, m := range s.members {
		addrs = append(addrs, m.Addr)
	}
	return append(addrs, s.gateways...)
}

// lead has stewards give orders.
func (s *shardOf) lead(stewards int) {
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	begun := time.Now()
	for i := range stewards {
		one := steward.New(s.registry, s.nodes, s.patience, func(format string, args ...any) {
			fmt.Fprintf(&s.told, "%7.3f steward %d: %s\n", time.Since(begun).Seconds(), i, fmt.Sprintf(format, args...))
		})
		s.ended.Go(func() { one.Run(ctx) })
	}
}

// rest has them stop.
func (s *shardOf) rest() {
	if s.stop != nil {
		s.stop()
		s.ended.Wait()
		s.stop = nil
	}
}

// someLive tells whether a member of the set has all that was acknowledged: with the last of them goes what nobody promises.
func (s *shardOf) someLive(record *router.Record) bool {
	return slices.ContainsFunc(record.Set, func(run router.Run) bool { return !s.dead[run] && s.named(run.Node).up })
}

func (s *shardOf) named(name string) *member {
	return s.members[slices.IndexFunc(s.members, func(m *member) bool { return m.name == name })]
}

// primary is the primary by the present record.
func (s *shardOf) primary() *member { return s.named(s.registry.Record().Primary.Node) }

// kill is kill -9, unless it would be the last of the set. The registry learns that the run has ended.
func (s *shardOf) kill(m *member) (killed bool) {
	s.registry.Still(func(now *router.Record) (exited []router.Run) {
		if !m.up {
			return nil
		}
		for _, run := range slices.Concat(now.Set, now.Joining) {
			if run.Node == m.name {
				exited = append(exited, run)
			}
		}
		m.up = false
		if !s.someLive(now) {
			m.up = true
			return nil
		}
		m.Kill()
		for _, run := range exited {
			s.dead[run] = true
		}
		killed = true
		return exited
	})
	return killed
}

// revive starts the process of a node anew.
func (s *shardOf) revive(m *member) {
	s.t.Helper()
	if m.up {
		return
	}
	m.Start(s.t)
	s.registry.Still(func(*router.Record) []router.Run {
		m.up = true
		return nil
	})
}

// heal ends all troubles.
func (s *shardOf) heal() {
	s.t.Helper()
	for _, m := range s.members {
		s.revive(m)
		m.Thaw(s.t)
		heal(m.orders)
		for _, l := range slices.Concat(s.between(m), m.gates) {
			heal(l)
		}
	}
}

// calm waits until all nodes are members and the primary serves.
func (s *shardOf) calm() {
	s.t.Helper()
	eventually(s.t, "all nodes are members, and the primary serves", s.isCalm)
}

func (s *shardOf) isCalm() bool {
	r := s.registry.Record()
	if r.State != router.Normal || len(r.Set) != len(s.members) {
		return false
	}
	c, err := clients.Open(s.named(r.Primary.Node).Addr)
	if err != nil {
		return false
	}
	defer c.Close()
	reply, err := c.DoWithin(time.Second, "SET", "calm", "1")
	return err == nil && string(reply) == "+OK\r\n"
}

// between are the links between a node and the others, in either direction.
func (s *shardOf) between(m *member) (links []*peers.Link) {
	for _, other := range s.members {
		if other != m {
			links = append(links, other.to[m.name], m.to[other.name])
		}
	}
	return links
}

// ills are what can happen to a shard. Each returns what ends it.
var ills = []struct {
	name string
	do   func(s *shardOf, m *member, d *rand.Rand) (end func())
}{
	{"kill -9", func(s *shardOf, m *member, _ *rand.Rand) func() {
		if !s.kill(m) {
			return nil
		}
		return func() { s.revive(m) }
	}},
	{"frozen", func(s *shardOf, m *member, _ *rand.Rand) func() {
		m.Freeze(s.t)
		return func() { m.Thaw(s.t) }
	}},
	{"its links to others are ill", func(s *shardOf, m *member, d *rand.Rand) func() {
		var ill []*peers.Link
		for _, l := range s.between(m) {
			if d.IntN(3) != 0 {
				troubles[d.IntN(len(troubles))].do(d, l)
				ill = append(ill, l)
			}
		}
		return func() {
			for _, l := range ill {
				heal(l)
			}
		}
	}},
	{"gateways' links to it are ill", func(_ *shardOf, m *member, d *rand.Rand) func() {
		for _, l := range m.gates {
			troubles[d.IntN(len(troubles))].do(d, l)
		}
		return func() {
			for _, l := range m.gates {
				heal(l)
			}
		}
	}},
	{"stewards do not reach it", func(_ *shardOf, m *member, _ *rand.Rand) func() {
		m.orders.Open(false)
		return func() { heal(m.orders) }
	}},
	{"stewards are not heard by it", func(_ *shardOf, m *member, _ *rand.Rand) func() {
		m.orders.Ail("timeout", peers.Up, map[string]int{"timeout": 0})
		return func() { heal(m.orders) }
	}},
	{"only clients reach it", func(s *shardOf, m *member, _ *rand.Rand) func() {
		cut := append(s.between(m), m.orders)
		for _, l := range cut {
			l.Open(false)
		}
		return func() {
			for _, l := range cut {
				heal(l)
			}
		}
	}},
	{"a switch to it", func(s *shardOf, m *member, _ *rand.Rand) func() {
		s.registry.Switch(m.name)
		return func() {}
	}},
}

// suffer has things happen to a shard that are drawn, one or two at a time, until the time is over and enough was done meanwhile, and then heals it. First the
// primary is killed. It gives how often each happened.
func (s *shardOf) suffer(d *rand.Rand, long time.Duration, enough func() bool) map[string]int {
	s.t.Helper()
	count := map[string]int{}
	begin := func(m *member, i int) (end func()) {
		if end = ills[i].do(s, m, d); end != nil {
			fmt.Fprintf(&s.told, "        %s: %s\n", m.name, ills[i].name)
			count[ills[i].name]++
		}
		return end
	}
	begin(s.primary(), 0)()
	for over := time.Now().Add(long); time.Now().Before(over) || !enough() && time.Now().Before(over.Add(peers.Patience)); {
		var ends []func()
		first := d.IntN(len(s.members))
		if d.IntN(2) == 0 {
			first = slices.Index(s.members, s.primary())
		}
		for i := range 1 + d.IntN(2) { // of two different nodes
			if end := begin(s.members[(first+i)%len(s.members)], d.IntN(len(ills))); end != nil {
				ends = append(ends, end)
			}
		}
		time.Sleep(time.Duration(d.IntN(2500)) * time.Millisecond) // how long it lasts is what is drawn
		for _, end := range ends {
			end()
		}
		if d.IntN(2) == 0 {
			s.calm()
		}
	}
	s.heal()
	s.calm()
	return count
}
