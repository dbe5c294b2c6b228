package proxy

import (
	"errors"
	"fmt"
	"strconv"

	"larder/access/users"
	"larder/loop"
	"larder/protocol/command"
	"larder/protocol/resp"
)

type laneState uint8

const (
	laneDialling laneState = iota
	laneGreeting
	laneReady
	laneEnding // answers what it was asked, takes nothing new
	laneClosed
)

const (
	// lanePiece is the most that is handed to the kernel at once: what was never handed
	// over surely did not run, so the rest stays here until the kernel takes more.
	lanePiece = 256 << 10
	// logKeepMax is how large an empty log may stay: pipelines of large values fill some MiB, and a log made anew each time costs a fifth of their CPU.
	logKeepMax = 4 << 20
	// logCompactMin is the answered part of a log that is worth a copy to drop.
	logCompactMin = 64 << 10
)

// lane is one connection from a loop to a node for one protocol version, shared by the
// loop's sessions or lent to one. Its log keeps the bytes of every unanswered command,
// so that what surely did not run, and what may run twice, can be sent again.
type lane struct {
	p     *part
	u     *upstream
	c     *loop.Conn
	proto int
	line  int // which of the node's shared lanes it is, or would be if it were not lent
	state laneState
	err   error // why it is closed
	over  bool  // it says nothing more, though its node, which was not the primary meanwhile, is that again
	greet greeting

	queue   tickets
	log     []byte
	head    int // log[:head] is answered
	sent    int // log[:sent] was handed to the connection; head <= sent <= len(log)
	replies resp.Replies
	db      int    // the database it is in once log is executed
	dbMax   int    // the highest database said before the greeting told how many there are
	term    uint64 // what it vouches for once log is executed: the part's vouches when that was said

	aside  bool    // it asks one question and closes
	taught lessons // the scripts that the node knows once log is executed

	prefixes []string // of an ear for keys: what it follows
	pinged   uint32   // of such lanes: PINGs that it has said of its own
	pongs    uint32   // and those answered

	waiters []*session // wait for room here, or for the greeting
	lentTo  *session
	use     laneUse              // what for
	acts    *users.User          // for whom scripts run once log is executed; nil: for nobody in particular
	hears   []func(reply []byte) // wait for replies to what was asked in the lane's own name
	nodeID  int64                // its number among the node's clients; of a lane that was dialled to be lent, or that tells of keys
	early   int                  // replies that have come to what the front piece says before its EXEC
	relays  bool                 // MONITOR was said: what comes unasked is for the session
	passing bool                 // the front reply goes on to its session in pieces
	slow    *session             // whose client does not keep up with the reply being passed
	deadNS  int64                // when the dial and greeting must be done
	left    int                  // what the client (of a reply) or the node (of a command) had not taken of what is passed on, when last looked at
	leftNS  int64                // since when that has not changed
	heardNS int64                // when the node last sent anything
	idleNS  int64                // when it came back from whom it was lent to
	ear     *ear                 // it is an ear's
	id      string               // by which its requests are numbered; empty: they are not
	done    uint64               // so many of them are answered
	number  uint32               // among the connections whose commands are mirrored
	stamp   stamp                // how far the node was when it wrote what is being read
	heed    command.Flags        // replies are looked at before they are passed on, but to rows that have all of these: see heedStamp
	past    *past                // the stream of which the stamp tells; nil while all that was executed is committed
	held    *hold                // what it has brought and may not be passed on yet; nil: nothing
}

// open says whether commands may be put on it.
func (ln *lane) open() bool { return ln.state <= laneReady }

// full says whether whoever adds to it should wait.
func (ln *lane) full() bool { return len(ln.log)-ln.head >= ln.p.opts.Upstream.LaneMaxBytes }

// put appends a command as it came.
func (ln *lane) put(command []byte, t ticket) {
	at := len(ln.log)
	ln.log = append(ln.log, command...)
	ln.commit(at, t)
}

