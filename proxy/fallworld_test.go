package proxy

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/loop"
	"larder/protocol/resp"
	"larder/router"
)

// fallWorld is a gateway's loop over shards of real nodes that get orders, with the wires among them and a controller that is the test. A seed says who runs when
// and what fails: nodes are killed and come back empty, stand still, lose connections, and hand their place over as planned.
type fallWorld struct {
	t      *testing.T
	rand   *rand.Rand
	g      *Gateway
	p      *part
	gate   *loop.MemLoop
	shards []*fallShard
	nodes  []*fallNode
	wires  []*fallWire
	port   uint16
	calm   bool
	falls  int // primaries that were chosen
}

type fallShard struct {
	nodes  []*fallNode
	record router.Record
	agreed map[string]map[string]string // what members said that promised
	badNS  int                          // steps since its primary was last well
}

type fallNode struct {
	w          *fallWorld
	name, addr string
	shard      *fallShard
	n          *engine.Node
	m          *loop.MemLoop
	admin      *loop.MemConn
	frozen     int // for so many steps it does nothing
	dead       int // likewise, it is not there
	missed     time.Duration
}

// fallWire is a connection to a node, of the gateway (from nil) or of another node.
type fallWire struct {
	*link
	from, to *fallNode
}

const fallNodes = 3

func newFallWorld(t *testing.T, seed uint64, replicated bool) *fallWorld {
	w := &fallWorld{t: t, rand: rand.New(rand.NewPCG(seed, 13))}
	var shards []router.Shard
	for i := range 1 + int(seed%2) {
		s := &fallShard{record: router.Record{Replicated: replicated, MinInSync: 1}}
		for j := range fallNodes {
			n := &fallNode{w: w, name: fmt.Sprintf("s%d%c", i, 'a'+j), addr: fmt.Sprintf("127.0.0.1:%d", 7000+10*i+j), shard: s}
			n.begin()
			s.nodes, w.nodes = append(s.nodes, n), append(w.nodes, n)
		}
		w.shards = append(w.shards, s)
		shard := router.Shard{Primary: router.Node{ID: s.nodes[0].name, Addr: s.nodes[0].addr}}
		for _, n := range s.nodes[1:] {
			shard.Replicas = append(shard.Replicas, router.Node{ID: n.name, Addr: n.addr})
		}
		shards = append(shards, shard)
	}
	topo, err := router.EvenShards("c", 0, shards)
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	o.Loops, o.PendingMax = 1, 8+int(seed%30)
	o.Upstream.ReplyTimeout = time.Second
	o.Upstream.FailoverTime = 20 * time.Second
	o.StreamMinBytes = 64 << 10
	if w.g, err = New(o, fixedSource{topo}, slog.New(slog.DiscardHandler), nil); err != nil {
		t.Fatal(err)
	}
	w.gate = loop.NewMemLoop(mixStart, func(l *loop.Loop) loop.Part {
		w.p = w.g.NewPart(l).(*part)
		return w.p
	})
	for _, s := range w.shards {
		s.next(chosenOf(s.nodes[0].run()))
	}
	t.Cleanup(func() {
		for _, n := range w.nodes {
			n.end()
		}
	})
	return w
}

func (n *fallNode) begin() {
	o := engine.DefaultOptions()
	o.Managed, o.ID = true, n.name
	o.HoldTime = 700 * time.Millisecond
	node, err := engine.New(o, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		n.w.t.Fatal(err)
	}
	n.n, n.m = node, loop.NewMemLoop(mixStart, node.NewPart)
	n.admin = n.m.Open(mixAdmin)
}

func (n *fallNode) end() {
	n.m.Stop()
	if err := n.n.Close(); err != nil {
		n.w.t.Error(err)
	}
}

// up says whether the node does anything.
func (n *fallNode) up() bool { return n.frozen == 0 && n.dead == 0 }

// tell says something to the node and gives its answer.
func (n *fallNode) tell(args ...string) string {
	if n.admin.Closed {
		n.admin = n.m.Open(mixAdmin)
	}
	n.admin.Feed(resp.AppendCommandStrings(nil, args...))
	n.m.EndTurn()
	return string(n.admin.Written())
}

// ask is tell to a primary whose answer waits for the others.
func (w *fallWorld) ask(n *fallNode, args ...string) string {
	c := n.m.Open(mixAdmin)
	defer c.Hangup(nil)
	c.Feed(resp.AppendCommandStrings(nil, args...))
	for range 1000 {
		n.m.EndTurn()
		if got := string(c.Written()); got != "" {
			return got
		}
		w.step()
	}
	w.t.Fatalf("node %s does not answer %q", n.name, args)
	return ""
}

// stateOf is what a map of the node's says, arrays with blanks.
func stateOf(reply string) map[string]string {
	all := map[string]string{}
	for it := resp.Elements([]byte(reply)); ; {
		name, ok := it.Next()
		value, ok2 := it.Next()
		if !ok || !ok2 {
			return all
		}
		key, _ := resp.BulkOf(name)
		if value[0] == '*' {
			all[string(key)] = strings.Join(elements(string(value)), " ")
		} else {
			text, _ := resp.Value(value).Bytes()
			all[string(key)] = string(text)
		}
	}
}

