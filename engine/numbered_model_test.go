package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/persistence/files"
	"larder/persistence/journal"
)

// TestLanesModel: nodes that follow each other, numbered lanes to whichever is the primary, batches drawn, connections cut at any byte, copies of all data, of a
// part, by way of others, files, promotions, in any order. At each node, at any time, what a lane's request wrote is there if and only if its number is not above
// what the node knows of that lane.
func TestLanesModel(t *testing.T) {
	for _, seed := range streamSeeds(12) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { newLaneWorld(t, seed).run(250) })
	}
}

// laneWorld is nodes, and what was sent to them.
type laneWorld struct {
	t       *testing.T
	rng     *rand.Rand
	nodes   []*laneNode
	primary int
	lanes   []*modelLane
	log     []string
}

// laneNode is one of them.
type laneNode struct {
	*bed
	dir   string
	cable *cable // to the node that it follows
	leads int    // that one; -1: none
}

// modelLane is a lane, and what its requests wrote.
type modelLane struct {
	id     string
	k      *talker
	at     int // the node
	sent   int
	writes map[int]string // the key that a request makes, by its number
	queued int            // the number of a MULTI whose EXEC was not sent
	inside int            // requests behind it
	forgot bool
}

func newLaneWorld(t *testing.T, seed uint64) *laneWorld {
	v := &laneWorld{t: t, rng: rand.New(rand.NewPCG(seed, 99))}
	for i := range 4 {
		dir := t.TempDir()
		v.nodes = append(v.nodes, &laneNode{bed: v.fresh(dir, start), dir: dir, leads: -1})
		if i > 0 {
			v.follow(i, v.rng.IntN(i)) // chains too
		}
	}
	return v
}

func (v *laneWorld) fresh(dir string, now time.Time) *bed {
	return newBedAt(v.t, now, nil, func(o *engine.Options) {
		o.Dir, o.Replication.BacklogBytes = dir, []int64{20_000, 1 << 20}[v.rng.IntN(2)]
	})
}

func (v *laneWorld) note(format string, args ...any) {
	v.log = append(v.log, fmt.Sprintf(format, args...))
}

func (v *laneWorld) fail(format string, args ...any) {
	v.t.Helper()
	v.t.Fatalf("%s\n%s", strings.Join(v.log[max(0, len(v.log)-60):], "\n"), fmt.Sprintf(format, args...))
}

func (v *laneWorld) run(steps int) {
	for range steps {
		switch n := v.rng.IntN(100); {
		case n < 45:
			v.batch()
		case n < 78:
			v.carry(1 + v.rng.IntN(len(v.nodes)-1))
		case n < 84:
			v.cut()
		case n < 88:
			v.promote()
		case n < 91:
			v.file()
		case n < 96:
			v.end()
		default:
			for _, n := range v.nodes {
				n.m.Advance(time.Second)
			}
		}
		for i, n := range v.nodes {
			v.check(strconv.Itoa(i), n.bed)
		}
	}
}

// follow has a node follow another, as soon as it dials.
func (v *laneWorld) follow(i, leads int) {
	v.note("node %d follows %d", i, leads)
	n := v.nodes[i]
	n.leads = leads
	if got := n.client().do("REPLICAOF", fmt.Sprint("10.0.0.", leads+1), "7000"); !strings.HasPrefix(got, "+OK") {
		v.fail("REPLICAOF: %q", got)
	}
}

// carry brings some bytes to a node of the one that it follows, or connects it.
func (v *laneWorld) carry(step int) {
	i := (v.primary + step) % len(v.nodes)
	n := v.nodes[i]
	dials := n.m.Dials()
	if n.cable != nil && (n.cable.down.Closed || n.cable.up.Closed) || len(dials) > 0 {
		n.pull()
	}
	switch {
	case len(dials) > 0:
		d := dials[len(dials)-1]
		var host int
		if _, err := fmt.Sscanf(d.Addr, "10.0.0.%d:7000", &host); err != nil || host-1 != n.leads {
			v.fail("node %d dials %s, and is to follow %d: %v", i, d.Addr, n.leads, err)
		}
		n.cable = plug(d, n.bed, v.nodes[n.leads].bed)
	case n.cable == nil:
		n.m.Advance(300 * time.Millisecond)
	default:
		most := 1 << v.rng.IntN(21)
		v.note("up to %d bytes to node %d", most, i)
		for range 1 + v.rng.IntN(3) {
			n.cable.carry(1 + v.rng.IntN(most))
		}
	}
}

