package engine

import (
	"hash/maphash"
	"math"

	"larder/loop"
	"larder/protocol/command"
)

// gate holds replies and messages back that may show a change before that is where it must be: under appendfsync always, on the disk; where a record has
// writes wait for the members of the set, on each of them. Whose reply shows no such change is not delayed.
//
// Places are offsets of the stream. A command that writes, and one that looks at a key which was written, may show what the stream says up to an offset: that
// its keys were given when they were written, by a table of their hashes. Commands of which nobody knows what they look at may show all. What a session has to
// say leaves in its order: behind what is held, all is held. What is held of one client is bounded as its unread output is: its commands wait then.
type gate struct {
	safe      int64 // the offset up to which changes may be shown; math.MaxInt64: the gate is open
	confirmed int64 // up to where those who made them may be told, where that is less
	floor     int64 // at least up to there any command that looks at data may show
	seed      maphash.Seed
	marks     [gateMarks]int64 // up to where a command may show that looks at a key of this hash
	waiting   []*session       // with something held; those that are done are taken out at the next passing
	at        []int            // scratch
}

// gateMarks is how many keys can be told apart that were written and are not safe yet.
const gateMarks = 1024

func newGate() gate {
	return gate{safe: math.MaxInt64, confirmed: math.MaxInt64, seed: maphash.MakeSeed()}
}

// held is what a session has to say and may not yet.
type held struct {
	bytes  []byte
	pieces []heldPiece
	finish bool // the connection is to end behind it
}

// heldPiece is bytes that may leave when the gate has passed an offset.
type heldPiece struct {
	n      int
	offset int64
	wrote  bool  // they tell of a change to who made it
	atNS   int64 // when they came
}

// passes tells whether what shows the stream up to an offset may leave. wrote: it tells of a change to who made it.
func (g *gate) passes(offset int64, wrote bool) bool {
	return offset <= g.safe && (!wrote || offset <= g.confirmed)
}

// shut closes the gate: what may show more than the stream up to an offset is held from now on.
func (p *part) shutGate(safe int64) {
	p.gate.safe = safe
	p.state |= gated
}

// openGate lets all go.
func (p *part) openGate() {
	p.state &^= gated
	p.gate.confirmed = math.MaxInt64
	p.passGate(math.MaxInt64)
}

// passGate lets go what shows nothing beyond an offset. It is called on the loop, outside of commands.
func (p *part) passGate(safe int64) {
	if g := &p.gate; safe > g.safe {
		g.safe = safe
		p.visitHeld()
	}
}

// visitHeld has the sessions looked at that hold something.
func (p *part) visitHeld() {
	g := &p.gate
	kept := g.waiting[:0]
	for _, s := range g.waiting {
		if s.gone || s.held == nil {
			continue
		}
		kept = append(kept, s)
		s.c.Touch()
	}
	clear(g.waiting[len(kept):])
	g.waiting = kept
}

// shownNothing are the groups of commands whose replies are not about data.
var shownNothing = map[string]bool{"connection": true, "pubsub": true, "cluster": true}

// weigh notes, before a command runs, what its reply may show. A command that turns out to change nothing shows no more than the stream has then: shows
// takes care of that.
func (p *part) weigh(s *session, row *command.Row, args [][]byte) {
	g := &p.gate
	next := p.stream.past.End() + 1
	need := g.floor
	switch {
	case shownNothing[row.Group], row.Parent == command.CmdLarder && row.ID != command.CmdLarderScan, row.Group == "transactions" && row.ID != command.CmdExec:
		return
	case row.Group == "scripting" || row.ID == command.CmdExec:
		g.floor, need = next, next
	default:
		g.at = row.KeyPositions(args, g.at[:0])
		writes := row.Flags.Has(command.Write)
		switch {
		case len(g.at) > 0:
			need = max(need, g.weighKeys(args, writes, next))
		case writes:
			g.floor, need = next, next
		case row.Group == "server" && row.ID != command.CmdDBSize:
			return
		default:
			need = next
		}
	}
	s.needs = max(s.needs, need)
	if s.aboutData(row) {
		s.showsData()
	}
}

func (g *gate) weighKeys(args [][]byte, writes bool, next int64) (need int64) {
	for _, at := range g.at {
		mark := &g.marks[maphash.Bytes(g.seed, args[at])%gateMarks]
		if writes {
			*mark, need = next, next
		}
		need = max(need, *mark)
	}
	return need
}

// shows is up to which offset of the stream what the session is about to say may show.
func (s *session) shows() int64 { return min(s.needs, s.p.stream.past.End()) }

// waitsAtGate tells whether something that the session has to say must wait.
func (s *session) waitsAtGate() bool {
	g := &s.p.gate
	return s.held != nil || !g.passes(s.needs, s.wrote) && !g.passes(s.shows(), s.wrote) && !s.goesStamped()
}

// goesStamped tells whether the session is a lane that gets its replies at once, with stamps: its gateway holds what may not be shown yet.
func (s *session) goesStamped() bool { return s.stamps != nil && s.p.reign != nil && s.p.reign.gated }

// atGate is called before the session's output is written: what may not leave is put aside, what may is output again.
func (s *session) atGate(c *loop.Conn) {
	if !s.waitsAtGate() {
		s.wrote = false
		return
	}
	h, g := s.awaitGate(), &s.p.gate
	if len(c.Out) > 0 {
		h.bytes = append(h.bytes, c.Out...)
		h.pieces = append(h.pieces, heldPiece{len(c.Out), s.shows(), s.wrote, s.p.nowNS})
		c.Out, s.wrote = c.Out[:0], false
	}
	n, i := 0, 0
	for ; i < len(h.pieces) && g.passes(h.pieces[i].offset, h.pieces[i].wrote); i++ {
		n += h.pieces[i].n
	}
	c.Out = append(c.Out, h.bytes[:n]...)
	h.pieces = h.pieces[:copy(h.pieces, h.pieces[i:])]
	h.bytes = h.bytes[:copy(h.bytes, h.bytes[n:])]
	if len(h.pieces) == 0 && g.passes(s.shows(), false) {
		s.held = nil
		if h.finish {
			s.p.l.Later(c.Finish)
		}
	}
	if s.stalled == stallOutput && s.heldBytes() <= outputLow {
		c.WhenDrained(outputLow) // Drained lets it go on
	}
}

// awaitGate has the session looked at when the gate has passed something.
func (s *session) awaitGate() *held {
	if s.held == nil {
		s.held = &held{}
		s.p.gate.waiting = append(s.p.gate.waiting, s)
	}
	return s.held
}

// heldBytes is how much is held.
func (s *session) heldBytes() int {
	if s.held == nil {
		return 0
	}
	return len(s.held.bytes)
}

// finish ends the connection behind all that it is still to get.
func (s *session) finish() {
	if !s.mayLeave() {
		return
	}
	if s.waitsAtGate() {
		s.awaitGate().finish = true
		s.c.Touch()
		return
	}
	s.c.Finish()
}

// end ends the connection at once. Replies that may not be shown yet are not.
func (s *session) end() {
	if s.led || s.waitsAtGate() {
		s.c.Out = s.c.Out[:0]
	}
	s.c.Close()
}
