package app

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"larder/control"
	"larder/engine"
	"larder/persistence"
	"larder/router"
)

// Original opens what users call from. Paths are of this machine, and whole ones: who asks may be elsewhere.
func (f *devFleet) Original(ctx context.Context, from []string) (*control.Original, error) {
	if len(from) == 0 {
		return nil, fmt.Errorf("restore: %w: nothing is named: a snapshot, a folder or .rdb files", persistence.ErrInvalid)
	}
	all := &control.Original{Apart: len(from) == 1}
	var names []string
	for _, want := range from {
		if strings.Contains(want, "/") && !filepath.IsAbs(want) {
			return nil, fmt.Errorf("restore: %w: path %q must be a whole one, on the machine that the appliance runs on", persistence.ErrInvalid, want)
		}
		one, err := f.open(ctx, want)
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

func (f *devFleet) open(ctx context.Context, want string) (*original, error) {
	if filepath.IsAbs(want) {
		one, err := openOriginal(ctx, want, f.store)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
		}
		return one, nil
	}
	found, err := f.store.Find(ctx, want)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return ofSnapshot(f.store, found), nil
}

// Survey asks a shard's primary.
func (f *devFleet) Survey(ctx context.Context, shard int, of router.Selection, libraries []string) (control.Survey, error) {
	node, err := f.primary(shard)
	if err != nil {
		return control.Survey{}, err
	}
	v, err := node.Survey(ctx, of, libraries)
	return control.Survey(v), err
}

// Discard has a shard's primary remove keys.
func (f *devFleet) Discard(ctx context.Context, shard int, of router.Selection) (int64, error) {
	node, err := f.primary(shard)
	if err != nil {
		return 0, err
	}
	return node.Discard(ctx, of)
}

// Intake has a shard's primary take keys in.
func (f *devFleet) Intake(ctx context.Context, shard int, in io.Reader, functions bool) (control.Intake, error) {
	node, err := f.primary(shard)
	if err != nil {
		return control.Intake{}, err
	}
	of := &engine.Intake{In: in, Functions: functions}
	err = node.Intake(ctx, of)
	return control.Intake{Taken: of.Taken, Expired: of.Expired}, err
}
