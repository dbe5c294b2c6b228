package proxy

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"larder/loop"
	"larder/protocol/resp"
	"larder/router"
)

// readsWorld is a gateway with two loops over shards of a primary and replicas, which have the beginning of what the primary wrote.
type readsWorld struct {
	*world
	loops    []*loop.MemLoop
	replicas int
	logs     []readsLog // by shard
	applied  map[*fakeNode]int
	refuses  map[*fakeNode]string // what it answers to every read
	lost     map[string]bool      // values that a new primary did not have
	read     func(*fakeNode)      // called for each read that a node answers
	steady   bool                 // no primary is replaced
	lazy     int                  // how seldom replicas get what their primary has
}

type readsLog struct {
	writes  []readsWrite
	history string
	reign   uint64
	primary *fakeNode
	nodes   []*fakeNode
}

type readsWrite struct{ key, value string }

// writeBytes is what a write takes of the stream.
const writeBytes = 10

func newReadsWorld(t *testing.T, seed uint64, shards, replicas int, change func(*Options)) *readsWorld {
	w := &readsWorld{
		world: &world{t: t, rand: rand.New(rand.NewPCG(seed, 11)), nodes: map[string]*fakeNode{}, larder: true},
		lazy:  1 + 4*int(seed%5), replicas: replicas, applied: map[*fakeNode]int{}, refuses: map[*fakeNode]string{}, lost: map[string]bool{},
	}
	w.runs = w.execute
	o := DefaultOptions()
	for i := range shards {
		log := readsLog{reign: 1, history: fmt.Sprintf("%040d", i)}
		for j := range 1 + replicas {
			addr := fmt.Sprintf("127.0.0.1:%d", 7000+10*i+j)
			n := &fakeNode{w: w.world, addr: addr, shard: i, stream: &fakeStream{history: log.history, reign: 1, executed: 1, committed: 1, confirmed: 1}}
			w.nodes[addr], w.order, log.nodes = n, append(w.order, addr), append(log.nodes, n)
			o.Zones = append(o.Zones, fmt.Sprintf("%s=z%d", addr, j%2))
		}
		log.primary = log.nodes[0]
		w.logs = append(w.logs, log)
	}
	topo := w.shape(1)
	o.Loops, o.Zone = 2, "z0"
	if change != nil {
		change(&o)
	}
	g, err := New(o, fixedSource{topo}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.g = g
	for range 2 {
		w.loops = append(w.loops, loop.NewMemLoop(time.Unix(1_700_000_000, 0), func(l *loop.Loop) loop.Part { return g.NewPart(l) }))
	}
	return w
}

// shape is the topology by who leads now, which all nodes take over.
func (w *readsWorld) shape(epoch uint64) *router.Topology {
	var shards []router.Shard
	for _, log := range w.logs {
		s := router.Shard{Primary: router.Node{Addr: log.primary.addr}}
		for _, n := range log.nodes {
			if n != log.primary {
				s.Replicas = append(s.Replicas, router.Node{Addr: n.addr})
			}
		}
		shards = append(shards, s)
	}
	topo, err := router.EvenShards("c", epoch, shards)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range w.nodes {
		n.topo = topo
	}
	return topo
}

func (w *readsWorld) leads(n *fakeNode) bool { return w.logs[n.shard].primary == n }

func (w *readsWorld) logOf(key string) []readsWrite {
	return w.logs[w.g.topo.Load().ShardOf([]byte(key))].writes
}

// execute answers SET, GET, MGET and the words of the dialect.
func (w *readsWorld) execute(fc *fakeConn, name string, args [][]byte) bool {
	n := fc.n
	log := &w.logs[n.shard]
	switch name {
	case "LARDER":
		return fc.stampWords(args)
	case "SET", "GET", "MGET":
	default:
		return false
	}
	switch {
	case fc.multi:
		fc.queue(args)
		return true
	case fc.term != n.topo.Epoch:
		fc.out = append(fc.out, fmt.Sprintf("-STALE %d %s\r\n", n.topo.Epoch, n.topo.Line())...)
		return true
	case name == "SET":
		if !w.leads(n) {
			w.t.Errorf("replica %s got a write", n.addr)
		}
		log.writes = append(log.writes, readsWrite{string(args[1]), string(args[2])})
		w.applied[n] = len(log.writes)
		w.tellHow(n)
		fc.out = append(fc.out, "+OK\r\n"...)
		return true
	case w.refuses[n] != "":
		fc.out = append(fc.out, w.refuses[n]...)
		return true
	}
	if w.read != nil {
		w.read(n)
	}
	if name == "GET" {
		fc.out = resp.AppendBulkString(fc.out, w.valueAt(n, string(args[1])))
		return true
	}
	fc.out = resp.AppendArray(fc.out, len(args)-1)
	for _, key := range args[1:] {
		fc.out = resp.AppendBulkString(fc.out, w.valueAt(n, string(key)))
	}
	return true
}

func (w *readsWorld) valueAt(n *fakeNode, key string) string {
	writes := w.logs[n.shard].writes[:w.applied[n]]
	for i := len(writes) - 1; i >= 0; i-- {
		if writes[i].key == key {
			return writes[i].value
		}
	}
	return ""
}

// tellHow has a node's stamps say how far it is.
func (w *readsWorld) tellHow(n *fakeNode) {
	log := &w.logs[n.shard]
	end := int64(1 + writeBytes*w.applied[n])
	n.stream = &fakeStream{history: log.history, reign: log.reign, executed: end, committed: end, confirmed: end}
}

// step lets something happen to nodes and loops.
func (w *readsWorld) step() {
	r := w.rand
	w.allDialled()
	n := w.nodes[w.order[r.IntN(len(w.order))]]
	log := &w.logs[n.shard]
	for _, fc := range n.conns {
		switch r.IntN(3) {
		case 0:
			fc.work(1 + r.IntN(5))
		case 1:
			fc.work(1 + r.IntN(20))
			fc.answer(1 + r.IntN(400))
		default:
			fc.answer(1 << 20)
		}
	}
	if behind := len(log.writes) - w.applied[n]; behind > 0 && r.IntN(w.lazy) == 0 {
		w.applied[n] += 1 + r.IntN(behind)
		w.tellHow(n)
	}
	switch {
	case !w.steady && w.leads(n) && r.IntN(400) == 0:
		w.failOver(n)
	case !w.leads(n) && r.IntN(200) == 0:
		n.die()
		n.dead = r.IntN(2) == 0
		w.applied[n] -= r.IntN(1 + w.applied[n]) // it comes back with what it had on its disk
		w.tellHow(n)
	case r.IntN(10) == 0:
		n.dead = false
	case !w.leads(n) && r.IntN(100) == 0:
		w.refuses[n] = []string{"", "-LOADING Redis is loading the dataset in memory\r\n", "-MASTERDOWN Link with MASTER is down\r\n"}[r.IntN(3)]
	}
	l := w.loops[r.IntN(2)]
	if r.IntN(3) == 0 {
		l.EndTurn()
	}
	if r.IntN(6) == 0 {
		l.Advance(time.Duration(r.IntN(60)) * time.Millisecond)
	}
}

// failOver has the replica that has most be the primary, as it is.
func (w *readsWorld) failOver(old *fakeNode) {
	log := &w.logs[old.shard]
	var next *fakeNode
	for _, n := range log.nodes {
		if n != old && !n.dead && (next == nil || w.applied[n] > w.applied[next]) {
			next = n
		}
	}
	if next == nil {
		return
	}
	old.die()
	for _, lost := range log.writes[w.applied[next]:] {
		w.lost[lost.value] = true
	}
	log.writes = log.writes[:w.applied[next]:w.applied[next]]
	log.primary = next
	log.reign++
	log.history = fmt.Sprintf("%020d%020d", log.reign, old.shard)
	w.refuses[next] = ""
	for _, n := range log.nodes {
		w.applied[n] = min(w.applied[n], len(log.writes))
		w.tellHow(n)
	}
	topo := w.shape(next.topo.Epoch + 1)
	if w.rand.IntN(2) == 0 {
		w.g.Adopt(topo)
	}
}

func (w *readsWorld) allDialled() {
	for _, m := range w.loops {
		for _, d := range m.Dials() {
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
}

// settleReads lets everything be applied and answered, until done says so.
func (w *readsWorld) settleReads(done func() bool) {
	for _, n := range w.nodes {
		n.dead = false
		delete(w.refuses, n)
	}
	for range 300 {
		if done() {
			return
		}
		for _, n := range w.nodes {
			w.applied[n] = len(w.logs[n.shard].writes)
			w.tellHow(n)
		}
		w.flow()
	}
}

// flow has everything that is on its way arrive.
func (w *readsWorld) flow() {
	for _, m := range w.loops {
		m.EndTurn()
	}
	w.allDialled()
	for _, addr := range w.order {
		for _, fc := range w.nodes[addr].conns {
			fc.work(1 << 20)
			fc.answer(1 << 20)
		}
	}
	for _, m := range w.loops {
		m.Advance(100 * time.Millisecond)
	}
}

// readsConn is a client of one of the loops.
type readsConn struct {
	conn  *loop.MemConn
	parse resp.Replies
	in    []byte
}

func (w *readsWorld) open(i int) *readsConn {
	c := w.loops[i%2].Open(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(20000+i)))
	if c == nil {
		w.t.Fatal("client refused")
	}
	return &readsConn{conn: c}
}

// replies are those that have come since.
func (c *readsConn) replies() (all []string) {
	c.in = append(c.in, c.conn.Written()...)
	for {
		n, _, st := c.parse.Next(c.in)
		if st != resp.Done {
			return all
		}
		all = append(all, string(c.in[:n]))
		c.in = c.in[n:]
	}
}
