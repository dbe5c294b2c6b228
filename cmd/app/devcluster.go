package app

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends"
	"larder/control"
	"larder/control/controller"
	"larder/proxy"
	"larder/router"
)

// cluster is one that dev serves, as far as it has begun.
type cluster struct {
	*dev
	is    *serving
	src   router.Source
	fleet *devFleet
}

// serveCluster starts a cluster's endpoint, and what looks after it. All clusters have the gateway's settings but for the address.
func (d *dev) serveCluster(ctx context.Context, w wish) (*serving, error) {
	is := &serving{wish: w, stack: newStack(ctx), metrics: &lease{reg: prometheus.WrapRegistererWith(prometheus.Labels{"cluster": w.name}, d.reg)}}
	c := &cluster{dev: d, is: is}
	if err := c.begin(); err != nil {
		return nil, cmp.Or(is.finish(err), errEnding)
	}
	return is, nil
}

func (c *cluster) begin() error {
	ctx, name := c.is.stack.ctx, c.is.name
	src, err := backends.NewTopologies(ctx, c.registry, name, c.env.Log)
	if err != nil {
		return err
	}
	c.src = src
	c.fleet = &devFleet{nodes: c.nodes, source: src, auth: c.nodes.auth, store: c.store}
	c.led(ctx)
	if name == clusterName {
		c.nodes.served() // a port that is taken is not the nodes' fault
	}
	gateway, err := c.startGateway()
	if err != nil {
		return err
	}
	c.is.addr = gateway.Addr()
	host, port := connectTo(c.is.addr)
	c.is.Endpoint = net.JoinHostPort(host, port)
	if err := c.join(gateway); err != nil {
		return err
	}
	if err := c.startAgent(); err != nil {
		return err
	}
	return c.startMigrator()
}

// ledWithin is how long nodes of a topology may take to hear that they lead.
const ledWithin = 5 * time.Second

// led waits until those of the shards' primaries that are in this process know that they are: before that they answer no client.
func (c *cluster) led(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, ledWithin)
	defer cancel()
	for _, shard := range c.src.Topology().Shards {
		for {
			p := c.nodes.get(shard.Primary.ID)
			if p == nil || p.node.Leads(ctx) == nil || sleep(ctx, time.Millisecond) != nil {
				break
			}
		}
	}
}

// startGateway starts the endpoint.
func (c *cluster) startGateway() (*proxy.Gateway, error) {
	o := c.config.Gateway
	o.Listen = c.is.listen
	others := external(c.src.Topology())
	if !others {
		o.Upstream.User, o.Upstream.Password = "", c.config.Engine.Password
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	o, taken := c.managed.over(o)
	gateway, err := proxy.New(o, c.src, c.env.Log, c.is.metrics)
	if err != nil {
		return nil, err
	}
	if others {
		commands := newStockCommands(c.is.stack, &o, c.src, true, c.env.Log)
		commands.begin(gateway)
		if err := commands.follow(); err != nil {
			return nil, err
		}
	}
	name := "gateway"
	if c.is.name != clusterName {
		name += " of cluster " + c.is.name
	}
	if err := c.is.stack.start(name, c.managed.running(gateway), gateway.Ready()); err != nil {
		return nil, err
	}
	if err := c.managed.join(c.is.stack.ctx, gateway, o, taken); err != nil {
		return nil, err
	}
	c.health.add(name, gateway.Healthy)
	c.is.drop = func() { c.health.drop(name) }
	c.env.Log.Info("gateway serves", "addr", gateway.Addr(), "shards", len(c.src.Topology().Shards), "allowed", o.Access, "cluster", c.is.name)
	return gateway, nil
}

// startAgent starts what takes snapshots of the cluster.
func (c *cluster) startAgent() error {
	o := c.config.Snapshots
	window, err := controller.ParseWindow(o.Window)
	if err != nil {
		return err
	}
	schedule := controller.Schedule{Window: window, Retain: o.Retain}
	if c.is.name != clusterName {
		schedule.Mark = c.is.name + "-"
	}
	metrics, err := control.NewMetrics(c.is.metrics, time.Now)
	if err != nil {
		return err
	}
	c.is.Agent = control.New(control.Options{
		Cluster: c.is.name, Fleet: c.fleet, Restorer: c.fleet, Store: c.store, Registry: c.registry,
		Snapshot: control.SnapshotOptions{Level: o.Level, BytesPerSec: o.BytesPerSec, Schedule: schedule},
		Version:  BuildVersion(), Log: c.env.Log, Metrics: metrics, Now: time.Now, Sleep: sleep, Chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	})
	ready := make(chan struct{})
	if err := c.is.stack.start(fmt.Sprintf("agent of cluster %s", c.is.name), func(ctx context.Context) error { return c.is.Agent.Run(ctx, ready) }, ready); err != nil {
		return err
	}
	if c.is.name == clusterName && c.original != nil && !c.told {
		c.told = true
		c.is.Agent.Report("snapshot-restored", "the cluster has begun with the keys of "+c.original.place)
	}
	return nil
}
