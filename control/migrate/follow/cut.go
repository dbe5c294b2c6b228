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
		return migrate.Cut{}, c.undo(ctx, err)
	}
	within, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, migrate.ErrBehind)
	defer cancel()
	for i, t := range c.stages {
		if err := c.wait(within, t, c.conns[i]); err != nil {
			return migrate.Cut{}, c.undo(ctx, err)
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

// undoTime is how long it may take to let the source write again.
const undoTime = 10 * time.Second

// undo lets the source write again, on connections of its own: those at hand have ended if ctx has.
func (c *cut) undo(ctx context.Context, why error) error {
	if c.o.NoPause {
		return why
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	servers := make([]string, len(c.conns))
	for i, conn := range c.conns {
		servers[i] = conn.Addr
	}
	if err := c.way.o.Source.Unpause(ctx, servers...); err != nil {
		return errors.Join(why, fmt.Errorf("the source may stay paused for %s: %w", c.o.Timeout+c.o.Hold, err))
	}
	return why
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
func (w *Way) Release(ctx context.Context) error { return w.o.Source.Unpause(ctx) }
