package engine

import "larder/protocol/resp"

// A reply that is held for too long is given up: the client is told that its command ran and that nobody knows what becomes of it. So is what stands behind it,
// when its own time is over.

// giveUpLate gives up what is held for longer than the hold time.
func (p *part) giveUpLate() {
	for _, s := range p.gate.waiting {
		if s.held != nil && !s.gone {
			s.giveUpPieces(p.nowNS-int64(p.n.opts.HoldTime), textHeld)
		}
	}
}

// giveUpHeld gives up all that is held for a session.
func (s *session) giveUpHeld(text string) {
	if s.held != nil && !s.gone {
		s.giveUpPieces(s.p.nowNS, text)
	}
}

// giveUpPieces gives up what came until a time and may not be shown. A reply that is there by half ends its connection.
func (s *session) giveUpPieces(untilNS int64, text string) {
	h, g := s.held, &s.p.gate
	var out []byte
	from, last := 0, 0
	for i := range h.pieces {
		piece := &h.pieces[i]
		if piece.atNS > untilNS {
			break
		}
		bytes := h.bytes[from : from+piece.n]
		from += piece.n
		if last = i + 1; g.passes(piece.offset, piece.wrote) {
			out = append(out, bytes...)
			continue
		}
		had := len(out)
		var whole bool
		if out, whole = s.unknown(out, bytes, text); !whole {
			s.dropHeld()
			return
		}
		piece.n, piece.offset, piece.wrote = len(out)-had, 0, false
	}
	if last > 0 {
		h.bytes = append(out, h.bytes[from:]...)
		s.c.Touch()
	}
}

// dropHeld ends the connection behind the present callback. What is held goes at once, since the gate may open before that.
func (s *session) dropHeld() {
	s.held.bytes, s.held.pieces = nil, nil
	s.c.Out = s.c.Out[:0]
	s.unshare()
	s.forsaken, s.closing = true, true
	s.p.l.Later(s.c.Close)
}

// unknown appends what stands in place of replies: an error for each. Messages are left out, but for those by which caches are told of changes: who asks anew
// waits as all do. whole: every reply has come to its end.
func (s *session) unknown(out, bytes []byte, text string) (_ []byte, whole bool) {
	if s.proto == 2 && s.state&(subscribed|monitoring) != 0 {
		return out, false // messages look like replies
	}
	var replies resp.Replies
	for len(bytes) > 0 {
		n, kind, state := replies.Next(bytes)
		switch {
		case state != resp.Done:
			return out, false
		case !kind.IsPush():
			s.p.count.unconfirmed++
			s.p.countError(text)
			out = append(append(append(out, '-'), text...), '\r', '\n')
		case isInvalidation(bytes[:n]):
			out = append(out, bytes[:n]...)
		}
		bytes = bytes[n:]
	}
	return out, true
}

// isInvalidation tells whether a push is for the client's cache.
func isInvalidation(push []byte) bool {
	elements := resp.Elements(push)
	first, _ := elements.Next()
	word, _ := resp.BulkOf(first)
	return string(word) == "invalidate"
}
