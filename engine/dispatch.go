package engine

import (
	"larder/access/users"
	"larder/engine/commands"
	"larder/protocol/client"
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
	ran, timed := 0, 0
	for i := 0; i < len(b.commands); i++ {
		q := &b.commands[i]
		if n := p.gets(s, b.commands[i:]); n > 0 {
			pos = b.commands[i+n-1].end
			ran += n
			s.ran += uint64(n)
			i += n - 1
			continue
		}
		if p.holds(s, q.row, b.args[q.first:q.last]) {
			s.stall(stallPause)
			p.pausing = append(p.pausing, s)
			p.l.Hurry()
			break
		}
		alone, from := p.timedAlone(q, pos), len(p.w.Out)
		if alone {
			p.timed(s, b.commands[timed:i], false)
			timed = i
		}
		s.ran++
		p.execute(s, q.row, b.args[q.first:q.last])
		pos = q.end
		ran++
		if alone || len(p.w.Out)-from > quickBytes {
			p.timed(s, b.commands[timed:ran], true)
			timed = ran
		}
		if s.closing || s.stalled != stallNone {
			break
		}
		if len(p.w.Out) >= outputHigh && i+1 < len(b.commands) {
			s.stall(stallOutput)
			break
		}
	}
	p.store.Forget()
	p.timed(s, b.commands[timed:ran], false)
	return pos
}

// gets runs the GETs at the front of the commands, as far as nothing but the reply comes of them, and gives how many.
func (p *part) gets(s *session, queue []queued) (n int) {
	if queue[0].row != rowGet || !p.plain(s, &queue[0]) {
		return 0
	}
	s.last, s.hushed, p.call.DB = rowGet, false, s.db
	for n < len(queue) && queue[n].row == rowGet && queue[n].last-queue[n].first == 2 && len(p.w.Out) < outputHigh {
		if !commands.GetAhead(&p.call, p.batch.args[queue[n].first+1]) {
			break
		}
		n++
	}
	return n
}

// plain tells whether nothing stands between the session and a command that may run, nor anything behind it.
func (p *part) plain(s *session, q *queued) bool {
	switch {
	case s.state|p.state&^guarded != 0, p.guard&^guardReadOnly != 0, s.mute != muteOff, s.noTouch, p.alone[q.row.ID]:
		return false
	case !s.authed, s.limited, p.scripts.busy != nil, s.lane && s.term != p.assigned.epoch:
		return false
	}
	return !p.holds(s, q.row, p.batch.args[q.first:q.last])
}

var rowGet = command.Lookup([]byte("GET"))

// holds tells whether CLIENT PAUSE holds a command back: not one that is refused. EXEC is what it runs, a script what it says of itself (Redis 7.2
// server.c, processCommand).
func (p *part) holds(s *session, row *command.Row, args [][]byte) bool {
	switch {
	case p.lagging && row != nil && row.Flags.Has(command.Write) && row.ArityOK(len(args)):
		return s.authed || row.Flags.Has(command.NoAuth)
	case p.paused.UntilMS == 0 || row == nil || !p.paused.Active(p.nowMS):
		return false
	case row.ID == command.CmdExec && !p.paused.All:
		return len(args) == 1 && s.tx.flags&(command.Write|command.MayReplicate) != 0
	case !p.paused.Holds(row), !row.ArityOK(len(args)), !s.authed && !row.Flags.Has(command.NoAuth):
		return false
	case s.limited:
		if v, _ := s.user.Check(row, args); v != users.Allowed {
			return false
		}
	}
	return p.paused.All || !p.scripts.saysNoWrites(row, args)
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
		p.refuse(s, row, text)
		if s.state&(tracking|speaksFor) != 0 {
			s.forgetWords(row)
		}
	} else if s.state|p.state != 0 {
		p.special(s, row, args)
	} else {
		p.run(s, row, args)
	}
	if s.hushed {
		p.w.Out = p.w.Out[:from]
	}
	if len(s.late) > 0 {
		s.flushLate()
	}
}

// run runs a command that may run.
func (p *part) run(s *session, row *command.Row, args [][]byte) {
	from := len(p.w.Out)
	handler := p.handlers[row.ID]
	if handler == nil {
		if p.stream.lane != nil {
			p.cutBefore(row)
		}
		p.here[row.ID](s, args)
		p.checkError(row, from)
		p.stream.flush()
		p.noteWrite(s)
		if p.stream.lane != nil {
			p.trimBatch()
		}
		if len(p.waits.ready) > 0 && p.depth == 0 {
			p.serve()
		}
		return
	}
	c := &p.call
	c.Reset(row, args)
	c.DB, c.DBIndex, c.NoTouch, c.AnyKey, c.Owned, c.Big = s.db, s.dbIndex, s.noTouch, s.anyKey, p.batch.owned, p.batch.big
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
	if len(c.Events)+len(c.Touched)+len(c.Ready)+len(c.Wait.Keys)+len(p.waits.ready)+(c.Changed&c.Effects.On)+c.Effects.Ops > 0 {
		p.follow(s, row, args)
	}
}

