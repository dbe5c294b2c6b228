package process

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// backgroundNice is the priority of threads in the background, as nice has it.
	backgroundNice = 10
	// backgroundSlice is how long such a thread asks to run at a time (sched_setattr(2)). The longer it asks for, the sooner it gives way: since Linux 6.12 a
	// thread that wakes up and asks for less need not wait until it has had its milliseconds. Older ones know only the priority.
	backgroundSlice = 100 * time.Millisecond
)

// InBackground gives the calling goroutine a thread of its own, which ends with it and gives way to all others: it is for who computes for seconds on end,
// where a loop without a processor to itself would wait for whole time slices of it. Where the system refuses, all is right, and slower.
func InBackground() {
	runtime.LockOSThread()
	const thisThread = 0
	now, err := unix.SchedGetAttr(thisThread, 0)
	if err != nil || now.Policy != unix.SCHED_NORMAL {
		return
	}
	nice := max(now.Nice, backgroundNice)
	asked := unix.SchedAttr{Size: unix.SizeofSchedAttr, Nice: nice, Runtime: uint64(backgroundSlice)}
	if unix.SchedSetAttr(thisThread, &asked, 0) != nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, thisThread, int(nice))
	}
}
