package proxy

import "larder/protocol/resp"

// A message to subscribers may show a write too: a script publishes what it wrote, an event of the keyspace says that something was written. So it is held like
// a reply. Behind it, all that the node says on the connection is kept in its order: a subscriber's PING is answered behind what was published before it. A
// message that is not released in time is lost, as those are that a node publishes while it is out of reach.

// earHeldMax is how much of one ear is held, bytes; beyond it the oldest messages are lost.
const earHeldMax = 64 << 20

// keeps says whether what has come is held.
func (e *ear) keeps(reply []byte, push bool) bool {
	ln := e.ln
	h := ln.held
	waits := h != nil && h.len() > 0
	if !waits && (ln.past.safe(false) >= ln.stamp.executed || !push || !e.isMessage(reply)) {
		return false
	}
	ln.keep(ofReads, heldReply{reply: reply, push: push})
	for h := ln.held; h.bytes > earHeldMax; {
		h.fail(ofReads, h.queue[ofReads].pop(), lateAtNode)
	}
	return true
}

// isMessage says whether a push is something that was published.
func (e *ear) isMessage(push []byte) bool {
	it := resp.Elements(push)
	first, _ := it.Next()
	word, _ := resp.BulkOf(first)
	for kind := range topicKinds {
		if string(word) == messageWords[kind] {
			return true
		}
	}
	return false
}

// letGo takes what was held. Once the connection is lost only messages count.
func (e *ear) letGo(reply []byte, push bool) {
	if e.ln.state != laneClosed {
		e.take(reply, push)
	} else if push && e.isMessage(reply) {
		e.u.p.heard(e, reply)
	}
}
