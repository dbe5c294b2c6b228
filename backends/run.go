package backends

import (
	"context"
	"time"
)

// bound makes the connection's calls fail once ctx ends. What it returns is called after them and says whether ctx still held.
func (a *Admin) bound(ctx context.Context) (held func() bool) {
	return context.AfterFunc(ctx, func() { _ = a.conn.SetDeadline(time.Unix(1, 0)) }) // long past
}
