package engine_test

import (
	"errors"
	"fmt"
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

// realm is a shard of managed nodes in memory, the wires between them, and a controller that is the test.
type realm struct {
	t      *testing.T
	nodes  []*bed
	admins []*talker
	wires  []*wireBetween
	cut    map[int]bool // nodes that hear nothing of others
	record router.Record
}

// wireBetween is a connection of one node to another.
type wireBetween struct {
	from, to int
	ends     [2]*loop.MemConn // the follower's, the primary's
}

// newRealm makes nodes of which nobody has been told anything.
func newRealm(t *testing.T, n int, change func(*engine.Options)) *realm {
	t.Helper()
	e := &realm{t: t, cut: map[int]bool{}}
	for i := range n {
		b := newBed(t, func(o *engine.Options) {
			o.Managed, o.ID = true, string(rune('a'+i))
			if change != nil {
				change(o)
			}
		})
		e.nodes = append(e.nodes, b)
		e.admins = append(e.admins, b.client())
	}
	return e
}

func place(i int) string { return fmt.Sprintf("10.0.0.%d:7000", i+1) }

// pump carries what nodes say to each other until nobody says anything more.
func (e *realm) pump() {
	e.t.Helper()
	for range 1000 {
		moved := false
		for i, b := range e.nodes {
			b.m.EndTurn()
			for _, d := range b.m.Dials() {
				moved = true
				e.dialled(i, d)
			}
		}
		for _, w := range slices.Clone(e.wires) {
			moved = e.carry(w) || moved
		}
		if !moved {
			return
		}
	}
	e.t.Fatal("the nodes talk for ever")
}

func (e *realm) dialled(from int, d *loop.MemDial) {
	to := slices.IndexFunc(e.nodes, func(b *bed) bool { return place(slices.Index(e.nodes, b)) == d.Addr })
	if to < 0 || e.cut[from] || e.cut[to] {
		d.Fail(errors.New("out of reach"))
		return
	}
	w := &wireBetween{from: from, to: to}
	w.ends = [2]*loop.MemConn{d.Succeed(), e.nodes[to].m.Open(loopback)}
	e.wires = append(e.wires, w)
}

// carry moves what is on a wire; a cut one keeps it.
func (e *realm) carry(w *wireBetween) (moved bool) {
	if e.cut[w.from] || e.cut[w.to] {
		return false
	}
	for i, end := range w.ends {
		other, b := w.ends[1-i], e.nodes[[2]int{w.to, w.from}[i]]
		said := slices.Clone(end.Written())
		switch {
		case other.Closed:
		case len(said) > 0:
			other.Feed(said)
			b.m.EndTurn()
			moved = true
		case end.Closed:
			other.Hangup(errors.New("reset"))
			b.m.EndTurn()
			moved = true
		}
	}
	return moved
}

// passes lets time pass for all nodes.
func (e *realm) passes(d time.Duration) {
	e.t.Helper()
	const step = 50 * time.Millisecond
	for ; d > 0; d -= step {
		for _, b := range e.nodes {
			b.m.Advance(min(step, d))
		}
		e.pump()
	}
}

// state is what a node tells of itself; arrays are their elements with blanks between them.
func (e *realm) state(i int) map[string]string {
	e.t.Helper()
	return fieldsOf(e.t, e.admins[i].do("LARDER", "STATE"))
}

func fieldsOf(t *testing.T, reply string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for it := resp.Elements([]byte(reply)); ; {
		name, ok := it.Next()
		value, ok2 := it.Next()
		if !ok || !ok2 {
			break
		}
		key, _ := resp.BulkOf(name)
		var words []string
		if value[0] == '*' {
			for parts := resp.Elements(value); ; {
				part, ok := parts.Next()
				if !ok {
					break
				}
				text, _ := resp.Value(part).Bytes()
				words = append(words, string(text))
			}
		} else {
			text, _ := resp.Value(value).Bytes()
			words = []string{string(text)}
		}
		all[string(key)] = strings.Join(words, " ")
	}
	if len(all) == 0 {
		t.Fatalf("not a map: %q", reply)
	}
	return all
}

// states compares parts of what a node tells of itself.
func (e *realm) states(i int, want ...string) {
	e.t.Helper()
	got := e.state(i)
	for ; len(want) > 1; want = want[2:] {
		if got[want[0]] != want[1] {
			e.t.Errorf("node %c: %s is %q, want %q (of %v)", 'a'+i, want[0], got[want[0]], want[1], got)
		}
	}
}

func (e *realm) run(i int) router.Run {
	e.t.Helper()
	run, err := router.ParseRun(e.state(i)["run"])
	if err != nil {
		e.t.Fatal(err)
	}
	return run
}

func (e *realm) runs(nodes ...int) (all []router.Run) {
	e.t.Helper()
	for _, i := range nodes {
		all = append(all, e.run(i))
	}
	return all
}

// next is the record with a new epoch, changed; it is not shown to anybody.
func (e *realm) next(change func(*router.Record)) {
	r := &e.record
	r.Epoch++
	r.Set, r.Joining, r.Returned = slices.Clone(r.Set), slices.Clone(r.Joining), false
	change(r)
	if len(r.Set) > 0 {
		r.Primary = r.Set[0]
	}
}

// chosen is a change that makes a run the primary of a new reign.
func chosen(set ...router.Run) func(*router.Record) {
	return func(r *router.Record) {
		r.State, r.Term, r.Reign, r.Set, r.Joining = router.Normal, r.Epoch, r.Epoch, set, nil
	}
}

// told shows nodes the record and carries out what comes of it.
func (e *realm) told(nodes ...int) {
	e.t.Helper()
	words := []string{"LARDER", "RECORD", e.record.Line()}
	for i := range e.nodes {
		words = append(words, string(rune('a'+i))+"="+place(i))
	}
	for _, i := range nodes {
		e.admins[i].says("+OK\r\n", words...)
	}
	e.pump()
}

func (e *realm) all() (nodes []int) {
	for i := range e.nodes {
		nodes = append(nodes, i)
	}
	return nodes
}

// reigning is a realm whose first node is the primary of all others, which are members.
func reigning(t *testing.T, n int, replicated bool, change func(*engine.Options)) *realm {
	t.Helper()
	e := newRealm(t, n, change)
	e.record.Replicated, e.record.MinInSync = replicated, 1
	e.next(chosen(e.run(0)))
	e.told(e.all()...)
	e.passes(200 * time.Millisecond)
	for i := 1; i < n; i++ {
		e.next(func(r *router.Record) { r.Joining = append(r.Joining, e.run(i)) })
		e.told(e.all()...)
		e.passes(1100 * time.Millisecond) // without r a follower says each second how far it is
		if got := e.state(0)["confirmed"]; got != e.run(i).String() {
			t.Fatalf("node %d joins, and the primary confirms %q: %v", i, got, e.state(0))
		}
		e.next(func(r *router.Record) { r.Set, r.Joining = append(r.Set, r.Joining...), nil })
		e.told(e.all()...)
	}
	e.passes(200 * time.Millisecond)
	return e
}

// lane is a gateway's connection to a node that goes by the record.
func (e *realm) lane(i int) *talker {
	k := e.nodes[i].client()
	k.do("LARDER", "HELLO", "1")
	k.says("+OK\r\n", "LARDER", "TERM", "0", strconv.FormatUint(e.record.Term, 10))
	return k
}

// got carries what is on the way and gives what a client was told.
func (e *realm) got(k *talker) string {
	e.t.Helper()
	e.pump()
	return k.got()
}
