package proxy

import "slices"

// A node serves those who wait there in the order in which their commands came. Each of these has a lane of its own, and one that has to be dialled takes
// longer than one that is there: so they are let in in the order in which a loop's clients sent them.

// letsIn says whether a lane that is greeted may take its command. If others are to come before, it is greeted on when they have.
func (u *upstream) letsIn(ln *lane) bool {
	at := slices.Index(u.arriving, ln)
	if at <= 0 {
		return true
	}
	ln.greet.waits = true
	// They have their time, and this one has it again when they are there or have failed.
	ln.deadNS = max(ln.deadNS, u.arriving[0].deadNS+int64(u.p.opts.Upstream.DialTimeout))
	return false
}

// arrived takes a lane that is ready, or lost, out of those that are to come, and lets in who waited for it.
func (u *upstream) arrived(ln *lane) {
	at := slices.Index(u.arriving, ln)
	if at < 0 {
		return
	}
	u.arriving = slices.Delete(u.arriving, at, at+1)
	if at > 0 || len(u.arriving) == 0 {
		return
	}
	if next := u.arriving[0]; next.greet.waits {
		next.greet.waits = false
		next.goOn()
	}
}
