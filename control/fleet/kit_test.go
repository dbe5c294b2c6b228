package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"larder/backends"
	"larder/backends/registry"
	"larder/backends/registry/embedded"
	"larder/control/controller"
	"larder/control/fleet"
	"larder/engine/shard"
	"larder/internal/peers"
	"larder/router"
)

// world is hosts and nodes in memory that keep the protocol of their shard, over a real registry.
type world struct {
	t   *testing.T
	reg registry.Registry

	mu    sync.Mutex // of what follows
	hosts map[string]*machine
	runs  int
}

// machine is a host.
type machine struct {
	controller.Host
	number uint64
	state  uint64
	said   controller.HostSays
	obeyed map[string]uint64
	nodes  map[string]*node
	silent bool // it hangs
	deaf   bool // its nodes do
	ended  bool // nobody listens where its nodes were
	asked  int  // how often its nodes were
}

// node is one.
type node struct {
	*shard.Node
	controller.Assignment
	cluster, addr string
}

func newWorld(t *testing.T, hosts int) *world {
	t.Helper()
	reg, err := embedded.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return newWorldOn(t, reg, hosts)
}

func newWorldOn(t *testing.T, reg registry.Registry, hosts int) *world {
	t.Helper()
	t.Cleanup(func() { reg.Close() })
	w := &world{t: t, reg: reg, hosts: map[string]*machine{}}
	for i := range hosts {
		id := fmt.Sprintf("h%d", i+1)
		m := &machine{
			Host:   controller.Host{ID: id, Zone: string(rune('a' + i)), Addr: id + ":1", Memory: 1 << 30, Session: id + ".1"},
			obeyed: map[string]uint64{}, nodes: map[string]*node{},
		}
		w.hosts[id] = m
		w.put(controller.HostKey(id), m.Host)
	}
	return w
}

