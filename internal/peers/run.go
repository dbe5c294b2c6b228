package peers

import (
	"context"
	"runtime"
)

// launch starts the program from a thread that stays until stop: Linux ends such a child with the thread that started it, not only with its process, and a
// program under test has threads that end (process.InBackground).
func (p *process) launch() error {
	var over context.Context
	over, p.over = context.WithCancel(context.Background())
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		err := p.cmd.Start()
		started <- err
		if err == nil {
			<-over.Done()
		}
	}()
	return <-started
}
