package engine

import (
	"strings"

	"larder/access/acl"
	"larder/protocol/client"
	"larder/protocol/command"
)

// state is what sets a session apart from a plain client: 0 on the usual way. Bits of part.state, which concern all sessions, are among them, so that one
// test of both words tells whether a command takes the usual way.
type state uint16

const (
	inMulti    state = 1 << iota // commands are queued
	brokenExec                   // one of them was refused: EXEC will be too
	touched                      // a watched key changed
	subscribed                   // to a channel or pattern
	tracking                     // what it reads is noted, or is announced
	monitoring                   // it sees what others do
	monitored                    // the part's: somebody does
	speaksFor                    // a lane whose next command is a certain client's
	tellsNew                     // the part's: somebody hears of keys that are new
	guarded                      // the part's: its own state keeps some commands from running (guard.go)
	gated                        // the part's: what commands show may have to wait
	ofPrimary                    // it is not a client's: the primary's commands run in its name
	outdated                     // a lane of another term than that of the record of the node's shard
)

// transaction is what stands between MULTI and EXEC.
type transaction struct {
	commands []queuedCommand
	bytes    int           // of their arguments
	flags    command.Flags // all of theirs
	lacks    command.Flags // all that one of them has not
	fenced   bool          // one of them looks at keys
}

// queuedCommand is a command that waits for EXEC, with its own copy of its arguments.
type queuedCommand struct {
	row  *command.Row
	args [][]byte
}

// runsInMulti are the commands that are not queued.
var runsInMulti = map[command.ID]bool{
	command.CmdExec: true, command.CmdDiscard: true, command.CmdMulti: true, command.CmdWatch: true, command.CmdQuit: true, command.CmdReset: true,
}

// queue keeps a command for EXEC. Of a transaction that cannot come to anything no more is kept (Redis 7.2 multi.c, queueMultiCommand).
func (s *session) queue(row *command.Row, args [][]byte) {
	s.p.uncounted = append(s.p.uncounted, row.ID)
	if s.state&(brokenExec|touched) == 0 {
		t := &s.tx
		t.commands = append(t.commands, queuedCommand{row, copyArgs(args)})
		t.bytes += argBytes(args)
		t.flags |= row.Flags
		t.lacks |= ^row.Flags
		t.fenced = t.fenced || fenced(row)
	}
	s.p.w.Status("QUEUED")
}

func multi(s *session, _ [][]byte) {
	if s.state&inMulti != 0 {
		s.fail("ERR MULTI calls can not be nested")
		return
	}
	s.state |= inMulti
	if s.numbers != nil {
		s.numbers.multi = s.ran
	}
	s.ok()
}

func discard(s *session, _ [][]byte) {
	if s.state&inMulti == 0 {
		s.fail("ERR DISCARD without MULTI")
		return
	}
	s.endMulti()
	s.ok()
}

// endMulti forgets the transaction and what is watched for it.
func (s *session) endMulti() {
	s.tx = transaction{}
	s.state &^= inMulti | brokenExec
	s.unwatch()
}

func exec(s *session, _ [][]byte) {
	p := s.p
	if s.state&inMulti == 0 {
		s.fail("ERR EXEC without MULTI")
		return
	}
	s.expireWatched()
	stale := s.staleTransaction()
	switch {
	case stale != "":
		p.count.stale++
		s.fail(stale)
	case s.state&brokenExec != 0:
		s.fail("EXECABORT Transaction discarded because of previous errors.")
	case s.state&touched != 0:
		p.w.NullArray()
	case s.tx.flags.Has(command.DenyOOM) && p.set.maxMemory > 0 && !p.makeRoom(s.tx.bytes):
		s.abort(textOOM)
	default:
		s.unwatch()
		s.runQueued()
	}
	s.endMulti()
}

// staleTransaction is the answer to a lane that has not said the node's epoch, or not the term of its record: nothing of the transaction runs then. It is
// judged once, at EXEC, so that what the lane has said vouches for the whole. That keys are watched makes it look at keys.
func (s *session) staleTransaction() string {
	a, g := s.p.assigned, s.p.reign
	switch {
	case s.lane && a.epoch != 0 && s.term != a.epoch && (s.tx.fenced || len(s.watching) > 0):
		return a.stale
	case g != nil && g.isStale(s) && s.aboutData(rowExec):
		return g.stale
	}
	return ""
}

// abort answers an EXEC that is refused itself.
func (s *session) abort(text string) {
	s.endMulti()
	s.fail("EXECABORT Transaction discarded because of: " + strings.TrimPrefix(text, "ERR "))
}

func (s *session) runQueued() {
	p := s.p
	p.stream.begin()
	defer p.stream.end()
	p.w.Array(len(s.tx.commands))
	for i := range s.tx.commands {
		q := &s.tx.commands[i]
		from := len(p.w.Out)
		if wrong := s.deniedSince(q); wrong != "" {
			s.fail(wrong)
		} else {
			p.invoke(s, q.row, q.args)
		}
		if s.mute == muteOn {
			p.w.Out = p.w.Out[:from]
		}
	}
	s.last = command.ByID(command.CmdExec)
}

// deniedSince is the error of a queued command that the user's rules do not allow any more.
func (s *session) deniedSince(q *queuedCommand) string {
	if !s.limited {
		return ""
	}
	return acl.DeniedSince(s.judge(q.row, q.args))
}

// special runs a command of a session, or in a part, in a special state.
func (p *part) special(s *session, row *command.Row, args [][]byte) {
	switch {
	case s.state&subscribed != 0 && s.proto == 2 && !client.WhileSubscribed(row.ID):
		p.refuse(s, row, client.NotWhileSubscribed(row))
	case s.state&inMulti == 0 || runsInMulti[row.ID]:
		p.runSeen(s, row, args)
	case row.Flags.Has(command.NoMulti):
		p.refuse(s, row, "ERR Command not allowed inside a transaction")
	default:
		s.queue(row, args)
	}
}

// runTold runs a command, of which the gate and those who wait for new keys are told.
func (p *part) runTold(s *session, row *command.Row, args [][]byte) {
	if p.state&gated != 0 {
		p.weigh(s, row, args)
	}
	if p.state&tellsNew != 0 {
		p.fresh = p.absent(s, row, args)
	}
	p.run(s, row, args)
	for len(p.fresh) > 0 {
		p.tellNew(s, row, p.fresh[0])
	}
}

// runSeen runs a command that others may want to know of, and tells them.
func (p *part) runSeen(s *session, row *command.Row, args [][]byte) {
	p.runTold(s, row, args)
	if p.state&monitored != 0 {
		p.show(s, row, args)
	}
	if s.tracker != nil {
		p.remember(s, row, args)
	}
	if s.state&(tracking|speaksFor) != 0 {
		s.forgetWords(row)
	}
}
