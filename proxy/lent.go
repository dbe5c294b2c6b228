package proxy

import (
	"fmt"

	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// laneUse says what a lane is lent for.
type laneUse uint8

const (
	useStream  laneUse = iota // a large command; the zero value, as most lanes are not lent at all
	useWatch                  // WATCH, until EXEC
	useBlock                  // a command that may wait
	useMonitor                // MONITOR, until the client goes
)

const (
	// streamsMost is how many large commands a loop passes to one node at a time; who comes later waits.
	streamsMost = 32
	// idleMaxNS is how long a lane that came back is kept for the next who needs one.
	idleMaxNS = int64(10e9)
)

// lend lends a lane to s alone for something that may take any time, so nobody waits for one: ready or being dialled, it takes commands at once. Nil:
// wrong is the client's error.
func (u *upstream) lend(s *session, use laneUse) (ln *lane, wrong string) {
	if use != useBlock || len(u.arriving) == 0 {
		if ln := u.takeIdle(s, use); ln != nil {
			return ln, ""
		}
	}
	if u.lent >= u.p.opts.Upstream.BorrowMax {
		u.p.count.lendsRefused++
		return nil, u.allLent()
	}
	if u.p.nowNS < u.retryNS {
		return nil, u.err
	}
	return u.dialFor(s, use), ""
}

func (u *upstream) allLent() string {
	return fmt.Sprintf("ERR all %d connections to node %s that a gateway's loop lends to clients who block, watch or monitor are taken", u.p.opts.Upstream.BorrowMax, u.addr)
}

func (u *upstream) takeIdle(s *session, use laneUse) *lane {
	for i, ln := range u.idle {
		if ln.proto == s.proto {
			u.idle = append(u.idle[:i], u.idle[i+1:]...)
			u.lendOut(ln, s, use)
			return ln
		}
	}
	return nil
}

func (u *upstream) dialFor(s *session, use laneUse) *lane {
	ln := u.dial(s.proto)
	u.lendOut(ln, s, use)
	if use == useBlock {
		u.arriving = append(u.arriving, ln)
	}
	return ln
}

func (u *upstream) lendOut(ln *lane, s *session, use laneUse) {
	ln.lentTo, ln.use = s, use
	u.lent++
	if use == useStream {
		u.streams++
	}
}

// takeBack ends what a lane was lent for.
func (u *upstream) takeBack(ln *lane) {
	u.lent--
	if ln.use == useStream {
		u.streams--
	}
	ln.lentTo, ln.use = nil, useStream
}

// closeIdle ends the lanes that nobody has asked for in a while.
func (u *upstream) closeIdle() {
	for len(u.idle) > 0 && u.p.nowNS-u.idle[0].idleNS > idleMaxNS {
		u.idle[0].end()
	}
}

// discard closes a lent lane whatever is under way on it, because nobody wants to know any more.
func (ln *lane) discard() {
	if ln.state == laneClosed {
		return
	}
	ln.state = laneClosed
	for at := ln.head; ln.queue.len() > 0; {
		ln.mirrorsNot(ln.queue.front(), at)
		at += int(ln.queue.front().bytes)
		if t := ln.queue.pop(); t.s != nil {
			t.s.flying--
		}
	}
	ln.dropHears()
	ln.log = nil
	ln.u.forget(ln)
	if ln.c != nil {
		ln.c.Close()
	}
}

// query asks the node something in the lane's own name. then gets the reply, or nil when the lane is lost.
func (ln *lane) query(then func(reply []byte), args ...[]byte) {
	at := len(ln.log)
	ln.log = resp.AppendCommand(ln.log, args...)
	ln.hears = append(ln.hears, then)
	ln.commit(at, ticket{kind: kindHears})
}

func (ln *lane) heard(reply []byte) {
	then := ln.hears[0]
	ln.hears = append(ln.hears[:0], ln.hears[1:]...)
	then(reply)
}

func (ln *lane) dropHears() {
	for len(ln.hears) > 0 {
		ln.heard(nil)
	}
}

// returns says whether a lent lane that has nothing to answer is clean again.
func (s *session) returns(ln *lane) bool {
	switch ln.use {
	case useStream:
		return s.returnsStream(ln)
	case useWatch:
		return s.watch == nil || s.watch.ln != ln
	case useMonitor:
		return false
	default:
		return true
	}
}

// laneGone tells a session that a lane lent to it is lost. What it had under way there was answered, or goes again.
func (s *session) laneGone(ln *lane) {
	switch {
	case ln.use == useWatch && s.watch != nil && s.watch.ln == ln:
		s.watch.ln, s.watch.lost = nil, true
	case ln.use == useMonitor:
		s.monitorLost(ln)
	}
}

// lostLent sends a command of a lost lane again that needs a lane of its own, or ends it. It says false for one to which nothing special applies.
func (s *session) lostLent(u *upstream, t ticket, raw []byte, sent bool, err error) bool {
	addr := u.addr
	switch {
	case t.kind&kindPiece != 0:
		if sent && t.kind&kindReads == 0 {
			return false
		}
		s.answered(t, s.nullArray()) // not run, or only read; and nobody watches any more
	case t.row.ID == command.CmdWatch:
		if s.watchAgain(u, t, raw) {
			return true
		}
		s.loseWatch()
		s.answered(t, appendError(nil, downText(addr, err)))
	case waitsForReplicas(t.row) && u.record == nil || sent && !waitsForReplicas(t.row) && mayRunTwice(t) && fromNow(s.p, raw):
		s.answered(t, appendError(nil, downText(addr, err)))
	case sent && !mayRunTwice(t):
		return false
	default:
		waits := !sent && u.record != nil && u.waits(t)
		if !waits {
			t.tries++
		}
		if t.tries >= triesMax && !waits {
			s.answered(t, appendError(nil, downText(addr, err)))
			return true
		}
		s.p.count.resent++
		s.p.resendSoon(u, t, raw)
	}
	return true
}

// resendSoon sends again what its session has alone under way: at once, or when the node's shard has a primary.
func (p *part) resendSoon(u *upstream, t ticket, raw []byte) {
	if u.record == nil {
		p.resend(nil, t, raw)
		return
	}
	if t.kind&kindBlocks != 0 {
		t.s.block.ln = nil
	}
	p.later(u, t, raw)
}

// resendLent has a command that needs a lane of its own go to whoever has its keys now.
func (p *part) resendLent(t ticket, raw []byte) {
	s := t.s
	req, _, st := p.again.Next(raw)
	if st != resp.Done {
		s.answered(t, appendError(nil, "ERR the gateway could not read a command again"))
		return
	}
	if s.block != nil && s.block.acks != nil {
		s.askAcksAgain(t)
		return
	}
	if t.row.ID == command.CmdWatch {
		s.rewatch(t, req)
		return
	}
	shard, cross := p.shardFor(t.row, req.Args)
	if cross != router.Together {
		s.answered(t, appendError(nil, cross.Error()))
		return
	}
	u := p.shards[shard]
	if u.halts() {
		p.later(u, t, raw)
		return
	}
	ln, wrong := u.lend(s, useBlock)
	if ln == nil {
		s.answered(t, appendError(nil, wrong))
		return
	}
	s.block.ln = ln
	ln.resume(s.shortened(t.row, req), t)
}

// nullArray is what a command that did not happen answers.
func (s *session) nullArray() []byte {
	w := resp.Writer{Proto: s.proto}
	w.NullArray()
	return w.Out
}
