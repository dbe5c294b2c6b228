package proxy

// interject writes a message that is no reply where it is: between two replies, never inside one that goes to the client in pieces.
func (s *session) interject(text []byte) {
	if s.gone {
		return
	}
	if s.partial {
		s.aside = append(s.aside, text...)
		s.held += len(text)
	} else {
		s.c.Out = append(s.c.Out, text...)
		s.c.Touch()
	}
	s.limit()
}

// endAside writes what had to wait for the end of a reply.
func (s *session) endAside() {
	if len(s.aside) > 0 && !s.gone {
		s.c.Out = append(s.c.Out, s.aside...)
		s.held -= len(s.aside)
		s.aside = nil
	}
}
