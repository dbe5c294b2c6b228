package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// endWith closes the connection when ctx ends, so that no call goes on waiting; the function that it returns undoes that.
func (c *Conn) endWith(ctx context.Context) (release func() bool) { return endWith(ctx, c.conn) }

func endWith(ctx context.Context, conn net.Conn) (release func() bool) {
	return context.AfterFunc(ctx, func() { _ = conn.Close() })
}

// unpauseAll waits until each of the servers has answered or failed.
func (a Address) unpauseAll(ctx context.Context, servers []string) error {
	failed := make([]error, len(servers))
	var asked sync.WaitGroup
	for i, addr := range servers {
		asked.Go(func() { failed[i] = a.unpause(ctx, addr) })
	}
	asked.Wait()
	return errors.Join(failed...)
}

// start has the tunnel take connections until it is closed.
func (t *Tunnel) start() {
	ctx, end := context.WithCancel(context.Background())
	t.end = end
	t.running.Go(func() {
		for {
			near, err := t.listener.Accept()
			if err != nil {
				return
			}
			t.running.Go(func() { t.carry(ctx, near) })
		}
	})
}

// copyBoth passes on what either side says until one of them ends, which ends the other.
func (t *Tunnel) copyBoth(near, far net.Conn) {
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(near, far)
		_ = near.Close()
	})
	_, _ = io.Copy(far, near)
	_ = far.Close()
	back.Wait()
}
