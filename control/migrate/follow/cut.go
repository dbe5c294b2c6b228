package follow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"larder/backends/remote"
	"larder/control/migrate"
)

// cut is a cutover: all primaries of the source are paused, asked how far they are, and waited for.
type cut struct {
	way    *Way
	stages []*stage
	o      migrate.CutoverOptions
	conns  []*remote.Conn
}

func (c *cut) do(ctx context.Context) (migrate.Cut, error) {
	defer func() {
		for _, conn := range c.conns {
			conn.Close()
		}
	}()
	for _, t := range c.stages {
		conn, err := c.way.o.Source.Dial(ctx, t.primary())
		if err != nil {
			return migrate.Cut{}, fmt.Errorf("%w; nothing was stopped", err)
		}
		c.conns = append(c.conns, conn)
	}
	before := c.way.Status().Keys
	began := time.Now()
	if err := c.pause(); err != nil {
		return migrate.Cut{}, c.undo(err)
	}
	within, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, migrate.ErrBehind)
	defer cancel()
	for i, t := range c.stages {
		if err := c.wait(within, t, c.conns[i]); err != nil {
			return migrate.Cut{}, c.undo(err)
		}
	}
	took := time.Since(began)
	w := c.way
	keys := w.Status().Keys - before
	w.mu.Lock()
	w.over = true
	w.end()
	w.mu.Unlock()
	return migrate.Cut{Stopped: took, Keys: keys}, nil
}

// pause stops the writes.
func (c *cut) pause() error {
	if c.o.NoPause {
		return nil
	}
	ms := strconv.FormatInt((c.o.Timeout + c.o.Hold).Milliseconds(), 10)
	for _, conn := range c.conns {
		conn.AppendWords("CLIENT", "PAUSE", ms, "WRITE")
		if err := conn.Flush(); err != nil {
			return err
		}
	}
	for _, conn := range c.conns {
		if _, err := conn.Taken(); err != nil {
			return fmt.Errorf("%w; the source cannot be told to stop its writes (CLIENT PAUSE … WRITE, Redis 6.2): stop them yourself and say --no-pause", err)
		}
	}
	return nil
}

// undo lets the source write again.
func (c *cut) undo(why error) error {
	if c.o.NoPause {
		return why
	}
	failed := []error{why}
	for _, conn := range c.conns {
		if _, err := conn.Do("CLIENT", "UNPAUSE"); err != nil {
			failed = append(failed, fmt.Errorf("the source may stay paused for %s: %w", c.o.Timeout+c.o.Hold, err))
		}
	}
	return errors.Join(failed...)
}

// wait waits until the target has what the primary has.
func (c *cut) wait(ctx context.Context, t *stage, conn *remote.Conn) error {
	info, err := conn.Info("replication")
	if err != nil {
		return err
	}
	end, err := strconv.ParseInt(info["master_repl_offset"], 10, 64)
	if err != nil || info["role"] != "master" {
		return fmt.Errorf("server %s is no primary any more", conn.Addr)
	}
	w := c.way
	for {
		w.mu.Lock()
		id, at, changed := t.id, t.applied, w.changed
		w.mu.Unlock()
		if id == info["master_replid"] && at >= end {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			cause := context.Cause(ctx)
			if errors.Is(cause, migrate.ErrBehind) {
				cause = fmt.Errorf("%w: after %s it lacked %d bytes of %s; the source writes again, and the migration goes on", cause, c.o.Timeout, end-at, conn.Addr)
			}
			return cause
		}
	}
}

// Release lets the source write again after a cutover, before its pause is over.
func (w *Way) Release(ctx context.Context) error {
	list, err := w.o.Source.Primaries(ctx)
	if err != nil {
		return err
	}
	for _, p := range list {
		conn, err := w.o.Source.Dial(ctx, p.Addr)
		if err != nil {
			return err
		}
		_, err = conn.Do("CLIENT", "UNPAUSE")
		conn.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
