package proxy

import (
	"context"
	"fmt"
	"strings"

	"larder/access"
	"larder/access/acl"
	"larder/metrics/slow"
	"larder/protocol/client"
)

// What of Options may change while the gateway runs, and how: Change is told new Options from any goroutine, stores them, and has each loop take them
// over between two of its callbacks, so that a command sees the one or the other. No connection ends by it but those that a new access list no longer lets in.

// settings are those of the options that CONFIG SET can change too.
func (o *Options) settings() *settings {
	s := &settings{
		password: o.Password, idle: o.IdleTimeout, bulkMax: o.BulkMaxBytes, refusalsMax: acl.MostDefault, trackedMax: o.TrackedMax,
		watching: slow.Defaults(), outputLimits: client.DefaultOutputLimits(),
	}
	s.watching.SlowUS, s.watching.SlowMax, s.watching.LatencyMS = int64(o.SlowUS), int64(o.SlowMax), int64(o.LatencyMS)
	_ = s.outputLimits.Set(o.OutputLimits) // Validate has seen it
	return s
}

// changed are the options with what may change taken from next.
func (o *Options) changed(next *Options) *Options {
	all := *next
	all.Listen, all.Loops, all.Password, all.ACLFile, all.Databases = o.Listen, o.Loops, o.Password, o.ACLFile, o.Databases
	all.Upstream.User, all.Upstream.Password = o.Upstream.User, o.Upstream.Password
	return &all
}

// follow sets what is another in the options than it was before. What a client has changed by CONFIG SET stays unless its option changes too.
func (s *settings) follow(was, now *Options) {
	another(&s.idle, was.IdleTimeout, now.IdleTimeout)
	another(&s.bulkMax, was.BulkMaxBytes, now.BulkMaxBytes)
	another(&s.trackedMax, was.TrackedMax, now.TrackedMax)
	another(&s.watching.SlowUS, int64(was.SlowUS), int64(now.SlowUS))
	another(&s.watching.SlowMax, int64(was.SlowMax), int64(now.SlowMax))
	another(&s.watching.LatencyMS, int64(was.LatencyMS), int64(now.LatencyMS))
	if now.OutputLimits != was.OutputLimits {
		s.outputLimits = client.DefaultOutputLimits()
		_ = s.outputLimits.Set(now.OutputLimits)
	}
}

func another[T comparable](setting *T, was, now T) {
	if now != was {
		*setting = now
	}
}

// Change takes over what of the options may change while the gateway runs; it keeps the address, the loops, the databases, the passwords and the users. It
// returns when all loops have taken it, or when ctx ends; then they still will. Any goroutine, one at a time. An error of the options changes nothing.
func (g *Gateway) Change(ctx context.Context, o Options) error {
	if err := o.Validate(); err != nil {
		return fmt.Errorf("gateway options: %w", err)
	}
	list, err := access.ParseList(o.Access)
	if err != nil {
		return fmt.Errorf("gateway access list: %w", err)
	}
	was := g.opts.Load()
	now := was.changed(&o)
	g.editSettings(func(s *settings) { s.follow(was, now) })
	g.opts.Store(now)
	g.access.Store(list)
	g.scripts.limit(now.ScriptMaxBytes)
	err = g.onEachLoop(ctx, func(p *part) {
		p.opts = g.opts.Load()
		p.l.LimitClients(p.opts.ClientsMax)
		p.take()
		p.expel()
	})
	if err != nil {
		return err
	}
	return g.changeReads(ctx)
}

// editSettings changes the settings; edit may run again where somebody else changes them meanwhile. It gives what they were and what they are.
func (g *Gateway) editSettings(edit func(*settings)) (was, now *settings) {
	for {
		was = g.settings.Load()
		next := *was
		edit(&next)
		if g.settings.CompareAndSwap(was, &next) {
			return was, &next
		}
	}
}

// take has the gateway's settings take effect on this loop, with what its options say of requests.
func (p *part) take() {
	next := p.g.settings.Load()
	p.usersChanged(nil, nil)
	p.refusals.Limit(next.refusalsMax)
	p.watchTimes(&next.watching)
	p.again.SetLimits(p.g.limits(true))
	for _, s := range p.sessions {
		if p.slowNS != 0 {
			s.toTell = nil
		}
		s.requests.SetLimits(p.g.limits(s.authed))
	}
}

// expel closes the clients that the access list no longer lets in.
func (p *part) expel() {
	list := p.g.access.Load()
	for _, s := range p.sessions {
		if !list.Allows(s.c.Peer().Addr()) {
			p.count.expelled++
			p.warnf("client closed: no access list names its address any more", s.c)
			s.c.Close()
		}
	}
}

// configured is which settings of a fleet run here, for INFO.
type configured struct {
	version uint64
	refused string // why what is newer is not taken; empty: nothing is
}

// Configured notes which version of the fleet's settings runs here, and why a newer one does not. Any goroutine.
func (g *Gateway) Configured(version uint64, refused string) {
	g.config.Store(&configured{version, refused})
}

func (g *Gateway) writeConfigured(b *strings.Builder) {
	if c := g.config.Load(); c != nil {
		fmt.Fprintf(b, "config_version:%d\r\nconfig_refused:%s\r\n", c.version, strings.Join(strings.Fields(c.refused), " "))
	}
}
