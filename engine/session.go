package engine

import (
	"time"

	"larder/access/users"
	"larder/engine/store"
	"larder/loop"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// stall says why a session's next command is not run yet. Its bytes stay where they are.
type stall uint8

const (
	stallNone    stall = iota
	stallOutput        // the client does not read its replies
	stallPause         // CLIENT PAUSE
	stallBlocked       // its command waits for keys
	stallScript        // its script runs on
	stallReplica       // it is a replica's: what it says goes there
)

type muteMode uint8

const (
	muteOff  muteMode = iota
	muteOn            // CLIENT REPLY OFF
	muteNext          // CLIENT REPLY SKIP was just said: the next command's reply is not written
)

// session is one connection: a client, or a gateway's lane. It lives on its part's loop.
type session struct {
	p  *part
	c  *loop.Conn
	id uint64

	requests resp.Requests
	ahead    int // complete commands at the front of the input, in bytes, that requests has passed and that have not run
	stalled  stall
	arrival  *arrival   // a command with a large argument that is on its way
	waiter   *waiter    // its command that waits for keys, nil if none does
	shared   []byte     // what is left of a large reply; it goes out in pieces
	pin      store.Pin  // holds it, while shared is not nil
	replica  *replica   // what it says of itself as a replica, nil if nothing
	wroteAt  int64      // where the stream ended behind its last command that added to it
	stamps   *stamping  // of a lane that is told how far the node is; nil: it is not
	ran      uint64     // requests that have run, or been refused; one that waits is counted already
	hired    *hired     // the work that it has asked for; nil: none
	numbers  *numbering // of a lane whose requests have numbers; nil: they have none

	state       state // of transactions, subscriptions and the like; 0 on the usual way
	tx          transaction
	watching    []dbKey
	topics      subscriptions
	tracker     *client.Tracking // nil if it is off
	as          string           // the client of the gateway for whom the next command is
	late        []byte           // messages that wait for the end of a reply
	writing     bool             // its output is with part.w
	softSinceNS int64            // since when its output is above the soft limit, 0 = it is not

	proto   int
	dbIndex int
	db      *store.DB
	authed  bool
	user    *users.User
	acts    *users.User // whose rights scripts have instead of user's: a gateway's client's; nil: nobody's
	limited bool        // the user may not do everything
	anyKey  bool        // the user may read any key
	lane    bool        // it said LARDER HELLO
	ear     bool        // it said LARDER EAR
	term    uint64
	// recordTerm is the term of its shard's record by which a lane goes.
	recordTerm uint64
	slots      *slotSet // what the gateway has said that the node has; nil: all

	mute    muteMode
	hushed  bool // the present command's reply is not written
	ended   bool // the other side sends no more
	closing bool // the connection ends when its output is sent; no command runs any more
	gone    bool // it has ended

	led      bool  // since its output was written last it has run what looks at data; only of a managed node
	forsaken bool  // what it has found is nobody's to know: the node may not have been the primary
	wrote    bool  // likewise, what has changed some
	needs    int64 // the offset of the stream that what it is told may show
	held     *held // what may not be shown yet; nil: nothing

	owed               int // bytes that are counted in the part's buffered
	openedNS, activeNS int64
	name               string
	lib                client.Library
	noEvict, noTouch   bool
	last               *command.Row
}

const (
	// outputHigh is how much unsent output stops a session's commands; with outputLow left they go on.
	outputHigh = 1 << 20
	outputLow  = 256 << 10
)

func (s *session) useDB(i int) { s.dbIndex, s.db = i, s.p.store.DB(i) }

// Data runs the commands that have come.
func (s *session) Data(c *loop.Conn) {
	p := s.p
	if s.closing {
		c.Took(len(c.In()))
		return
	}
	if s.stalled != stallNone {
		s.notNow(c)
		return
	}
	p.enter()
	s.activeNS = p.nowNS
	p.timedNS, p.asideNS = p.nowNS, 0
	if s.numbers != nil {
		p.openBatch(s)
	}
	buf, pos := c.In(), 0
	p.w.Out, p.w.Proto, s.writing = c.Out, s.proto, true
	for more := true; more; {
		pos, more = s.step(buf, pos)
	}
	if s.numbers != nil {
		p.closeBatch(s)
	}
	p.stream.flush()
	c.Out, p.w.Out, s.writing = p.w.Out, nil, false
	if p.writing != nil {
		p.writing.kick()
	}
	p.count.bytesIn += uint64(pos)
	c.Took(pos)
	if len(c.Out) > 0 {
		c.Touch()
	}
	if s.ended && s.stalled == stallNone {
		s.closing = true
	}
	switch {
	case s.closing:
		s.finish()
	case s.shared != nil:
		s.sendShared()
	}
}

// notNow: the session has to wait. Who waits for a key is read on, or nobody would see it leave.
func (s *session) notNow(c *loop.Conn) {
	switch {
	case s.stalled == stallReplica:
		s.replica.data(c)
	case s.stalled != stallBlocked:
		c.Pause()
	case s.limitQuery(int64(len(c.In()))):
		s.end()
	}
}

// step reads a batch of commands from buf[pos:] and runs it. It gives the position of what is not done with, and whether to go on there.
func (s *session) step(buf []byte, pos int) (next int, more bool) {
	p := s.p
	if len(p.w.Out) >= outputHigh || s.c.Unsent() >= outputHigh || s.heldBytes() >= outputHigh {
		s.stall(stallOutput)
		return pos, false
	}
	if s.arrival != nil {
		return s.receive(buf, pos)
	}
	requests, end := &s.requests, len(buf)
	own := s.ahead == 0
	if !own {
		requests, end = &p.again, pos+s.ahead
	}
	read, state := p.batch.read(requests, buf[:end], pos, s.authed)
	done := p.runBatch(s, pos)
	stopped := s.closing || s.stalled != stallNone
	switch {
	case s.closing:
		return len(buf), false
	case !own:
		if !stopped {
			done = read
		}
		s.ahead -= done - pos
		return done, !stopped
	case stopped:
		s.ahead = read - done
		return done, false
	case state == resp.Done:
		return read, true
	case state == resp.Failed:
		s.protocolError()
		return len(buf), false
	default:
		return s.incomplete(buf, read)
	}
}

func (s *session) protocolError() {
	p := s.p
	p.count.protocolErrors++
	if s.mute == muteOff {
		p.w.Error(s.requests.Err())
	}
	p.countError(s.requests.Err())
	s.closing = true
}

// stall stops the session's commands until wake.
func (s *session) stall(why stall) {
	s.stalled = why
	s.p.count.stalls++
	if why == stallOutput {
		s.owe(max(s.owed, len(s.p.w.Out)+s.c.Unsent()))
		s.c.WhenDrained(outputLow)
	}
}

// wake lets a session go on that waits for why, at the end of this turn: what it is to run next may have left the connection's buffer.
func (s *session) wake(why stall) {
	if s.stalled != why || s.gone {
		return
	}
	s.stalled = stallNone
	s.c.ResumeAnyway()
}

// Flush is called before the output is written.
func (s *session) Flush(c *loop.Conn) {
	if s.p.caches.due { // before anybody can have read a reply to what changed the keys
		s.p.tellFollowers()
	}
	if s.stalled == stallReplica {
		s.p.count.bytesOut += uint64(len(c.Out))
		s.replica.flush()
		return
	}
	if !s.mayLeave() {
		return
	}
	s.atGate(c)
	if s.stamps != nil {
		s.stampOutput()
	}
	s.p.count.bytesOut += uint64(len(c.Out))
	if int64(c.Unsent()+s.heldBytes()) > s.p.n.opts.OutputMaxBytes {
		s.tooSlow()
		c.Close()
		return
	}
	s.limitOutput(0)
}

// tooSlow notes that the client is to be closed because more is kept for it than allowed.
func (s *session) tooSlow() {
	s.closing = true
	if s.led {
		s.c.Out = s.c.Out[:0] // it may be closed before anybody has looked whether it may leave
	}
	s.p.count.slowClosed++
	s.p.warn("client closed: it does not read its replies, or asks for too much at once", s.c)
}

// Drained: the client has read what was kept for it.
func (s *session) Drained(_ *loop.Conn) {
	if s.stalled == stallReplica {
		s.replica.flush()
		return
	}
	s.countBuffers()
	if s.heldBytes() > outputLow {
		return // atGate has it looked at again
	}
	if s.shared != nil {
		s.sendShared()
		return
	}
	s.wake(stallOutput)
}

// Ended: a client that sends no more has its replies, unless its commands had to wait. One that waits for a key is gone, as in Redis.
func (s *session) Ended(*loop.Conn) bool {
	s.ended = true
	if s.stalled == stallNone && s.waitsAtGate() {
		s.closing = true
		s.finish()
		return true
	}
	return s.stalled != stallNone && s.stalled != stallBlocked && s.stalled != stallReplica
}

// Closed ends the session.
func (s *session) Closed(*loop.Conn, error) {
	s.gone, s.closing = true, true
	if s.replica != nil {
		s.replica.leave()
	}
	s.p.unpark(s)
	s.endMulti()
	s.leaveNumbers()
	s.leaveAll()
	s.closeEar()
	s.untrack()
	s.endMonitor()
	s.unshare()
	s.letGo()
	if s.stamps != nil && s.stamps.behind {
		s.p.reign.forgetLane(s)
	}
	s.owe(0)
	if s.arrival != nil {
		s.arrival.drop()
		s.arrival = nil
	}
	delete(s.p.sessions, s.id)
	s.p.count.closed++
}

// kind is what CLIENT LIST TYPE asks for.
func (s *session) kind() string {
	switch {
	case s.isReplica():
		return client.KindReplica
	case s.state&ofPrimary != 0:
		return client.KindMaster
	case s.state&subscribed != 0:
		return client.KindPubSub
	}
	return client.KindNormal
}

// flags are the letters of CLIENT LIST, in its order (Redis 7.2 networking.c, catClientInfoString).
func (s *session) flags() string {
	var letters []byte
	for _, f := range [...]struct {
		is     bool
		letter byte
	}{
		{s.isReplica(), 'S'},
		{s.state&ofPrimary != 0, 'M'},
		{s.state&monitoring != 0, 'O'},
		{s.state&subscribed != 0, 'P'},
		{s.state&inMulti != 0, 'x'},
		{s.waiter != nil || s.stalled == stallPause, 'b'},
		{s.tracker != nil, 't'},
		{s.tracker != nil && s.tracker.Broken, 'R'},
		{s.tracker != nil && s.tracker.Bcast, 'B'},
		{s.state&touched != 0, 'd'},
		{s.closing, 'c'},
		{s.noEvict, 'e'},
		{s.noTouch, 'T'},
	} {
		if f.is {
			letters = append(letters, f.letter)
		}
	}
	if len(letters) == 0 {
		return "N"
	}
	return string(letters)
}

// info is the session as CLIENT LIST shows it.
func (s *session) info() client.Info {
	i := client.Info{
		ID: s.id, Peer: s.c.Peer().String(), Local: s.c.Local().String(), FD: s.c.Fd(), Name: s.name, User: s.user.Name,
		AgeS: (s.p.nowNS - s.openedNS) / int64(time.Second), IdleS: (s.p.nowNS - s.activeNS) / int64(time.Second),
		Flags: s.flags(), DB: s.dbIndex, InputBytes: len(s.c.In()), OutputBytes: s.c.Unsent() + len(s.shared),
		Channels: len(s.topics[channel]), Patterns: len(s.topics[pattern]), ShardChannels: len(s.topics[shardChannel]),
		Tracking: s.tracker != nil, Redirect: s.tracker.Redirection(),
		InMulti: s.state&inMulti != 0, Multi: len(s.tx.commands), MultiBytes: s.tx.bytes,
		Proto: s.proto, LibName: s.lib.Name, LibVersion: s.lib.Version,
	}
	if s.last != nil {
		i.Command = s.last.Name
	}
	return i
}
