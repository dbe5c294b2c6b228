package proxy

import (
	"bytes"
	"errors"

	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// stream is a command with a large argument that is passed on as it arrives, over a lane
// lent to its session alone. The session's earlier commands are answered by then, and
// later ones wait, so its order is kept; memory holds a few pieces only.
type stream struct {
	ln      *lane // nil once it failed: the rest of the command is read and dropped
	row     *command.Row
	seq     uint32
	topo    *router.Topology // by which it was routed
	started bool             // its first bytes are gone
	sent    bool             // all of it is; the reply is to come
	key     []byte           // where commands are mirrored, which this one is too large for: nothing is known of its key any more
	why     string
}

// startStream looks at the incomplete command in front: a large argument whose key has
// come is not waited for. True: forward goes on with it.
func (s *session) startStream() bool {
	big, ok := s.requests.Big()
	if !ok || big.Len < s.p.opts.StreamMinBytes || big.Dropped > 0 || len(big.Args) < 2 {
		return false
	}
	row := command.Lookup(big.Args[0])
	if row == nil || row.Request != command.RequestKey || row.First != 1 || row.Last != 1 || !row.ArityOK(big.Count) {
		return false // it is waited for, and judged as a whole
	}
	if s.track != nil && mayRead(row) { // its keys are to be known when it is answered
		return false
	}
	if !s.authed || s.mode != 0 || s.paused(row) {
		return false
	}
	shard := s.p.topo.ShardOf(big.Args[1])
	if shard < 0 {
		return false
	}
	if s.q.len() > 0 {
		return s.stall(stallEmpty)
	}
	s.swaps = s.p.swaps
	st := &stream{row: row, topo: s.p.topo}
	if s.p.feed != nil {
		st.key = bytes.Clone(big.Args[1])
	}
	if s.guarded {
		if st.why = s.barred(row, big.Args); st.why != "" {
			s.lastRow, s.stream = row, st
			return true
		}
		if s.depends(big.Args) {
			return false
		}
	}
	u := s.p.shards[shard]
	if u.halts() && s.awaitShard(u) {
		return false
	}
	switch ln, ok := u.borrow(s); {
	case !ok:
		st.why = u.err
	case ln == nil:
		return s.stall(stallStream)
	case u.known && s.db >= u.databases:
		st.why = "ERR DB index is out of range"
		u.giveBack(ln)
	default:
		st.ln = ln
	}
	s.lastRow = row
	s.stream = st
	s.p.count.streamed++
	return true
}

// forward passes on what has come of the command in front: n bytes are done with. It
// says false when it has to wait, for the client or for the node.
func (s *session) forward(buf []byte) (n int, more bool) {
	st := s.stream
	if st.sent {
		return 0, s.stall(stallEmpty)
	}
	if !st.started && (st.topo != s.p.topo || st.ln != nil && (st.ln.u.left || st.ln.state == laneClosed && st.ln.u.halts())) { // it is routed anew: the lane vouches for the topology of when it is written
		s.stream = nil
		if st.ln != nil && st.ln.state != laneClosed {
			st.ln.u.giveBack(st.ln)
		}
		return 0, true
	}
	if ln := st.ln; ln != nil {
		switch {
		case ln.state == laneClosed:
			st.ln = nil
			st.why = downText(ln.u.addr, ln.err)
		case ln.state < laneReady:
			return 0, s.stall(stallStream)
		case ln.c.Unsent() > outputHigh:
			ln.left, ln.leftNS = ln.c.Unsent(), s.p.nowNS
			ln.c.WhenDrained(outputLow)
			return 0, s.stall(stallStream)
		}
	}
	// A command whose last byte has gone out is closed in the same call, whatever the node takes of it: its reply must find its ticket.
	for {
		req, used, state := s.requests.Next(buf[n:])
		if state == resp.Failed {
			s.breakStream(st)
			return len(buf), false
		}
		if !st.started {
			s.openStream(st)
		}
		raw := req.Raw
		if state == resp.More {
			used += s.requests.Seen()
			if used == 0 {
				return n, false
			}
			raw = buf[n : n+used]
			s.requests.Shift(used)
		}
		n += used
		s.passOn(st, raw)
		if state == resp.Piece {
			continue
		}
		if state == resp.Done {
			s.closeStream(st)
		}
		return n, !s.gone && s.stalled == stallNone
	}
}

var errHalfSent = errors.New("it was lost while a command was on its way")

// openStream takes the command's place in the session's queue and tells the lane its database.
func (s *session) openStream(st *stream) {
	st.started = true
	s.muted = s.mute != muteOff
	if s.mute == muteNext {
		s.mute = muteOff
	}
	at := s.q.tail
	st.seq = s.push(st.row)
	if s.waitedNS != 0 {
		s.endWait(at)
	}
	if st.ln != nil {
		st.ln.to(s.db)
		if s.track != nil && s.speaksUp(st.ln, st.row) {
			st.ln.query(whatever, wordLarder, wordAs, s.identity())
		}
		st.ln.Flush(st.ln.c)
	}
}

func (s *session) passOn(st *stream, raw []byte) {
	ln := st.ln
	if ln == nil || len(raw) == 0 || ln.state == laneClosed {
		return
	}
	if ln.sent < len(ln.log) { // its SELECT did not leave: the node is stuck
		ln.fail(errHalfSent)
		return
	}
	_ = ln.c.Write(raw) // a failure ends the lane, which forward sees
}

// closeStream: the whole command is out, or dropped.
func (s *session) closeStream(st *stream) {
	ln := st.ln
	if ln != nil && ln.state == laneClosed {
		st.why = downText(ln.u.addr, ln.err)
		ln = nil
	}
	if ln == nil {
		s.stream = nil
		s.complete(st.seq, appendError(nil, st.why))
		return
	}
	st.sent = true
	s.flying++
	ln.queue.push(ticket{s: s, row: st.row, seq: st.seq, startNS: s.p.nowNS, db: uint16(s.db)})
	s.stall(stallEmpty)
}

// returnsStream says whether a lane is clean again that was lent for a large command: its one reply has come, or its client is gone.
func (s *session) returnsStream(ln *lane) bool {
	st := s.stream
	if st == nil || st.ln != ln {
		return true
	}
	if !st.sent {
		return false
	}
	s.stream = nil
	return true
}

// lostStream: the lane was lost when all of the command was out. Its bytes are not kept,
// so it cannot go again.
func (s *session) lostStream(t ticket, err error) {
	u := s.stream.ln.u
	s.stream = nil
	s.leftUnknown(&t, u)
	s.answered(t, appendError(nil, unknownText(u.addr, err)))
}

// breakStream ends a session that broke the protocol within a command: the error is this command's reply.
func (s *session) breakStream(st *stream) {
	s.dropStream()
	if !st.started {
		s.protocolError()
		return
	}
	s.p.count.protocolErrors++
	s.closing = true
	s.complete(st.seq, appendError(nil, s.requests.Err()))
}

// dropStream forgets a command whose client is gone. Half of it is never run by the node.
func (s *session) dropStream() {
	st := s.stream
	if st == nil || st.ln == nil || st.sent {
		return
	}
	s.stream = nil
	st.ln.fail(errHalfSent)
}

// pass hands on what has come of a large reply in front, if it is its turn: so a reply
// of any size flows through in pieces. It returns how many bytes of buf are done with.
func (ln *lane) pass(buf []byte) int {
	if ln.state < laneReady || ln.queue.len() == 0 {
		return 0
	}
	kind, missing, ok := ln.replies.Big()
	t := ln.queue.front()
	s := t.s
	if s != nil && s.job != nil && !kind.IsPush() {
		return s.job.pass(ln, buf)
	}
	if !ok || kind.IsPush() || s == nil || t.kind&kindPiece != 0 && !ln.executes(t) {
		return 0
	}
	if !s.gone {
		if e := s.q.at(t.seq); t.seq != s.q.head || e.merge != nil && !e.merge.passes() || ln.heed&heedAlways != 0 && ln.holdsFront(t) {
			s.reserve(int64(len(buf)) + missing)
			return 0
		}
	}
	n := ln.replies.Seen()
	ln.replies.Shift(n)
	ln.passing = true
	if s.gone {
		return n
	}
	if s.ears != nil {
		s.ears.mail.reply = true
	}
	if !s.q.at(t.seq).mute {
		s.c.Out = append(s.c.Out, buf[:n]...)
		s.partial = true
		s.c.Touch()
	}
	if s.c.Unsent() > outputHigh {
		ln.hold(s)
	}
	return n
}

// reserve closes a client that waits for more than may be kept for it.
func (s *session) reserve(bytes int64) {
	if int64(s.held)+bytes <= s.p.opts.OutputMaxBytes {
		return
	}
	s.p.count.slowClosed++
	s.p.warnf("client closed: a reply that has to wait is larger than its output limit", s.c)
	s.c.Close()
}

// hold stops reading the lane until s has read more. Whoever comes now gets another
// lane, so that only what is already out waits for a slow client.
func (ln *lane) hold(s *session) {
	ln.slow, s.slow = s, ln
	ln.left, ln.leftNS = s.c.Unsent(), ln.p.nowNS
	ln.c.Pause()
	s.c.WhenDrained(outputLow)
	if u := ln.u; u.shared[ln.line-2] == ln {
		u.shared[ln.line-2] = nil
		ln.state = laneEnding
		ln.p.swaps++
		if ln.line >= lineReads2 { // it will close, and what it was to tell cannot wait for a slow client
			ln.tellingLost(laneReady)
		}
	}
}
