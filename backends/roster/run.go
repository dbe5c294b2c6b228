package roster

import (
	"context"
	"errors"
	"sync"
	"time"

	"larder/backends"
	"larder/backends/registry"
	"larder/router"
)

// Run keeps the services as they should be until ctx ends. They stay then: the nodes go on without the host's process.
func (r *Roster) Run(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	followed := map[string]context.CancelFunc{}
	defer func() {
		for _, stop := range followed {
			stop()
		}
	}()
	registered, failing := map[string]registry.Service{}, false
	var all time.Time // when all were registered last
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.news:
		case <-timer.C:
		}
		r.follow(ctx, &group, followed)
		anew := time.Since(all) >= again
		if anew {
			all = time.Now()
		}
		err := r.register(ctx, registered, anew)
		if err != nil && !failing && ctx.Err() == nil {
			r.log.Warn("nodes cannot be registered as services; they serve on", "error", err)
		} else if err == nil && failing {
			r.log.Info("the nodes' services are registered again")
		}
		failing = err != nil
		timer.Reset(look)
	}
}

// follow begins to follow the clusters of which nodes are here, and no more those of which there are none.
func (r *Roster) follow(ctx context.Context, group *sync.WaitGroup, followed map[string]context.CancelFunc) {
	gone := map[string]bool{}
	for cluster := range followed {
		gone[cluster] = true
	}
	for _, cluster := range r.clusters(r.nodes(ctx)) {
		delete(gone, cluster)
		if followed[cluster] != nil {
			continue
		}
		inner, stop := context.WithCancel(ctx)
		followed[cluster] = stop
		source := backends.LaterTopologies(r.registry, cluster, r.log)
		group.Go(func() {
			_ = source.Watch(inner, func(t *router.Topology) { // it returns nil
				if inner.Err() == nil {
					r.told(cluster, t)
				}
			})
		})
	}
	for cluster := range gone {
		followed[cluster]()
		delete(followed, cluster)
	}
}

// register makes the services as they should be; registered are those that are so already, as far as the agent has not
// lost them: anew says that it is told all.
func (r *Roster) register(ctx context.Context, registered map[string]registry.Service, anew bool) error {
	wanted := r.wanted()
	var problems []error
	for id, s := range wanted {
		if have, ok := registered[id]; ok && !anew && same(have, s) {
			continue
		}
		if err := r.registry.Register(ctx, s); err != nil {
			problems = append(problems, err)
			continue
		}
		registered[id] = s
	}
	for id := range registered {
		if _, ok := wanted[id]; ok {
			continue
		}
		if err := r.registry.Deregister(ctx, id); err != nil {
			problems = append(problems, err)
			continue
		}
		delete(registered, id)
	}
	return errors.Join(problems...)
}
