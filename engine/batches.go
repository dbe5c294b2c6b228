package engine

import (
	"larder/protocol/command"
)

// A numbered lane's batch is what one callback runs of its requests. What they do is one unit of the stream, which says in front, by a mark, up to which number
// the lane's requests have run (docs/formats/stream.md): whoever has the one has the other. So a batch ends where its unit must: before anybody else's command
// runs, and before one that looks at the stream or at what the whole keyspace is; a new one begins behind that. It costs a mark each, and nothing a command.

// inBatch is the bit of stream.held that is set while a batch is told.
const inBatch = 1 << 30

// insideBatch are the commands that the node answers itself and that need not know where the stream ends.
var insideBatch = map[command.ID]bool{
	command.CmdSelect: true, command.CmdPing: true, command.CmdEcho: true, command.CmdPublish: true, command.CmdSPublish: true,
	command.CmdMulti: true, command.CmdDiscard: true, command.CmdWatch: true, command.CmdUnwatch: true, command.CmdClientCaching: true,
	command.CmdLarderTerm: true, command.CmdLarderSlots: true, command.CmdLarderAs: true, command.CmdLarderUser: true, command.CmdLarderPublishes: true,
}

// openBatch has what the session's commands tell be its batch, up to closeBatch. While a script runs beside the loop no lane changes anything.
func (p *part) openBatch(s *session) {
	t := p.stream
	if t.held != 0 || t.theirs || s.numbers.entry == nil {
		return
	}
	t.lane, t.held = s, inBatch
	s.numbers.dirty = p.dirty
}

// closeBatch ends it. That of a script that runs on goes on too: the script's end is its end.
func (p *part) closeBatch(s *session) {
	if p.stream.lane == s {
		p.leaveBatch()
	}
}

// leaveBatch ends the batch under way, if there is one, for others to run. resumeBatch goes on with it.
func (p *part) leaveBatch() *session {
	t := p.stream
	s := t.lane
	if s == nil || t.held != inBatch {
		return nil
	}
	p.cutBatch(s.done())
	t.lane, t.held = nil, 0
	return s
}

func (p *part) resumeBatch(s *session) {
	if s != nil {
		p.openBatch(s)
	}
}

// cutBefore ends the unit in front of a command that has to know where the stream ends.
func (p *part) cutBefore(row *command.Row) {
	if t := p.stream; t.held == inBatch && !insideBatch[row.ID] {
		p.cutBatch(t.lane.doneBefore())
	}
}

// trimBatch ends the unit behind a command if it has become large.
func (p *part) trimBatch() {
	if t := p.stream; t.held == inBatch && t.told.Much() {
		p.cutBatch(t.lane.done())
	}
}

// cutBatch tells what the batch has told, with the mark that all of the lane's requests up to a number have run. Where nothing was told no mark is needed: what
// has changed nothing may run again. What is told to nobody is counted all the same where it has changed something, or may have.
func (p *part) cutBatch(number uint64) {
	t := p.stream
	n := t.lane.numbers
	switch l := n.entry; {
	case l == nil && t.told.Ops > 0:
		t.put(nil)
	case l == nil:
	case t.told.Ops > 0:
		l.Number = max(l.Number, number)
		t.mark = l.Mark().AppendCommand(t.mark[:0])
		t.put(t.mark)
		p.noteWrite(t.lane)
	case t.told.On == 0 || p.dirty != n.dirty:
		l.Number = max(l.Number, number)
	}
	n.dirty = p.dirty
}

// done is the number of the last request up to which all have run. Those of a transaction run with its EXEC.
func (s *session) done() uint64 {
	if w := s.waiter; w != nil && (len(w.keys) > 0 || w.acks != nil) {
		return s.doneBefore()
	}
	return s.numberOf(s.ran)
}

// doneBefore is done without the present request.
func (s *session) doneBefore() uint64 { return s.numberOf(s.ran - 1) }

// numberOf is the number of a request that the session has run, or of the last one before a transaction that is not at its end.
func (s *session) numberOf(ran uint64) uint64 {
	n := s.numbers
	if s.state&inMulti != 0 {
		ran = n.multi - 1
	}
	return ran - min(n.from, ran)
}
