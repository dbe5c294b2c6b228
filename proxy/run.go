package proxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/backends"
	"larder/loop"
	"larder/router"
)

// Run serves until ctx ends. It returns when every goroutine it started has ended.
func (g *Gateway) Run(ctx context.Context) error {
	defer close(g.ended)
	group, ctx := errgroup.WithContext(ctx)
	g.aside = func(work func()) {
		group.Go(func() error {
			work()
			return nil
		})
	}
	group.Go(func() error { return loop.Run(ctx, g.loopOptions(), g.NewPart) })
	group.Go(func() error { return g.src.Watch(ctx, g.told) })
	return group.Wait()
}

// probeTimeout is how long a node may take to answer the health check.
const probeTimeout = time.Second

// probe asks every shard's primary for a PING, all at once. One that answers is enough: a load balancer that takes the gateways away because one shard is
// down would take the others' keys away too.
func (g *Gateway) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	shards := g.topo.Load().Shards
	errs := make([]error, len(shards))
	var group errgroup.Group
	for i, shard := range shards {
		group.Go(func() error {
			if err := g.ping(ctx, shard.Primary); err != nil {
				errs[i] = fmt.Errorf("shard %d: %w", i, err)
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	if slices.Contains(errs, nil) {
		return nil
	}
	return errors.Join(errs...)
}

func (g *Gateway) ping(ctx context.Context, node router.Node) error {
	up := &g.opts.Load().Upstream
	admin, err := backends.Dial(ctx, node.Addr, backends.Auth{User: up.User, Password: up.Password})
	if err != nil {
		return err
	}
	defer admin.Close()
	_, err = admin.Do(ctx, "PING")
	if refused := (*backends.Refused)(nil); errors.As(err, &refused) && strings.HasPrefix(refused.Text, "MISCONF ") {
		return nil // it cannot save, and serves reads
	}
	return err
}
