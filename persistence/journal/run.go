package journal

import (
	"errors"
	"time"
)

// Run starts a writer of a folder that is written, whose files have the stream up to offset at. report is called by its goroutine. Whoever runs it has to
// Stop it.
func Run(f *Folder, p Policy, at int64, report func(Report)) *Writer {
	w := &Writer{folder: f, report: report, tasks: make(chan Task, TasksMax), policy: make(chan Policy, TasksMax), ended: make(chan struct{})}
	k := &work{w: w, policy: p, syncedAt: time.Now(), state: Report{Written: at, Bytes: f.Bytes()}}
	k.look(at)
	go k.run()
	return w
}

// run is the goroutine.
func (k *work) run() {
	defer close(k.w.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Stop()
		var due <-chan time.Time
		if d, ok := k.due(); ok {
			timer.Reset(d)
			due = timer.C
		}
		select {
		case t, ok := <-k.w.tasks:
			if !ok {
				k.w.err = errors.Join(k.taskErr, k.w.folder.Close())
				return
			}
			k.task(t)
		case p := <-k.w.policy:
			k.choose(p)
		case <-due:
		}
		k.timely()
	}
}