func (n *fallNode) run() router.Run {
	run, err := router.ParseRun(stateOf(n.tell("LARDER", "STATE"))["run"])
	if err != nil {
		n.w.t.Fatal(err)
	}
	return run
}

// kill ends the process of a node; it is back, empty, after some steps.
func (n *fallNode) kill(steps int) {
	w := n.w
	for _, k := range w.wires {
		if k.to == n || k.from == n {
			if n.frozen == 0 && w.rand.IntN(2) == 0 {
				k.move(w.rand.IntN(500), w.rand.IntN(500))
			}
			k.reset()
		}
	}
	w.tidy()
	n.end()
	n.begin()
	n.dead, n.frozen, n.missed = steps, 0, 0
	n.m.Pass(w.gate.Loop.Now().Sub(mixStart))
}

func (k *fallWire) reset() {
	k.up.Hangup(errMixReset)
	k.down.Hangup(errMixReset)
}

// tidy drops wires that both sides have closed.
func (w *fallWorld) tidy() {
	w.wires = slices.DeleteFunc(w.wires, func(k *fallWire) bool { return k.up.Closed && k.down.Closed })
}

// dialled answers the dials of the gateway and of nodes.
func (w *fallWorld) dialled() {
	connect := func(from *fallNode, m *loop.MemLoop) {
		for _, d := range m.Dials() {
			at := slices.IndexFunc(w.nodes, func(n *fallNode) bool { return n.addr == d.Addr })
			if to := w.nodes[at]; to.dead > 0 {
				d.Fail(errors.New("connection refused"))
			} else {
				w.port++
				down := to.m.Open(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 10000+w.port))
				w.wires = append(w.wires, &fallWire{link: &link{up: d.Succeed(), down: down}, from: from, to: to})
			}
		}
	}
	connect(nil, w.gate)
	for _, n := range w.nodes {
		if n.up() {
			connect(n, n.m)
		}
	}
}

// step lets something happen.
func (w *fallWorld) step() {
	r := w.rand
	d := time.Duration(1+r.IntN(10)) * time.Millisecond
	w.gate.Advance(d)
	for _, n := range w.nodes {
		switch {
		case n.dead > 0:
			n.dead--
			n.m.Pass(d)
		case n.frozen > 0:
			n.frozen--
			n.m.Pass(d)
		default:
			n.m.Advance(d)
		}
	}
	w.dialled()
	for _, k := range slices.Clone(w.wires) {
		if !k.to.up() || k.from != nil && !k.from.up() || r.IntN(4) == 0 {
			continue
		}
		if k.from == nil && r.IntN(3) == 0 && !w.calm {
			k.move(r.IntN(200), r.IntN(300))
		} else {
			k.move(1<<30, 1<<30)
		}
		k.to.m.EndTurn()
		if k.from != nil {
			k.from.m.EndTurn()
		}
	}
	w.tidy()
	w.gate.EndTurn()
	for _, s := range w.shards {
		if r.IntN(2) == 0 {
			s.control(w)
		}
	}
	if !w.calm {
		w.mishap()
	}
}

// mishap lets something fail.
func (w *fallWorld) mishap() {
	r := w.rand
	n := w.nodes[r.IntN(len(w.nodes))]
	switch r.IntN(250) {
	case 0, 1:
		if n.shard.spare(n) {
			n.kill(10 + r.IntN(100))
		}
	case 2, 3:
		if n.up() {
			n.frozen = r.IntN(300)
		}
	case 4, 5, 6, 7, 8, 9:
		for _, k := range w.wires {
			if k.from == nil && k.to == n && r.IntN(2) == 0 {
				if n.up() {
					k.move(r.IntN(300), r.IntN(300))
				}
				k.reset()
			}
		}
		w.tidy()
	}
}

// spare says whether the shard goes on without a node: another member is there.
func (s *fallShard) spare(n *fallNode) bool {
	for _, other := range s.nodes {
		if other != n && other.dead == 0 && s.record.Member(other.run()) {
			return true
		}
	}
	return false
}

// next is the record changed.
func (s *fallShard) next(change func(*router.Record)) {
	r := &s.record
	r.Epoch++
	r.Set, r.Joining, r.Returned = slices.Clone(r.Set), slices.Clone(r.Joining), false
	change(r)
	r.Primary = r.Set[0]
}

func chosenOf(set ...router.Run) func(*router.Record) {
	return func(r *router.Record) {
		r.State, r.Term, r.Reign, r.Set, r.Joining = router.Normal, r.Epoch, r.Epoch, set, nil
	}
}

func (s *fallShard) named(name string) *fallNode {
	return s.nodes[slices.IndexFunc(s.nodes, func(n *fallNode) bool { return n.name == name })]
}