// pull unplugs a node's cable.
func (n *laneNode) pull() {
	if n.cable != nil {
		n.cable.cut()
		n.cable = nil
	}
}

func (v *laneWorld) cut() {
	i := v.rng.IntN(len(v.nodes))
	v.note("node %d is cut off", i)
	v.nodes[i].pull()
}

// promote makes another node the primary, with what it has; all others follow it, or one that does.
func (v *laneWorld) promote() {
	next := v.rng.IntN(len(v.nodes))
	n := v.nodes[next]
	if next == v.primary || n.client().do("REPLICAOF", "NO", "ONE") != "+OK\r\n" {
		return
	}
	v.note("node %d is the primary", next)
	v.primary, n.leads = next, -1
	n.pull()
	n.m.Dials()
	those := []int{next}
	for _, i := range v.rng.Perm(len(v.nodes)) {
		if i != next {
			v.nodes[i].pull()
			leads := those[v.rng.IntN(len(those))]
			if v.nodes[i].leads != leads {
				v.follow(i, leads)
			}
			those = append(those, i)
		}
	}
}

// file has a node save its data and another load the file.
func (v *laneWorld) file() {
	i := v.rng.IntN(len(v.nodes))
	n := v.nodes[i]
	if n.client().do("SAVE") != "+OK\r\n" {
		return // it has none
	}
	v.note("node %d is saved", i)
	b := v.fresh(n.dir, n.m.Loop.Now())
	k := b.client()
	b.until(func() bool { return k.do("PING") == "+PONG\r\n" })
	v.check("loaded", b)
	b.lanesAre(n.node.Lanes())
}

// end asks about a lane, or has it forgotten.
func (v *laneWorld) end() {
	if len(v.lanes) == 0 {
		return
	}
	n, l := v.nodes[v.primary], v.lanes[v.rng.IntN(len(v.lanes))]
	if v.rng.IntN(4) == 0 {
		v.note("%s is forgotten", l.id)
		l.forgot = true
		n.client().says("+OK\r\n", "LARDER", "FORGET", l.id)
		return
	}
	v.note("%s has ended", l.id)
	want := "$-1\r\n"
	if number, known := n.node.Lanes()[l.id]; known {
		want = fmt.Sprintf(":%d\r\n", number)
	}
	n.client().ended(l.id, want)
	if l.at == v.primary && !l.k.c.Closed {
		v.fail("its connection is open")
	}
}

// check is what must hold of a node at any time.
func (v *laneWorld) check(name string, b *bed) {
	v.t.Helper()
	k, keys := b.client(), map[string]bool{}
	for _, db := range []string{"0", "1"} {
		k.do("SELECT", db)
		reply := k.do("KEYS", "*")
		if strings.HasPrefix(reply, "-LOADING") {
			return
		}
		for _, key := range elements(reply) {
			keys[key] = true
		}
	}
	k.c.Hangup(nil)
	all := b.node.Lanes()
	for _, l := range v.lanes {
		number, known := all[l.id]
		if !known && l.forgot {
			continue
		}
		if int(number) > l.sent {
			v.fail("node %s: %s has number %d, %d were sent", name, l.id, number, l.sent)
		}
		for n, key := range l.writes {
			if has := known && n <= int(number); keys[key] != has {
				v.fail("node %s: what %s wrote as number %d is there: %v; known: %v, up to %d", name, l.id, n, keys[key], known, number)
			}
		}
	}
}

// lane is an open lane to the primary, perhaps a new one.
func (v *laneWorld) lane() *modelLane {
	var open []*modelLane
	for _, l := range v.lanes {
		if l.at == v.primary && !l.k.c.Closed {
			open = append(open, l)
		}
	}
	if len(open) == 0 || v.rng.IntN(8) == 0 {
		id := fmt.Sprint("lane", len(v.lanes))
		l := &modelLane{id: id, k: v.nodes[v.primary].lane(id), at: v.primary, writes: map[int]string{}}
		v.lanes = append(v.lanes, l)
		return l
	}
	return open[v.rng.IntN(len(open))]
}

// batch sends requests of a lane, in one read or two.
func (v *laneWorld) batch() {
	l := v.lane()
	var text []byte
	for range 1 + v.rng.IntN(1+v.rng.IntN(90)) {
		text = append(text, v.request(l)...)
	}
	v.note("node %d: %s up to %d", v.primary, l.id, l.sent)
	cut := v.rng.IntN(len(text) + 1)
	l.k.c.Feed(text[:cut])
	if v.rng.IntN(2) == 0 {
		v.nodes[v.primary].m.EndTurn()
	}
	l.k.send(text[cut:])
}

