package proxy

import "time"

// rates are what INFO tells of the last second or so: how much a second.
type rates struct {
	commands, in, out         uint64  // counted up to atNS
	atNS                      int64   // when the last second ended
	perS, inKBPerS, outKBPerS float64 // of that second
}

// take ends a second.
func (r *rates) take(p *part) {
	commands, _ := p.count.commands.Total()
	const kb = 1024
	if seconds := float64(p.nowNS-r.atNS) / float64(time.Second); seconds > 0 {
		r.perS = float64(commands-r.commands) / seconds
		r.inKBPerS = float64(p.count.bytesIn-r.in) / kb / seconds
		r.outKBPerS = float64(p.count.bytesOut-r.out) / kb / seconds
	}
	r.commands, r.in, r.out, r.atNS = commands, p.count.bytesIn, p.count.bytesOut, p.nowNS
}

// add is for the sum of several loops.
func (r *rates) add(o *rates) {
	r.perS += o.perS
	r.inKBPerS += o.inKBPerS
	r.outKBPerS += o.outKBPerS
}
