package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"larder/backends"
	"larder/backends/registry"
	leading "larder/control/fleet"
	"larder/persistence"
	"larder/persistence/snapshot"
)

// newMinder makes what looks after the data of the fleet's clusters; the function closes its object store.
func (f *fleet) newMinder(leader *leading.Leader) (m *minder, closeStore func() error, err error) {
	up := f.config.Gateway.Upstream
	m = &minder{
		process: f.process, leader: leader, auth: backends.Auth{User: up.User, Password: up.Password}, endpoint: f.gatewayOf,
		stages: func(name string) (string, error) { return os.MkdirTemp("", "larder-"+name+"-") },
	}
	place := f.config.Snapshots.Store
	if place == "" {
		m.store = snapshot.Store{Bucket: persistence.Absent("say where this fleet's snapshots go, to all its controllers (snapshots.store, --snapshots)")}
		if f.config.Snapshots.Retain > 0 {
			return nil, nil, errors.New("automatic snapshots are wanted (snapshots.retain), and there is no object store for them: must be given with --snapshots PLACE (snapshots.store)")
		}
		return m, m.store.Bucket.Close, nil
	}
	m.settings = storeSettings(f.config.Snapshots, place)
	if m.store, err = f.storeAt(place); err != nil {
		return nil, nil, err
	}
	return m, m.store.Bucket.Close, f.judgeStore(place, m.store)
}

// storeWithin is how long the object store may take to answer at the start.
const storeWithin = 10 * time.Second

// judgeStore says what is wrong with the store before somebody needs it. Only what no time mends keeps the controller from starting: without a store it leads as well.
func (f *fleet) judgeStore(place string, store snapshot.Store) error {
	if where, err := persistence.ParsePlace(place); err == nil && where.Scheme == persistence.SchemeFile {
		f.env.Log.Warn("snapshots go to a folder: it must be the same one for all hosts and controllers of the fleet, at this path, on a disk that they share; a node that does not see it refuses", "folder", store.Bucket.Place())
	}
	ctx, cancel := context.WithTimeout(f.stack.ctx, storeWithin)
	defer cancel()
	switch err := store.Bucket.Check(ctx); {
	case err == nil || f.stack.ctx.Err() != nil:
		return nil
	case errors.Is(err, persistence.ErrInvalid), errors.Is(err, persistence.ErrKey):
		return errors.Join(fmt.Errorf("snapshots: %w (snapshots.store)", err), store.Bucket.Close())
	default:
		f.env.Log.Error("the object store cannot be used now: no snapshot is taken until it can", "store", store.Bucket.Place(), "error", err)
	}
	return nil
}

// gatewayOf is a gateway of a cluster, as the registry tells of them.
func (f *fleet) gatewayOf(ctx context.Context, cluster string) (string, error) {
	all, err := f.registry.Instances(ctx, "cache-"+cluster+"-gateway")
	if err != nil {
		return "", err
	}
	for _, one := range all {
		if one.Health == registry.Passing {
			return one.Addr, nil
		}
	}
	return "", fmt.Errorf("cluster %s has no gateway that serves (larder gateway --cluster %s), and a migration by scan writes through one", cluster, cluster)
}
