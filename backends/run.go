package backends

import (
	"context"
	"sync"
	"time"

	"larder/backends/registry"
	"larder/router"
)

// bound makes the connection's calls fail once ctx ends. What it returns is called after them and says whether ctx still held.
func (a *Admin) bound(ctx context.Context) (held func() bool) {
	return context.AfterFunc(ctx, func() { _ = a.conn.SetDeadline(time.Unix(1, 0)) }) // long past
}

// Watch implements router.Source. One caller at a time. A goroutine follows each cluster that counts.
func (s *Pointed) Watch(ctx context.Context, changed func(*router.Topology)) error {
	var group sync.WaitGroup
	defer group.Wait()
	s.mu.Lock()
	s.changed, s.running = changed, map[string]context.CancelFunc{}
	s.start = func(cluster string) context.CancelFunc {
		inner, stop := context.WithCancel(ctx)
		source := s.following(cluster)
		group.Go(func() {
			_ = source.Watch(inner, func(t *router.Topology) { s.take(inner, cluster, t) }) // it returns nil
		})
		return stop
	}
	s.mu.Unlock()
	registry.Follow(ctx, s.registry, s.followsEndpoint(s.point))
	return nil
}
