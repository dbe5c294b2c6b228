package remote

import (
	"context"
	"errors"
	"sync"
)

// endWith closes the connection when ctx ends, so that no call goes on waiting; the function that it returns undoes that.
func (c *Conn) endWith(ctx context.Context) (release func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.conn.Close() })
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
