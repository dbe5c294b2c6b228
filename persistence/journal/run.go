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
	w.work = k
	go k.run()
	return w
}

// run is the goroutine.
func (k *work) run() {
	defer close(k.w.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for more := true; more; {
		timer.Stop()
		var due <-chan time.Time
		if d, ok := k.dueNow(); ok {
			timer.Reset(d)
			due = timer.C
		}
		select {
		case t, ok := <-k.w.tasks:
			more = k.turn(func() bool {
				if ok {
					k.task(t)
				} else {
					k.w.err = errors.Join(k.taskErr, k.w.folder.Close())
				}
				return ok
			})
		case p := <-k.w.policy:
			k.turn(func() bool {
				k.choose(p)
				return true
			})
		case <-due:
			k.turn(func() bool { return true })
		}
	}
}

// turn does something, and what is due behind it if there is more to come.
func (k *work) turn(do func() (more bool)) (more bool) {
	k.w.mu.Lock()
	defer k.w.mu.Unlock()
	if more = do(); more {
		k.timely()
	}
	return more
}

func (k *work) dueNow() (d time.Duration, ok bool) {
	k.w.mu.Lock()
	defer k.w.mu.Unlock()
	return k.due()
}