// commit queues the command that log holds from at on.
func (ln *lane) commit(at int, t ticket) {
	if t.s != nil {
		t.s.flying++
		if !t.row.Flags.Has(command.ReadOnly) && t.kind&kindReads == 0 {
			t.s.wrote |= ln.u.bit
		}
		if t.s.track != nil {
			at = ln.precede(at, &t)
		}
	}
	t.bytes = uint32(len(ln.log) - at)
	t.db = uint16(ln.db)
	t.startNS = ln.p.nowNS
	ln.queue.push(t)
	if ln.state == laneReady {
		ln.c.Touch()
	}
}

// say puts a word of the lane's own before the next command.
func (ln *lane) say(args ...[]byte) {
	at := len(ln.log)
	ln.log = resp.AppendCommand(ln.log, args...)
	ln.commit(at, ticket{})
}

// to says which database the next command is for, and in which epoch the lane speaks.
func (ln *lane) to(db int) {
	if ln.db != db {
		ln.db = db
		ln.sayDB()
		if ln.state < laneReady {
			ln.dbMax = max(ln.dbMax, db)
		}
	}
	if ln.term != ln.p.vouches {
		ln.sayTerm()
	}
}

func (ln *lane) sayDB() {
	var digits [8]byte
	ln.say(wordSelect, strconv.AppendInt(digits[:0], int64(ln.db), 10))
}

// sayTerm vouches for the present topology: by its epoch where the node has one, else by the slots of the node's shard, which only its scripts look at.
func (ln *lane) sayTerm() {
	if ln.state < laneReady { // the greeting does it
		return
	}
	ln.term = ln.p.vouches
	if ln.greet.epoch != 0 || ln.greet.managed {
		ln.taught = lessons{} // what stands before may be refused, with the scripts that it brings
		if ln.greet.epoch != 0 {
			ln.greet.epoch = ln.p.topo.Epoch
		}
		ln.say(ln.termWords()...)
	}
	if ln.greet.larder && ln.greet.epoch == 0 {
		ln.query(func([]byte) {}, wordLarder, wordSlots, ln.u.slots())
	}
}

var wordSelect, wordLarder, wordTerm, wordSlots = []byte("SELECT"), []byte("LARDER"), []byte("TERM"), []byte("SLOTS")

// Flush hands the log's new part to the connection, once a turn.
func (ln *lane) Flush(c *loop.Conn) {
	if ln.state != laneReady && ln.state != laneEnding || ln.deposed() {
		return
	}
	for ln.sent < len(ln.log) && c.Unsent() == 0 {
		from := ln.sent
		ln.sent = min(len(ln.log), from+lanePiece) // before Write: a failing one calls Closed
		if c.Write(ln.log[from:ln.sent]) != nil || ln.state == laneClosed {
			return
		}
	}
	if ln.sent < len(ln.log) {
		c.WhenDrained(0)
	}
}

// Drained goes on with what the kernel did not take before.
func (ln *lane) Drained(c *loop.Conn) {
	ln.p.enter()
	if s := ln.lentTo; s != nil && s.stream != nil {
		s.wake(stallStream)
	}
	ln.Flush(c)
}

// Data hands complete replies to the sessions that wait for them.
func (ln *lane) Data(c *loop.Conn) {
	ln.p.enter()
	if ln.slow != nil {
		return
	}
	ln.heardNS = ln.p.nowNS
	buf, pos := c.In(), 0
	for ln.state != laneClosed {
		n, kind, st := ln.replies.Next(buf[pos:])
		if st == resp.More {
			pos += ln.pass(buf[pos:])
			break
		}
		if st == resp.Failed {
			ln.fail(errors.New(ln.replies.Err()))
			return
		}
		reply := buf[pos : pos+n]
		pos += n
		if kind.IsPush() {
			if ln.stamped(reply) {
				ln.heedStamp()
				continue
			}
			if ln.line >= lineReads2 {
				ln.heardPush(reply)
			}
			continue
		}
		if ln.state == laneGreeting {
			ln.greeted(reply)
			continue
		}
		if !ln.reply(reply) {
			return
		}
	}
	if ln.state != laneClosed {
		c.Took(pos)
		ln.progress()
	}
}

