package engine

import (
	"context"
	"errors"

	"larder/loop"
)

// start begins the goroutine that writes a file; it ends when the pass's end is told, and stopPasses waits for it.
func (f *fileSink) start() { go f.write() }

// start begins the goroutine that reads a file; close ends it.
func (r *fileReader) start() { go r.readAll() }

// Run serves until ctx ends or a client says SHUTDOWN; call it once. It returns when every goroutine it started has ended.
func (n *Node) Run(ctx context.Context) error {
	defer close(n.ended)
	ctx, n.stop = context.WithCancel(ctx)
	defer n.stop()
	n.done = ctx.Done()
	err := loop.Run(ctx, n.loopOptions(), n.NewPart)
	return errors.Join(n.failed, err, n.Close())
}
