package host

import (
	"fmt"
	"time"
)

// How what ends is started again: at once if it has run for steadyAfter, else after a wait that doubles. Who has failed failedAfter times in a row is told of as
// one that cannot be run here, which takes about ten seconds; that it is tried is not given up, for the reason may go away.
const (
	steadyAfter = 10 * time.Second
	waitMin     = 200 * time.Millisecond
	waitMax     = 30 * time.Second
	failedAfter = 6
)

// restarts counts how often a node has ended too soon.
type restarts struct {
	short  int
	failed string // why it counts as one that cannot be run; empty: it does not
}

// ended says how long to wait before it is started again.
func (r *restarts) ended(lived time.Duration, why string) time.Duration {
	if lived >= steadyAfter {
		*r = restarts{}
		return 0
	}
	r.short++
	if r.short >= failedAfter {
		r.failed = fmt.Sprintf("it has ended %d times in a row soon after its start, the last time: %s", r.short, why)
	}
	return min(waitMax, waitMin<<min(r.short-1, 20))
}
