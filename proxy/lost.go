package proxy

import (
	"bytes"
	"errors"
	"strings"

	"larder/protocol/command"
)

// triesMax is how often a command that may run twice is sent, the first time included.
const triesMax = 3

var (
	errLaneLost     = errors.New("connection lost")
	errReplyTimeout = errors.New("no reply in time")
	errTakeTimeout  = errors.New("it stopped taking a large command")
)

// lost ends a lane whose connection is gone or given up. What it was asked and did not
// answer goes again where that is right: a command that was never handed to the kernel
// surely did not run; one that only reads may run twice. A write that may have run is
// answered -UNKNOWN, and nobody sends it again by himself (DESIGN §4).
func (ln *lane) lost(err error) {
	if ln.state == laneClosed {
		return
	}
	before := ln.state
	ln.state, ln.err = laneClosed, err
	borrower := ln.lentTo
	if borrower != nil {
		borrower.laneGone(ln)
	}
	if ln.u.shared[ln.line-2] == ln { // it may come back with nothing
		ln.u.settled, ln.u.told = false, false
	}
	ln.u.forget(ln)
	if before <= laneGreeting {
		if !ln.aside && !unwanted(err) {
			ln.u.down(err)
		}
	} else if !ln.p.stopping {
		ln.p.count.lanesLost++
		ln.p.g.log.Warn("lane lost", "node", ln.u.addr, "err", err, "unanswered", ln.queue.len())
	}
	if s := ln.slow; s != nil {
		ln.slow = nil
		s.slow = nil
	}
	if ln.passing && ln.queue.front().s.job != nil {
		ln.passing = false // nobody has seen any of it
		t := ln.queue.front()
		t.s.job.forget(t.sub)
	}
	if ln.passing {
		// Half a reply is with the client; nothing whole can follow it.
		ln.mirrorsNot(ln.queue.front(), ln.head)
		ln.done += ln.requests(ln.queue.front())
		t := ln.queue.pop()
		ln.head += int(t.bytes)
		t.s.flying--
		if !t.s.gone {
			t.s.c.Close()
		}
	}
	if before <= laneGreeting || !ln.park(err) {
		ln.endTickets(before > laneGreeting, err)
	}
	ln.log = nil
	ln.dropHears()
	if ln.line >= lineReads2 {
		ln.tellingLost(before)
	}
	ln.wakeWaiters()
	if borrower != nil {
		borrower.wake(stallStream)
	}
}

// endTickets ends what nobody can be asked about.
func (ln *lane) endTickets(greeted bool, err error) {
	ln.countWrites()
	for at := ln.head; ln.queue.len() > 0; {
		ln.mirrorsNot(ln.queue.front(), at)
		t := ln.queue.pop()
		end := at + int(t.bytes)
		if t.s != nil {
			t.s.flying--
		}
		if t.s != nil && !t.s.abandoned() {
			ln.again(t, ln.log[at:end], greeted && end <= ln.sent, err)
		}
		at = end
	}
}

// unwanted says whether the gateway ended a lane because nobody needs it any more: that tells nothing of its node.
func unwanted(err error) bool {
	return errors.Is(err, errHalfSent) || errors.Is(err, errLeft) || errors.Is(err, errNotTold)
}

// countWrites notes how many writes of each session the node may have: what the session read before them may not be read again, since a reply could show
// what came later.
func (ln *lane) countWrites() {
	if ln.aside {
		return
	}
	at := ln.head
	for i := ln.queue.head; i != ln.queue.tail; i++ {
		t := ln.queue.at(i)
		at += int(t.bytes)
		if t.s != nil && at <= ln.sent && !mayRunTwice(*t) {
			t.s.lostWrites++
		}
	}
}

// again sends one command of a lost lane once more, or ends it. sent: the node may have it.
func (ln *lane) again(t ticket, raw []byte, sent bool, err error) {
	s := t.s
	if ln.aside { // no other lane is right for it
		s.answered(t, appendError(nil, downText(ln.u.addr, err)))
		return
	}
	if t.bytes == 0 { // streamed: its bytes are not kept
		s.lostWrites = 0 // it is the only one that its session has under way
		s.lostStream(t, err)
		return
	}
	if t.kind&kindLent != 0 && s.lostLent(ln.u, t, raw, sent, err) {
		return
	}
	if sent && !mayRunTwice(t) {
		s.lostWrites--
		s.leftUnknown(&t, ln.u)
		s.answered(t, appendError(nil, unknownText(ln.u.addr, err)))
		return
	}
	waits := !sent && !ln.u.replica && ln.u.record != nil && ln.u.waits(t)
	if !waits {
		t.tries++
	}
	if t.tries >= triesMax && !waits || sent && s.lostWrites > 0 {
		s.answered(t, appendError(nil, downText(ln.u.addr, err)))
		return
	}
	ln.p.count.resent++
	if ln.u.replica {
		ln.p.count.readsMoved++
	}
	if waits || s.retrying > 0 {
		ln.p.later(ln.u, t, raw)
		return
	}
	ln.p.resend(ln.u, t, raw)
}

// resume puts a command on another lane, in the database it was meant for.
func (ln *lane) resume(raw []byte, t ticket) {
	ln.to(int(t.db))
	if names(t.row) || t.kind&kindPiece != 0 && t.s.q.at(t.seq).merge.tx.script {
		ln.prepareAll(raw)
	}
	if scripted(t.row) || t.kind&kindPiece != 0 && t.s.q.at(t.seq).merge.tx.script {
		ln.actFor(t.s)
	}
	started := t.startNS
	ln.put(raw, t)
	if t.kind&kindSelects != 0 {
		ln.sayDB()
	}
	// It keeps its age, so that the reply's time-out counts from the first try.
	if front := ln.queue.front(); front.s == t.s && front.seq == t.seq && front.sub == t.sub {
		front.startNS = started
	}
}

// leftUnknown notes that a write which the session has sent to a shard may have run, or may run yet. What it has sent there before it runs no more.
func (s *session) leftUnknown(t *ticket, u *upstream) {
	if s.retrying > 0 {
		s.overtakes(t, u)
	}
	s.p.count.unknown++
	if s.track != nil {
		s.track.unsure = true
	}
}

// mayRunTwice tells whether a command that ran twice has done what it would have done once.
func mayRunTwice(t ticket) bool {
	return t.row.Flags.Has(command.ReadOnly) || t.kind&kindReads != 0 || t.row.Parent == command.CmdScript || t.row.Parent == command.CmdPubSub
}

// downText is told where a command surely did not run; drivers know CLUSTERDOWN and may
// send again. A node that says itself what is wrong is quoted.
func downText(addr string, err error) string {
	why := firstLine(err.Error())
	for _, word := range []string{"LOADING ", "BUSY "} {
		if _, own, ok := strings.Cut(why, word); ok {
			return word + own
		}
	}
	return "CLUSTERDOWN node " + addr + " is out of reach: " + why
}

// unknownText is told where a write may or may not have run: a prefix on which no driver
// sends again by itself.
func unknownText(addr string, err error) string {
	return "UNKNOWN node " + addr + " was lost before its reply, the command may have run: " + firstLine(err.Error())
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(s)
}

func appendError(dst []byte, text string) []byte {
	dst = append(dst, '-')
	dst = append(dst, text...)
	return append(dst, '\r', '\n')
}

var stalePrefix = []byte("-STALE ")

func isStale(reply []byte) bool { return bytes.HasPrefix(reply, stalePrefix) }
