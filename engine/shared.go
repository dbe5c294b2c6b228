package engine

import "larder/engine/store"

// sharedPiece is how much of a large reply is handed to the kernel at once, bytes.
const sharedPiece = 256 << 10

// share takes over a large value that is the rest of the present reply; its length line is in the output. It leaves in pieces, the next when little is
// left unsent, so that the value is never copied as a whole. Until it is out no command of the session runs.
func (s *session) share(value store.Pin) {
	if s.hushed {
		value.Unpin()
		return
	}
	s.pin, s.shared = value, value.Bytes()
	s.stall(stallOutput)
}

// sendShared sends more of a large reply.
func (s *session) sendShared() {
	c := s.c
	if !s.mayLeave() {
		return
	}
	if s.waitsAtGate() {
		s.awaitGate()
		return
	}
	if s.stamps != nil {
		s.stampOutput()
	}
	for len(s.shared) > 0 && c.Unsent() < outputHigh {
		piece := s.shared[:min(sharedPiece, len(s.shared))]
		s.p.count.bytesOut += uint64(len(c.Out) + len(piece))
		if c.Write(piece) != nil {
			return
		}
		s.shared = s.shared[len(piece):]
	}
	if len(s.shared) == 0 {
		s.unshare()
		c.Out = append(c.Out, '\r', '\n')
		if s.stamps != nil {
			s.stamps.from = len(c.Out)
		}
		c.Out = append(c.Out, s.late...)
		s.late = nil
		c.Touch()
	}
	c.WhenDrained(outputLow)
}

// unshare lets the value go.
func (s *session) unshare() {
	if s.shared != nil {
		s.shared = nil
		s.pin.Unpin()
	}
}
