package proxy

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"larder/protocol/client"
)

// Halt holds all clients' commands back, for most at most, and returns when none is under way at the nodes any more, but for those that wait there. Release ends
// it. Any goroutine but a loop's. Errors: the context's end, or commands that stay unanswered; then nothing is held any more.
func (g *Gateway) Halt(ctx context.Context, most time.Duration) error {
	pause := &client.Pause{UntilMS: g.nowMS(time.Now()) + most.Milliseconds(), All: true}
	g.pause.Store(pause)
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		busy, err := g.underWay(ctx)
		if err == nil && busy == 0 {
			return nil
		}
		if err == nil && !pause.Active(g.nowMS(time.Now())) {
			err = fmt.Errorf("%d commands are still unanswered", busy)
		}
		if err != nil {
			g.Release()
			return fmt.Errorf("hold commands back: %w", err)
		}
		select {
		case <-ctx.Done():
		case <-again.C:
		}
	}
}

// underWay is how many commands nodes are to answer.
func (g *Gateway) underWay(ctx context.Context) (int64, error) {
	parts := g.allParts()
	var busy atomic.Int64
	heard := make(chan struct{}, len(parts))
	for _, p := range parts {
		p.l.Post(func() {
			busy.Add(p.underWay())
			heard <- struct{}{}
		})
	}
	for range parts {
		select {
		case <-heard:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return busy.Load(), nil
}

// underWay counts a large command from the moment it has a lane: its ticket comes when all of it is out.
func (p *part) underWay() (n int64) {
	for _, u := range p.upstreams {
		n += int64(u.streams)
		for _, ln := range u.lanes {
			if ln.lentTo != nil && ln.use == useStream {
				continue
			}
			for i := ln.queue.head; i != ln.queue.tail; i++ {
				if t := ln.queue.at(i); t.s != nil && t.kind&kindBlocks == 0 {
					n++
				}
			}
		}
	}
	return n + int64(len(p.retries))
}

// Release lets commands go on that Halt has held back.
func (g *Gateway) Release() {
	g.pause.Store(nil)
	for _, p := range g.allParts() {
		p.l.Post(func() {
			p.enter()
			p.endPause()
		})
	}
}
