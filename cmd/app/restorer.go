package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"larder/control"
	"larder/control/crew"
	"larder/persistence"
	"larder/persistence/snapshot"
)

// restorer is a cluster's nodes, and what they can be filled from.
type restorer struct {
	*crew.Crew
	store snapshot.Store
}

// Original opens what users call from. Paths are of this machine, and whole ones: who asks may be elsewhere.
func (r *restorer) Original(ctx context.Context, from []string) (*control.Original, error) {
	if len(from) == 0 {
		return nil, fmt.Errorf("restore: %w: nothing is named: a snapshot, a folder or .rdb files", persistence.ErrInvalid)
	}
	all := &control.Original{Apart: len(from) == 1}
	var names []string
	for _, want := range from {
		if strings.Contains(want, "/") && !filepath.IsAbs(want) {
			return nil, fmt.Errorf("restore: %w: path %q must be a whole one, on the machine that the appliance runs on", persistence.ErrInvalid, want)
		}
		one, err := r.open(ctx, want)
		if err != nil {
			return nil, err
		}
		names = append(names, one.place)
		all.Files = append(all.Files, one.files...)
		all.Apart = all.Apart && one.apart
	}
	all.Name = strings.Join(names, ", ")
	return all, nil
}

func (r *restorer) open(ctx context.Context, want string) (*original, error) {
	if filepath.IsAbs(want) {
		one, err := openOriginal(ctx, want, r.store)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
		}
		return one, nil
	}
	found, err := r.store.Find(ctx, want)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return ofSnapshot(r.store, found), nil
}
