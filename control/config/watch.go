package config

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"larder/backends/registry"
)

// handDelay is how long a version may be without an entry in the history before it counts as written by hand: who wrote it notes it right behind.
const handDelay = time.Second

// Follow looks at what is written until ctx ends: what was written straight into the registry comes into the history, with why if it is refused, and an event
// tells of it, once, however many keepers look.
func (k *Keeper) Follow(ctx context.Context, dice *rand.Rand) {
	had := false
	registry.Follow(ctx, k.o.Registry, registry.Follower{
		Prefix: Key,
		Told: func(entries []registry.Entry) {
			e, is := entryOf(entries)
			switch {
			case is:
				if err := k.seen(ctx, e); err != nil && ctx.Err() == nil {
					k.o.Log.Warn("a version of the settings could not be noted", "version", e.Version, "error", err)
				}
			case had:
				k.o.Report(ctx, "config-refused", "the settings of the gateways are gone from the registry ("+Key+"); the last ones are used until others are set")
			}
			had = is
		},
		Lost: func(err error) {
			if err != nil {
				k.o.Log.Warn("the settings cannot be watched", "key", Key, "error", err)
				return
			}
			k.o.Log.Info("the settings are watched again", "key", Key)
		},
		Dice: dice,
	})
}

// entryOf finds the settings among entries whose keys begin as theirs.
func entryOf(entries []registry.Entry) (registry.Entry, bool) {
	for _, e := range entries {
		if e.Key == Key {
			return e, true
		}
	}
	return registry.Entry{}, false
}

// seen notes a version that no keeper has written.
func (k *Keeper) seen(ctx context.Context, e registry.Entry) error {
	v, err := k.read(ctx, e)
	if err != nil || v.By != ByHand {
		return err
	}
	if v.Refused == "" && !sleep(ctx, handDelay) {
		return nil
	}
	err = k.remember(ctx, v)
	switch {
	case errors.Is(err, registry.ErrConflict):
		return nil // it has one meanwhile
	case err != nil:
		return err
	case v.Refused != "":
		k.o.Report(ctx, "config-refused", fmt.Sprintf("version %d of the gateways' settings, by %s, is refused, and the last good one stays: %s", v.Version, ByHand, v.Refused))
	default:
		k.o.Report(ctx, "config-changed", fmt.Sprintf("settings of the gateways are at version %d, by %s", v.Version, ByHand))
	}
	k.trim(ctx)
	return nil
}

// sleep waits; false: ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
