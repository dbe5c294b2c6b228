package host

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"larder/control/controller"
)

// TestOrders: what becomes of a host that has c-1 with 40 MiB of 100 and obeyed order 5, by its next order.
func TestOrders(t *testing.T) {
	order := func(version uint64, nodes ...controller.Assignment) controller.Order {
		return controller.Order{Host: "a", Cluster: "c", Version: version, Nodes: nodes}
	}
	one, two := assign("c-1", 40*mib, 1), assign("c-2", 60*mib, 1)
	for _, test := range []struct {
		what    string
		order   controller.Order
		left    string // each node with its MiB; stop: it is to go
		refused error
		err     error
	}{
		{"the same again", order(5, one), "c-1 40", nil, nil},
		{"late", order(4, one), "", nil, ErrLate},
		{"another that fits", order(6, one, two), "c-1 40, c-2 60", nil, nil},
		{"another that does not", order(6, one, assign("c-2", 60*mib+1, 1)), "c-1 40", ErrNoRoom, nil},
		{"one of two does not", order(6, one, assign("c-2", 50*mib, 1), assign("c-3", 20*mib, 1)), "c-1 40, c-2 50", ErrNoRoom, nil},
		{"no memory before it is free", order(6, stop("c-1"), assign("c-2", 61*mib, 1)), "c-1 40 stop", ErrNoRoom, nil},
		{"not named", order(6, two), "c-1 40 stop, c-2 60", nil, nil},
		{"nothing", order(6), "c-1 40 stop", nil, nil},
		{"grows", order(6, assign("c-1", 100*mib, 2)), "c-1 100", nil, nil},
		{"grows too much", order(6, assign("c-1", 101*mib, 2)), "c-1 40", ErrNoRoom, nil},
		{"shrinks and makes no room yet", order(6, assign("c-2", 80*mib, 1), assign("c-1", 20*mib, 2)), "c-1 20/40", ErrNoRoom, nil},
		{"another cluster's node", controller.Order{Host: "a", Cluster: "d", Version: 1, Nodes: []controller.Assignment{one}}, "", nil, ErrOrder},
		{"named twice", order(6, one, one), "", nil, ErrOrder},
		{"no name", order(6, assign("../x", mib, 1)), "", nil, ErrOrder},
		{"no memory", order(6, assign("c-2", 0, 1)), "", nil, ErrOrder},
		{"more for its data than it has", order(6, controller.Assignment{Node: "c-2", Memory: 1, MaxMemory: 2}), "", nil, ErrOrder},
		{"a cluster without a name", controller.Order{Host: "a", Version: 6}, "", nil, ErrOrder},
	} {
		m := memory{Clusters: map[string]cluster{}, Nodes: map[string]*node{}}
		if refused, err := m.obey(order(5, one), 100*mib); len(refused) > 0 || err != nil {
			t.Fatal(refused, err)
		}
		had := m.clone()
		refused, err := m.obey(test.order, 100*mib)
		if !errors.Is(err, test.err) || !errors.Is(errors.Join(refused...), test.refused) {
			t.Errorf("%s: refused %v, error %v", test.what, refused, err)
		}
		if err != nil {
			if !m.equal(had) {
				t.Errorf("%s: an order that is wrong changed something", test.what)
			}
			continue
		}
		var left []string
		for _, id := range slices.Sorted(maps.Keys(m.Nodes)) {
			n := m.Nodes[id]
			text := fmt.Sprintf("%s %d", id, n.Memory/mib)
			if n.Holds > 0 {
				text += fmt.Sprintf("/%d", n.Holds/mib)
			}
			if n.Stop {
				text += " stop"
			}
			left = append(left, text)
		}
		if got := strings.Join(left, ", "); got != test.left || m.Clusters["c"].Obeyed != test.order.Version {
			t.Errorf("%s: left %q after order %d, want %q", test.what, got, m.Clusters["c"].Obeyed, test.left)
		}
	}
}

// TestNeverTooMuch: whatever orders come, and whatever ends meanwhile, nodes are never set to more than the host has, none is started twice, a run that goes on is
// never told as ended, and in the end all is as the last order wants it.
func TestNeverTooMuch(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 7))
			b := newBedOf(t, 100*mib, true)
			defer func() { b.end() }()
			var last []controller.Assignment
			version := uint64(0)
			for range 60 {
				switch dice.IntN(5) {
				case 0, 1:
					version++
					last = draw(dice, version)
					_ = b.obey(version, nil, last...)
				case 2:
					b.m.kill(fmt.Sprintf("c-%d", dice.IntN(6)), "killed")
				case 3:
					b.end()
					b.start()
				}
				time.Sleep(time.Duration(dice.Int64N(int64(3 * time.Second))))
				b.check(seed)
			}
			time.Sleep(5 * time.Minute)
			_ = b.obey(version, nil, last...) // what was refused for memory that was not free yet
			time.Sleep(5 * time.Minute)
			for _, a := range last {
				if r := b.node(a.Node); a.Stop != (r.Run == "") || !a.Stop && (r.Settings != a.Settings || r.Memory != a.Memory) {
					t.Errorf("seed %d: node %s is wanted as %+v, and is %+v", seed, a.Node, a, r)
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		})
	}
}

// draw makes an order of nodes that have room together.
func draw(dice *rand.Rand, version uint64) (nodes []controller.Assignment) {
	room := int64(100)
	for i := range 6 {
		memory := dice.Int64N(60) + 1
		switch {
		case dice.IntN(3) == 0 || memory > room:
			nodes = append(nodes, stop(fmt.Sprintf("c-%d", i)))
		default:
			room -= memory
			nodes = append(nodes, assign(fmt.Sprintf("c-%d", i), memory*mib, int(version)))
		}
	}
	return nodes
}

func (b *bed) check(seed uint64) {
	b.t.Helper()
	says := b.says()
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	sum, told := int64(0), int64(0)
	for _, p := range b.m.procs {
		sum += p.memory
	}
	for _, r := range says.Nodes {
		told += r.Memory
		if p := b.m.procs[r.Node]; p != nil && p.run == r.Exited {
			b.t.Errorf("seed %d: run %s of %s goes on and is told as ended", seed, p.run, r.Node)
		}
	}
	if sum > 75*mib || told > 100*mib {
		b.t.Errorf("seed %d: nodes are set to %d, and told to take %d", seed, sum, told)
	}
	if b.m.wrong != "" {
		b.t.Errorf("seed %d: %s", seed, b.m.wrong)
	}
}
