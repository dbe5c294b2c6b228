package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"larder/backends/registry"
	"larder/configs"
	"larder/control"
	"larder/control/config"
	leading "larder/control/fleet"
	"larder/proxy"
)

// managed keeps the gateways of this process at the settings that stand in the registry for all of a fleet. A nil one has none.
type managed struct {
	follower *config.Follower
	base     *configs.Loaded // what the process itself was told

	mu       sync.Mutex // held while the gateways are told
	now      *configs.Loaded
	gateways map[*proxy.Gateway]served
}

// served is what a gateway was started with.
type served struct {
	own   proxy.Options
	taken *configs.Loaded
}

// settings reads the registry's before the gateway serves. While the registry does not answer it waits: they say who may connect, so nobody may before they
// are known.
func (f *fleet) settings() error {
	if f == nil {
		return nil
	}
	return f.manage(f.registry, f.config.Cluster)
}

// manage has the gateways that the process starts from now on follow the registry. follow begins when they serve.
func (p *process) manage(r registry.Registry, cluster string) error {
	m := &managed{base: p.env.Loaded, gateways: map[*proxy.Gateway]served{}}
	if m.base == nil {
		m.base = configs.Of(p.config)
	}
	m.now = m.base
	metrics, err := config.NewMetrics(p.reg)
	if err != nil {
		return err
	}
	m.follower = config.NewFollower(config.FollowerOptions{
		Registry: r, Rules: configs.Managed{}, Cluster: cluster, Own: m.base.Own(), Apply: m.apply, Changed: m.changed, Metrics: metrics,
		Log: p.env.Log, Now: time.Now, Dice: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	})
	for waiting := false; ; waiting = true {
		err := m.follower.Begin(p.stack.ctx)
		switch {
		case err == nil:
			p.managed = m
			return nil
		case p.stack.ctx.Err() != nil:
			return errEnding
		case !errors.Is(err, registry.ErrUnavailable):
			return err
		case !waiting:
			p.env.Log.Warn("the registry does not answer; the gateway starts when it does", "error", err)
		}
		if sleep(p.stack.ctx, firstRetry) != nil {
			return errEnding
		}
	}
}

// follow begins to follow the settings, once in a process; id names it to others.
func (p *process) follow(id string) error {
	if p.managed == nil {
		return nil
	}
	started := make(chan struct{})
	close(started)
	return p.stack.start("settings", func(ctx context.Context) error { return p.managed.follower.Run(ctx, id) }, started)
}

// over is what a gateway is started with: its own options with what the registry says over them, and of which settings that is.
func (m *managed) over(own proxy.Options) (proxy.Options, *configs.Loaded) {
	if m == nil {
		return own, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return merged(own, m.now), m.now
}

// merged are a gateway's options with what settings say, but for what is its own.
func merged(own proxy.Options, settings *configs.Loaded) proxy.Options {
	o := settings.Config.Gateway
	o.Listen, o.Password, o.ACLFile = own.Listen, own.Password, own.ACLFile
	o.Upstream.User, o.Upstream.Password = own.Upstream.User, own.Upstream.Password
	return o
}

// join has a gateway that runs follow; what has changed since over is taken over before it returns.
func (m *managed) join(ctx context.Context, g *proxy.Gateway, own proxy.Options, taken *configs.Loaded) error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	m.gateways[g] = served{own, taken}
	var err error
	if m.now != taken {
		err = g.Change(ctx, merged(own, m.now))
	}
	m.mu.Unlock()
	m.changed()
	return err
}

// running is the gateway's Run, which lets go of it when it ends.
func (m *managed) running(g *proxy.Gateway) func(context.Context) error {
	if m == nil {
		return g.Run
	}
	return func(ctx context.Context) error {
		defer func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			delete(m.gateways, g)
		}()
		return g.Run(ctx)
	}
}

// note is which version runs here, for people; empty: nobody manages it.
func (m *managed) note() string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("; settings at version %d", m.follower.Running().Version)
}

// apply is the follower's: values over what this process has of its own, for every gateway.
func (m *managed) apply(ctx context.Context, values config.Values, version uint64) (waiting []string, err error) {
	next, err := m.base.Over(values, fmt.Sprintf("%s (version %d)", config.Key, version))
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for g, s := range m.gateways {
		if err := g.Change(ctx, merged(s.own, next)); err != nil {
			return nil, err
		}
		waiting = append(waiting, next.Waiting(s.taken)...) // one that was started later may wait for fewer
	}
	m.now = next
	slices.Sort(waiting)
	return slices.Compact(waiting), nil
}

// changed tells the gateways what INFO says. Nobody else does meanwhile, so that what they are told last is what is true.
func (m *managed) changed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, why := m.follower.Running(), ""
	if now.Refused != nil {
		why = fmt.Sprintf("version %d: %s", now.Refused.Version, now.Refused.Error)
	}
	for g := range m.gateways {
		g.Configured(now.Version, why)
	}
}

// newKeeper makes what changes the fleet's settings: the API asks it.
func (p *process) newKeeper(r registry.Registry) *config.Keeper {
	return config.NewKeeper(config.KeeperOptions{
		Registry: r, Rules: configs.Managed{}, Log: p.env.Log, Now: time.Now,
		Report: func(ctx context.Context, kind, text string) {
			p.env.Log.Info(text, "event", kind)
			if err := leading.AppendEvents(ctx, r, []control.Event{{At: time.Now(), Kind: kind, Text: text}}); err != nil {
				p.env.Log.Warn("an event could not be kept", "event", kind, "error", err)
			}
		},
	})
}

// keepSettings has a keeper tell of what is written by hand.
func (p *process) keepSettings(keeper *config.Keeper) error {
	started := make(chan struct{})
	close(started)
	return p.stack.start("keeper of the settings", func(ctx context.Context) error {
		keeper.Follow(ctx, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
		return nil
	}, started)
}
