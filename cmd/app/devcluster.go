package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends"
	"larder/backends/registry"
	"larder/control/controller"
	"larder/proxy"
	"larder/router"
)

// cluster is one that dev serves, as far as it has begun.
type cluster struct {
	*dev
	is  *serving
	src router.Source
}

// serveCluster starts a cluster's endpoint. All clusters have the gateway's settings but for the address.
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
	src, err := c.source(ctx)
	if err != nil {
		return err
	}
	c.src = src
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
	return c.join(gateway)
}

// source is that of the cluster's endpoint, which may have been pointed to another one. What the registry has of that may be of the last run: its nodes are
// waited for, as the cluster's own are before it is served.
func (c *cluster) source(ctx context.Context) (*backends.Pointed, error) {
	late := time.Now().Add(ledWithin)
	for {
		src, err := backends.NewPointedFrom(ctx, c.registry, c.is.name, c.env.Log)
		if err != nil {
			return nil, err
		}
		to := src.Topology()
		if to.Cluster == c.is.name || time.Now().After(late) {
			return src, nil
		}
		plan := &controller.Plan{}
		entry, err := c.registry.Get(ctx, controller.PlanKey(to.Cluster))
		if err == nil {
			err = json.Unmarshal(entry.Value, plan)
		}
		if errors.Is(err, registry.ErrNotFound) { // of servers of others there is none
			err = nil
		}
		if err != nil {
			return nil, err
		}
		if c.inPlace(to, plan) {
			return src, nil
		}
		if err := sleep(ctx, askOften); err != nil {
			return nil, err
		}
	}
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
	commands := newStockCommands(c.is.stack, &o, c.src, true, c.env.Log) // the endpoint may come to lead to servers of others
	commands.begin(gateway)
	if err := commands.follow(); err != nil {
		return nil, err
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
