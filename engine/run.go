package engine

import (
	"context"
	"errors"

	"larder/loop"
	"larder/process"
)

// start begins the goroutine that writes a file; it ends when the pass's end is told, and stopPasses waits for it. It compresses for seconds on end, and has a
// thread of its own that gives way to the loop's.
func (f *fileSink) start() {
	go func() {
		process.InBackground()
		f.write()
	}()
}

// start begins the goroutine that reads a file; close ends it.
func (r *fileReader) start() { go r.readAll() }

// Run serves until ctx ends or a client says SHUTDOWN; call it once. It returns when every goroutine it started has ended.
func (n *Node) Run(ctx context.Context) error {
	ctx, n.stop = context.WithCancel(ctx)
	defer n.stop()
	n.done, n.working = ctx.Done(), ctx
	err := loop.Run(ctx, n.loopOptions(), n.NewPart)
	n.stop()
	err = errors.Join(n.failed, err, n.Close())
	close(n.ended)
	n.jobs.Wait()
	return err
}

// hire does what a connection has asked for, beside the loop; Run waits for it.
func (n *Node) hire(f func()) {
	n.jobs.Go(func() {
		process.InBackground()
		f()
	})
}
