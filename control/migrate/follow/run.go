package follow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/backends/remote"
	"larder/control/migrate"
)

const (
	lookEvery = time.Second // how often the source is asked where its primaries are and how far they have come
	againMin  = time.Second // the wait after a source that cannot be asked, doubling
	againMax  = 15 * time.Second
)

// errOtherSlots ends the stages: slots have gone from one primary of the source to another, whose streams nobody can put in order.
var errOtherSlots = errors.New("the source's primaries have other slots now")

// Run follows the source until ctx ends or somebody cut over.
func (w *Way) Run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	w.mu.Lock()
	w.end = end
	w.mu.Unlock()
	wait := againMin
	for {
		began := w.o.Now()
		err := w.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, errAgain) {
			return err
		}
		w.mu.Lock()
		w.broken = err.Error()
		w.mu.Unlock()
		w.o.Report("migration-anew", "the migration begins anew: "+err.Error())
		if w.o.Now().Sub(began) > time.Minute {
			wait = againMin
		}
		rest(ctx, wait)
		wait = min(2*wait, againMax)
	}
}

// errAgain marks what passes: the migration begins anew.
var errAgain = errors.New("")

func again(err error) error { return fmt.Errorf("%w%w", errAgain, err) }

// follow finds the primaries and follows each, until one cannot be.
func (w *Way) follow(ctx context.Context) error {
	list, err := w.o.Source.Primaries(ctx)
	if err != nil {
		return again(err)
	}
	group, within := errgroup.WithContext(ctx)
	stages, err := w.stagesOf(within, list)
	defer func() { w.drop(stages) }()
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.stages, w.running, w.broken = stages, within, ""
	w.passes++
	w.mu.Unlock()
	for _, t := range stages {
		group.Go(func() error { return t.pump(within) })
		group.Go(func() error { return t.watch(within) })
	}
	if w.o.Source.Kind != remote.Single || len(list) > 1 {
		group.Go(func() error { return w.watchPrimaries(within, stages) })
	}
	return group.Wait()
}

// drop ends the staging nodes.
func (w *Way) drop(stages []*stage) {
	w.mu.Lock()
	for _, t := range w.stages {
		w.keys += t.keys
		w.bytes += t.bytes
	}
	w.stages = nil
	w.mu.Unlock()
	for _, t := range stages {
		if err := errors.Join(t.staging.Close(), closeTunnel(t.tunnel)); err != nil {
			w.o.Log.Warn("a staging node did not end well", "primary", t.addr, "error", err)
		}
		t.to.close()
	}
}

// stagesOf starts a staging node a primary.
func (w *Way) stagesOf(ctx context.Context, list []remote.Primary) (stages []*stage, err error) {
	for i, p := range list {
		databases, err := w.databases(ctx, p.Addr)
		if err != nil {
			return stages, again(err)
		}
		staging, err := w.o.Stage(ctx, "staging"+strconv.Itoa(i), databases)
		if err != nil {
			return stages, fmt.Errorf("start a staging node: %w", err)
		}
		t := &stage{way: w, addr: p.Addr, slots: p.Slots, staging: staging, applied: -1, source: -1}
		if len(list) == 1 {
			t.slots = nil
		}
		t.to = newSender(w.o.Target, t.slots)
		stages = append(stages, t)
		if err := t.follow(ctx, p.Addr); err != nil {
			return stages, fmt.Errorf("staging node for %s: %w", p.Addr, err)
		}
	}
	return stages, nil
}

// databases is how many a staging node needs.
func (w *Way) databases(ctx context.Context, addr string) (int, error) {
	c, err := w.o.Source.Dial(ctx, addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	reply, err := c.Do("CONFIG", "GET", "databases")
	if remote.Denied(err) {
		return databasesMost, nil
	}
	if err != nil {
		return 0, err
	}
	if words := remote.Texts(reply); len(words) == 2 {
		if n, err := strconv.Atoi(words[1]); err == nil && n > 0 {
			return n, nil
		}
	}
	return databasesMost, nil
}

// databasesMost is how many databases are taken for possible where the source does not say.
const databasesMost = 256

// watchPrimaries follows the source's own failovers: the staging node of a primary follows who stands in its place.
func (w *Way) watchPrimaries(ctx context.Context, stages []*stage) error {
	for rest(ctx, lookEvery) {
		list, err := w.o.Source.Primaries(ctx)
		if err != nil {
			continue // the links say how they are
		}
		if len(list) != len(stages) {
			return again(errOtherSlots)
		}
		for i, t := range stages {
			if len(list) > 1 && !slices.Equal(list[i].Slots, t.slots) {
				return again(errOtherSlots)
			}
		}
		for i, t := range stages {
			if was := t.primary(); list[i].Addr != was {
				w.o.Report("migration-primary", "the source's primary is "+list[i].Addr+" now, and was "+was)
				if err := t.turnTo(ctx, list[i].Addr); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// rest waits, and reports whether ctx still holds.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Cutover stops the source's writes and waits until the target has all.
func (w *Way) Cutover(ctx context.Context, o migrate.CutoverOptions) (migrate.Cut, error) {
	w.mu.Lock()
	stages, running, busy, over := w.stages, w.running, w.cutting, w.over
	w.cutting = !over
	w.mu.Unlock()
	switch {
	case over:
		return migrate.Cut{}, errors.New("the migration is cut over already")
	case busy:
		return migrate.Cut{}, errors.New("a cutover is under way")
	}
	defer func() {
		w.mu.Lock()
		w.cutting = false
		w.mu.Unlock()
	}()
	if s := w.Status(); s.Phase != migrate.Following || len(stages) == 0 {
		return migrate.Cut{}, fmt.Errorf("%w: it is %s (larder migrate status); nothing was stopped", migrate.ErrBehind, s.Phase)
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(running, func() { // then no stage comes further
		end(fmt.Errorf("the source is not followed any more: %w", context.Cause(running)))
	})()
	c := &cut{way: w, stages: stages, o: o}
	return c.do(ctx)
}
