package proxy

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"larder/engine"
	"larder/loop"
	"larder/router"
)

// mixWorld is a gateway of one or two loops over real nodes, all on loops in memory. A seed says who runs when, how much of what was written arrives, and
// what fails.
type mixWorld struct {
	t     testing.TB
	rand  *rand.Rand
	g     *Gateway
	loops []*loop.MemLoop
	parts []*part
	nodes map[string]*mixNode
	order []string // the nodes' addresses, by shard
	epoch uint64   // of the newest topology; 0 = nobody manages it
	topo  *router.Topology

	whole  bool // nothing fails, so nothing may be told to have failed
	moves  bool // slots change hands, and what lay under them stays where it was
	blanks bool // nodes come back empty
	calm   bool // nothing fails any more

	now     int // counts what clients did and heard
	port    uint16
	scripts map[string]string // by name: their SHA-1
	record
}

// mixNode is a node, and the connections that gateways have to it.
type mixNode struct {
	w      *mixWorld
	addr   string
	n      *engine.Node
	m      *loop.MemLoop
	links  []*link
	dead   bool          // dials fail
	frozen bool          // it does nothing
	missed time.Duration // the time that passed meanwhile
}

// link is a connection with what is on its way in both directions.
type link struct {
	gate           *loop.MemLoop
	up, down       *loop.MemConn // the gateway's end, the node's
	toNode, toGate []byte
}

var (
	errMixReset = errors.New("connection reset by peer")
	mixStart    = time.UnixMilli(1_700_000_000_000)
)

