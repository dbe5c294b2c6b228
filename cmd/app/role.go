package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"larder/configs"
	"larder/engine"
	"larder/loop"
	"larder/persistence/snapshot"
	"larder/proxy"
	"larder/router"
)

// process is what all roles have: parts, metrics, health.
type process struct {
	env     Env
	config  configs.Config
	stack   *stack
	reg     prometheus.Registerer
	health  *health
	monitor *monitor // nil = off
	managed *managed // nil = the registry says nothing of its settings
}

// newProcess begins with the monitor, so that it can say "starting", and stops with it.
func newProcess(ctx context.Context, c configs.Config, env Env) (*process, error) {
	reg, err := newRegistry()
	if err != nil {
		return nil, err
	}
	p := &process{env: env, config: c, stack: newStack(ctx), reg: reg, health: newHealth()}
	if p.monitor, err = newMonitor(c.Metrics, reg, p.health, env.Log); err != nil {
		return nil, p.stack.finish(err)
	}
	if p.monitor == nil {
		return p, nil
	}
	serving := make(chan struct{})
	close(serving) // it listens already
	if err := p.stack.start("metrics", p.monitor.run, serving); err != nil {
		return nil, p.stack.finish(err)
	}
	env.Log.Info("metrics are served", "addr", p.monitor.addr(), "pprof", c.Metrics.Pprof)
	return p, nil
}

// serve starts what build makes, says that it is ready, waits, and stops it.
func (p *process) serve(build func() error) error {
	err := build()
	if err == nil {
		p.health.set(nil)
		p.stack.wait()
		p.env.Log.Info("stopping; a second signal ends it at once")
	}
	p.health.set(errStopping)
	err = p.stack.finish(err)
	if listen := (*loop.ListenError)(nil); errors.As(err, &listen) {
		return fmt.Errorf("%w (--listen)", err)
	}
	return err
}

// startNode starts the engine node of a process that has no other.
func (p *process) startNode(o engine.Options) error {
	node, err := engine.New(o, p.env.Log, p.reg)
	if err != nil {
		return err
	}
	const name = "node"
	p.health.add(name, node.Healthy)
	if err := p.stack.start(name, node.Run, node.Ready()); err != nil {
		return err
	}
	p.env.Log.Info("node serves", "node", name, "addr", node.Addr(), "maxmemory", o.MaxMemory)
	return nil
}

// startGateway starts the clients' endpoint; change, if any, is done to it before.
func (p *process) startGateway(o proxy.Options, src router.Source, change ...func(*proxy.Gateway)) (*proxy.Gateway, error) {
	o, taken := p.managed.over(o)
	gateway, err := proxy.New(o, src, p.env.Log, p.reg)
	if err != nil {
		return nil, err
	}
	for _, f := range change {
		f(gateway)
	}
	p.health.add("gateway", gateway.Healthy)
	if err := p.stack.start("gateway", p.managed.running(gateway), gateway.Ready()); err != nil {
		return nil, err
	}
	if err := p.managed.join(p.stack.ctx, gateway, o, taken); err != nil {
		return nil, err
	}
	p.env.Log.Info("gateway serves", "addr", gateway.Addr(), "shards", len(src.Topology().Shards), "allowed", o.Access)
	return gateway, nil
}

// Engine runs one node until ctx ends or a client says SHUTDOWN.
func Engine(ctx context.Context, c configs.Config, env Env) error {
	if c.Data.Dir != "" {
		data, err := takeFolder(c.Data.Dir)
		if err != nil {
			return err
		}
		defer data.release()
		c.Engine.Dir = data.path
	}
	if c.Restore != "" {
		from, err := openOriginal(ctx, c.Restore, snapshot.Store{})
		if err != nil {
			return err
		}
		selected, err := router.ParseSelection(c.Selection.DB, c.Selection.Prefix, c.Selection.Slots)
		if err != nil {
			return err
		}
		c.Engine.Restore = from.of(selected, nil)
	}
	p, err := newProcess(ctx, c, env)
	if err != nil {
		return err
	}
	c.Engine.OpenStore = OpenStore
	return p.serve(func() error { return p.startNode(c.Engine) })
}

// Gateway runs an endpoint over the nodes that the configuration names, or that the registry says its cluster has, until ctx ends.
func Gateway(ctx context.Context, c configs.Config, env Env) error {
	src, err := newSource(c, env.Log)
	if err != nil {
		return err
	}
	p, err := newProcess(ctx, c, env)
	if err != nil {
		return err
	}
	fleet, err := p.joinFleet()
	if err != nil {
		return p.stack.finish(err)
	}
	defer fleet.leave()
	return p.serve(func() error {
		inFleet := src == nil
		if inFleet {
			if src, err = fleet.topologies(); err != nil {
				return err
			}
		}
		if err := fleet.settings(); err != nil {
			return err
		}
		commands := newStockCommands(p.stack, &c.Gateway, src, inFleet, env.Log)
		gateway, err := p.startGateway(c.Gateway, src, commands.begin)
		if err != nil {
			return err
		}
		if err := commands.follow(); err != nil {
			return err
		}
		if err := fleet.followSettings(gateway); err != nil {
			return err
		}
		return p.join(fleet, gateway)
	})
}
