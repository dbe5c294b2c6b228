package engine

import (
	"time"

	"larder/protocol/command"
)

const (
	textNoAuth = "NOAUTH Authentication required."
	textOOM    = "OOM command not allowed when used memory > 'maxmemory'."
)

// shareMin is the size from which GET gives a value away to be sent in pieces instead of copying it, bytes.
const shareMin = 256 << 10

// runBatch runs the commands of the batch in order until the session has to stop, and gives the position behind the last one that ran.
func (p *part) runBatch(s *session, pos int) int {
	b := &p.batch
	if len(b.commands) == 0 {
		return pos
	}
	b.warm(p.store, s.db)
	ran := 0
	for i := range b.commands {
		q := &b.commands[i]
		if p.holds(q.row) {
			s.stall(stallPause)
			p.pausing = append(p.pausing, s)
			p.l.Hurry()
			break
		}
		p.execute(s, q.row, b.args[q.first:q.last])
		pos = q.end
		ran++
		if s.closing || s.stalled != stallNone {
			break
		}
		if len(p.w.Out) >= outputHigh && i+1 < len(b.commands) {
			s.stall(stallOutput)
			break
		}
	}
	p.store.Forget()
	p.timed(b.commands[:ran])
	return pos
}

// holds tells whether CLIENT PAUSE holds a command back.
func (p *part) holds(row *command.Row) bool {
	return p.paused.UntilMS != 0 && row != nil && p.paused.Active(p.nowMS) && p.paused.Holds(row)
}

// execute runs one command; its reply is appended to p.w.
func (p *part) execute(s *session, row *command.Row, args [][]byte) {
	from := len(p.w.Out)
	s.last = row
	s.hushed = s.mute != muteOff
	if s.mute == muteNext {
		s.mute = muteOff
	}
	if text := p.refusal(s, row, args); text != "" {
		p.count.rejected[idOf(row)]++
		p.count.commands.Fail(idOf(row))
		p.w.Error(text)
		p.countError(text)
	} else if handler := p.handlers[row.ID]; handler != nil {
		c := &p.call
		c.Reset(row, args)
		c.DB, c.DBIndex, c.NoTouch, c.Owned, c.Big = s.db, s.dbIndex, s.noTouch, p.batch.owned, p.batch.big
		handler(c)
		p.batch.big = c.Big // nil if the store has it now
		p.dirty += int64(c.Changed)
		switch {
		case c.Pinned:
			s.share(c.Shared)
		case c.TooLong:
			p.w.Out = p.w.Out[:from]
			s.tooSlow()
		}
		p.checkError(row, from)
	} else {
		here[row.ID](s, args)
		p.checkError(row, from)
	}
	if s.hushed {
		p.w.Out = p.w.Out[:from]
	}
}

func idOf(row *command.Row) command.ID {
	if row == nil {
		return 0
	}
	return row.ID
}

// refusal is the error of a command that may not run, "" if it may (Redis 7.0 server.c, processCommand).
func (p *part) refusal(s *session, row *command.Row, args [][]byte) string {
	switch {
	case row == nil:
		_, text := command.Resolve(args)
		return text
	case !row.ArityOK(len(args)):
		return command.ArityError(row)
	case !s.authed && !row.Flags.Has(command.NoAuth):
		return textNoAuth
	case s.lane && s.term != p.assigned.epoch && p.assigned.epoch != 0 && fenced(row):
		p.count.stale++
		return p.assigned.stale
	case p.set.maxMemory > 0 && row.Flags.Has(command.DenyOOM) && !p.roomFor(args):
		return textOOM
	}
	return ""
}

// roomFor makes room for what a command may add to memory: about its arguments. One that the store holds already has its room.
func (p *part) roomFor(args [][]byte) bool {
	if p.batch.starved {
		return false
	}
	n := 0
	for i, arg := range args {
		if i == 0 || i != p.batch.owned {
			n += len(arg)
		}
	}
	return p.store.MakeRoom(n, p.nowMS)
}

// checkError counts the reply that begins at from in the output, if it is an error.
func (p *part) checkError(row *command.Row, from int) {
	out := p.w.Out
	if len(out) > from && out[from] == '-' {
		p.count.commands.Fail(row.ID)
		p.countError(string(out[from+1:]))
	}
}

// timed notes how long the commands took: each an equal share of the time since the callback began, or since the batch before ended.
func (p *part) timed(ran []queued) {
	if len(ran) == 0 {
		return
	}
	nowNS := int64(time.Since(p.began))
	shareNS := uint64(max(0, nowNS-p.timedNS)) / uint64(len(ran))
	p.timedNS = nowNS
	for i := 0; i < len(ran); {
		id := idOf(ran[i].row)
		n := uint64(1)
		for i++; i < len(ran) && idOf(ran[i].row) == id; i++ {
			n++
		}
		p.count.commands.Ran(id, n, shareNS)
	}
}
