package engine

import (
	"context"
	"errors"
	"runtime"
	"syscall"

	"larder/loop"
)

// start begins the goroutine that writes a file; it ends when the pass's end is told, and stopPasses waits for it. It compresses for seconds on end, and has a
// thread of its own of low priority, which ends with it: where the loop has no processor to itself a command would wait for whole time slices of it.
func (f *fileSink) start() {
	go func() {
		runtime.LockOSThread()
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, writersNice) // of this thread; without it all is right, and slower
		f.write()
	}()
}

// writersNice is the priority of threads that write copies of the data, as nice has it.
const writersNice = 10

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
