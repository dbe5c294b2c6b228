package remote

import "context"

// endWith closes the connection when ctx ends, so that no call goes on waiting; the function that it returns undoes that.
func (c *Conn) endWith(ctx context.Context) (release func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.conn.Close() })
}
