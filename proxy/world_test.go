package proxy

import (
	"bytes"
	"context"
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

	"larder/loop"
	"larder/protocol/resp"
	"larder/router"
)

// world is a gateway's loop without sockets, with nodes that do what a seed says: answer late, in pieces, not at all, refuse what is stale, die and
// come back.
type world struct {
	t      testing.TB
	rand   *rand.Rand
	g      *Gateway
	p      *part
	m      *loop.MemLoop
	nodes  map[string]*fakeNode
	order  []string // the nodes' addresses
	clock  int      // counts executions
	calm   bool     // nothing fails any more
	larder bool
	large  bool // some commands are large

	runs  func(fc *fakeConn, name string, args [][]byte) bool // runs the commands of other tests
	moved func()                                              // slots have other nodes

	// What the nodes hold, wherever its slots are.
	lists   map[string][]string
	written map[string]int    // how often each key was written
	taken   map[string]string // by element: the BLPOP that it was given to
	ids     int64             // given to connections
	came    int               // and to those who wait
}

type fixedSource struct{ t *router.Topology }

func (f fixedSource) Topology() *router.Topology { return f.t }

func (f fixedSource) Watch(ctx context.Context, _ func(*router.Topology)) error {
	<-ctx.Done()
	return nil
}

func newWorld(t testing.TB, seed uint64, shards int, larder bool, change func(*Options)) *world {
	w := &world{lists: map[string][]string{}, written: map[string]int{}, taken: map[string]string{}, t: t, rand: rand.New(rand.NewPCG(seed, 7)), nodes: map[string]*fakeNode{}, larder: larder}
	var epoch uint64
	if larder {
		epoch = 1
	}
	topo := w.topology(epoch, shards)
	o := DefaultOptions()
	o.Loops = 1
	if change != nil {
		change(&o)
	}
	g, err := New(o, fixedSource{topo}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.g = g
	w.m = loop.NewMemLoop(time.Unix(1_700_000_000, 0), func(l *loop.Loop) loop.Part {
		w.p = g.NewPart(l).(*part)
		return w.p
	})
	return w
}

// topology gives the slots out evenly, to the nodes in another order each time.
func (w *world) topology(epoch uint64, shards int) *router.Topology {
	if w.order == nil {
		for i := range shards {
			addr := fmt.Sprintf("127.0.0.1:%d", 7000+i)
			w.nodes[addr] = &fakeNode{w: w, addr: addr, done: map[string][]int{}, in: map[string]int{}}
			w.order = append(w.order, addr)
		}
	} else {
		w.rand.Shuffle(len(w.order), func(i, j int) { w.order[i], w.order[j] = w.order[j], w.order[i] })
	}
	var nodes []router.Node
	for _, addr := range w.order {
		nodes = append(nodes, router.Node{Addr: addr, External: !w.larder})
	}
	topo, err := router.Even("c", epoch, nodes)
	if err != nil {
		w.t.Fatal(err)
	}
	for i, addr := range w.order {
		if n := w.nodes[addr]; n.topo == nil {
			n.topo, n.shard = topo, i
		}
	}
	return topo
}

// fakeNode answers a few commands, each with what tells whose it was.
type fakeNode struct {
	w     *world
	addr  string
	topo  *router.Topology
	shard int
	dead  bool // dials fail
	conns []*fakeConn
	done  map[string][]int // what ran, and when by the world's clock
	in    map[string]int   // and in which database

	stream *fakeStream    // of which it tells in stamps; nil: it says none
	name   string         // as records call it
	record *router.Record // that it knows; nil: nobody gives it orders

	scripts   map[string]bool // by SHA1; lost with its life
	functions string          // the payload of its libraries
}

type fakeConn struct {
	n        *fakeNode
	mc       *loop.MemConn
	in, out  []byte
	requests resp.Requests
	proto    int
	db       int
	dialect  bool
	term     uint64
	multi    bool
	queued   [][][]byte
	id       int64
	watched  map[string]int // keys, and how often they had been written then
	waits    *waiting
	monitors bool
	told     *fakeStream // what the last stamp on it said; nil: it has none, or is to have none
	said     string      // the term of the record that the lane has said; empty: none
	topics   map[string]bool
}

// dialled answers the dials that the gateway has begun.
func (w *world) dialled() {
	for _, d := range w.m.Dials() {
		n := w.nodes[d.Addr]
		if n.dead {
			d.Fail(errors.New("connection refused"))
			continue
		}
		fc := &fakeConn{n: n, mc: d.Succeed(), proto: 2}
		fc.requests.Reset(resp.DefaultLimits())
		n.conns = append(n.conns, fc)
	}
}

// take moves what the gateway wrote to where the node reads it.
func (fc *fakeConn) take() { fc.in = append(fc.in, fc.mc.Written()...) }

// work runs at most n commands.
func (fc *fakeConn) work(n int) {
	fc.take()
	defer fc.stamp(len(fc.out))
	pos := 0
	for range n {
		if fc.waits != nil {
			break
		}
		req, used, st := fc.requests.Next(fc.in[pos:])
		pos += used
		if st != resp.Done {
			break
		}
		fc.run(req.Args)
	}
	fc.in = append([]byte(nil), fc.in[pos:]...)
	fc.requests.Reset(resp.DefaultLimits())
}

// answer delivers n bytes of replies.
func (fc *fakeConn) answer(n int) {
	n = min(n, len(fc.out))
	if n > 0 && !fc.mc.Paused() {
		p := fc.out[:n]
		fc.out = append([]byte(nil), fc.out[n:]...)
		fc.mc.Feed(p)
	}
}

func (n *fakeNode) die() {
	for _, fc := range n.conns {
		fc.mc.Hangup(errors.New("connection reset by peer"))
	}
	n.conns = nil
	n.scripts, n.functions = nil, ""
}

func (fc *fakeConn) run(args [][]byte) {
	name := strings.ToUpper(string(args[0]))
	if fc.n.w.runs != nil && fc.n.w.runs(fc, name, args) || fc.runLent(name, args) {
		return
	}
	switch name {
	case "HELLO":
		fc.proto = 3
		fc.out = append(fc.out, "%1\r\n+proto\r\n:3\r\n"...)
	case "LARDER":
		fc.dialogue(args)
	case "SELECT":
		if fc.multi {
			fc.queue(args)
			return
		}
		fc.db, _ = strconv.Atoi(string(args[1]))
		fc.out = append(fc.out, "+OK\r\n"...)
	case "CLIENT":
		fc.client(args)
	case "PING":
		if fc.multi {
			fc.queue(args)
			return
		}
		fc.out = append(fc.out, "+PONG\r\n"...)
	case "MULTI":
		fc.multi = true
		fc.out = append(fc.out, "+OK\r\n"...)
	case "EXEC":
		fc.exec()
	case "SCRIPT", "FUNCTION":
		fc.library(name, args)
	default:
		if fc.multi {
			fc.queue(args)
			return
		}
		if fc.dialect && fc.term != fc.n.topo.Epoch {
			fc.out = append(fc.out, fmt.Sprintf("-STALE %d %s\r\n", fc.n.topo.Epoch, fc.n.topo.Line())...)
			return
		}
		fc.execute(name, args)
	}
}

func (fc *fakeConn) queue(args [][]byte) {
	var kept [][]byte
	for _, arg := range args {
		kept = append(kept, bytes.Clone(arg))
	}
	fc.queued = append(fc.queued, kept)
	fc.out = append(fc.out, "+QUEUED\r\n"...)
}

// exec runs what is queued, or nothing of it if the lane's epoch is not the node's.
func (fc *fakeConn) exec() {
	queued := fc.queued
	watched := fc.watched
	fc.multi, fc.queued, fc.watched = false, nil, nil
	if fc.dialect && fc.term != fc.n.topo.Epoch {
		fc.out = append(fc.out, fmt.Sprintf("-STALE %d %s\r\n", fc.n.topo.Epoch, fc.n.topo.Line())...)
		return
	}
	for key, at := range watched {
		if fc.n.w.written[key] != at {
			w := resp.Writer{Out: fc.out, Proto: fc.proto}
			w.NullArray()
			fc.out = w.Out
			return
		}
	}
	fc.out = resp.AppendArray(fc.out, len(queued))
	for _, args := range queued {
		if len(args) == 3 && bytes.HasSuffix(args[2], []byte("w")) && watched == nil {
			fc.n.w.t.Errorf("%s: ran, and nobody watched", args[2])
		}
		fc.run(args)
	}
}

func (fc *fakeConn) dialogue(args [][]byte) {
	if !fc.n.w.larder {
		fc.out = append(fc.out, "-ERR unknown command 'LARDER', with args beginning with: \r\n"...)
		return
	}
	if strings.EqualFold(string(args[1]), "HELLO") {
		fc.dialect = true
		w := resp.Writer{Out: fc.out, Proto: fc.proto}
		w.Map(2)
		w.Bulk("epoch")
		w.Int(int64(fc.n.topo.Epoch))
		w.Bulk("databases")
		w.Int(16)
		fc.out = w.Out
		return
	}
	switch string(args[1]) {
	case "MARK":
		fc.out = append(fc.out, "*2\r\n$1\r\nr\r\n:1\r\n"...)
		return
	case "TERM":
		fc.term, _ = strconv.ParseUint(string(args[2]), 10, 64)
	}
	fc.out = append(fc.out, "+OK\r\n"...)
}

// execute answers GETSET with its value, whose beginning up to a '/' is the command's number, and GETRANGE with its numbers, which say whose command it was; MGET with its keys; DEL with their number.
func (fc *fakeConn) execute(name string, args [][]byte) {
	n := fc.n
	n.w.clock++
	note := func(key []byte, id string) {
		if fc.dialect && n.topo.ShardOf(key) != n.shard {
			n.w.t.Errorf("node %s ran a command for %q, which is not its own", n.addr, key)
		}
		n.done[id] = append(n.done[id], n.w.clock)
		n.in[id] = fc.db
	}
	switch name {
	case "GETSET":
		id, _, _ := bytes.Cut(args[2], []byte("/"))
		note(args[1], string(id))
		n.w.written[string(args[1])]++
		fc.out = resp.AppendBulk(fc.out, args[2])
	case "GETRANGE":
		id := string(args[2]) + ":" + string(args[3])
		note(args[1], id)
		fc.out = resp.AppendBulkString(fc.out, id)
	case "MGET":
		fc.out = resp.AppendArray(fc.out, len(args)-1)
		for _, key := range args[1:] {
			note(key, "mget")
			fc.out = resp.AppendBulk(fc.out, key)
		}
	case "SUNION", "SMEMBERS":
		keys := slices.CompactFunc(slices.SortedFunc(slices.Values(args[1:]), bytes.Compare), bytes.Equal)
		fc.out = resp.AppendArray(fc.out, len(keys))
		for _, key := range args[1:] {
			note(key, "sunion")
		}
		for _, key := range keys {
			fc.out = resp.AppendBulk(fc.out, key)
		}
	case "SMOVE":
		note(args[1], "smove")
		note(args[2], "smove")
		fc.out = resp.AppendInt(fc.out, 1)
	case "SISMEMBER", "SADD", "SREM", "EXISTS":
		note(args[1], "smove")
		fc.out = resp.AppendInt(fc.out, 1)
	case "DEL":
		fc.out = resp.AppendInt(fc.out, int64(len(args)-1))
	case "DBSIZE":
		fc.out = resp.AppendInt(fc.out, 1)
	case "EVAL", "EVALSHA", "FCALL":
		fc.script(name, args, note)
	default:
		n.w.t.Errorf("node got %q", bytes.Join(args, []byte(" ")))
		fc.out = append(fc.out, "-ERR what\r\n"...)
	}
}

// step lets something happen to the nodes.
func (w *world) step() {
	r := w.rand
	w.dialled()
	n := w.nodes[w.order[r.IntN(len(w.order))]]
	for _, fc := range n.conns {
		fc.mc.Full = r.IntN(3) == 0 && !w.calm
		switch r.IntN(4) {
		case 0:
			fc.work(1 + r.IntN(20))
		case 1:
			fc.work(1 + r.IntN(20))
			fc.answer(1 + r.IntN(400))
		case 2:
			fc.answer(1 + r.IntN(40))
		case 3:
			fc.answer(1 << 20)
		}
	}
	switch {
	case w.calm:
	case r.IntN(60) == 0:
		n.die()
		n.dead = r.IntN(2) == 0
	case r.IntN(10) == 0:
		n.dead = false
	case w.larder && r.IntN(80) == 0:
		w.reshard()
	}
	if r.IntN(3) == 0 {
		w.m.EndTurn()
	}
	if r.IntN(20) == 0 {
		w.m.Advance(time.Duration(r.IntN(40)) * time.Millisecond)
	}
}

// reshard makes a new topology that some nodes, and perhaps the gateway, hear of now, others later.
func (w *world) reshard() {
	newest := w.g.topo.Load().Epoch
	for _, n := range w.nodes {
		newest = max(newest, n.topo.Epoch)
	}
	topo := w.topology(newest+1, len(w.order))
	for i, addr := range w.order {
		if n := w.nodes[addr]; true {
			n.topo, n.shard = topo, i
			n.refuseWaiting()
		}
	}
	if w.moved != nil {
		w.moved()
	}
	if w.rand.IntN(2) == 0 {
		w.g.Adopt(topo)
	}
}

// settle lets everything be answered, until done says so.
func (w *world) settle(done func() bool) {
	w.calm = true
	for _, n := range w.nodes {
		n.dead = false
	}
	for range 1000 {
		if done() {
			return
		}
		w.m.EndTurn()
		w.dialled()
		for _, addr := range w.order {
			for _, fc := range w.nodes[addr].conns {
				fc.mc.Full = false
				fc.work(1 << 20)
				fc.answer(1 << 20)
			}
		}
		w.m.Advance(100 * time.Millisecond)
	}
}

func (w *world) client(i int) *loop.MemConn {
	c := w.m.Open(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(20000+i)))
	if c == nil {
		w.t.Fatal("client refused")
	}
	return c
}
