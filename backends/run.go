package backends

import (
	"context"
	"slices"
	"sync"
	"time"

	"larder/backends/registry"
	"larder/router"
)

// bound makes the connection's calls fail once ctx ends. What it returns is called after them and says whether ctx still held.
func (a *Admin) bound(ctx context.Context) (held func() bool) {
	return context.AfterFunc(ctx, func() { _ = a.conn.SetDeadline(time.Unix(1, 0)) }) // long past
}

// Watch implements router.Source. One caller at a time. A goroutine follows the endpoint, and one each cluster that counts.
func (s *Pointed) Watch(ctx context.Context, changed func(*router.Topology)) error {
	s.mu.Lock()
	s.changed = changed
	s.mu.Unlock()
	var group sync.WaitGroup
	defer group.Wait()
	wanted := make(chan []string)
	say := func(clusters []string) {
		select {
		case wanted <- clusters:
		case <-ctx.Done():
		}
	}
	group.Go(func() {
		registry.Follow(ctx, s.registry, s.followsEndpoint(func(entries []registry.Entry) { say(s.point(entries)) }))
	})
	running := map[string]context.CancelFunc{}
	for {
		select {
		case <-ctx.Done():
			for _, stop := range running {
				stop()
			}
			return nil
		case clusters := <-wanted:
			for cluster, stop := range running {
				if !slices.Contains(clusters, cluster) {
					stop()
					delete(running, cluster)
				}
			}
			for _, cluster := range clusters {
				if running[cluster] != nil {
					continue
				}
				inner, stop := context.WithCancel(ctx)
				running[cluster] = stop
				source := s.following(cluster)
				group.Go(func() {
					_ = source.Watch(inner, func(t *router.Topology) { // it returns nil
						if inner.Err() == nil {
							say(s.take(cluster, t))
						}
					})
				})
			}
		}
	}
}
