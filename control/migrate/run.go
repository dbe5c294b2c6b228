package migrate

import (
	"context"
	"errors"
	"time"
)

// keepTime is how long the end of a migration may take to be kept.
const keepTime = 10 * time.Second

// Run looks after migrations until ctx ends, and then until none runs any more. ready is closed once the migrator may be asked.
func (m *Migrator) Run(ctx context.Context, ready chan<- struct{}) error {
	if err := m.load(ctx); err != nil {
		return err
	}
	close(ready)
	<-ctx.Done()
	m.mu.Lock()
	m.stopped = true
	m.mu.Unlock()
	m.stop()
	m.jobs.Wait()
	return nil
}

// launch runs a way on a goroutine of its own, which Run waits for.
func (m *Migrator) launch(r *record, way Way) {
	ctx, end := context.WithCancelCause(m.base)
	ended := make(chan struct{})
	m.mu.Lock()
	m.way, m.end, m.ended = way, end, ended
	m.jobs.Add(1)
	m.mu.Unlock()
	go func() {
		defer m.jobs.Done()
		defer end(nil)
		defer close(ended)
		err := way.Run(ctx)
		keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
		defer cancel()
		switch {
		case err != nil:
			m.over(keep, r, Failed, err.Error())
		case errors.Is(context.Cause(ctx), errAborted):
			m.over(keep, r, Aborted, "")
		}
	}()
}
