package engine

import (
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"larder/loop"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// phase is how far a node's link to its primary has come.
type phase uint8

const (
	linkWaiting   phase = iota // there is no connection, and the next attempt is at retryNS
	linkDialling               // one is being made
	linkGreeting               // both sides say who they are, up to the primary's answer to PSYNC
	linkLoading                // the primary sends all its data
	linkFollowing              // it sends its stream
)

// link is what a node that follows a primary has of it: a connection, or attempts to get one (Redis 7.0 replication.c, the replica's side of PSYNC).
//
// What must hold: the history ends behind the last command, or the last whole transaction, that the keyspace has; the primary's bytes are in it as they came.
// From the first byte of another's data until its last the node has no history that anybody could go on from, and answers no reads. Nothing that a primary
// says takes the node down: a link that meets what it cannot read is closed, says why in the log, and is tried again.
type link struct {
	p    *part
	host string
	port int
	addr string // of both

	phase    phase
	attempt  int // numbers the dials, so that one that comes late is known
	failures int // attempts in a row that came to nothing
	retryNS  int64
	c        *loop.Conn
	s        *session // in whose name the primary's commands run

	greeting greeting
	loader   *loading
	transfer transfer
	requests resp.Requests
	again    resp.Requests // reads complete commands that requests has passed
	passed   int           // bytes at the front of the input that requests has passed, all of them complete commands
	searched int           // bytes of the transaction at the front of the input that were searched for its end; 0 = there is none
	inside   bool          // a transaction's commands are being run
	held     bool          // what has come waits for a script or a pause to end
	stopped  bool          // nothing is done until the node is told whom to follow
	obeys    uint64        // the epoch of a record that the primary obeys
	mute     bool          // the primary knows no acknowledgements
	asked    bool          // it wants one at the end of this callback

	heardNS  int64 // when the primary said something last
	saidNS   int64 // when this side did
	followNS int64 // when the stream began to come
	downNS   int64 // since when the stream does not come; 0 = it comes, or never did
	faults   uint64
	faultNS  int64  // when the last of them was written to the log
	replies  []byte // to the primary's commands; nobody reads them
	takeOver bool   // PSYNC says FAILOVER: the other side is to become the primary

	reason    string // why the last attempt came to nothing
	lastFault string // the command of the stream that failed here last
}

const (
	retryMin = 100 * time.Millisecond
	retryMax = time.Second // as often as Redis tries
)

// newLink makes a link that is to be connected.
func newLink(p *part, host string, port int) *link {
	k := &link{p: p, host: host, port: port, addr: net.JoinHostPort(host, strconv.Itoa(port)), downNS: max(1, p.nowNS)}
	if strings.HasPrefix(host, "/") {
		k.addr = host
	}
	k.s = &session{p: p, proto: 2, authed: true, anyKey: true, state: ofPrimary, user: p.users.Default()}
	k.s.useDB(0)
	return k
}

// log is a line about the link.
func (k *link) log(level slog.Level, text string, more ...any) {
	k.p.n.log.Log(nil, level, text, append([]any{"primary", k.addr, "node", k.p.n.id}, more...)...) //nolint:staticcheck // no context is on a loop
}

// dial begins an attempt.
func (k *link) dial() {
	p := k.p
	k.phase = linkDialling
	k.attempt++
	attempt := k.attempt
	k.heardNS = p.nowNS
	p.l.Dial(k.addr, p.silence(), func(c *loop.Conn, err error) loop.Handler {
		p.enter()
		if p.link != k || k.attempt != attempt {
			return nil
		}
		if err != nil {
			k.failed("cannot connect", err.Error())
			return nil
		}
		k.greet(c)
		return k
	})
}

// greet begins the talk on a connection.
func (k *link) greet(c *loop.Conn) {
	p := k.p
	k.phase, k.c = linkGreeting, c
	k.heardNS = p.nowNS
	p.nextID++
	s := k.s
	s.c, s.id, s.gone, s.closing = c, p.nextID, false, false
	s.openedNS, s.activeNS = p.nowNS, p.nowNS
	p.sessions[s.id] = s
	k.greeting = greeting{says: k.introduction()}
	c.Out = append(c.Out, k.greeting.begin()...)
	c.Touch()
}

// failed ends an attempt, or the following, and plans the next one.
func (k *link) failed(text, reason string) {
	k.reason = text + ": " + reason
	if k.phase == linkFollowing || k.failures == 0 || k.failures&(k.failures-1) == 0 { // the same again and again is told ever less often
		k.log(slog.LevelWarn, "replication: "+text, "reason", reason, "attempts", k.failures)
	}
	k.down()
	wait := min(retryMin<<min(k.failures, 10), retryMax)
	if k.failures == 0 {
		wait = 0
	}
	k.failures++
	k.retryNS = k.p.nowNS + int64(wait)
	k.p.l.HurryIn(max(wait, time.Millisecond))
}

// down lets go of the connection and of what came by half on it.
func (k *link) down() {
	c := k.c
	if k.phase == linkLoading {
		k.abandon()
	}
	if k.downNS == 0 {
		k.downNS = max(1, k.p.nowNS)
	}
	k.phase, k.c, k.passed, k.searched, k.asked, k.inside, k.held = linkWaiting, nil, 0, 0, false, false, false
	k.attempt++
	if c == nil {
		return
	}
	k.s.gone = true
	k.s.owe(0)
	delete(k.p.sessions, k.s.id)
	k.p.noteLink()
	c.Close()
}

// tick does what time brings.
func (k *link) tick() {
	p := k.p
	if k.stopped {
		return
	}
	if k.held {
		k.heardNS = p.nowNS // it is not listened to
	}
	silentNS := p.nowNS - k.heardNS
	switch {
	case k.phase == linkWaiting:
		if p.nowNS >= k.retryNS && p.guard&guardLoading == 0 {
			k.dial()
		} else {
			p.l.HurryIn(max(time.Millisecond, time.Duration(k.retryNS-p.nowNS)))
		}
	case k.phase != linkDialling && silentNS > int64(p.silence()):
		k.failed("the primary says nothing", "silent for "+time.Duration(silentNS).Round(time.Second).String()+"; repl-timeout says how long it may be")
	case k.c == nil:
	case k.phase == linkLoading && p.nowNS-k.saidNS >= int64(time.Second):
		k.saidNS = p.nowNS
		k.c.Out = append(k.c.Out, '\n') // so that the primary knows that this side lives
		k.c.Touch()
	case k.phase == linkFollowing:
		if p.nowNS-k.saidNS >= int64(time.Second) {
			k.acknowledge()
		}
		if p.nowNS-k.followNS >= int64(time.Second) {
			k.failures = 0
		}
	}
	k.unhold()
}

// unhold reads on, where that waited and need not any more.
func (k *link) unhold() {
	if k.held && k.c != nil && (k.phase == linkLoading || k.p.mayObey()) {
		k.held = false
		k.c.ResumeAnyway()
	}
}

// rests tells whether a second may pass until the next tick.
func (k *link) rests() bool { return k.phase != linkWaiting || k.stopped }

// acknowledge tells the primary how far this node is.
func (k *link) acknowledge() {
	k.saidNS, k.asked = k.p.nowNS, false
	if k.mute {
		return
	}
	words := []string{"REPLCONF", "ACK", strconv.FormatInt(k.p.stream.past.End(), 10)}
	if safe, has := k.p.journalSynced(); has {
		words = append(words, "FACK", strconv.FormatInt(safe, 10))
	}
	if g := k.p.reign; g != nil {
		words = g.appendAck(words)
	}
	k.c.Out = resp.AppendCommandStrings(k.c.Out, words...)
	k.c.Touch()
}

// synced: the node's journal is safe up to somewhere, for which the primary may wait.
func (k *link) synced() {
	if k.phase == linkFollowing && k.p.reign != nil && k.p.reign.eager() {
		k.acknowledge()
	}
}

// Data is the primary's bytes.
func (k *link) Data(c *loop.Conn) {
	p := k.p
	if c != k.c {
		c.Took(len(c.In()))
		return
	}
	p.enter()
	k.heardNS, k.s.activeNS = p.nowNS, p.nowNS
	p.timedNS, p.asideNS = p.nowNS, 0
	before := len(c.In())
	for k.c == c && k.step(c) {
	}
	if k.c == c {
		p.count.replicated += uint64(before - len(c.In()))
		if k.asked || before != len(c.In()) && k.phase == linkFollowing && p.reign != nil && p.reign.eager() {
			k.acknowledge()
		}
	}
	p.w.Out = nil
	if p.writing != nil {
		p.writing.kick()
	}
	if p.results != nil {
		p.results.fill()
	}
}

// step does something with what has come, and reports whether there may be more to do.
func (k *link) step(c *loop.Conn) bool {
	switch k.phase {
	case linkGreeting:
		return k.hear(c)
	case linkLoading:
		return k.load(c)
	case linkFollowing:
		return k.follow(c)
	}
	return false
}

// Flush comes before the output is written.
func (k *link) Flush(*loop.Conn) {}

// Drained is not asked for.
func (k *link) Drained(*loop.Conn) {}

// Ended: a primary that sends no more is of no use.
func (k *link) Ended(*loop.Conn) bool { return false }

// Closed says that the connection has ended.
func (k *link) Closed(c *loop.Conn, err error) {
	if c != k.c {
		return
	}
	k.p.enter()
	reason := "it was closed"
	if err != nil {
		reason = err.Error()
	}
	k.failed("the connection to the primary is lost", reason)
}

// The rows that mean something to the link itself.
var (
	rowMulti  = command.ByID(command.CmdMulti)
	rowExec   = command.ByID(command.CmdExec)
	rowSelect = command.ByID(command.CmdSelect)
	rowPing   = command.ByID(command.CmdPing)

	rowPublish = command.ByID(command.CmdPublish)
)
