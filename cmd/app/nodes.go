package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends"
	"larder/control/host"
	"larder/engine"
	"larder/router"
)

// nodes are the engine nodes of this process, as the host in it starts them. Any goroutine.
type nodes struct {
	*process
	options func(host.Launch) (engine.Options, error)
	erase   func(node string) error
	auth    backends.Auth

	mu      sync.Mutex
	all     map[string]*inside
	fresh   bool       // nothing has been served yet: a node that cannot start is for whoever starts the process to mend
	failure chan error // what that is
	resting bool       // none is started any more
}

// inside is a node of this process, from before it answers until it has ended. It implements host.Process.
type inside struct {
	node    *engine.Node
	cluster string
	shard   int
	metrics *lease
	auth    backends.Auth
	stop    context.CancelFunc
	ended   chan struct{}
	err     error // why it has ended, once it has
}

func newNodes(p *process, options func(host.Launch) (engine.Options, error), erase func(node string) error) *nodes {
	return &nodes{
		process: p, options: options, erase: erase, auth: backends.Auth{Password: p.config.Engine.Password}, all: map[string]*inside{}, fresh: true,
		failure: make(chan error, 1),
	}
}

// Find implements host.Starter: no other process runs nodes of this folder.
func (n *nodes) Find(_ context.Context, node string) (host.Process, error) {
	if p := n.get(node); p != nil {
		return p, nil
	}
	return nil, nil
}

func (n *nodes) get(node string) *inside {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.all[node]
}

// Start implements host.Starter. It returns when the node can be connected to.
func (n *nodes) Start(ctx context.Context, l host.Launch) (host.Process, error) {
	p, err := n.start(ctx, l)
	if err != nil {
		n.failed(fmt.Errorf("%s: %w", l.Node, err))
		return nil, err
	}
	return p, nil
}

func (n *nodes) start(ctx context.Context, l host.Launch) (*inside, error) {
	o, err := n.options(l)
	if err != nil {
		return nil, err
	}
	p := &inside{cluster: l.Cluster, shard: l.Shard, auth: n.auth, ended: make(chan struct{})}
	p.metrics = &lease{reg: prometheus.WrapRegistererWith(prometheus.Labels{"cluster": l.Cluster, "node": l.Node}, n.reg)}
	if p.node, err = engine.New(o, n.env.Log, p.metrics); err != nil {
		p.metrics.end()
		return nil, err
	}
	if !n.add(l.Node, p) {
		p.metrics.end()
		return nil, errors.Join(errEnding, p.node.Close())
	}
	select {
	case <-p.node.Ready():
		n.mu.Lock()
		if n.all[l.Node] == p { // else it has ended meanwhile, and its health has been dropped
			n.health.add(l.Node, p.node.Healthy)
		}
		n.mu.Unlock()
		n.env.Log.Info("node serves", "node", l.Node, "addr", p.node.Addr(), "maxmemory", o.MaxMemory, "cluster", l.Cluster)
		return p, nil
	case <-p.ended:
		return nil, errors.New(p.Why())
	case <-ctx.Done():
		p.stop()
		<-p.ended
		return nil, context.Cause(ctx)
	}
}

// add has a node run, unless none is to be started any more.
func (n *nodes) add(name string, p *inside) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.resting {
		return false
	}
	n.all[name] = p
	n.run(name, p)
	return true
}

// over takes note that a node has ended.
func (n *nodes) over(name string, p *inside) {
	p.metrics.end()
	n.mu.Lock()
	delete(n.all, name)
	n.health.drop(name)
	n.mu.Unlock()
	if p.err != nil {
		n.failed(fmt.Errorf("%s: %w", name, p.err))
	}
}

// failed takes note of why a node could not start, or has ended.
func (n *nodes) failed(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fresh && !n.resting {
		n.fresh = false
		n.failure <- err
	}
}

// served says that all has begun: from now on a node that ends is started again, and that is all.
func (n *nodes) served() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fresh = false
}

// Erase implements host.Starter.
func (n *nodes) Erase(node string) error { return n.erase(node) }

// ready tells whether the node can be connected to. Before that it has no address.
func (p *inside) ready() bool {
	select {
	case <-p.node.Ready():
		return true
	default:
		return false
	}
}

// Addr implements host.Process.
func (p *inside) Addr() string { return p.node.Addr() }

// Ended implements host.Process.
func (p *inside) Ended() <-chan struct{} { return p.ended }

// Why implements host.Process.
func (p *inside) Why() string {
	if p.err == nil {
		return "it was told to"
	}
	return p.err.Error()
}

// Stop implements host.Process.
func (p *inside) Stop() { p.stop() }

// killWithin is how long a node may take to hear that it is to end without saving.
const killWithin = time.Second

// Kill implements host.Process: what the node has is not saved.
func (p *inside) Kill() {
	ctx, cancel := context.WithTimeout(context.Background(), killWithin)
	defer cancel()
	if admin, err := backends.Dial(ctx, p.node.Addr(), p.auth); err == nil {
		_, _ = admin.Do(ctx, "SHUTDOWN", "NOSAVE", "NOW", "FORCE") // the connection breaks off
		_ = admin.Close()
	}
	p.stop()
}

// end stops all nodes: those that follow others first, so that these have all that they save.
func (n *nodes) end() error {
	n.mu.Lock()
	n.resting = true
	all := slices.Collect(maps.Values(n.all))
	n.mu.Unlock()
	slices.SortFunc(all, func(a, b *inside) int { return strings.Compare(a.node.ID(), b.node.ID()) })
	var groups [2][]*inside
	for _, p := range all { // asked once: whoever is asked again may say something else, and nobody would stop it
		i := 0
		if p.leads() {
			i = 1
		}
		groups[i] = append(groups[i], p)
	}
	var errs []error
	for _, now := range groups {
		for _, p := range now {
			p.stop()
		}
		for _, p := range now {
			<-p.ended
			if p.err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", p.node.ID(), p.err))
			}
		}
	}
	return errors.Join(errs...)
}

// leads tells whether the node is its shard's primary. One that does not say is stopped with those that are not.
func (p *inside) leads() bool {
	select {
	case <-p.ended:
		return false
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), killWithin)
	defer cancel()
	return p.node.Leads(ctx) == nil
}

// assign tells the nodes of a topology what they serve.
func (n *nodes) assign(t *router.Topology) {
	for shard := range t.Shards {
		for _, known := range append([]router.Node{t.Shards[shard].Primary}, t.Shards[shard].Replicas...) {
			if p := n.get(known.ID); p != nil && p.cluster == t.Cluster {
				if err := p.node.Assign(shard, t); err != nil && !errors.Is(err, engine.ErrOldTopology) {
					n.env.Log.Error("a node does not take its shard", "node", known.ID, "shard", shard, "error", err)
				}
			}
		}
	}
}

// beside are the other nodes of a shard, in order of their names, as far as they can be connected to.
func (n *nodes) beside(cluster string, shard int, primary string) (others []*inside) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(n.all)) {
		p := n.all[id]
		if p.cluster != cluster || p.shard != shard || id == primary {
			continue
		}
		if p.ready() {
			others = append(others, p)
		}
	}
	return others
}
