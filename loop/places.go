package loop

import (
	"runtime"
	"sync"
)

// places is how many goroutines may run at a time in this process: Go calls it GOMAXPROCS, and has as many as there are processors.
//
// Where the loops hold all of them, Go's monitor takes away the place of each that is in a system call for longer than 20 µs, and looks for such every 20 µs,
// which takes a tenth of a busy loop's processor; with one to spare it leaves them alone. And where there are more loops than processors, or somebody computes in
// the background beside them, a loop that has something to do would wait for a place until another has held one for 10 ms, even if that one's thread does not run
// at all. With places enough it is the system that shares the processors out, to whoever has waited longest, and by priority.
type places struct {
	mu    sync.Mutex
	cores int // that the process may use; 0: not known yet
	loops int // that run
}

// shared are the process's.
var shared places

// crowdMost is for how many loops beyond the processors there are places: seldom all have something to do, and the collector takes a quarter of all places.
const crowdMost = 2

// enter counts loops that are to run; 0: as many as there are processors. It gives their number.
func (p *places) enter(loops int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cores == 0 {
		p.cores = runtime.GOMAXPROCS(0)
	}
	if loops == 0 {
		loops = p.cores
	}
	p.count(loops)
	return loops
}

// leave takes back what enter has counted.
func (p *places) leave(loops int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(-loops)
}

// count sets the number of places. That stops the process for some microseconds, so it is not done for nothing.
func (p *places) count(loops int) {
	p.loops += loops
	wanted := p.cores + 1
	if p.loops > p.cores {
		wanted = min(p.loops, p.cores+crowdMost) + 2 // one to spare, and one for who computes in the background
	}
	if runtime.GOMAXPROCS(0) != wanted {
		runtime.GOMAXPROCS(wanted)
	}
}
