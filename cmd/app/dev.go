package app

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"

	"larder/backends"
	"larder/backends/registry"
	"larder/configs"
	"larder/control"
	"larder/control/config"
	leading "larder/control/fleet"
	"larder/persistence/snapshot"
	"larder/router"
)

// Dev runs a whole fleet in the process until ctx ends: a registry (the embedded one, or Consul), who leads, a host with the nodes of its clusters, and a gateway for
// each of these, of which one is there from the start. Nodes take free ports of 127.0.0.1 and let in this machine only; who may connect to gateways says the
// configuration. When all serve it prints to env.Out what there is and what to try.
func Dev(ctx context.Context, c configs.Config, env Env) error {
	if c.Data.Dir == "" {
		dir, err := DevFolder()
		if err != nil {
			return err
		}
		c.Data.Dir = dir
	}
	if c.Metrics.Listen == "" {
		c.Metrics.Listen = devMetrics(env.Log)
	}
	data, err := takeFolder(c.Data.Dir)
	if err != nil {
		return err
	}
	defer data.release()
	p, err := newProcess(ctx, c, env)
	if err != nil {
		return err
	}
	d := &dev{process: p, data: data, host: devHost}
	if err := d.openRegistry(); err != nil {
		return p.stack.finish(err)
	}
	defer func() { _ = d.registry.Close() }() // what it was told is kept
	defer d.closeStore()
	return p.serve(d.build)
}

type dev struct {
	*process
	data     *folder
	registry registry.Registry
	shared   bool   // others use the registry too: it is Consul
	host     string // the name of the host in this process
	store    snapshot.Store
	original *original // what the first cluster begins with; nil = what it has
	selected router.Selection
	told     bool // that it has begun with that; the minder's goroutine's
	nodes    *nodes
	leader   *leading.Leader
	clusters *clusters
	minder   *minder
	keeper   *config.Keeper // of the gateways' settings

	mu    sync.Mutex
	seeds map[string]int // nodes that are to begin with original, and their shards
}

func (d *dev) build() error {
	place, err := d.storePlace()
	if err != nil {
		return err
	}
	if d.store, err = d.storeAt(place); err != nil {
		return err
	}
	if d.config.Restore != "" {
		if d.original, err = openOriginal(d.stack.ctx, d.config.Restore, d.store); err != nil {
			return err
		}
		only := d.config.Selection
		if d.selected, err = router.ParseSelection(only.DB, only.Prefix, only.Slots); err != nil {
			return err
		}
	}
	first, err := d.prepare(d.stack.ctx)
	if err != nil {
		return err
	}
	if err := d.startFleet(first); err != nil {
		return err
	}
	if err := d.manage(d.registry, ""); err != nil {
		return err
	}
	if err := d.startClusters(); err != nil {
		return err
	}
	if err := d.startMinder(place); err != nil {
		return err
	}
	if err := d.follow(d.host); err != nil {
		return err
	}
	d.keeper = d.newKeeper(d.registry)
	if err := d.keepSettings(d.keeper); err != nil {
		return err
	}
	if err := d.startAPI(); err != nil {
		return err
	}
	text, err := d.welcome()
	if err != nil {
		return err
	}
	_, err = d.env.Out.Write([]byte(text))
	return err
}

// startClusters serves the clusters that there are, and returns when the first one is.
func (d *dev) startClusters() error {
	d.clusters = &clusters{
		first: clusterName, serve: d.serveCluster, fits: d.inPlace, news: d.nodes.assign, log: d.env.Log,
		report: func(w wish, err error) {
			d.leader.Report("endpoint-failed", fmt.Sprintf("cluster %s cannot be served at %s: %s; it is tried again", w.name, w.listen, err))
		},
		told: make(chan map[string]wish, 1), all: map[string]*serving{},
	}
	begun := make(chan struct{})
	return d.stack.start("", func(ctx context.Context) error { return d.clusters.run(ctx, d.registry, begun) }, begun)
}

