package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"larder/backends/registry"
	"larder/control"
	"larder/control/controller"
	"larder/router"
)

// What is wanted of a cluster's data stands in its Spec until it is done, so that whoever leads next goes on with it: what a new one is filled with, and what is taken
// of one before it is deleted.

// wishEvery is how often it is looked what is wanted.
const wishEvery = 200 * time.Millisecond

// wanted is what is wanted of the cluster, as far as this process knows; nil: nothing is known.
func (c *minded) wanted() *controller.Spec {
	seen, ok := c.leader.View().Fleet.Cluster(c.is.name)
	if !ok {
		return nil
	}
	return &seen.Spec
}

// wishes does what is wanted of the cluster's data, until ctx ends.
func (c *minded) wishes(ctx context.Context) error {
	every := time.NewTicker(wishEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
		var err error
		switch spec := c.wanted(); {
		case spec == nil || spec.Deleted:
		case spec.Final != "":
			err = c.last(ctx, spec.Final)
		case spec.Seed != nil && spec.Seed.Failed == "":
			err = c.seed(ctx, *spec.Seed)
		case spec.Seed != nil && !c.awaited():
			err = c.rewrite(ctx, func(s *controller.Spec) { s.Seed = nil })
		}
		if err != nil && ctx.Err() == nil {
			c.env.Log.Warn("what is wanted of a cluster's data could not be done now; it is tried again", "cluster", c.is.name, "error", err)
		}
	}
}

// awaited tells whether somebody waits for the cluster to be created, who is to be told how that went.
func (c *minded) awaited() bool {
	return slices.ContainsFunc(c.leader.View().Fleet.Tasks(), func(t controller.Task) bool {
		return t.Cluster == c.is.name && t.Kind == controller.TaskCreate && t.State == controller.TaskRunning
	})
}

// seed fills a new cluster. Nobody has been told that it is there: what somebody may have written all the same is replaced, and so is what an attempt has left
// whose controller died.
func (c *minded) seed(ctx context.Context, seed controller.Seed) error {
	task, err := c.is.Agent.Restore(ctx, control.Restore{From: []string{seed.From}, Replace: true, Selected: router.Everything()})
	if errors.Is(err, control.ErrBusy) {
		return nil // what is under way ends
	}
	if err == nil {
		task, err = c.is.Agent.Task(ctx, task.ID)
	}
	if ctx.Err() != nil || err == nil && task.State == control.TaskRunning {
		return nil //nolint:nilerr // whoever leads next goes on
	}
	if err == nil && task.State != control.TaskDone {
		err = errors.New(task.Error)
	}
	return c.rewrite(ctx, func(s *controller.Spec) {
		if s.Seed = nil; err != nil {
			s.Seed = &controller.Seed{From: seed.From, Failed: err.Error()}
		}
	})
}

// last takes a cluster's last snapshot, and has it deleted then. It stays if there is none.
func (c *minded) last(ctx context.Context, name string) error {
	task, err := c.is.Agent.Create(name)
	if errors.Is(err, control.ErrBusy) {
		return nil
	}
	if err == nil {
		task, err = c.is.Agent.Task(ctx, task.ID)
	}
	if ctx.Err() != nil || err == nil && task.State == control.TaskRunning {
		return nil //nolint:nilerr // whoever leads next goes on
	}
	if err == nil && task.State != control.TaskDone {
		err = errors.New(task.Error)
	}
	if err != nil && !c.taken(ctx, name) {
		c.leader.ReportOf(c.is.name, "cluster-kept", fmt.Sprintf("cluster %s is not deleted: its last snapshot %s could not be taken: %s", c.is.name, name, err))
		return c.rewrite(ctx, func(s *controller.Spec) { s.Final = "" })
	}
	return c.rewrite(ctx, func(s *controller.Spec) { s.Final, s.Deleted = "", true })
}

// taken tells whether the last snapshot is there: the controller that took it died before it could say so. There was none of that name when it was asked for.
func (c *minded) taken(ctx context.Context, name string) bool {
	found, err := c.store.Find(ctx, name)
	return err == nil && found.Manifest.Cluster == c.is.name
}

const rewriteAttempts = 5

// rewrite changes what is wanted of the cluster.
func (c *minded) rewrite(ctx context.Context, change func(s *controller.Spec)) error {
	key := controller.SpecKey(c.is.name)
	for range rewriteAttempts {
		e, err := c.term.Store.Get(ctx, key)
		if err != nil {
			return err
		}
		var spec controller.Spec
		if err := json.Unmarshal(e.Value, &spec); err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
		change(&spec)
		text, err := json.Marshal(&spec)
		if err != nil {
			return err
		}
		version, err := c.term.Store.CompareAndSet(ctx, key, text, e.Version)
		if errors.Is(err, registry.ErrConflict) {
			continue
		}
		for err == nil && !c.leader.View().Fleet.Seen(key, version) && sleep(ctx, wishEvery/10) == nil { // or the same would be done once more
		}
		return err
	}
	return fmt.Errorf("write %s: %w", key, registry.ErrConflict)
}
