package shard_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"larder/engine/shard"
	"larder/router"
)

// world is a shard of a few nodes with a registry, controllers, a gateway and a network in which everything may be late, lost or repeated, from a seed. Writes
// are numbers, a node's data is the list of them. What must hold: a write that was shown is in the data of whoever shows anything later, and a read shows all
// that was shown before it began.
type world struct {
	dice   *rand.Rand
	nowNS  int64
	record router.Record // the registry's
	old    []router.Record
	nodes  []*machine
	runs   int
	writes int

	orders   []order
	replies  []*reply // of nodes that the gateway has not released
	promises []promise
	joined   []joined
	finals   []final

	shown  []int // writes that were released
	faults faults
	wrong  string
}

// faults are cures that are switched off.
type faults struct {
	noLastLook, lateAcks, noWait, joinAtOnce, sameRun, dropEarly bool
}

// machine is a node's process.
type machine struct {
	*shard.Node
	index  int
	up     bool
	data   []int
	reign  uint64 // of the newest in data
	link   *link
	exited []router.Run // its earlier runs
	paused bool         // and its present turn does not end either
	turnNS int64        // when that began
	cutNS  int64        // until then it hears nothing of controllers and of other nodes, though clients reach it
}

// link is a connection of a follower to a primary.
type link struct {
	to    *machine
	run   router.Run // the primary's
	reign uint64
	down  []int // lengths of data on the way to the follower
	acks  []ack
	of    *machine
}

type ack struct {
	run    router.Run
	reign  uint64
	offset int64
}

type order struct {
	to     int
	record router.Record
}

type reply struct {
	from   *machine
	run    router.Run
	reign  uint64
	stamp  int64
	write  int   // 0: it is a read
	shows  []int // of a read
	before int   // how many writes were shown when a read began
	known  int64 // what the gateway knows to be committed
	left   bool  // it has left the node
}

type promise struct {
	epoch  uint64
	run    router.Run
	offset int64
	data   []int
}

type joined struct {
	epoch uint64
	run   router.Run
}

type final struct {
	epoch  uint64
	offset int64
}

func newWorld(seed uint64, f faults) *world {
	w := &world{dice: rand.New(rand.NewPCG(seed, 1)), nowNS: 1e9, faults: f}
	for i := range 3 {
		m := &machine{index: i, up: true}
		m.Node = shard.New(w.run(i), true)
		w.nodes = append(w.nodes, m)
		w.record.Set = append(w.record.Set, m.Me())
	}
	w.record = router.Record{Epoch: 1, Term: 1, Reign: 1, Primary: w.record.Set[0], Set: w.record.Set, MinInSync: 1, Replicated: true}
	for i := range w.nodes {
		w.orders = append(w.orders, order{i, w.record})
	}
	return w
}

func (w *world) run(node int) router.Run {
	w.runs++
	return router.Run{Node: string(rune('a' + node)), ID: fmt.Sprint(w.runs)}
}

func (w *world) machineOf(run router.Run) *machine { return w.nodes[run.Node[0]-'a'] }

// put is a compare-and-set: a controller that saw another epoch fails.
func (w *world) put(r router.Record) {
	w.old = append(w.old, w.record)
	r.Set, r.Joining = slices.Clone(r.Set), slices.Clone(r.Joining)
	w.record = r
	for i := range w.nodes {
		w.orders = append(w.orders, order{i, r})
	}
}

func (w *world) next() router.Record {
	r := w.record
	r.Epoch++
	r.Set, r.Joining, r.Returned = slices.Clone(r.Set), slices.Clone(r.Joining), false
	return r
}

func pick[T any](w *world, list []T) (T, int) {
	i := w.dice.IntN(len(list))
	return list[i], i
}

