package mirror

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	tickEvery  = 50 * time.Millisecond
	visitEvery = time.Second
)

// Run mirrors until ctx ends. It returns when all that it started has ended.
func (m *Mirror) Run(ctx context.Context) error {
	first := map[int]Side{}
	m.visit(ctx, first)
	if source, shadow := m.sides[ofSource].Load(), m.sides[ofShadow].Load(); source != nil && shadow != nil && source.empty() && shadow.empty() {
		m.known.all = true // two that are empty have the same
	}
	close(m.ready)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		m.mirror(ctx)
		return nil
	})
	group.Go(func() error {
		every := time.NewTicker(visitEvery)
		defer every.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-every.C:
				m.visit(ctx, first)
			}
		}
	})
	return group.Wait()
}

func (m *Mirror) mirror(ctx context.Context) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			m.closeLinks()
			return
		case b := <-m.queue:
			m.obey(ctx, b)
		case <-tick.C:
			m.tick(ctx)
		}
	}
}
