package proxy

import (
	"context"
	"fmt"
	"time"
)

// parting says which clients a gateway that ends sends away.
type parting uint8

const (
	partNone    parting = iota
	partSettled         // those of whom nothing is pending
	partWaiting         // and those that wait for something: commands that block end as with CLIENT UNBLOCK, subscribers get what has come
	partAll             // everybody: nothing more of anybody is begun
)

const (
	// quietNS is how long a client that says nothing must have been silent to be sent away. Who is at work is sent away with a reply, behind which it has
	// surely not sent anything yet.
	quietNS = int64(200 * time.Millisecond)
	// partEvery is how often it is looked who can go.
	partEvery = 5 * time.Millisecond
	// answerWithin is how long nodes may take to answer what was begun before everybody has to go.
	answerWithin = time.Second
)

// Dismiss sends all clients away and returns when they are gone: it takes no more of them, and ends each one's connection when nothing of it is pending, neither
// a reply nor a transaction nor half a command. Those that wait for something to come go last. Who is not done within most is sent away nevertheless, behind the
// replies to what was begun; what was not begun will not run. A client that waits for its replies sees no error by this and loses none. Errors: the context's
// end, or clients that do not take what they are owed. Any goroutine but a loop's; it cannot be taken back.
func (g *Gateway) Dismiss(ctx context.Context, most time.Duration) error {
	parts := g.allParts()
	if len(parts) == 0 {
		return nil
	}
	if err := parts[0].l.StopListening(); err != nil {
		g.log.Warn("clients can still connect, and are sent away at once", "error", err)
	}
	look := time.NewTicker(partEvery)
	defer look.Stop()
	end := time.Now().Add(most)
	for stage := partSettled; ; {
		left, waiting, err := g.part(ctx, stage)
		switch now := time.Now(); {
		case err != nil:
			return fmt.Errorf("send clients away: %w", err)
		case left == 0:
			return nil
		case now.After(end.Add(answerWithin)):
			return fmt.Errorf("send clients away: %d have not taken what they are owed", left)
		case now.After(end):
			stage = partAll
		case left == waiting:
			stage = max(stage, partWaiting)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("send clients away: %w", ctx.Err())
		case <-look.C:
		}
	}
}

// part has every loop look who can go. left is how many clients there are, waiting how many of them go last.
func (g *Gateway) part(ctx context.Context, stage parting) (left, waiting int, err error) {
	type count struct{ left, waiting int }
	parts := g.allParts()
	heard := make(chan count, len(parts))
	for _, p := range parts {
		p.l.Post(func() {
			p.enter()
			l, w := p.dismiss(stage)
			heard <- count{l, w}
		})
	}
	for range parts {
		select {
		case c := <-heard:
			left += c.left
			waiting += c.waiting
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
	return left, waiting, nil
}

func (p *part) dismiss(stage parting) (left, waiting int) {
	p.parting = stage
	for _, s := range p.sessions {
		switch waits := s.block != nil || s.hears() || s.monitors != nil; {
		case s.closing: // it goes behind what it is owed
		case stage == partAll:
			s.sendAway()
		case waits && stage == partWaiting:
			s.endWaiting()
		case waits:
			waiting++
		case p.nowNS-s.activeNS >= quietNS && s.settled():
			s.dismiss()
		}
	}
	return len(p.sessions), waiting
}

// settled says whether nothing of a client is pending.
func (s *session) settled() bool {
	return s.q.len() == 0 && s.stalled == stallNone && !s.closing && s.stream == nil && s.tx == nil && s.watch == nil && !s.hears() && s.monitors == nil &&
		s.flying+s.retrying+s.clears == 0 && len(s.c.In()) == 0 && s.c.Arrived() == 0
}

// dismiss ends the connection of a client of whom nothing is pending.
func (s *session) dismiss() {
	s.closing = true
	s.c.Dismiss()
}

// endWaiting has a client that waits go on to what lets it leave.
func (s *session) endWaiting() {
	switch b := s.block; {
	case b == nil && s.q.len() == 0 && len(s.c.In()) == 0:
		s.dismiss()
	case b != nil && !b.asked:
		b.asked = true
		s.endBlock("TIMEOUT", "", func(n int64) { b.asked = n == 1 }) // else its node did not have it yet
	}
}

// sendAway ends a client's connection behind the replies to what was begun.
func (s *session) sendAway() {
	if s.block != nil || s.stream != nil {
		s.c.Close() // what blocks has got nothing, and a command that has not come whole has not run
		return
	}
	s.finish()
}

// farewell ends the connection of a client that has all replies.
func (s *session) farewell() {
	if s.p.parting == partNone {
		s.c.Finish()
		return
	}
	s.c.Dismiss()
}
