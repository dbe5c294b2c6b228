package proxy

import (
	"larder/loop"
	"larder/protocol/resp"
)

// message is one that a node told of, in either version of the protocol; raw is dead when the callback ends.
type message struct{ raw []byte }

// begin is the first byte of a message, which is all in which the versions differ.
func begin(proto int) byte {
	if proto == 3 {
		return byte(resp.KindPush)
	}
	return byte(resp.KindArray)
}

// appendTo adds the message as a version of the protocol has it.
func (m *message) appendTo(dst []byte, proto int) []byte {
	at := len(dst)
	dst = append(dst, m.raw...)
	dst[at] = begin(proto)
	return dst
}

// bundle is messages that follow each other, in one version of the protocol, kept once for all who get them.
type bundle struct {
	text []byte
	open bool // the next message to the same clients may be put behind: it is the last that waits for each of them
	held bool // while it is open it does not leave: the crowd waits for more
}

const (
	// copiedMax is the size up to which messages are copied to be written together, where they are not shared, bytes.
	copiedMax = 1 << 10
	// sharedMin is from how many clients on small messages are shared too.
	sharedMin = 16
	// mailPiece is how much is handed to the kernel at once, and the size at which a bundle takes nothing more, bytes.
	mailPiece = 64 << 10
)

// heard passes a message on to those who are subscribed. It says false of what is neither a message nor an answer to a subscription.
func (p *part) heard(e *ear, reply []byte) bool {
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
				p.deliver(t, &message{raw: reply})
			}
			return true
		case subscribeWords[kind], unsubscribeWords[kind]:
			return true
		}
	}
	return e.marked(string(word), &it)
}

// deliver gives a message to all members of a topic. None of them can end meanwhile: output is written when the turn ends.
func (p *part) deliver(t *topic, m *message) {
	if len(t.who) < sharedMin && len(m.raw) <= copiedMax {
		for _, mb := range t.who {
			if mb.hears {
				mb.s.post(m)
			}
		}
		return
	}
	waits := p.waits(len(t.who))
	if !t.grow(m) {
		p.share(t, m, waits)
	}
	p.count.delivered += uint64(t.heard)
	p.hearing.crowd.owe(t.heard*len(m.raw), waits)
}

// grow puts a message behind the one before, which all who get it have as their last. It says false where that is not so.
func (t *topic) grow(m *message) bool {
	fits := false
	for _, b := range t.shared {
		if b == nil {
			continue
		}
		if fits = b.open && len(b.text)+len(m.raw) <= mailPiece; !fits {
			break
		}
	}
	if !fits {
		t.seal()
		return false
	}
	for form, b := range t.shared {
		if b != nil {
			b.text = m.appendTo(b.text, form+2)
		}
	}
	return true
}

// seal has the next message begin anew: those who get it are not those who got the last one.
func (t *topic) seal() {
	for _, b := range t.shared {
		if b != nil {
			b.open = false
		}
	}
	t.shared = [2]*bundle{}
}

// share begins a bundle for all who hear a topic now.
func (p *part) share(t *topic, m *message, waits bool) {
	t.heard = 0
	for _, mb := range t.who {
		s := mb.s
		if !mb.hears || s.closing || s.gone {
			continue
		}
		t.heard++
		b := &t.shared[s.proto-2]
		if *b == nil {
			*b = &bundle{text: m.appendTo(nil, s.proto), open: true, held: waits}
		}
		s.ears.mail.put(*b)
		if waits {
			p.hearing.crowd.gather(s)
		} else {
			s.c.Touch()
		}
	}
	if !waits && t.heard >= crowdMin {
		p.hearing.crowd.toWrite = t.heard
	}
}

// post sends a small message to one client at the end of the turn.
func (s *session) post(m *message) {
	if s.closing || s.gone {
		return
	}
	s.p.count.delivered++
	s.p.hearing.crowd.owe(copiedWeight*len(m.raw), false)
	if b := &s.ears.mail; b.empty() && !b.reply && !b.exec {
		s.c.Out = m.appendTo(s.c.Out, s.proto)
	} else {
		b.put(&bundle{text: m.appendTo(nil, s.proto)})
	}
	s.c.Touch()
}

