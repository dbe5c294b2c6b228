package proxy

import (
	"bytes"

	"larder/loop"
	"larder/protocol/resp"
)

// message is one that a node told of. It goes to many: what is kept of it until a client has read it is kept once for each version of the protocol.
type message struct {
	raw   []byte // as it came; dead when the callback ends
	proto int    // in which it came
	kept  [2][]byte
}

// begin is the first byte of a message, which is all in which the versions differ.
func begin(proto int) byte {
	if proto == 3 {
		return byte(resp.KindPush)
	}
	return byte(resp.KindArray)
}

// keep is a copy that lives as long as anybody has it.
func (m *message) keep(proto int) []byte {
	form := &m.kept[proto-2]
	if *form == nil {
		*form = bytes.Clone(m.raw)
		(*form)[0] = begin(proto)
	}
	return *form
}

// heard passes a message on to those who are subscribed. It says false of what is neither a message nor an answer to a subscription.
func (p *part) heard(reply []byte, proto int) bool {
	it := resp.Elements(reply)
	first, _ := it.Next()
	word, ok := resp.BulkOf(first)
	if !ok {
		return false
	}
	for kind := range topicKinds {
		switch string(word) {
		case messageWords[kind]:
			second, _ := it.Next()
			name, _ := resp.BulkOf(second)
			p.count.messages++
			if t := p.hearing.topics[kind][string(name)]; t != nil {
				t.deliver(message{raw: reply, proto: proto}, p.waits(len(t.who)))
			}
			return true
		case subscribeWords[kind], unsubscribeWords[kind]:
			return true
		}
	}
	return false
}

// deliver gives a message to all members. None of them can end meanwhile: output is written when the turn ends.
func (t *topic) deliver(m message, waits bool) {
	for _, mb := range t.who {
		if mb.hears {
			mb.s.post(&m, waits)
		}
	}
}

// mail are messages on their way to one client. Small ones go to its output at once; larger ones stay where all who get them share them, and are handed
// to the kernel from there. None stands within a reply that is passed on in pieces.
type mail struct {
	waiting [][]byte
	bytes   int    // of what waits
	sent    int    // how much of the first one is out
	after   []byte // output that came while the first one is half out: it follows it
	reply   bool   // a reply is half out
	gathers bool   // the session is one of the crowd
}

// copiedMax is the size up to which a message is copied to each client's output, where many leave in one write, bytes.
const copiedMax = 1 << 10

// post sends a message to a client; it leaves at the end of the turn, or with what follows it if it waits.
func (s *session) post(m *message, waits bool) {
	if s.closing || s.gone {
		return
	}
	s.p.count.delivered++
	b := &s.ears.mail
	if len(m.raw) <= copiedMax && len(b.waiting) == 0 && !b.reply {
		at := len(s.c.Out)
		s.c.Out = append(s.c.Out, m.raw...)
		s.c.Out[at] = begin(s.proto)
		s.p.hearing.crowd.owed += len(m.raw)
	} else {
		b.waiting = append(b.waiting, m.keep(s.proto))
		b.bytes += len(m.raw)
	}
	switch {
	case !waits:
		s.c.Touch()
	case !b.gathers:
		b.gathers = true
		s.p.hearing.crowd.who = append(s.p.hearing.crowd.who, s)
	}
}

// settleMail lets what waits go before what the session is told next. It is copied, unless it is large.
func (s *session) settleMail() {
	b := &s.ears.mail
	if len(b.waiting) == 0 || b.sent > 0 || b.reply || b.bytes > outputHigh {
		return
	}
	for _, text := range b.waiting {
		s.c.Out = append(s.c.Out, text...)
	}
	clear(b.waiting)
	b.waiting, b.bytes = b.waiting[:0], 0
}

// sendMail hands more of what waits to the kernel.
func (s *session) sendMail(c *loop.Conn) {
	b := &s.ears.mail
	for len(b.waiting) > 0 {
		if b.sent > 0 && len(c.Out) > 0 {
			b.after = append(b.after, c.Out...)
			b.bytes += len(c.Out)
			c.Out = c.Out[:0]
		}
		if b.reply && b.sent == 0 {
			return // it ends first
		}
		if c.Unsent() >= outputHigh {
			c.WhenDrained(outputLow)
			return
		}
		text := b.waiting[0]
		piece := text[b.sent:min(len(text), b.sent+lanePiece)]
		b.sent += len(piece)
		b.bytes -= len(piece)
		s.p.count.bytesOut += uint64(len(piece))
		if c.Write(piece) != nil {
			return
		}
		if b.sent < len(text) {
			continue
		}
		b.sent, b.waiting[0] = 0, nil
		if b.waiting = b.waiting[1:]; len(b.waiting) == 0 {
			b.waiting = nil
		}
		if len(b.after) > 0 {
			c.Out = append(c.Out, b.after...)
			b.bytes -= len(b.after)
			b.after = nil
			c.Touch()
		}
	}
}

// replyEnded: the last piece of a large reply is in the output, and messages may follow.
func (s *session) replyEnded() {
	s.partial = false
	s.endAside()
	s.relayHeld()
	if s.ears != nil && !s.gone {
		s.ears.mail.reply = false
		s.c.Touch()
	}
}