// errUnasked quotes what a node said though nothing was asked, or not all of it.
func errUnasked(reply []byte) error {
	const most = 100
	return fmt.Errorf("node answered what it was not asked: %q", reply[:min(len(reply), most)])
}

// reply ends the oldest command. It says false when the lane is done for.
func (ln *lane) reply(reply []byte) bool {
	if ln.queue.len() == 0 {
		if ln.relays {
			ln.lentTo.relay(reply)
			return true
		}
		ln.fail(errUnasked(reply))
		return false
	}
	t := *ln.queue.front()
	if t.kind&kindPiece != 0 && ln.swallows(&t, reply) {
		return true
	}
	if ln.head+int(t.bytes) > ln.sent {
		ln.fail(errUnasked(reply))
		return false
	}
	whole := !ln.passing
	ln.passing = false
	ln.done += ln.requests(&t)
	if t.s != nil {
		t.s.flying--
	}
	switch {
	case t.kind&kindHears != 0:
		ln.heard(reply)
	case t.s == nil:
		if reply[0] == '-' {
			ln.fail(fmt.Errorf("node refused %q: %s", ln.log[ln.head:ln.head+int(t.bytes)], reply))
			return false
		}
	case whole && reply[0] == '-' && ln.refused(t, reply):
		// it goes again
	case t.s.abandoned():
		ln.mirrors(&t, reply, whole)
	default:
		if t.s.track != nil {
			ln.heardRead(&t)
		}
		if ln.heed&^t.row.Flags != 0 && ln.heeds(&t, reply, whole) {
			break // it is held
		}
		t.s.answered(t, reply)
	}
	if !whole {
		t.s.replyEnded()
	}
	ln.drop()
	return true
}

// drop forgets the oldest ticket and its bytes.
func (ln *lane) drop() {
	ln.head += int(ln.queue.front().bytes)
	ln.queue.pop()
	switch {
	case ln.queue.len() == 0:
		ln.heed &^= heedUnserved
		ln.log = ln.log[:0]
		if cap(ln.log) > logKeepMax {
			ln.log = nil
		}
		ln.head, ln.sent = 0, 0
	case ln.head >= logCompactMin && ln.head > len(ln.log)/2:
		n := copy(ln.log, ln.log[ln.head:])
		ln.log = ln.log[:n]
		ln.sent -= ln.head
		ln.head = 0
	}
}

// progress wakes who waited for room, and ends a lane that has nothing left to answer.
func (ln *lane) progress() {
	if len(ln.waiters) > 0 && len(ln.log)-ln.head <= ln.p.opts.Upstream.LaneMaxBytes/2 {
		ln.wakeWaiters()
	}
	if !ln.p.retriesRest() {
		ln.p.retryStale()
	}
	if ln.queue.len() > 0 {
		if ln.state == laneEnding && ln.head == ln.sent && ln.deposed() {
			ln.fail(errDeposed)
		}
		return
	}
	if s := ln.lentTo; s != nil && s.returns(ln) {
		ln.u.giveBack(ln)
	}
	if ln.state == laneEnding {
		ln.state = laneClosed
		ln.u.forget(ln)
		ln.c.Close()
		if ln.line == lineEar {
			ln.p.answerAwaited()
			ln.p.endRounds()
		}
	}
}

func (ln *lane) wakeWaiters() {
	waiters := ln.waiters
	ln.waiters = nil
	for _, s := range waiters {
		s.wake(stallLane)
	}
}

// fail ends the lane from this side.
func (ln *lane) fail(err error) {
	if ln.state == laneClosed {
		return
	}
	c := ln.c
	ln.lost(err)
	if c != nil {
		c.Close()
	}
}

// Ended: a node that sends no more answers no more.
func (ln *lane) Ended(*loop.Conn) bool { return false }

// Closed is the connection's end, whoever ended it.
func (ln *lane) Closed(_ *loop.Conn, err error) {
	ln.p.enter()
	if err == nil {
		err = errors.New("connection closed")
	}
	ln.lost(err)
}
