package proxy

import (
	"bytes"

	"larder/access/users"
	"larder/loop"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// stall says why a session's next command is not read yet. Its bytes stay where they
// are and the client is not read, so the order of its commands cannot change.
type stall uint8

const (
	stallNone    stall = iota
	stallFull          // enough of its commands wait for replies
	stallShare         // it has had its share of the loop's time
	stallEmpty         // the next command needs all earlier replies first
	stallLane          // its lane has no room
	stallStream        // it waits for a lent lane, or for room on it
	stallPause         // CLIENT PAUSE
	stallTurn          // others of whom only one at a time may do it, or whom it needs, are at work
	stallOutput        // the client does not read its replies
	stallBlocked       // its command waits at a node; the client is read on
	stallHear          // its subscriptions are ending at the nodes
	stallShard         // its shard has no primary at the moment
	stallMark          // it has published elsewhere, and nodes are asked how far
)

// session is one client. It lives on its part's loop.
type session struct {
	p     *part
	c     *loop.Conn
	id    uint64
	proto int
	line  int // the shared lanes that its commands go on
	db    int

	reads    *readState // nil: it has always read from primaries
	readMode readMode

	requests resp.Requests
	q        answers
	stalled  stall
	room     int                 // with stallFull: it goes on when no more than so many of its commands wait
	swaps    uint32              // the part's, when this session last had nothing under way on older lanes
	toTell   map[uint32][][]byte // by number: commands of the gateway's own for the slow log, where every command is looked for
	waitedNS int64               // since when its next command waits for a lane, 0 = it does not
	held     int                 // bytes of replies that came before their turn

	flying     int     // tickets on lanes
	wrote      uint64  // upstream.bit of the nodes that were sent what may write
	writes     []wrote // and how far those were when they answered, if they say it
	holding    int     // replies that are held
	parked     int     // commands, or parts of them, of which it is to be asked whether they have run
	retrying   int     // those, and commands that wait to go again
	retryNS    int64   // and not before
	halted     bool    // one of them is for a shard in trouble
	waitBytes  int     // with stallShard: how much of its was unread when it began to wait
	lostWrites int     // while a lane is lost: its writes that may have run and are not yet answered

	stream *stream
	job    *job  // a command over several shards, alone on the way
	slow   *lane // paused until this client has read more of a large reply

	watch *watching
	block *blocking

	monitors *monitoring
	partial  bool // a large reply is being passed on: part of it is out

	mode   mode
	ears   *ears        // nil until it subscribes to something
	speech *speech      // nil until it publishes something
	track  *tracker     // CLIENT TRACKING, nil if it is off
	clears int          // its FLUSHALLs and FLUSHDBs under way
	aside  []byte       // messages on changed keys that wait for the end of a large reply
	tx     *transaction // what is queued; not nil exactly with modeMulti

	mute      muteMode
	muted     bool // the command being run is not answered
	authed    bool
	limited   bool // its user may not do everything
	executing bool // it runs commands of an EXEC that the shard does not run
	guarded   bool // not authed, or limited: each command is judged
	user      *users.User
	closing   bool // the connection ends when all replies are out
	gone      bool // the connection has ended

	openedNS, activeNS int64
	softNS             int64 // since when more is unread than the soft limit on output allows, 0 = it is not
	name               string
	lib                client.Library
	noEvict, noTouch   bool
	lastRow            *command.Row
}

type muteMode uint8

const (
	muteOff  muteMode = iota
	muteOn            // CLIENT REPLY OFF
	muteNext          // CLIENT REPLY SKIP was just said: the next command's reply is not written
)

const (
	// outputHigh is how much unsent output stops the reading of a client, or of the
	// lane that feeds it a large reply; outputLow lets it go on.
	outputHigh = 1 << 20
	outputLow  = 256 << 10
	// answersKeepMax is how large a session's empty ring may stay.
	answersKeepMax = 256
)

// Data reads commands until one has to wait.
func (s *session) Data(c *loop.Conn) {
	p := s.p
	p.enter()
	p.heardFrom(s)
	if s.gone || s.stalled != stallNone {
		if s.stalled == stallBlocked && !s.gone {
			s.readOn()
		}
		return
	}
	s.activeNS = p.nowNS
	if s.closing {
		c.Took(len(c.In()))
		return
	}
	buf, pos, had, waited := c.In(), 0, s.portion(), s.waitedNS != 0
	for s.stalled == stallNone && !s.closing && !s.gone {
		if s.stream != nil {
			n, more := s.forward(buf[pos:])
			pos += n
			if !more {
				break
			}
			continue
		}
		if s.spent(&had, pos) {
			break
		}
		req, n, st := s.requests.Next(buf[pos:])
		if st == resp.More {
			pos += n
			if s.startStream() {
				continue
			}
			break
		}
		if st == resp.Failed {
			s.protocolError()
			pos = len(buf)
			break
		}
		at := s.q.tail
		if !s.run(req) {
			break
		}
		if waited {
			s.endWait(at)
			waited = false
		}
		pos += n
	}
	p.count.bytesIn += uint64(pos)
	if !s.gone {
		c.Took(pos)
	}
}

func (s *session) protocolError() {
	text := s.requests.Err()
	s.p.count.protocolErrors++
	s.say(nil, func(w *resp.Writer) { w.Error(text) })
	s.finish()
}

// finish closes the connection once all replies are out.
func (s *session) finish() {
	s.closing = true
	if s.q.len() == 0 {
		s.farewell()
	}
}

// stall stops reading the client. It reports false, so that callers can return it.
func (s *session) stall(why stall) bool {
	if s.stalled == stallNone {
		s.p.count.pauses++
		s.c.Pause()
	}
	if s.waitedNS == 0 && (why == stallLane || why == stallShard || why == stallStream && (s.stream == nil || !s.stream.started)) {
		s.waitedNS = s.p.nowNS
	}
	s.stalled = why
	return false
}

// wake lets a session go on that waits for why.
func (s *session) wake(why stall) {
	if s.stalled == why && !s.gone {
		s.stalled = stallNone
		s.c.Resume()
	}
}

// answered takes the reply of a ticket. Reply is a view, copied if it has to wait.
func (s *session) answered(t ticket, reply []byte) {
	if t.kind&kindBlocks != 0 {
		if reply = s.woken(reply); reply == nil {
			return
		}
	}
	s.give(t, reply)
}

// woken: a command that waited has its reply. Nil: it goes on waiting at another node.
func (s *session) woken(reply []byte) []byte {
	if s.block != nil && s.block.acks != nil {
		if reply = s.acked(reply); reply == nil {
			return nil
		}
	}
	if b := s.block; b != nil && b.wrong != "" && bytes.HasPrefix(reply, unblockedPrefix) {
		reply = appendError(nil, b.wrong)
	}
	s.unblock()
	return reply
}

// give completes a command by a ticket's reply, or adds that to the others that it needs.
func (s *session) give(t ticket, reply []byte) {
	e := s.q.at(t.seq)
	if e.merge != nil {
		s.p.merged(s, t, e, reply)
		return
	}
	s.complete(t.seq, reply)
}

// complete ends a command: reply is written now if it is the oldest, else kept.
func (s *session) complete(seq uint32, reply []byte) {
	e := s.q.at(seq)
	if tookNS := s.p.ran(e.row, e.startNS, reply); tookNS >= s.p.slowNS {
		s.noteSlow(seq, tookNS)
	}
	if seq != s.q.head {
		e.done = true
		if !e.mute {
			e.reply = s.p.bufs.copy(reply)
			s.held += len(reply)
			s.limit()
		}
		if e.within && !s.gone {
			s.gathered()
		}
		return
	}
	if !e.mute {
		s.c.Out = append(s.c.Out, reply...)
	}
	s.q.head++
	for s.q.head != s.q.tail {
		e := s.q.at(s.q.head)
		if !e.done {
			break
		}
		if e.slow != 0 {
			s.p.slowWritten(e)
		}
		s.c.Out = append(s.c.Out, e.reply...)
		s.held -= len(e.reply)
		if e.reply != nil {
			s.p.bufs.put(e.reply)
			e.reply = nil
		}
		s.q.head++
	}
	s.written()
}

// written follows every growth of the output: it goes out at the end of the turn, and
// who waited for the queue to shorten is woken.
func (s *session) written() {
	s.c.Touch()
	if s.track != nil && len(s.track.notices) > 0 {
		s.tellNotices()
	}
	if s.q.len() == 0 {
		s.q.shrink(answersKeepMax)
		if s.closing {
			s.farewell()
			return
		}
		s.wake(stallEmpty)
	}
	if s.stalled == stallFull && s.q.len() <= s.room {
		s.wake(stallFull)
	}
}

// limit closes a client for which too much is kept.
func (s *session) limit() {
	kept, class := int64(s.held+s.c.Unsent()), client.ClassNormal
	if s.ears != nil {
		kept += int64(s.ears.mail.size())
	}
	if s.hears() {
		class = client.ClassPubSub
	}
	limit := &s.p.g.settings.Load().outputLimits[class]
	if kept <= s.p.opts.OutputMaxBytes && (limit.Off() || !limit.Over(kept, s.p.nowNS, &s.softNS)) {
		return
	}
	s.p.count.slowClosed++
	s.p.warnf("client closed: it reads its replies too slowly", s.c)
	s.c.Close()
}

// Flush is called before the output is written. A client that does not read stops being read.
func (s *session) Flush(c *loop.Conn) {
	s.p.count.bytesOut += uint64(len(c.Out))
	if s.p.parting != partNone && s.settled() {
		s.dismiss()
		return
	}
	if s.ears != nil {
		s.p.wrote()
		s.sendMail(c)
	} else if c.Unsent() < outputHigh {
		return
	}
	s.limit()
	if s.gone || c.Unsent() < outputHigh {
		return
	}
	if s.stalled == stallNone {
		s.stall(stallOutput)
	}
	c.WhenDrained(outputLow)
}

// Drained: the client has read what was kept for it.
func (s *session) Drained(*loop.Conn) {
	s.p.enter()
	if s.ears != nil {
		s.sendMail(s.c)
	}
	s.wake(stallOutput)
	if ln := s.slow; ln != nil {
		s.slow, ln.slow = nil, nil
		ln.c.Resume()
	}
}

// Ended: a client that has said all it wants to say gets the replies that are still to come.
func (s *session) Ended(*loop.Conn) bool {
	s.p.enter()
	s.closing = true
	return s.q.len() > 0 && s.stream == nil && s.block == nil
}

// Closed ends the session. Commands under way run on; their replies go nowhere.
func (s *session) Closed(_ *loop.Conn, _ error) {
	s.p.enter()
	s.gone = true
	if s.stalled == stallPause {
		s.p.g.blocked.Add(-1)
	}
	s.leaveWaiting()
	s.p.removeSession(s)
	s.closeEars()
	s.untrack()
	s.endFlushes()
	s.dropMulti()
	s.endWatch()
	s.dropBlock()
	s.endMonitor()
	for seq := s.q.head; seq != s.q.tail; seq++ {
		if e := s.q.at(seq); e.reply != nil {
			s.p.bufs.put(e.reply)
			e.reply = nil
		}
	}
	s.dropStream()
	s.p.g.changing.CompareAndSwap(s, nil)
	if ln := s.slow; ln != nil {
		s.slow, ln.slow = nil, nil
		ln.c.Resume()
	}
}