// follow does what a command has asked of the node.
func (p *part) follow(s *session, row *command.Row, args [][]byte) {
	c := &p.call
	c.Tell()
	p.stream.flush()
	p.noteWrite(s)
	if len(c.Wait.Keys) > 0 {
		p.park(s, row, args)
	}
	if p.stream.lane != nil {
		p.trimBatch()
	}
	for _, e := range c.Events {
		if len(p.fresh) > 0 && e.Class != commands.ClassMiss {
			p.tellNew(s, row, e.Key)
		}
		p.notify(e.DB, e.Class, e.Name, e.Key)
	}
	for _, t := range c.Ready {
		p.signal(t.DB, t.Key)
	}
	for _, t := range c.Touched {
		p.touch(s, t.DB, t.Key)
		p.signalGone(t.DB, t.Key)
	}
	if len(p.waits.ready) > 0 && p.depth == 0 {
		p.serve()
	}
}

// invoke runs a command from within another one of the same session: EXEC does it, and scripts. The reply is appended to p.w, in the version p.w.Proto;
// the caller may have put a buffer of its own into p.w.Out, and puts back what was there. args are only looked at, and need live no longer than the call.
//
// The caller has to have checked what refusal checks (that the row is not nil, arity, memory, rights). The command runs at once and cannot wait. What it
// changes is counted and told to watchers, caches and listeners before invoke returns; clients that wait for keys go on when the session's outer command
// has ended. The session's database is the one that the command runs in: a caller whose SELECT is to be undone notes dbIndex and calls useDB afterwards.
func (p *part) invoke(s *session, row *command.Row, args [][]byte) {
	c := &p.call
	owned, big, blockable, shareMin := p.batch.owned, p.batch.big, c.Blockable, c.ShareMin
	p.batch.owned, p.batch.big, c.Blockable, c.ShareMin = 0, nil, false, 0
	p.depth++
	beganNS := p.clockNS()
	p.runSeen(s, row, args)
	p.ran(s, row, args, p.clockNS()-beganNS)
	p.depth--
	p.batch.owned, p.batch.big, c.Blockable, c.ShareMin = owned, big, blockable, shareMin
}

// refuse answers a command that may not run.
func (p *part) refuse(s *session, row *command.Row, text string) {
	p.count.commands.Refuse(idOf(row))
	if p.depth == 0 {
		p.uncounted = append(p.uncounted, idOf(row))
	}
	p.countError(text)
	switch {
	case s.state&inMulti == 0:
	case idOf(row) == command.CmdExec:
		s.abort(text)
		return
	default:
		s.state |= brokenExec
	}
	p.w.Error(text)
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
	case row.ID == command.CmdDebug && !s.mayDebug():
		return client.NoDebug
	case !s.authed && !row.Flags.Has(command.NoAuth):
		return textNoAuth
	}
	if s.limited {
		if text := s.denied(row, args); text != "" {
			return text
		}
	}
	switch {
	case p.scripts.busy != nil && !row.Flags.Has(command.AllowBusy):
		return p.scripts.busy.busyText()
	case s.lane && s.term != p.assigned.epoch && p.assigned.epoch != 0 && fenced(row) && s.state&inMulti == 0:
		p.count.stale++
		return p.assigned.stale
	case p.set.maxMemory > 0 && row.Flags.Has(command.DenyOOM) && !p.roomFor(args):
		return textOOM
	case p.state&guarded|s.state&outdated != 0:
		return p.guardedFrom(s, row)
	}
	return ""
}

// roomFor makes room for what a command may add to memory: about its arguments. One that the store holds already has its room.
func (p *part) roomFor(args [][]byte) bool {
	if p.batch.starved {
		return false
	}
	n := argBytes(args)
	if owned := p.batch.owned; 0 < owned && owned < len(args) {
		n -= len(args[owned])
	}
	return p.makeRoom(n)
}

// makeRoom makes room for n bytes. What that takes is an event of its own, and no part of the command that comes after it, where anybody looks.
func (p *part) makeRoom(n int) bool {
	lapNS := p.lap()
	ok := p.store.MakeRoom(n, p.nowMS)
	p.stream.flushEach()
	if lapNS != 0 {
		p.asideNS += p.spikeSince(eventEvict, lapNS) - lapNS
	}
	return ok
}

func argBytes(args [][]byte) (n int) {
	for _, arg := range args {
		n += len(arg)
	}
	return n
}

// checkError counts the reply that begins at from in the output, if it is an error.
func (p *part) checkError(row *command.Row, from int) {
	out := p.w.Out
	if len(out) > from && out[from] == '-' {
		p.count.commands.Fail(row.ID)
		if !p.errorCounted {
			p.countError(string(out[from+1:]))
		}
		p.errorCounted = false
	}
}
