package control

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/control/controller"
	"larder/process"
)

// Run looks after the cluster until ctx ends, and then until no task runs any more. ready is closed once the agent may be asked.
func (a *Agent) Run(ctx context.Context, ready chan<- struct{}) error {
	if err := a.start(ctx); err != nil {
		return err
	}
	close(ready)
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	failed, look := 0, time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			look.Reset(a.looking(ctx, &failed))
		case <-tick.C:
			a.tell(ctx, controller.Tick{})
			a.dropAgain(ctx)
		case <-ctx.Done():
			a.stop(errAgentEnds)
			a.mu.Lock()
			a.stopped = true
			a.mu.Unlock()
			a.jobs.Wait()
			return nil
		}
	}
}

// begin begins a task that does work on a goroutine of its own, which Run waits for. It gives way to nodes in the same process: reading a snapshot back takes a
// core for seconds.
func (a *Agent) begin(kind, subject, unit string, work func(ctx context.Context, j *job) (any, error)) (Task, error) {
	a.mu.Lock()
	if a.stopped {
		a.mu.Unlock()
		return Task{}, errAgentEnds
	}
	a.jobs.Add(1)
	a.mu.Unlock()
	j, ctx, err := a.tasks.begin(a.base, kind, subject, unit)
	if err != nil {
		a.jobs.Done()
		return Task{}, err
	}
	task := j.task
	go func() {
		defer a.jobs.Done()
		process.InBackground()
		result, err := work(ctx, j)
		if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
			err = errors.Join(cause, err)
		}
		keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTime)
		defer cancel()
		if err := a.tasks.end(keep, j, result, err); err != nil {
			a.o.Log.Warn("a task's end could not be kept", "cluster", a.o.Cluster, "task", task.ID, "error", err)
		}
	}()
	return task, nil
}

// fan has n take what one gives, all at once, and waits for all. The first that fails ends the context of the others.
func fan(ctx context.Context, n int, take func(ctx context.Context, i int) error, give func(ctx context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for i := range n {
		group.Go(func() error { return take(ctx, i) })
	}
	group.Go(func() error { return give(ctx) })
	return group.Wait()
}

// each does n things, some at once, and waits for all. The first that fails ends the context of the others.
func each(ctx context.Context, n, atOnce int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}