func (w *world) put(key string, value any) {
	w.t.Helper()
	text, err := json.Marshal(value)
	if err == nil {
		err = w.reg.Put(w.t.Context(), key, text)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// Says implements fleet.Hosts.
func (w *world) Says(ctx context.Context, h controller.Host) (controller.HostSays, error) {
	w.mu.Lock()
	m := w.hosts[h.ID]
	if m.silent {
		w.mu.Unlock()
		<-ctx.Done()
		return controller.HostSays{}, ctx.Err()
	}
	defer w.mu.Unlock()
	m.number++
	says := controller.HostSays{Host: m.ID, Session: m.Session, Number: m.number, State: m.state, Obeyed: maps.Clone(m.obeyed)}
	for _, id := range slices.Sorted(maps.Keys(m.nodes)) {
		n := m.nodes[id]
		says.Nodes = append(says.Nodes, controller.Running{Cluster: n.cluster, Node: id, Run: n.Me().ID, Addr: n.addr, Memory: n.Memory, Settings: n.Settings})
	}
	if m.state == 0 || !slices.Equal(says.Nodes, m.said.Nodes) || !maps.Equal(says.Obeyed, m.said.Obeyed) {
		m.state++
	}
	says.State, m.said = m.state, says
	return says, nil
}

// News implements fleet.Hosts.
func (w *world) News(ctx context.Context, h controller.Host, seen uint64) (controller.HostSays, error) {
	for range 90 {
		says, err := w.Says(ctx, h)
		if err != nil || says.State != seen {
			return says, err
		}
		select {
		case <-ctx.Done():
			return says, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return w.Says(ctx, h)
}

// Obey implements fleet.Hosts.
func (w *world) order(ctx context.Context, h controller.Host, o controller.Order) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.hosts[h.ID]
	switch {
	case m.silent:
		w.mu.Unlock()
		<-ctx.Done()
		w.mu.Lock()
		return ctx.Err()
	case o.Version < m.obeyed[o.Cluster]:
		return errors.New("a newer order was obeyed")
	}
	m.obeyed[o.Cluster] = o.Version
	wanted := map[string]bool{}
	for _, a := range o.Nodes {
		if a.Stop {
			continue
		}
		wanted[a.Node] = true
		n := m.nodes[a.Node]
		if n == nil {
			w.runs++
			n = &node{Node: shard.New(router.Run{Node: a.Node, ID: strconv.Itoa(w.runs)}, true), cluster: o.Cluster, addr: fmt.Sprintf("%s:%d", m.ID, 7000+w.runs)}
			m.nodes[a.Node] = n
		}
		n.Assignment = a
	}
	maps.DeleteFunc(m.nodes, func(id string, n *node) bool { return n.cluster == o.Cluster && !wanted[id] })
	return nil
}

func (w *world) at(addr string) *node {
	n, _ := w.find(addr)
	return n
}

func (w *world) find(addr string) (*node, *machine) {
	for _, m := range w.hosts {
		for _, n := range m.nodes {
			if n.addr == addr {
				return n, m
			}
		}
	}
	return nil, nil
}

var errNobody = errors.New("nobody listens there")

// State implements fleet.Nodes. Who follows has all at once.
func (w *world) State(ctx context.Context, cluster, id, addr string) (controller.NodeSays, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, m := w.find(addr)
	if m != nil {
		m.asked++
	}
	switch {
	case n == nil:
		return controller.NodeSays{}, errNobody
	case m.ended:
		if m.asked > 10000 { // it would go on so for ever, and no time pass
			w.mu.Unlock()
			<-ctx.Done()
			w.mu.Lock()
		}
		return controller.NodeSays{}, fmt.Errorf("%w: %w", errNobody, syscall.ECONNREFUSED)
	case m.deaf:
		w.mu.Unlock()
		<-ctx.Done()
		w.mu.Lock()
		return controller.NodeSays{}, ctx.Err()
	}
	says := controller.NodeSays{
		Cluster: cluster, Node: id, Run: n.Me(), Epoch: n.Record().Epoch, Frozen: n.Role() == shard.Frozen, Loaded: true, Promised: n.Promised(), Reign: n.Record().Reign,
	}
	if n.Role() == shard.Primary || n.Role() == shard.Frozen {
		for _, m := range w.hosts {
			for _, f := range m.nodes {
				if f != n && f.cluster == n.cluster && f.Shard == n.Shard && f.Role() == shard.Follower && f.Record().Primary == n.Me() && f.Record().Reign == n.Record().Reign {
					n.Sent(0, time.Now().UnixNano())
					n.Acknowledged(f.Me(), n.Record().Reign, 0)
					says.Followers = append(says.Followers, controller.Follower{Run: f.Me()})
				}
			}
		}
		slices.SortFunc(says.Followers, func(a, b controller.Follower) int { return strings.Compare(a.Run.Node, b.Run.Node) })
	}
	says.Confirmed = n.Confirmed()
	return says, nil
}

func (w *world) show(t controller.Tell) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.at(t.Addr)
	if n == nil {
		return errNobody
	}
	_ = n.Obey(t.Record, 0) // a newer one is shown by its state
	if t.Promise {
		n.Promise(t.Record.Epoch, router.Run{}, time.Now().UnixNano())
	}
	return nil
}

// mortal is a controller's way to the world, which ends when it has done so much.
type mortal struct {
	*world
	registry.Registry
	left atomic.Int64 // effects until it dies
	die  context.CancelFunc
	dead atomic.Bool
}

var errDead = errors.New("this controller is dead")

// acts counts an effect, and kills the controller when it is the last.
func (m *mortal) acts() error {
	switch left := m.left.Add(-1); {
	case left < 0:
		return errDead
	case left == 0:
		m.dead.Store(true)
		m.die()
	}
	return nil
}

func (m *mortal) CompareAndSet(ctx context.Context, key string, value []byte, version uint64, fences ...registry.Fence) (uint64, error) {
	if err := m.acts(); err != nil {
		return 0, err
	}
	return m.Registry.CompareAndSet(ctx, key, value, version, fences...)
}

// EndSession says nothing of a dead controller's session: nobody is left to do so.
func (m *mortal) EndSession(ctx context.Context, id registry.SessionID) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Registry.EndSession(ctx, id)
}

func (m *mortal) Obey(ctx context.Context, h controller.Host, o controller.Order) error {
	if err := m.acts(); err != nil {
		return err
	}
	return m.order(ctx, h, o)
}

// teller is mortal as fleet.Nodes.
type teller struct{ *mortal }

func (n teller) Obey(_ context.Context, t controller.Tell) error {
	if err := n.acts(); err != nil {
		return err
	}
	return n.show(t)
}

// control runs a controller that dies after so many effects (0: never), and with the test.
func (w *world) control(id string, effects int, ping func(context.Context, fleet.Holder) error) (*fleet.Leader, *mortal) {
	ctx, cancel := context.WithCancel(context.Background())
	m := &mortal{world: w, Registry: w.reg, die: cancel}
	m.left.Store(int64(effects))
	if effects == 0 {
		m.left.Store(1 << 60)
	}
	l := fleet.New(fleet.Options{
		ID: id, Addr: id, Registry: m, Hosts: m, Nodes: teller{m}, Ping: ping,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Chance: rand.New(rand.NewPCG(1, uint64(len(id)))),
	})
	w.run(ctx, cancel, l)
	return l, m
}

// run runs a controller until its context ends, and with the test.
func (w *world) run(ctx context.Context, cancel context.CancelFunc, l *fleet.Leader) {
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx, make(chan struct{})) }()
	w.t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				w.t.Errorf("controller %s ended with: %v", l.ID(), err)
			}
		case <-time.After(peers.Patience):
			w.t.Errorf("controller %s does not end", l.ID())
		}
	})
}

// eventually waits for something.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(peers.Patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			entries, _ := w.reg.List(w.t.Context(), "larder/clusters/")
			for _, e := range entries {
				text, _ := registry.Unpack(e.Value)
				w.t.Logf("%s: %s", e.Key, text)
			}
			w.t.Fatalf("%s: not within %s", what, peers.Patience)
		}
	}
}

// topology is what gateways would read; nil: nothing.
func (w *world) topology(cluster string) *router.Topology {
	e, err := w.reg.Get(w.t.Context(), controller.TopologyKey(cluster))
	if err != nil || len(e.Value) == 0 {
		return nil
	}
	topology, err := backends.DecodeTopology(e.Value)
	if err != nil {
		w.t.Fatal(err)
	}
	return topology
}

// whole tells whether a cluster's topology has so many shards with so many replicas, all on hosts of their own.
func (w *world) whole(cluster string, shards, replicas int) bool {
	topology := w.topology(cluster)
	return topology != nil && len(topology.Shards) == shards && !slices.ContainsFunc(topology.Shards, func(s router.Shard) bool { return len(s.Replicas) != replicas })
}

// refused is how one that is dead answers.
func refused(context.Context, fleet.Holder) error {
	return fmt.Errorf("dial: %w", syscall.ECONNREFUSED)
}

func spec(shards, replicas int) *controller.Spec {
	return &controller.Spec{Engine: controller.Redis, Memory: 64 << 20, Shards: shards, Replicas: replicas, Durability: controller.Async}
}
