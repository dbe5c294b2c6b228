package loop

import "time"

// nap decides when a loop that has done its round sleeps a moment before it looks for the next one.
//
// A loop that is faster than those around it wakes for every single packet: each sleep, each look at epoll and each write then serves one command or two.
// A moment later more of them wait, and all of it is shared: with 50 clients at depth 1 that is a fifth of a gateway's time, and the nodes behind it gain
// too, since their commands come together. Network cards do the same with their interrupts (adaptive coalescing). What it must not do is make anybody wait
// noticeably, so a nap is taken only when it is short against the time in which a connection comes back with its next bytes, which by Little's law is the
// number of busy connections over the rate of their reads; and only when bytes arrive so fast that some surely come meanwhile.
type nap struct {
	window uint32        // the number of the window of time that is counted now
	began  time.Time     // when it began
	reads  int           // in this window
	busy   int           // connections that brought bytes in this window
	usual  int           // busy, in the window before
	length time.Duration // as the window before says; 0 = none pays
}

const (
	napMin     = 20 * time.Microsecond // what is shorter the kernel's timer does not give
	napMax     = 50 * time.Microsecond
	napWindow  = 10 * time.Millisecond
	napShare   = 25 // a connection's time between two reads is at least this many naps
	napReads   = 2  // at least one read in so many naps
	napCrowded = 4  // no nap after a round with more than a quarter of the busy connections: they come together already
)

// read notes that a connection brought bytes.
func (n *nap) read(c *Conn, now time.Time) {
	n.reads++
	if c.window != n.window {
		c.window = n.window
		n.busy++
	}
	if elapsed := now.Sub(n.began); elapsed >= napWindow {
		n.judge(elapsed)
		n.began = now
	}
}

// judge ends a window.
func (n *nap) judge(elapsed time.Duration) {
	between := elapsed * time.Duration(n.busy) / time.Duration(n.reads)
	n.length = min(between/napShare, napMax)
	if n.length < napMin || elapsed > napReads*n.length*time.Duration(n.reads) {
		n.length = 0
	}
	n.usual = n.busy
	n.window++
	n.reads, n.busy = 0, 0
}

// due says whether to sleep after a round of so many callbacks.
func (n *nap) due(callbacks int) bool {
	return n.length > 0 && callbacks*napCrowded <= n.usual
}