func newMixWorld(t testing.TB, seed uint64) *mixWorld {
	w := &mixWorld{t: t, rand: rand.New(rand.NewPCG(seed, 11)), nodes: map[string]*mixNode{}, scripts: map[string]string{}, record: newRecord()}
	larder := seed%2 == 0
	w.whole = seed%3 == 0
	w.moves = !w.whole && larder && seed%4 == 0
	w.blanks = !w.whole && !w.moves && seed%5 == 0
	for i := range 1 + int(seed/2%3) {
		addr := fmt.Sprintf("127.0.0.1:%d", 7000+i)
		w.order = append(w.order, addr)
		w.nodes[addr] = &mixNode{w: w, addr: addr}
		w.nodes[addr].begin()
	}
	w.assign(larder)
	o := DefaultOptions()
	o.Loops = 1 + int(seed/3%2)
	o.PendingMax = 4 + int(seed%40)
	o.StreamMinBytes = 64 << 10
	o.Upstream.LaneMaxBytes = 128 << 10
	o.Upstream.ReplyTimeout = time.Second
	g, err := New(o, fixedSource{w.topo}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.g = g
	for range o.Loops {
		w.loops = append(w.loops, loop.NewMemLoop(mixStart, func(l *loop.Loop) loop.Part {
			p := g.NewPart(l).(*part)
			w.parts = append(w.parts, p)
			return p
		}))
	}
	t.Cleanup(func() {
		for _, n := range w.nodes {
			n.end()
		}
	})
	return w
}

// begin makes a new, empty node at the address.
func (n *mixNode) begin() {
	o := engine.DefaultOptions()
	o.ID = n.addr
	node, err := engine.New(o, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		n.w.t.Fatal(err)
	}
	n.n, n.m = node, loop.NewMemLoop(mixStart, node.NewPart)
}

func (n *mixNode) end() {
	n.m.Stop()
	if err := n.n.Close(); err != nil {
		n.w.t.Error(err)
	}
}

// assign gives the slots out to the nodes in their order; with managed, nodes know of it.
func (w *mixWorld) assign(managed bool) {
	if managed {
		w.epoch++
	}
	var nodes []router.Node
	for _, addr := range w.order {
		nodes = append(nodes, router.Node{ID: addr, Addr: addr, External: !managed})
	}
	topo, err := router.Even("c", w.epoch, nodes)
	if err != nil {
		w.t.Fatal(err)
	}
	w.topo = topo
	if managed {
		for i, addr := range w.order {
			if err := w.nodes[addr].n.Assign(i, topo); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// open brings a client to one of the loops.
func (w *mixWorld) open() (*loop.MemConn, *part) {
	w.port++
	i := w.rand.IntN(len(w.loops))
	c := w.loops[i].Open(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 10000+w.port))
	if c == nil {
		w.t.Fatal("client refused")
	}
	return c, w.parts[i]
}

// dialled answers the dials that the gateway has begun.
func (w *mixWorld) dialled() {
	for _, m := range w.loops {
		for _, d := range m.Dials() {
			n := w.nodes[d.Addr]
			if n.dead {
				d.Fail(errors.New("connection refused"))
				continue
			}
			w.port++
			down := n.m.Open(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 10000+w.port))
			n.links = append(n.links, &link{gate: m, up: d.Succeed(), down: down})
		}
	}
}

// move delivers at most so many bytes in each direction, and the end of the connection behind the last.
func (k *link) move(toNode, toGate int) {
	k.toNode = append(k.toNode, k.up.Written()...)
	k.toGate = append(k.toGate, k.down.Written()...)
	if n := min(toNode, len(k.toNode)); n > 0 {
		p := k.toNode[:n:n]
		k.toNode = append([]byte(nil), k.toNode[n:]...)
		k.down.Feed(p)
	}
	if n := min(toGate, len(k.toGate)); n > 0 {
		p := k.toGate[:n:n]
		k.toGate = append([]byte(nil), k.toGate[n:]...)
		k.up.Feed(p)
	}
	if k.up.Closed && len(k.toNode) == 0 {
		k.down.Hangup(errMixReset)
	}
	if k.down.Closed && len(k.toGate) == 0 {
		k.up.Hangup(errMixReset)
	}
}

// run lets a node do something: each of its connections by itself.
func (n *mixNode) run() {
	r := n.w.rand
	for _, k := range append([]*link(nil), n.links...) {
		k.up.Full = r.IntN(4) == 0 && !n.w.calm
		switch r.IntN(4) {
		case 0:
			k.move(1+r.IntN(300), 0)
		case 1:
			k.move(1+r.IntN(3000), 1+r.IntN(3000))
		case 2:
			k.move(0, 1+r.IntN(100))
		case 3:
			k.move(1<<30, 1<<30)
		}
		if r.IntN(2) == 0 {
			n.m.EndTurn()
		}
	}
	n.forget()
}

// forget drops the links that both sides have closed.
func (n *mixNode) forget() {
	kept := n.links[:0]
	for _, k := range n.links {
		if !k.up.Closed || !k.down.Closed {
			kept = append(kept, k)
		}
	}
	clear(n.links[len(kept):])
	n.links = kept
}

// cut ends some connections of the node; what was on its way to it arrives in part.
func (n *mixNode) cut(every bool) {
	r := n.w.rand
	for _, k := range append([]*link(nil), n.links...) {
		if !every && r.IntN(2) == 0 {
			continue
		}
		if !n.frozen {
			k.move(r.IntN(2000), r.IntN(2000))
			n.m.EndTurn()
		}
		k.up.Hangup(errMixReset)
		k.down.Hangup(errMixReset)
	}
	n.forget()
}

// blank brings a new node in the place of this one.
func (n *mixNode) blank() {
	n.cut(true)
	n.w.remember(n)
	n.end()
	n.begin()
	n.missed = 0
	n.m.Advance(n.w.loops[0].Loop.Now().Sub(mixStart))
	for i, addr := range n.w.order {
		if addr == n.addr && n.w.epoch > 0 {
			if err := n.n.Assign(i, n.w.topo); err != nil {
				n.w.t.Fatal(err)
			}
		}
	}
}

// step lets something happen behind the clients.
func (w *mixWorld) step() {
	r := w.rand
	w.dialled()
	n := w.nodes[w.order[r.IntN(len(w.order))]]
	if !n.frozen {
		n.run()
	}
	if !w.whole && !w.calm {
		w.mishap(n)
	}
	if r.IntN(3) == 0 {
		w.endTurns()
	}
	if r.IntN(15) == 0 {
		w.advance(time.Duration(r.IntN(60)) * time.Millisecond)
	}
}

// mishap lets something fail at a node, or become well again.
func (w *mixWorld) mishap(n *mixNode) {
	r := w.rand
	switch {
	case n.frozen && r.IntN(30) == 0:
		n.thaw()
	case r.IntN(120) == 0:
		n.cut(r.IntN(2) == 0)
		n.dead = r.IntN(3) == 0
	case r.IntN(10) == 0:
		n.dead = false
	case r.IntN(200) == 0:
		n.frozen = true
	case w.moves && r.IntN(100) == 0:
		r.Shuffle(len(w.order), func(i, j int) { w.order[i], w.order[j] = w.order[j], w.order[i] })
		w.assign(true)
		if r.IntN(2) == 0 {
			w.g.Adopt(w.topo)
		}
	case w.blanks && !n.frozen && r.IntN(150) == 0:
		n.blank()
	}
}

func (n *mixNode) thaw() {
	n.frozen = false
	n.m.Advance(n.missed)
	n.missed = 0
}

func (w *mixWorld) endTurns() {
	for _, m := range w.loops {
		m.EndTurn()
	}
	for _, addr := range w.order {
		if n := w.nodes[addr]; !n.frozen {
			n.m.EndTurn()
		}
	}
}

func (w *mixWorld) advance(d time.Duration) {
	for _, m := range w.loops {
		m.Advance(d)
	}
	for _, addr := range w.order {
		if n := w.nodes[addr]; n.frozen {
			n.missed += d
		} else {
			n.m.Advance(d)
		}
	}
}

// settle lets everything arrive, until done says that it has. It gives what done says last.
func (w *mixWorld) settle(done func() bool) bool {
	w.calm = true
	for _, addr := range w.order {
		n := w.nodes[addr]
		if n.dead = false; n.frozen {
			n.thaw()
		}
	}
	for round := range 2000 {
		w.endTurns()
		w.dialled()
		for _, addr := range w.order {
			n := w.nodes[addr]
			for _, k := range append([]*link(nil), n.links...) {
				k.up.Full = false
				k.move(1<<30, 1<<30)
				n.m.EndTurn()
				k.move(1<<30, 1<<30)
			}
			n.forget()
		}
		w.endTurns()
		if done() {
			return true
		}
		if round%4 == 3 {
			w.advance(50 * time.Millisecond)
		}
	}
	return false
}