// request draws one. Each that writes makes a key named for its number, so that it can be seen.
func (v *laneWorld) request(l *modelLane) []byte {
	l.sent++
	key := fmt.Sprint(l.id, ":", l.sent)
	n := v.rng.IntN(24)
	switch {
	case l.queued > 0 && l.inside > 0 && n < 8:
		l.writes[l.sent] = fmt.Sprint(l.id, ":tx", l.queued)
		l.queued = 0
		return sentence("EXEC")
	case l.queued > 0:
		l.inside++
		return sentence("SET", fmt.Sprint(l.id, ":tx", l.queued), "v")
	case n < 12:
		l.writes[l.sent] = key
		return v.write(n, key)
	}
	switch n {
	case 12, 13:
		return sentence("RPUSH", "queue", "x")
	case 14:
		return sentence("EVAL", "return redis.call('get', 'n')", "0")
	case 15:
		return sentence("SELECT", strconv.Itoa(v.rng.IntN(2)))
	case 16:
		l.queued, l.inside = l.sent, 0
		return sentence("MULTI")
	case 17:
		return sentence("PUBLISH", "c", "m")
	case 18:
		return sentence("SETNX", "taken", "1")
	case 19:
		return sentence("INFO", "replication")
	case 20:
		return sentence("NOSUCH", "command")
	}
	return sentence("GET", key)
}

// write makes a key, at once or, the last, when there is something in a queue.
func (v *laneWorld) write(n int, key string) []byte {
	switch n {
	case 0:
		return sentence("SET", key, strings.Repeat("v", 1<<(8+v.rng.IntN(12))))
	case 1:
		return sentence("EVAL", "redis.call('incr', 'n'); return redis.call('set', KEYS[1], '1')", "1", key)
	case 2:
		return sentence("SADD", key, "a", "b")
	case 3:
		if v.rng.IntN(3) == 0 {
			return sentence("BLMOVE", "queue", key, "LEFT", "RIGHT", "0")
		}
	}
	return sentence("SET", key, "v")
}

// TestJournalHasLanes: a node that starts with a journal of which the end is lost at any byte knows of its lanes what its data have of them.
func TestJournalHasLanes(t *testing.T) {
	for _, seed := range streamSeeds(3) {
		v := &laneWorld{t: t, rng: rand.New(rand.NewPCG(seed, 7))}
		dir, now := t.TempDir(), time.Now()
		b := newBedAt(t, now, nil, func(o *engine.Options) { o.Dir, o.AppendOnly, o.AppendFsync = dir, true, "no" })
		v.nodes = []*laneNode{{bed: b, leads: -1}}
		k := b.client()
		for i := range 3 {
			for range 30 {
				v.batch()
				v.end()
				v.check("first", b)
			}
			b.written()
			copied := copyOfDir(t, dir)
			redisTakes(t, copied)
			size := cutJournal(t, copied, 0)
			for range 4 {
				again := copyOfDir(t, copied)
				cutJournal(t, again, v.rng.Int64N(size))
				a := newBedAt(t, now, nil, func(o *engine.Options) { o.Dir, o.AppendOnly = again, true })
				c := a.client()
				a.until(func() bool { return c.do("PING") == "+PONG\r\n" })
				v.check("of a cut journal", a)
			}
			a := newBedAt(t, now, nil, func(o *engine.Options) { o.Dir, o.AppendOnly = copied, true })
			c := a.client()
			a.until(func() bool { return c.do("PING") == "+PONG\r\n" })
			for id, number := range b.node.Lanes() {
				if got := a.node.Lanes()[id]; got > number {
					t.Errorf("%s has number %d, before it was %d", id, got, number)
				}
			}
			v.check("started again", a)
			if a.client().digest() != k.digest() {
				t.Error("the data are not those of before")
			}
			k.do("BGREWRITEAOF")
			b.rewritten(strconv.Itoa(i + 1))
		}
	}
}

// cutJournal takes bytes off the last increment, and tells how long it was.
func cutJournal(t *testing.T, dir string, n int64) int64 {
	t.Helper()
	f, err := journal.Look(files.In(dir, nil), "appendonlydir", "appendonly.aof")
	if err != nil {
		t.Fatal(err)
	}
	parts, err := f.Parts()
	if err != nil || len(parts) == 0 {
		t.Fatalf("%d parts: %v", len(parts), err)
	}
	last := parts[len(parts)-1]
	if err := os.Truncate(last.Path, last.Size-n); err != nil {
		t.Fatal(err)
	}
	return last.Size
}
