package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"testing"
	"time"

	"larder/engine"
	"larder/loop"
	"larder/protocol/resp"
	"larder/router"
)

// radio is gateways with loops without sockets over real nodes without sockets. Bytes between them travel when the seed says so.
type radio struct {
	t        testing.TB
	rand     *rand.Rand
	gateways []*Gateway
	loops    []*loop.MemLoop // of all gateways
	parts    []*part
	nodes    []*radioNode
	wires    []*radioWire
	clock    int // counts what happens
}

type radioNode struct {
	addr   string
	node   *engine.Node
	m      *loop.MemLoop
	dead   bool
	frozen bool // it takes connections, and nothing else
	old    bool // it is like a server from before RESP3
}

// radioWire is a connection of a gateway to a node.
type radioWire struct {
	n                 *radioNode
	a, b              *loop.MemConn // the gateway's end and the node's
	toNode, toGateway []byte
	held              bool // nothing travels
}

var radioStart = time.Unix(1_700_000_000, 0)

func newRadio(t testing.TB, seed uint64, shards int, loopsOf ...int) *radio {
	r := &radio{t: t, rand: rand.New(rand.NewPCG(seed, 11))}
	var nodes []router.Node
	for i := range shards {
		n := &radioNode{addr: fmt.Sprintf("127.0.0.1:%d", 7000+i)}
		r.nodes = append(r.nodes, n)
		r.start(n)
		nodes = append(nodes, router.Node{Addr: n.addr})
	}
	topo, err := router.Even("c", 0, nodes)
	if err != nil {
		t.Fatal(err)
	}
	for _, loops := range loopsOf {
		o := DefaultOptions()
		o.Loops = loops
		g, err := New(o, fixedSource{topo}, slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.gateways = append(r.gateways, g)
		for range loops {
			r.loops = append(r.loops, loop.NewMemLoop(radioStart, func(l *loop.Loop) loop.Part {
				r.parts = append(r.parts, g.NewPart(l).(*part))
				return r.parts[len(r.parts)-1]
			}))
		}
	}
	t.Cleanup(func() {
		for _, n := range r.nodes {
			r.kill(n)
		}
	})
	return r
}

// start gives a node a new, empty process.
func (r *radio) start(n *radioNode) {
	node, err := engine.New(engine.DefaultOptions(), slog.New(slog.NewTextHandler(io.Discard, nil)), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	n.node, n.dead = node, false
	n.m = loop.NewMemLoop(radioStart, node.NewPart)
}

var errReset = errors.New("connection reset by peer")

// kill ends a node; what was on its way is lost.
func (r *radio) kill(n *radioNode) {
	if n.dead {
		return
	}
	n.dead = true
	for _, w := range r.wires {
		if w.n == n {
			w.cut()
		}
	}
	n.m.Stop()
	if err := n.node.Close(); err != nil {
		r.t.Error(err)
	}
}

// cut ends a connection for both sides.
func (w *radioWire) cut() {
	w.a.Hangup(errReset)
	w.b.Hangup(errReset)
}

// dialled answers the dials that gateways have begun.
func (r *radio) dialled() {
	for _, m := range r.loops {
		for _, d := range m.Dials() {
			at := slices.IndexFunc(r.nodes, func(n *radioNode) bool { return n.addr == d.Addr })
			if n := r.nodes[at]; n.dead {
				d.Fail(errors.New("connection refused"))
			} else {
				r.wires = append(r.wires, &radioWire{n: n, b: n.m.Open(netip.MustParseAddrPort("127.0.0.1:50000")), a: d.Succeed()})
			}
		}
	}
}

// newer is what a server from before RESP3 does not know.
var newer = regexp.MustCompile(`\*2\r\n\$5\r\nHELLO\r\n\$1\r\n3\r\n|\*3\r\n\$6\r\nLARDER\r\n\$5\r\nHELLO\r\n\$1\r\n1\r\n`)

// carry brings at most n bytes each way.
func (w *radioWire) carry(n int) {
	if w.n.frozen || w.held {
		return
	}
	w.toNode = append(w.toNode, w.a.Written()...)
	if w.n.old {
		w.toNode = newer.ReplaceAll(w.toNode, []byte("NOSUCH\r\n"))
	}
	if k := min(n, len(w.toNode)); k > 0 {
		piece := w.toNode[:k]
		w.toNode = slices.Clone(w.toNode[k:])
		w.b.Feed(piece)
		w.n.m.EndTurn()
	}
	w.toGateway = append(w.toGateway, w.b.Written()...)
	if w.n.old {
		w.toGateway = bytes.ReplaceAll(w.toGateway, []byte("'NOSUCH'"), []byte("'HELLO'"))
	}
	if k := min(n, len(w.toGateway)); k > 0 {
		piece := w.toGateway[:k]
		w.toGateway = slices.Clone(w.toGateway[k:])
		w.a.Feed(piece)
	}
}

// step lets something travel.
func (r *radio) step() {
	r.clock++
	r.dialled()
	for _, m := range r.loops {
		if r.rand.IntN(3) > 0 {
			m.EndTurn()
		}
	}
	for _, w := range r.wires {
		if r.rand.IntN(3) > 0 {
			w.carry(1 + r.rand.IntN(300))
		}
	}
	r.tidy()
}

// tidy ends the connections of which one side has.
func (r *radio) tidy() {
	r.wires = slices.DeleteFunc(r.wires, func(w *radioWire) bool {
		if w.a.Closed || w.b.Closed {
			w.cut()
			return true
		}
		return false
	})
}

// settle lets everything arrive; d passes meanwhile.
func (r *radio) settle(d time.Duration) {
	const rounds = 40
	for range rounds {
		r.clock++
		r.dialled()
		for _, m := range r.loops {
			m.EndTurn()
		}
		for _, w := range r.wires {
			w.carry(1 << 20)
		}
		r.tidy()
		for _, m := range r.loops {
			m.Advance(d / rounds)
		}
		for _, n := range r.nodes {
			if !n.dead {
				n.m.Advance(d / rounds)
			}
		}
	}
}

// listener is a client of a radio.
type listener struct {
	r       *radio
	c       *loop.MemConn
	proto   int
	in      []byte
	replies resp.Replies
}

// client opens one that speaks either protocol.
func (r *radio) client(onLoop int) *listener { return r.clientOf(onLoop, 2+r.rand.IntN(2)) }

func (r *radio) clientOf(onLoop, proto int) *listener {
	c := r.loops[onLoop].Open(netip.MustParseAddrPort("127.0.0.1:20000"))
	if c == nil {
		r.t.Fatal("client refused")
	}
	k := &listener{r: r, c: c, proto: proto}
	if proto == 3 {
		k.say("HELLO", "3")
		r.loops[onLoop].EndTurn()
		c.Written()
	}
	return k
}

func (k *listener) say(args ...string) { k.c.Feed(resp.AppendCommandStrings(nil, args...)) }

// next is the next reply or message, nil if none has come.
func (k *listener) next() []byte {
	k.in = append(k.in, k.c.Written()...)
	n, _, st := k.replies.Next(k.in)
	if st == resp.Failed {
		k.r.t.Fatalf("%s in %.200q", k.replies.Err(), k.in)
	}
	if st == resp.More {
		return nil
	}
	reply := k.in[:n]
	k.in = slices.Clone(k.in[n:])
	return reply
}

// all is all that has come.
func (k *listener) all() string {
	var all []byte
	for reply := k.next(); reply != nil; reply = k.next() {
		all = append(all, reply...)
	}
	return string(all)
}

// says sends one command, lets everything arrive and compares all that came.
func (k *listener) says(want string, args ...string) {
	k.r.t.Helper()
	k.say(args...)
	k.r.settle(40 * time.Millisecond)
	k.hears(want)
}

func (k *listener) hears(want string) {
	k.r.t.Helper()
	if got := k.all(); got != want {
		k.r.t.Errorf("got %.400q, want %.400q", got, want)
	}
}

// session is the client as the gateway has it.
func (k *listener) session() *session {
	for _, p := range k.r.parts {
		for _, s := range p.sessions {
			if s.c == k.c.Conn {
				return s
			}
		}
	}
	return nil
}

// do sends one command and lets everything arrive: the last of what came is its reply.
func (k *listener) do(args ...string) string {
	k.say(args...)
	k.r.settle(40 * time.Millisecond)
	var last []byte
	for reply := k.next(); reply != nil; reply = k.next() {
		last = reply
	}
	return string(last)
}
