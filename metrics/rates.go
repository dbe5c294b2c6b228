package metrics

import "time"

// Rates are what INFO tells of the last second or so: how much a second.
type Rates struct {
	commands, in, out         uint64 // counted up to atNS
	atNS                      int64  // when the last second ended
	PerS, InKBPerS, OutKBPerS float64
}

// Take ends a second. What is counted, commands and bytes in and out, only grows; nowNS is on a clock that only grows, too.
func (r *Rates) Take(commands, in, out uint64, nowNS int64) {
	const kb = 1024
	if seconds := float64(nowNS-r.atNS) / float64(time.Second); seconds > 0 {
		r.PerS = float64(commands-r.commands) / seconds
		r.InKBPerS = float64(in-r.in) / kb / seconds
		r.OutKBPerS = float64(out-r.out) / kb / seconds
	}
	r.commands, r.in, r.out, r.atNS = commands, in, out, nowNS
}

// Add is for the sum of several loops.
func (r *Rates) Add(o *Rates) {
	r.PerS += o.PerS
	r.InKBPerS += o.InKBPerS
	r.OutKBPerS += o.OutKBPerS
}