// control is a step of the controller.
func (s *fallShard) control(w *fallWorld) {
	words := []string{"LARDER", "RECORD", s.record.Line()}
	for _, n := range s.nodes {
		words = append(words, n.name+"="+n.addr)
	}
	for _, n := range s.nodes {
		if n.up() && (w.calm || w.rand.IntN(3) > 0) {
			if got := n.tell(words...); got != "+OK\r\n" {
				w.t.Errorf("node %s answers %q to %s", n.name, got, s.record.Line())
			}
		}
	}
	primary := s.named(s.record.Primary.Node)
	well := primary.up() && primary.run() == s.record.Primary
	if s.badNS++; well {
		s.badNS = 0
	}
	switch s.record.State {
	case router.Normal:
		s.normal(w, primary, well)
	case router.Electing:
		s.elect(w)
	case router.Switching:
		s.switchOver(w, primary)
	}
}

func (s *fallShard) normal(w *fallWorld, primary *fallNode, well bool) {
	gone := func(run router.Run) bool {
		n := s.named(run.Node)
		return n != primary && (!n.up() || n.run() != run)
	}
	switch what := w.rand.IntN(100); {
	case s.badNS > 8 && (what < 40 || w.calm), !w.calm && what == 99 && w.rand.IntN(4) == 0:
		s.agreed = map[string]map[string]string{}
		s.next(func(r *router.Record) { r.State, r.Term = router.Electing, r.Epoch })
	case well && what == 98 && !w.calm:
		s.next(func(r *router.Record) { r.State, r.Term = router.Switching, r.Epoch })
	case well && what < 30 && slices.ContainsFunc(slices.Concat(s.record.Set, s.record.Joining), gone): // else the set may come to be a run that has ended
		s.next(func(r *router.Record) {
			r.Set, r.Joining = slices.DeleteFunc(r.Set, gone), slices.DeleteFunc(r.Joining, gone)
		})
	case well && what < 70:
		s.grow(stateOf(primary.tell("LARDER", "STATE")))
	}
}

// grow takes in who follows.
func (s *fallShard) grow(told map[string]string) {
	if told["record"] != s.record.Line() {
		return
	}
	if confirmed := strings.Fields(told["confirmed"]); len(confirmed) > 0 {
		run, _ := router.ParseRun(confirmed[0])
		s.next(func(r *router.Record) {
			r.Set = append(r.Set, run)
			r.Joining = slices.DeleteFunc(r.Joining, func(o router.Run) bool { return o == run })
		})
		return
	}
	for followers := strings.Fields(told["followers"]); len(followers) > 1; followers = followers[2:] {
		run, _ := router.ParseRun(followers[0])
		named := func(o router.Run) bool { return o.Node == run.Node }
		if n := s.named(run.Node); n.up() && n.run() == run && !slices.ContainsFunc(slices.Concat(s.record.Set, s.record.Joining), named) {
			s.next(func(r *router.Record) { r.Joining = append(r.Joining, run) })
			return
		}
	}
}

func (s *fallShard) elect(w *fallWorld) {
	for _, n := range s.nodes {
		if !n.up() || !s.record.Member(n.run()) {
			continue
		}
		if told := stateOf(n.tell("LARDER", "PROMISE", s.record.Line())); told["promised"] == fmt.Sprint(s.record.Epoch) {
			s.agreed[told["run"]] = told
		}
	}
	if len(s.agreed) == 0 || w.rand.IntN(2) == 0 {
		return
	}
	var set []router.Run
	best := int64(-1)
	for _, n := range s.nodes {
		for text, told := range s.agreed {
			if run, _ := router.ParseRun(text); run.Node == n.name {
				offset, _ := strconv.ParseInt(told["offset"], 10, 64)
				if offset > best {
					best, set = offset, append([]router.Run{run}, set...)
				} else {
					set = append(set, run)
				}
			}
		}
	}
	w.falls++
	s.next(chosenOf(set...))
}

func (s *fallShard) switchOver(w *fallWorld, primary *fallNode) {
	target := s.nodes[w.rand.IntN(len(s.nodes))]
	if primary.up() && target.up() && target != primary && s.record.Member(target.run()) {
		from, to := stateOf(primary.tell("LARDER", "STATE")), stateOf(target.tell("LARDER", "STATE"))
		if from["role"] == "frozen" && from["record"] == s.record.Line() && to["record"] == s.record.Line() && from["executed"] == to["executed"] {
			run := target.run()
			w.falls++
			s.next(func(r *router.Record) {
				rest := slices.DeleteFunc(slices.Clone(r.Set), func(o router.Run) bool { return o == run })
				chosenOf(append([]router.Run{run}, rest...)...)(r)
				r.Returned = true
			})
			return
		}
	}
	if w.rand.IntN(30) == 0 || s.badNS > 8 {
		s.next(func(r *router.Record) { r.State, r.Term = router.Normal, r.Epoch })
	}
}

// settle lets all become well, until done says so.
func (w *fallWorld) settle(done func() bool) bool {
	w.calm = true
	for range 6000 {
		for _, n := range w.nodes {
			n.dead, n.frozen = min(n.dead, 1), min(n.frozen, 1)
		}
		w.step()
		if done() {
			return true
		}
	}
	return false
}
