package embedded

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"larder/backends/registry"
)

// Register implements registry.Services.
func (r *Registry) Register(ctx context.Context, s registry.Service) error {
	if err := registry.CheckService(s); err != nil {
		return err
	}
	if err := r.enter(ctx); err != nil {
		return fmt.Errorf("register service %s: %w", s.ID, err)
	}
	defer r.mu.Unlock()
	s.Tags = slices.Clone(s.Tags)
	next := service{Instance: registry.Instance{Service: s}}
	if s.TTL == 0 {
		next.Health = registry.Passing // nobody looks
	}
	r.services[s.ID] = next
	r.heardOfServices()
	return nil
}

// Report implements registry.Services.
func (r *Registry) Report(ctx context.Context, id string, health registry.Health, note string) error {
	if err := r.enter(ctx); err != nil {
		return fmt.Errorf("report on service %s: %w", id, err)
	}
	defer r.mu.Unlock()
	s, ok := r.services[id]
	if !ok {
		return fmt.Errorf("report on service %s: %w", id, registry.ErrNotFound)
	}
	news := s.Health != health || s.Note != note
	s.Health, s.Note, s.fails = health, note, time.Now().Add(s.TTL)
	r.services[id] = s
	if news {
		r.heardOfServices()
	}
	return nil
}

// Deregister implements registry.Services.
func (r *Registry) Deregister(ctx context.Context, id string) error {
	if err := r.enter(ctx); err != nil {
		return fmt.Errorf("deregister service %s: %w", id, err)
	}
	defer r.mu.Unlock()
	delete(r.services, id)
	r.heardOfServices()
	return nil
}

// heardOfServices wakes who watches them. The lock is held.
func (r *Registry) heardOfServices() {
	r.servicesIndex++
	close(r.servicesChanged)
	r.servicesChanged = make(chan struct{})
}

// Instances implements registry.Services.
func (r *Registry) Instances(ctx context.Context, name string) ([]registry.Instance, error) {
	if err := r.enter(ctx); err != nil {
		return nil, fmt.Errorf("list service %s: %w", name, err)
	}
	defer r.mu.Unlock()
	found, _ := r.named(name)
	return found, nil
}

// named are the services of a name, and when the next of them fails if nothing is said of it. The lock is held.
func (r *Registry) named(name string) (found []registry.Instance, ends time.Time) {
	now, silent := time.Now(), false
	for _, id := range slices.Sorted(maps.Keys(r.services)) {
		s := r.services[id]
		switch {
		case s.Name != name:
			continue
		case s.TTL == 0 || s.Health == registry.Failing:
		case !now.Before(s.fails):
			s.Health, silent = registry.Failing, true
			r.services[id] = s
		case ends.IsZero() || s.fails.Before(ends):
			ends = s.fails
		}
		s.Tags = slices.Clone(s.Tags)
		found = append(found, s.Instance)
	}
	if silent {
		r.heardOfServices()
	}
	return found, ends
}

// WatchInstances implements registry.Services. As Watch does, it lets any change count between two calls, and while it waits those of that name.
func (r *Registry) WatchInstances(ctx context.Context, name string, after uint64) ([]registry.Instance, uint64, error) {
	var before []registry.Instance
	for first := true; ; first = false {
		if err := r.enter(ctx); err != nil {
			return nil, 0, fmt.Errorf("watch service %s: %w", name, err)
		}
		now, ends := r.named(name)
		index, changed := r.servicesIndex+1, r.servicesChanged
		r.mu.Unlock()
		if first {
			before = now
		}
		if first && index != after || !first && !slices.EqualFunc(before, now, sameInstance) {
			return now, index, nil
		}
		wait(ctx, changed, ends)
	}
}

func sameInstance(a, b registry.Instance) bool {
	return a.ID == b.ID && a.Addr == b.Addr && a.Health == b.Health && a.Note == b.Note && slices.Equal(a.Tags, b.Tags)
}
