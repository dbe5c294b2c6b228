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
	r.services[s.ID] = service{Instance: registry.Instance{Service: s}}
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
	s.Health, s.Note, s.fails = health, note, time.Now().Add(s.TTL)
	r.services[id] = s
	return nil
}

// Deregister implements registry.Services.
func (r *Registry) Deregister(ctx context.Context, id string) error {
	if err := r.enter(ctx); err != nil {
		return fmt.Errorf("deregister service %s: %w", id, err)
	}
	defer r.mu.Unlock()
	delete(r.services, id)
	return nil
}

// Instances implements registry.Services.
func (r *Registry) Instances(ctx context.Context, name string) ([]registry.Instance, error) {
	if err := r.enter(ctx); err != nil {
		return nil, fmt.Errorf("list service %s: %w", name, err)
	}
	defer r.mu.Unlock()
	now := time.Now()
	var found []registry.Instance
	for _, id := range slices.Sorted(maps.Keys(r.services)) {
		s := r.services[id]
		if s.Name != name {
			continue
		}
		if !now.Before(s.fails) {
			s.Health = registry.Failing
		}
		s.Tags = slices.Clone(s.Tags)
		found = append(found, s.Instance)
	}
	return found, nil
}