// mail are messages on their way to one client: bundles, most of which others have too. None stands within a reply that is passed on in pieces.
type mail struct {
	waiting []*bundle
	head    int    // waiting[:head] is out
	bytes   int    // of what waits, but for the last bundle, which may grow
	sent    int    // how much of the first one is out
	after   []byte // output that came while the first one is half out: it follows it
	reply   bool   // a reply is half out
	exec    bool   // a transaction that subscribes is being answered: what it hears comes behind its reply
	gathers bool   // the session is one of the crowd
}

func (b *mail) empty() bool { return b.head == len(b.waiting) }

// size is how much waits, bytes.
func (b *mail) size() int {
	if b.empty() {
		return 0
	}
	return b.bytes + len(b.waiting[len(b.waiting)-1].text) - b.sent + len(b.after)
}

// put has a bundle follow what waits: nothing comes behind the one before any more.
func (b *mail) put(next *bundle) {
	if !b.empty() {
		b.seal()
		b.bytes += len(b.waiting[len(b.waiting)-1].text)
	}
	b.waiting = append(b.waiting, next)
}

// seal has nothing more put behind what waits.
func (b *mail) seal() {
	if !b.empty() {
		b.waiting[len(b.waiting)-1].open = false
	}
}

// waitingKeepMax is how long an empty list of bundles may stay.
const waitingKeepMax = 16

// pop takes out the first bundle, which is out.
func (b *mail) pop() {
	first := b.waiting[b.head]
	b.waiting[b.head] = nil
	b.sent = 0
	if b.head++; !b.empty() {
		b.bytes -= len(first.text)
		return
	}
	if b.head = 0; cap(b.waiting) > waitingKeepMax {
		b.waiting = nil
	}
	b.waiting = b.waiting[:0]
}

// next is what is to be handed to the kernel now: a piece of a bundle, or several that are small, which are copied to scratch.
func (b *mail) next(scratch []byte) (piece, kept []byte) {
	first := b.waiting[b.head]
	first.open = false
	if len(first.text) > copiedMax || b.head+1 == len(b.waiting) {
		piece = first.text[b.sent:min(len(first.text), b.sent+mailPiece)]
		if b.sent += len(piece); b.sent == len(first.text) {
			b.pop()
		}
		return piece, scratch
	}
	kept = scratch[:0]
	for !b.empty() && len(kept) < mailPiece {
		small := b.waiting[b.head]
		if len(small.text) > copiedMax || small.open && small.held {
			break
		}
		small.open = false
		kept = append(kept, small.text...)
		b.pop()
	}
	return kept, kept
}

// settleMail lets what waits go before what the session is told next. It says false where that is too much, or cannot be.
func (s *session) settleMail() bool {
	b := &s.ears.mail
	switch {
	case b.empty() || b.exec: // within a transaction's reply nothing goes
		return true
	case b.sent > 0 || b.reply || b.size() > outputHigh:
		return false
	}
	b.seal()
	for !b.empty() {
		s.c.Out = append(s.c.Out, b.waiting[b.head].text...)
		b.pop()
	}
	return true
}

// sendMail hands what waits to the kernel, as long as that takes all of it: what it does not take would be copied for this client alone.
func (s *session) sendMail(c *loop.Conn) {
	b := &s.ears.mail
	for !b.empty() {
		if b.sent > 0 && len(c.Out) > 0 {
			b.after = append(b.after, c.Out...)
			c.Out = c.Out[:0]
		}
		if first := b.waiting[b.head]; (b.reply || b.exec) && b.sent == 0 || first.open && first.held {
			return // it ends first, or is to become more
		}
		if c.Unsent() > len(c.Out) {
			c.WhenDrained(0)
			return
		}
		var piece []byte
		piece, s.p.scratch = b.next(s.p.scratch)
		s.p.count.bytesOut += uint64(len(piece))
		if c.Write(piece) != nil {
			return
		}
		if b.sent == 0 && len(b.after) > 0 {
			c.Out = append(c.Out, b.after...)
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
