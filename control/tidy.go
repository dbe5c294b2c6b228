package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"larder/control/controller"
	"larder/persistence"
	"larder/persistence/snapshot"
)

// What a snapshot leaves that is not finished is removed: at once, by who took it; at the next start, if that process died, for its task says which folder it had
// begun; and by age, if nobody knows whose it is: another appliance may be writing it.

const (
	lookEvery  = time.Hour      // the store is listed so often
	lookAgain  = time.Second    // or so soon, if that has failed; twice as long each time
	lookMost   = time.Minute    // but no longer
	sweepAfter = 24 * time.Hour // what nobody knows of is removed when nothing has changed for so long
	dropTime   = time.Minute

	dropAgainAfter = 5 * time.Second
)

// look lists what snapshots there are, and removes what is left of unfinished ones.
func (a *Agent) look(ctx context.Context) error {
	switch err := a.list(ctx); {
	case errors.Is(err, persistence.ErrNoBucket): // the first snapshot makes it, or says what is wrong
		a.o.Metrics.listed(nil)
		a.tell(ctx, controller.Listed{})
		return err
	case err != nil:
		return err
	}
	for _, left := range a.tasks.left() {
		whole, err := a.o.Store.Clean(ctx, left.Folder)
		if err == nil {
			err = a.tasks.settle(ctx, left.ID, whole)
		}
		if err != nil {
			return err
		}
		if !whole {
			a.again(left.Folder) // whoever wrote there may have gone a moment ago
			a.Report("snapshot-swept", "what was left of "+left.Kind+" of "+left.Subject+" in "+left.Folder+" was removed")
		}
	}
	n, err := a.o.Store.Sweep(ctx, a.o.Now().Add(-sweepAfter), a.tasks.writing())
	if n > 0 {
		a.o.Log.Info("what unfinished snapshots have left was removed", "cluster", a.o.Cluster, "things", n)
	}
	return err
}

// list tells the controller and the metrics what snapshots there are.
func (a *Agent) list(ctx context.Context) error {
	list, broken, err := a.o.Store.List(ctx)
	if err != nil {
		return err
	}
	for folder, wrong := range broken {
		a.o.Log.Warn("a snapshot cannot be read", "cluster", a.o.Cluster, "folder", folder, "error", wrong)
	}
	var known []controller.Automatic
	var ours []*snapshot.Manifest
	for _, f := range list {
		if f.Manifest.Cluster != a.o.Cluster {
			continue
		}
		ours = append(ours, f.Manifest)
		if f.Manifest.Automatic {
			known = append(known, controller.Automatic{Name: f.Manifest.Name, At: f.Manifest.Ended})
		}
	}
	a.o.Metrics.listed(ours)
	a.tell(ctx, controller.Listed{Known: known})
	return nil
}

// looking is look, and when it is due again; failed counts failures in a row.
func (a *Agent) looking(ctx context.Context, failed *int) (next time.Duration) {
	err := a.look(ctx)
	if err == nil {
		*failed = 0
		return lookEvery
	}
	next = min(lookMost, lookAgain<<min(*failed, 10))
	if *failed++; ctx.Err() == nil && !errors.Is(err, persistence.ErrNoBucket) {
		a.o.Log.Warn("the snapshots cannot be looked at now", "cluster", a.o.Cluster, "again in", next, "error", err)
	}
	return next
}

// drop removes what a task that has failed with an error has written to a folder, and says if that could not be done.
func (a *Agent) drop(ctx context.Context, j *job, store snapshot.Store, folder string, failed error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTime)
	defer cancel()
	if err := store.Discard(ctx, folder); err != nil {
		return fmt.Errorf("%w; what was written of it is still in %s/%s and is removed later: %w", failed, store.Bucket.Place(), folder, err)
	}
	a.tasks.cleared(j)
	if store.Bucket == a.o.Store.Bucket {
		a.again(folder)
	}
	return failed
}

// again has a folder that was removed be removed once more.
func (a *Agent) again(folder string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dropped = append(a.dropped, dropped{folder, a.o.Now()})
}

// dropped is a folder that was removed, and when. It is removed once more: what was under way to the store just then may have arrived behind that, as a part of
// an upload that was given up does, which is there again then.
type dropped struct {
	folder string
	at     time.Time
}

// dropAgain removes what was removed a while ago once more.
func (a *Agent) dropAgain(ctx context.Context) {
	a.mu.Lock()
	var due []dropped
	for len(a.dropped) > 0 && a.o.Now().Sub(a.dropped[0].at) >= dropAgainAfter {
		due, a.dropped = append(due, a.dropped[0]), a.dropped[1:]
	}
	a.mu.Unlock()
	for _, d := range due {
		if err := a.o.Store.Discard(ctx, d.folder); err != nil && ctx.Err() == nil {
			a.o.Log.Warn("what may have come late of a snapshot that was given up is removed later", "cluster", a.o.Cluster, "folder", d.folder, "error", err)
		}
	}
}