func (w *world) step() {
	w.nowNS += w.dice.Int64N(4e6)
	if w.dice.IntN(300) == 0 {
		w.nowNS += w.dice.Int64N(600e6)
	}
	m, _ := pick(w, w.nodes)
	if w.dice.IntN(200) == 0 {
		m.cutNS = w.nowNS + w.dice.Int64N(1500e6)
		m.paused = w.dice.IntN(2) == 0
	}
	switch w.dice.IntN(20) {
	case 0:
		if w.dice.IntN(3) == 0 { // where writes are rare a stale read is not held for one
			w.write(m)
		}
	case 1, 2, 3, 4:
		w.read(m)
	case 5, 6, 7, 8, 9, 10, 11, 12:
		for _, m := range w.nodes {
			for _, do := range []func(*machine){w.flush, w.deliver, w.acked} {
				if w.dice.IntN(3) != 0 {
					do(m)
				}
			}
		}
	case 13, 14:
		w.release()
	case 15, 16:
		w.obey()
	case 17:
		w.follow(m)
	case 18:
		w.control()
		w.control()
	case 19:
		switch w.dice.IntN(30) {
		case 0:
			w.crash(m)
		case 1:
			w.wipe(m)
		}
	}
}

func (w *world) write(m *machine) {
	if !m.up || m.Role() != shard.Primary || !m.TakesWrites() || !m.Serves(m.turnNS) {
		return
	}
	w.writes++
	m.data, m.reign = append(m.data, w.writes), m.Record().Reign
	m.Own(int64(len(m.data)))
	w.replies = append(w.replies, &reply{from: m, run: m.Me(), reign: m.reign, stamp: int64(len(m.data)), write: w.writes, known: -1})
}

func (w *world) read(m *machine) {
	if !m.up || !m.Serves(m.turnNS) {
		return
	}
	stamp := len(m.data) // up to the last write, which it may show
	for stamp > 0 && m.data[stamp-1] == 0 {
		stamp--
	}
	w.replies = append(w.replies, &reply{from: m, run: m.Me(), reign: m.Record().Reign, stamp: int64(stamp), shows: slices.Clone(m.data), before: len(w.shown), known: -1})
}

// flush is the end of a turn of a node: the stream leaves, and the replies, unless the lease has run out: then they are lost.
func (w *world) flush(m *machine) {
	if !m.up || m.paused && m.cutNS > w.nowNS {
		return
	}
	if m.Role() == shard.Primary {
		if w.dice.IntN(2) == 0 { // what keeps leases alive when nobody writes
			m.data, m.reign = append(m.data, 0), m.Record().Reign
		}
		m.Own(int64(len(m.data)))
		m.Sent(int64(len(m.data)), w.nowNS)
		for _, other := range w.nodes {
			if l := other.link; l != nil && l.to == m && l.run == m.Me() {
				l.down = append(l.down, len(m.data))
			}
		}
	}
	serves, committed := m.Serves(w.nowNS), m.Committed()
	m.turnNS = w.nowNS
	w.replies = slices.DeleteFunc(w.replies, func(r *reply) bool {
		if r.from != m || r.run != m.Me() {
			return false
		}
		if !r.left {
			if !serves && !w.faults.noLastLook || r.reign != m.Record().Reign {
				return true
			}
			r.left = true
		}
		if r.reign == m.Record().Reign && m.Role() == shard.Primary {
			r.known = committed
		}
		return false
	})
}

// deliver brings some of the stream to a follower, which may acknowledge it.
func (w *world) deliver(m *machine) {
	l := m.link
	if !m.up || l == nil {
		return
	}
	if len(l.down) > 0 && l.to.up && m.cutNS < w.nowNS && l.run == l.to.Me() {
		n := min(l.down[0], len(l.to.data))
		l.down = l.down[1:]
		if n > len(m.data) {
			m.data, m.reign = append(m.data, l.to.data[len(m.data):n]...), l.reign
		}
	}
	if (m.MayAcknowledge(l.run, l.reign, w.nowNS) || w.faults.lateAcks) && w.dice.IntN(2) == 0 {
		l.acks = append(l.acks, ack{m.Me(), l.reign, int64(len(m.data))})
	}
}

