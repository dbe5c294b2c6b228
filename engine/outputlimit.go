package engine

import "larder/protocol/client"

var outputLimitParameter = client.Parameter[*session, settings]{
	Name: "client-output-buffer-limit",
	Get:  func(s *session) string { return s.p.set.outputLimits.String() },
	Set:  func(set *settings, value string) string { return set.outputLimits.Set(value) },
}

// class: a gateway's lane stands for many clients, each of whom the gateway cuts off when it is too slow; the lane itself is a client like any other.
func (s *session) class() int {
	if s.state&subscribed != 0 && !s.lane {
		return client.ClassPubSub
	}
	return client.ClassNormal
}

// limitOutput closes a client that has more unread output than its class may have; more is what is about to be added. The connection ends behind the
// present callback, so that whoever goes through sessions is not disturbed.
func (s *session) limitOutput(more int) {
	limit := &s.p.set.outputLimits[s.class()]
	if s.closing || limit.Off() {
		return
	}
	if limit.Over(int64(s.c.Unsent()+s.heldBytes()+len(s.late)+more), s.p.nowNS, &s.softSinceNS) {
		s.p.count.outputClosed++
		s.tooSlow()
		s.p.l.Later(s.c.Close)
	}
}
