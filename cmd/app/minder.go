package app

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends"
	"larder/control"
	"larder/control/api"
	"larder/control/controller"
	"larder/control/crew"
	leading "larder/control/fleet"
	"larder/persistence"
	"larder/persistence/snapshot"
	"larder/router"
)

// minder looks after what the clusters of a fleet keep, while this process leads: for each an Agent, which takes snapshots and restores, and what migrates into it.
// They begin with the term, take up what the last leader has left, and end with the term. It implements api.Clusters.
type minder struct {
	*process
	leader   *leading.Leader
	store    snapshot.Store
	settings persistence.Settings // of the store; empty: there is none
	auth     backends.Auth        // to nodes
	first    string               // the cluster whose automatic snapshots' names do not say whose they are; the process ends if it cannot be looked after at the start
	stages   func(name string) (dir string, err error)
	endpoint func(ctx context.Context, cluster string) (string, error) // where a cluster's clients are served
	begun    func(cluster string, a *control.Agent)                    // is told of each Agent that has begun; nil: nobody is

	mu  sync.Mutex
	now *clusters // of the present term; nil: this process does not lead
}

// Names implements api.Clusters.
func (m *minder) Names() []string {
	if all := m.present(); all != nil {
		return all.Names()
	}
	return []string{}
}

// Cluster implements api.Clusters.
func (m *minder) Cluster(name string) (api.Served, bool) {
	if all := m.present(); all != nil {
		return all.Cluster(name)
	}
	return api.Served{}, false
}

func (m *minder) present() *clusters {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *minder) set(now *clusters) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = now
}

// tenure is what is looked after in a term.
type tenure struct {
	*minder
	term leading.Term

	mu     sync.Mutex
	newest map[string]*atomic.Pointer[router.Topology] // by cluster
}

// tenure gives the clusters of a term that begins: none yet.
func (m *minder) tenure(term leading.Term) *clusters {
	t := &tenure{minder: m, term: term, newest: map[string]*atomic.Pointer[router.Topology]{}}
	return &clusters{
		first: m.first, inside: true, serve: t.serve, fits: func(*router.Topology, *controller.Plan) bool { return true }, log: m.env.Log,
		news: func(topology *router.Topology) { t.of(topology.Cluster).Store(topology) },
		report: func(w wish, err error) {
			m.leader.ReportOf(w.name, "cluster-unminded", fmt.Sprintf("the snapshots of cluster %s cannot be looked after: %s; it is tried again", w.name, err))
		},
		told: make(chan map[string]wish, 1), all: map[string]*serving{},
	}
}

// of is where a cluster's newest topology is kept.
func (t *tenure) of(cluster string) *atomic.Pointer[router.Topology] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.newest[cluster] == nil {
		t.newest[cluster] = &atomic.Pointer[router.Topology]{}
	}
	return t.newest[cluster]
}

// minded is a cluster that is looked after, as far as that has begun.
type minded struct {
	*tenure
	is     *serving
	crew   *crew.Crew
	newest func() *router.Topology
}

// serve begins to look after a cluster.
func (t *tenure) serve(ctx context.Context, w wish) (*serving, error) {
	is := &serving{wish: w, stack: newStack(ctx), metrics: &lease{reg: prometheus.WrapRegistererWith(prometheus.Labels{"cluster": w.name}, t.reg)}}
	c := &minded{tenure: t, is: is, newest: t.of(w.name).Load}
	c.crew = crew.New(crew.Options{Newest: c.newest, Beside: c.beside, Auth: t.auth, Store: func() (persistence.Settings, error) { return portable(t.settings) }})
	err := c.startAgent()
	if err == nil {
		err = c.startMigrator()
	}
	if err == nil {
		err = is.stack.start("wishes of cluster "+w.name, c.wishes, closed())
	}
	if err != nil {
		return nil, cmp.Or(is.finish(err), errEnding)
	}
	return is, nil
}

// beside are the addresses of a shard's nodes that are not its primary: those that count before those that are being filled.
func (c *minded) beside(shard int) (addrs []string) {
	nodes := c.leader.View().Fleet.Nodes(c.is.name)
	for _, role := range []controller.Role{controller.Replica, controller.Joining, controller.None} {
		for i := range nodes {
			if n := &nodes[i]; n.Shard == shard && n.Role == role && n.Runs && n.Addr != "" {
				addrs = append(addrs, n.Addr)
			}
		}
	}
	return addrs
}

// closed is the readiness of what others need not wait for.
func closed() <-chan struct{} {
	ready := make(chan struct{})
	close(ready)
	return ready
}

// startAgent starts what takes snapshots of the cluster.
func (c *minded) startAgent() error {
	o := c.config.Snapshots
	window, err := controller.ParseWindow(o.Window)
	if err != nil {
		return err
	}
	usual := controller.Schedule{Window: window, Retain: o.Retain}
	if c.is.name != c.first {
		usual.Mark = c.is.name + "-"
	}
	metrics, err := control.NewMetrics(c.is.metrics, time.Now)
	if err != nil {
		return err
	}
	c.is.Agent = control.New(control.Options{
		Cluster: c.is.name, Fleet: c.crew, Restorer: &restorer{c.crew, c.store}, Store: c.store, Registry: c.term.Store,
		Snapshot: control.SnapshotOptions{Level: o.Level, BytesPerSec: o.BytesPerSec, Schedule: func() controller.Schedule { return c.schedule(usual) }},
		Version:  BuildVersion(), Log: c.env.Log, Metrics: metrics, Now: time.Now, Sleep: sleep, Chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	})
	ready := make(chan struct{})
	if err := c.is.stack.start(fmt.Sprintf("agent of cluster %s", c.is.name), func(ctx context.Context) error { return c.is.Agent.Run(ctx, ready) }, ready); err != nil {
		return err
	}
	if c.begun != nil {
		c.begun(c.is.name, c.is.Agent)
	}
	return nil
}

// schedule is when automatic snapshots of the cluster are taken, as is wanted of it now.
func (c *minded) schedule(usual controller.Schedule) controller.Schedule {
	spec := c.wanted()
	if spec == nil || c.is.external || len(c.settings) == 0 {
		usual.Retain = 0
		return usual
	}
	wanted, err := spec.Scheduled(usual)
	if err != nil { // it was judged when it was written
		return usual
	}
	return wanted
}

// start starts it. With a first cluster it returns when that one is looked after, or somebody else leads.
func (m *minder) start() error {
	begun := make(chan struct{})
	if m.first == "" {
		return m.stack.start("clusters", func(ctx context.Context) error { return m.run(ctx, begun) }, closed())
	}
	return m.stack.start("", func(ctx context.Context) error { return m.run(ctx, begun) }, begun)
}