func (w *world) acked(m *machine) {
	if l := m.link; l != nil && len(l.acks) > 0 && l.to.cutNS < w.nowNS {
		a := l.acks[0]
		l.acks = l.acks[1:]
		if l.to.up && l.run == l.to.Me() {
			l.to.Acknowledged(a.run, a.reign, a.offset)
			l.to.Committed()
		}
	}
}

// release shows a reply to its client.
func (w *world) release() {
	if len(w.replies) == 0 {
		return
	}
	r, i := pick(w, w.replies)
	if !r.left || r.known < r.stamp {
		return
	}
	w.replies = slices.Delete(w.replies, i, i+1)
	if r.write != 0 {
		w.shown = append(w.shown, r.write)
		return
	}
	for _, id := range w.shown[:r.before] {
		if !slices.Contains(r.shows, id) {
			w.wrong = fmt.Sprintf("a read of %v, epoch %d, lacks the write %d that was shown before", r.run, w.record.Epoch, id)
		}
	}
	for _, id := range r.shows {
		if id != 0 && !slices.Contains(w.shown, id) {
			w.shown = append(w.shown, id)
		}
	}
}

// obey brings an order to a node, late or again.
func (w *world) obey() {
	if len(w.orders) == 0 {
		return
	}
	o, i := pick(w, w.orders)
	if w.dice.IntN(2) == 0 { // mostly the newest
		i = max(0, len(w.orders)-1-w.dice.IntN(len(w.nodes)))
		o = w.orders[i]
	}
	if w.nodes[o.to].cutNS < w.nowNS && w.dice.IntN(4) != 0 {
		w.orders = slices.Delete(w.orders, i, i+1)
	}
	if m := w.nodes[o.to]; m.up && m.cutNS < w.nowNS {
		_ = m.Obey(&o.record, int64(len(m.data)))
	}
}

// follow has a node connect to its primary, with a full copy where its data is no beginning of that one's.
func (w *world) follow(m *machine) {
	r := m.Record()
	if !m.up || m.Role() != shard.Follower && m.Role() != shard.Waiting || r.Epoch == 0 {
		return
	}
	p := w.machineOf(r.Primary)
	if !p.up || p == m || p.Me() != r.Primary || p.Record().Reign != r.Reign || m.link != nil && m.link.run == p.Me() && m.link.reign == r.Reign && w.dice.IntN(4) != 0 {
		return
	}
	if len(m.data) > len(p.data) || !slices.Equal(m.data, p.data[:len(m.data)]) {
		if !m.MayDrop(p.Record().Epoch) {
			return
		}
		m.Drop(w.run(m.index).ID)
		m.data = slices.Clone(p.data)
	}
	m.link = &link{to: p, of: m, run: p.Me(), reign: r.Reign}
}

// wipe lets go of a node's data, to copy all of it anew.
func (w *world) wipe(m *machine) {
	if m.Role() != shard.Follower {
		return
	}
	p := w.machineOf(m.Record().Primary)
	switch {
	case w.faults.dropEarly:
		m.data, m.link = nil, nil
	case m.MayDrop(p.Record().Epoch):
		m.Drop(w.run(m.index).ID)
		m.data, m.link = nil, nil
	}
}

// crash ends a process, which comes back empty. The last member stays: what dies with all of them is no promise.
func (w *world) crash(m *machine) {
	alive := 0
	for _, run := range w.record.Set {
		if other := w.machineOf(run); other.up && other.Me() == run {
			alive++
		}
	}
	if w.record.Member(m.Me()) && alive < 2 {
		return
	}
	m.exited = append(m.exited, m.Me())
	me := w.run(m.index)
	if w.faults.sameRun {
		me = m.Me()
	}
	m.Node, m.data, m.reign, m.link = shard.New(me, true), nil, 0, nil
	w.replies = slices.DeleteFunc(w.replies, func(r *reply) bool { return r.from == m && !r.left })
	w.orders = append(w.orders, order{m.index, w.record})
}
