package app

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"larder/backends"
	"larder/backends/stock"
	"larder/control/controller"
	leading "larder/control/fleet"
	"larder/control/host"
	"larder/engine"
	system "larder/process"
	"larder/router"
)

// askOften is how often the leader asks the host and the nodes of its own process while something happens.
const askOften = 10 * time.Millisecond

// devDownAfter is the patience with nodes of this process: none of them can end or hang alone, and on a busy machine all of them may be slow.
const devDownAfter = 10 * time.Second

// startFleet starts what a fleet consists of, in this process: a host with its nodes, and who leads. The host offers the memory that the process may have,
// and what the first cluster was told to take if that is more: nobody is asked twice.
func (d *dev) startFleet(first *controller.Spec) error {
	d.nodes = newNodes(d.process, d.nodeOptions, func(node string) error { return os.RemoveAll(filepath.Join(d.data.path, "nodes", node)) })
	up := d.config.Gateway.Upstream
	managed, servers := backends.NewManaged(d.nodes.auth), stock.NewRoles(backends.Auth{User: up.User, Password: up.Password})
	if err := d.begin("", func(ctx context.Context) error {
		defer managed.Close()
		defer servers.Close()
		return d.nodes.look(ctx)
	}); err != nil {
		return err
	}
	var session [16]byte
	_, _ = crand.Read(session[:]) // it never fails
	me := controller.Host{
		ID: d.host, Memory: max(system.MemoryLimit(), first.Memory*int64(first.Shards*(1+first.Replicas))), Session: hex.EncodeToString(session[:]),
	}
	door, err := d.openDoor(&me)
	if err != nil {
		return err
	}
	hosts, err := d.startHost(me, door, managed)
	if err != nil {
		return err
	}
	metrics, err := leading.NewMetrics(d.reg)
	if err != nil {
		return err
	}
	d.leader = leading.New(leading.Options{
		ID: d.host, Registry: d.registry, Hosts: hosts, Nodes: leading.NodesOver(managed), Servers: servers, Log: d.env.Log, Metrics: metrics, Now: time.Now,
		Chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), AskOften: askOften,
		Limits: controller.Limits{DownAfter: devDownAfter},
	})
	ready := make(chan struct{})
	return d.stack.start("leader", func(ctx context.Context) error { return d.leader.Run(ctx, ready) }, ready)
}

// startHost starts the host, and gives those that the leader asks.
func (d *dev) startHost(me controller.Host, door *door, managed *backends.Managed) (leading.Hosts, error) {
	dir, err := d.data.sub("host")
	if err != nil {
		return nil, err
	}
	h, err := host.New(host.Options{Host: me, Dir: dir, Starter: d.nodes, Nodes: ownSettings{host.Managed{Nodes: managed}, d.nodes}, Log: d.env.Log})
	if err != nil {
		return nil, err
	}
	if err := d.begin("host", h.Run); err != nil {
		return nil, err
	}
	hosts, err := d.open(door, h)
	if err != nil {
		return nil, err
	}
	announced := &host.Announcement{Host: me, Registry: d.registry, Dir: dir, Log: d.env.Log, Chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	return hosts, d.begin("host's announcement", func(ctx context.Context) error {
		announced.Run(ctx)
		return announced.Leave(context.WithoutCancel(ctx))
	})
}

// begin starts a part that is ready at once.
func (p *process) begin(name string, run func(context.Context) error) error {
	ready := make(chan struct{})
	close(ready)
	return p.stack.start(name, run, ready)
}

// ownSettings are nodes whose settings are ordered, but for the memory of the first cluster's: that is the configuration's.
type ownSettings struct {
	host.Managed
	nodes *nodes
}

// Set implements host.Nodes.
func (o ownSettings) Set(ctx context.Context, addr, name, value string) error {
	if name == "maxmemory" && o.nodes.clusterAt(addr) == clusterName {
		return nil
	}
	return o.Managed.Set(ctx, addr, name, value)
}

// nodeOptions are those of a node that the host is to start.
func (d *dev) nodeOptions(l host.Launch) (engine.Options, error) {
	c := d.config
	if c.Dev.Keep && c.Engine.Save == "" {
		c.Engine.Save = devSave
	}
	o := c.NodeOptions(l.Parameters)
	o.ID, o.Listen, o.Access, o.Managed, o.MasterAuth, o.OpenStore = l.Node, "127.0.0.1:0", []string{"127.0.0.0/8", "::1/128"}, true, o.Password, OpenStore
	if l.Cluster != clusterName {
		o.MaxMemory = l.MaxMemory
	}
	var err error
	if o.Dir, err = d.data.sub("nodes", l.Node); err != nil {
		return o, err
	}
	if shard, ok := d.takeSeed(l.Node); ok {
		o.Restore = d.original.of(d.selected, router.EvenSlots(shard, d.config.Dev.Shards))
	}
	return o, nil
}

// clusterAt is the cluster of the node that listens at an address.
func (n *nodes) clusterAt(addr string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.all {
		if p.ready() && p.Addr() == addr {
			return p.cluster
		}
	}
	return ""
}

// inPlace tells whether the nodes that a plan has here are where a topology says that they are.
func (d *dev) inPlace(t *router.Topology, plan *controller.Plan) bool {
	here := map[string]bool{}
	for i := range plan.Nodes {
		here[plan.Nodes[i].ID] = plan.Nodes[i].Host == d.host
	}
	for i := range t.Shards {
		primary := t.Shards[i].Primary
		if !here[primary.ID] {
			continue
		}
		if p := d.nodes.get(primary.ID); p == nil || p.cluster != t.Cluster || !p.ready() || p.Addr() != primary.Addr {
			return false
		}
	}
	return true
}
