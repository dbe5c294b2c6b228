package proxy

import (
	"context"
	"fmt"
	"strings"
)

// changeReads has every loop go by the options' rules. Writes are noted everywhere before the first read goes to a replica.
func (g *Gateway) changeReads(ctx context.Context) error {
	rules := g.opts.Load().readRules()
	g.rules.Store(rules)
	if rules.splits() && !g.high.on.Load() {
		if err := g.onEachLoop(ctx, (*part).noteForReads); err != nil {
			return err
		}
		g.high.on.Store(true)
	}
	return g.onEachLoop(ctx, (*part).takeReads)
}

// takeReads goes by the gateway's rules from here on.
func (p *part) takeReads() {
	p.rules = p.g.rules.Load()
	for i := range p.topo.Shards {
		shard := &p.topo.Shards[i]
		p.shards[i].near = p.rules.isNear(p.nodeAt(shard, p.shards[i].addr))
		if p.noting {
			for _, u := range p.replicas[i] {
				u.near = p.rules.isNear(p.nodeAt(shard, u.addr))
			}
		}
	}
	for _, s := range p.sessions {
		s.chooseReads()
	}
}

// onEachLoop runs visit on every loop, between two of its callbacks, and returns when all have, or when ctx ends.
func (g *Gateway) onEachLoop(ctx context.Context, visit func(*part)) error {
	parts := g.allParts()
	done := make(chan struct{}, len(parts))
	for _, p := range parts {
		p.l.Post(func() {
			p.enter()
			visit(p)
			done <- struct{}{}
		})
	}
	for range parts {
		select {
		case <-done:
		case <-g.ended:
			return nil // it has no clients any more
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// infoReplicas tells of a shard's replicas, as this loop knows them.
func (p *part) infoReplicas(b *strings.Builder, shard int) {
	if shard >= len(p.replicas) {
		return
	}
	for i, u := range p.replicas[shard] {
		state, behind := "unused", "unknown"
		switch {
		case u.err != "":
			state = "down"
		case u.ready() != nil:
			state = "up"
		}
		if lead := p.shards[shard]; u.era != nil && u.era == lead.era {
			behind = fmt.Sprint(max(0, lead.at-u.at))
		}
		fmt.Fprintf(b, "shard%d_replica%d:addr=%s,state=%s,reads=%d,behind_bytes=%s\r\n", shard, i, u.addr, state, u.reads, behind)
	}
}
