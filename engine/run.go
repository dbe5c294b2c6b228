package engine

import (
	"context"
	"errors"

	"larder/loop"
)

// Run serves until ctx ends or a client says SHUTDOWN; call it once. It returns when every goroutine it started has ended.
func (n *Node) Run(ctx context.Context) error {
	defer close(n.ended)
	ctx, n.stop = context.WithCancel(ctx)
	defer n.stop()
	n.done = ctx.Done()
	err := loop.Run(ctx, n.loopOptions(), n.NewPart)
	return errors.Join(err, n.Close())
}