// startMinder begins to look after the clusters' data, and returns when that of the first one is.
func (d *dev) startMinder(place string) error {
	d.minder = &minder{
		process: d.process, leader: d.leader, store: d.store, settings: storeSettings(d.config.Snapshots, place), auth: d.nodes.auth, first: clusterName,
		stages:   func(name string) (string, error) { return d.data.sub("migration", name) },
		endpoint: func(_ context.Context, cluster string) (string, error) { return d.clusters.endpoint(cluster), nil },
		begun: func(cluster string, a *control.Agent) {
			if cluster == clusterName && d.original != nil && !d.told {
				d.told = true
				a.Report("snapshot-restored", "the cluster has begun with the keys of "+d.original.place)
			}
		},
	}
	return d.minder.start()
}

func (d *dev) closeStore() {
	if d.store.Bucket == nil {
		return
	}
	if err := d.store.Bucket.Close(); err != nil {
		d.env.Log.Warn("the object store was not closed well", "error", err)
	}
}

// welcome is for people in front of a terminal.
func (d *dev) welcome() (string, error) {
	src, err := backends.NewTopologies(d.stack.ctx, d.registry, clusterName, d.env.Log)
	if err != nil {
		return "", err
	}
	t, endpoint := src.Topology(), d.clusters.addr(clusterName)
	host, port := connectTo(endpoint)
	cli := "redis-cli"
	if host != "127.0.0.1" {
		cli += " -h " + host
	}
	if port != "6379" {
		cli += " -p " + port
	}
	if d.config.Gateway.Password != "" {
		cli += " -a PASSWORD"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\nLarder serves one cluster of %d shards at %s\n\n", len(t.Shards), endpoint)
	for i, shard := range t.Shards {
		fmt.Fprintf(&out, "  shard %-3d %-21s slots %s\n", i, shard.Primary.Addr, slotsOf(shard))
		for _, replica := range d.nodes.beside(clusterName, i, shard.Primary.ID) {
			fmt.Fprintf(&out, "  replica   %s\n", replica.Addr())
		}
	}
	fmt.Fprintf(&out, "\nTry\n  %s SET greeting hello\n  %s GET greeting\n  %s MSET a 1 b 2 c 3\n  %s INFO\n  %s CLUSTER SHARDS\n", cli, cli, cli, cli, cli)
	if d.shared {
		fmt.Fprintf(&out, "\nFleet     in Consul at %s, this is host %s; others join with --key-file %s\n", d.config.Consul.Address, d.host, filepath.Join(d.data.path, fleetKeyName))
	}
	fmt.Fprintf(&out, "\nKeys      %s\nFiles     %s\nSnapshots larder snapshot create NAME%s\n", d.kept(), d.data.path, d.dirFlag())
	if d.monitor != nil {
		fmt.Fprintf(&out, "Metrics   http://%s/metrics (also /healthz, /readyz)\n", d.monitor.addr())
	}
	fmt.Fprintf(&out, "Allowed   %s\nStop      Ctrl-C\n\n", allowed(d.config.Access.Allow))
	return out.String(), nil
}

// dirFlag is how the operator's commands find this instance, if they must be told.
func (d *dev) dirFlag() string {
	if usual, err := DevFolder(); err == nil && usual == d.data.path {
		return ""
	}
	return " --dir " + d.data.path
}

func slotsOf(s router.Shard) string {
	if len(s.Slots) == 0 {
		return "none"
	}
	return string(router.AppendRanges(nil, s.Slots))
}

func allowed(blocks []string) string {
	if len(blocks) == 0 {
		return "nobody (say --allow)"
	}
	return strings.Join(blocks, ", ")
}

// connectTo is where this machine reaches a listener: one that takes every address is reached at loopback.
func connectTo(listen string) (host, port string) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen, ""
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsUnspecified() {
		if addr.Is4() {
			return "127.0.0.1", port
		}
		return "::1", port
	}
	return host, port
}
