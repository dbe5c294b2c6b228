package stock

import (
	"context"
	"sync"
	"time"
)

// Run looks again and again until ctx ends: now and then, and when there is another topology.
func (c *Commands) Run(ctx context.Context) error {
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	defer c.hangUp()
	looked := time.Time{}
	for {
		if now := time.Now(); c.o.Topology() != c.seen || now.Sub(looked) >= lookEvery {
			c.Look(ctx)
			looked = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-turn.C:
		}
	}
}

func (c *Commands) hangUp() {
	for _, s := range c.servers {
		s.hangUp()
	}
}

// askAll asks all servers, some at a time, and waits until all have answered or their time is over.
func (c *Commands) askAll(ctx context.Context) {
	var all sync.WaitGroup
	room := make(chan struct{}, askAtOnce)
	for _, s := range c.servers {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			c.ask(ctx, s)
		})
	}
	all.Wait()
}
