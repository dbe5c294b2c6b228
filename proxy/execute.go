package proxy

import (
	"errors"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

var wordMulti, wordExec = []byte("MULTI"), []byte("EXEC")

// exec sends the transaction to its shard as one contiguous piece: so it is lost, refused as stale or run as a whole. What the gateway runs of it itself
// follows when the shard has run the rest, and what the session says next waits for that.
func (s *session) exec(row *command.Row) bool {
	tx, p := s.tx, s.p
	switch {
	case tx == nil:
		s.refuse(row, "ERR EXEC without MULTI")
		return true
	case tx.broken:
		s.dropMulti()
		s.endWatch()
		s.refuse(row, textExecAbort)
		return true
	case (s.watch != nil || tx.switched) && s.q.len() > 0:
		return s.stall(stallEmpty) // what it has under way may change the keys, and is of the protocol before
	case tx.topo != p.topo:
		if text := p.placeAnew(tx, tx.raw); text != "" {
			s.dropMulti()
			s.endWatch()
			s.refuse(row, text)
			return true
		}
	}
	if tx.doubted {
		s.rejudge(tx)
	}
	if tx.script {
		if able, wrong := s.mayScript(p.shards[tx.home()]); wrong != "" {
			s.dropMulti()
			s.endWatch()
			s.refuse(row, wrong)
			return true
		} else if !able {
			return s.stall(stallLane)
		}
	}
	if tx.publishes && !s.speaks(p.shards[tx.home()], true) {
		return false
	}
	var ln *lane
	kind := tx.kind()
	switch {
	case s.watch != nil:
		if ln = s.execWatched(row); ln == nil {
			return true
		}
		kind |= kindLent
	case tx.sent > 0:
		var ok bool
		if ln, ok = s.laneTo(row, tx.home()); ln == nil {
			if ok {
				s.dropMulti()
			}
			return ok
		}
	}
	seq := s.push(row)
	m := p.merges.get(mergeFirst, p.topoID, 1)
	m.tx = tx
	s.q.at(seq).merge = m
	s.leaveMulti()
	if ln == nil {
		s.executed(seq, s.q.at(seq), resp.AppendArray(nil, 0))
	} else {
		s.sayMarks(ln)
		ln.putPiece(tx, ticket{s: s, row: row, seq: seq, kind: kind})
	}
	if (tx.splice || kind&kindLent != 0) && s.q.len() > 0 {
		s.stall(stallEmpty)
	}
	return true
}

// rejudge takes out of a transaction what the rules of its user do not allow any more; the reply says so in its place.
func (s *session) rejudge(tx *transaction) {
	tx.doubted = false
	if !s.limited {
		return
	}
	p := s.p
	p.txs.bytes -= len(tx.raw) + len(tx.here)
	raw, here := tx.raw, tx.here
	tx.raw, tx.here, tx.script = raw[:0], here[:0], false // what is kept moves towards the front
	for i := range tx.queue {
		q := &tx.queue[i]
		if q.wrong != "" {
			continue
		}
		from, kept := &raw, &tx.raw
		if q.here > 0 {
			from, kept = &here, &tx.here
		}
		req, n, _ := p.again.Next(*from)
		if q.wrong = s.barredSince(q.row, req.Args); q.wrong == "" {
			*kept = append(*kept, (*from)[:n]...)
			tx.script = tx.script || q.here == 0 && scripted(q.row)
		} else {
			tx.splice = true
			if q.here == 0 {
				tx.sent--
			}
		}
		*from = (*from)[n:]
	}
	p.txs.bytes += len(tx.raw) + len(tx.here)
}

// kind is what its ticket says of it.
func (tx *transaction) kind() (k ticketKind) {
	k = kindPiece
	if !tx.writes {
		k |= kindReads
	}
	if tx.splice {
		k |= kindSelects
	}
	return k
}

// putPiece appends a transaction. Behind one that may have changed the database the lane says its own again, whatever came of it.
func (ln *lane) putPiece(tx *transaction, t ticket) {
	ln.to(t.s.db)
	if tx.script {
		ln.prepareAll(tx.raw)
		ln.actFor(t.s)
	}
	if tx.waits {
		ln.sayWrites(t.s, func([]byte) {})
	}
	at := len(ln.log)
	ln.log = resp.AppendCommand(ln.log, wordMulti)
	ln.log = append(ln.log, tx.raw...)
	ln.log = resp.AppendCommand(ln.log, wordExec)
	ln.commit(at, t)
	if t.kind&kindSelects != 0 {
		ln.sayDB()
	}
}

// swallows takes a reply that stands before EXEC's: the OK of MULTI, and what was said to each command. A command that the node refuses makes it refuse
// EXEC too.
func (ln *lane) swallows(t *ticket, reply []byte) bool {
	if ln.executes(t) {
		ln.early = 0
		return false
	}
	if ln.sent == ln.head { // nothing of it has left
		return false
	}
	if reply[0] == '-' {
		switch tx := t.s.q.at(t.seq).merge.tx; {
		case ln.early == 0:
			tx.refused = true
		case tx.unserved == "" && provesUnserved(reply[1:]):
			tx.unserved = firstLine(string(reply))
		}
	}
	ln.early++
	return true
}

// executes tells whether the next reply to the piece in front is EXEC's.
func (ln *lane) executes(t *ticket) bool { return ln.early > t.s.q.at(t.seq).merge.tx.sent }

// passes tells whether the reply to the one part is the client's, byte for byte.
func (m *merge) passes() bool { return m.tx != nil && !m.tx.splice }

// placeAnew finds the shard of a transaction by the present topology, or says why there is none. raw has its commands, and perhaps MULTI and EXEC.
func (p *part) placeAnew(tx *transaction, raw []byte) string {
	tx.topo, tx.shard, tx.lean = p.topo, anyShard, 0
	for len(raw) > 0 {
		req, n, st := p.again.Next(raw)
		if st != resp.Done {
			return "ERR the gateway could not read a transaction again"
		}
		raw = raw[n:]
		row, text := p.g.resolve(req.Args)
		if row == nil {
			return text // its servers have lost it since
		}
		shard, wrong := p.shardInMulti(row, req.Args)
		p.lean(tx, row, req.Args)
		switch {
		case wrong != "":
			return wrong
		case shard == anyShard:
		case tx.shard == anyShard:
			tx.shard = shard
		case tx.shard != shard:
			return router.Crosses.Error()
		}
	}
	return ""
}

// resendExec sends a transaction again that surely did not run, or only reads, to whom its keys belong now.
func (p *part) resendExec(t ticket, tx *transaction, raw []byte) {
	if text := p.placeAnew(tx, raw); text != "" {
		t.s.answered(t, appendError(nil, text))
		return
	}
	p.resendTo(p.shards[tx.home()], t, raw)
}

// executed takes the shard's reply to EXEC. If all of the transaction was for the shard, it is the client's.
func (s *session) executed(seq uint32, e *answer, reply []byte) {
	m, p := e.merge, s.p
	tx := m.tx
	switch {
	case tx.refused:
		reply = appendError(nil, "UNKNOWN a node did not take MULTI, the commands may have run one by one: "+firstLine(string(reply[1:])))
	case tx.splice && isArray(reply):
		tx.reply = append(p.bufs.get(), reply...)
		p.bufs.held += len(reply)
		s.runRest(seq, tx)
		return
	}
	s.endExec(seq, reply)
}

// endExec answers an EXEC.
func (s *session) endExec(seq uint32, reply []byte) {
	e, p := s.q.at(seq), s.p
	m := e.merge
	e.merge = nil
	if m.tx.reply != nil {
		p.bufs.put(m.tx.reply)
	}
	hears := m.tx.hears
	p.txs.put(m.tx)
	p.merges.put(m, &p.bufs)
	s.complete(seq, reply)
	if hears && s.ears != nil {
		s.ears.mail.exec = false
		s.c.Touch()
	}
}

var errNotNow = errors.New("ERR the gateway cannot run the command inside a transaction now, please try again")

// runRest runs the transaction's commands of the gateway's own, when the shard has run the others. Each takes a place in the session's queue behind the
// EXEC, whose reply takes theirs in when all have come.
func (s *session) runRest(seq uint32, tx *transaction) {
	p := s.p
	tx.first, tx.running, s.executing = s.q.tail, true, true
	if tx.hears && s.ears == nil {
		s.ears = &ears{}
	}
	if tx.hears {
		s.ears.mail.exec = true
	}
	theirs := resp.Elements(tx.reply)
	muted := s.muted
	s.muted = false
	for i, here := 0, tx.here; i < len(tx.queue) && !s.gone; i++ {
		q := &tx.queue[i]
		q.reply = -1
		if q.wrong != "" {
			q.mute = s.mute == muteOn
			continue
		}
		if q.here == 0 {
			if elem, ok := theirs.Next(); ok && q.row.ID == command.CmdSelect && elem[0] == '+' {
				s.db = int(q.db)
			}
		} else if req, _, st := p.again.Next(here[:q.here]); st == resp.Done {
			at := s.q.tail
			s.runWithin(q.row, req.Args)
			if s.q.tail != at {
				q.reply = int32(at - tx.first)
				s.q.at(at).within = true
			}
			here = here[q.here:]
		}
		q.mute = s.mute == muteOn
	}
	s.muted, tx.running, s.executing = muted, false, false
	if !s.gone {
		s.gatheredFor(seq, tx)
	}
}

// runWithin runs one of them.
func (s *session) runWithin(row *command.Row, args [][]byte) {
	switch wrong := client.NotInMulti(row.ID); {
	case wrong != "":
		s.refuse(row, wrong)
	case row.ID == command.CmdHello:
		s.hello(row, args) // it waits for nothing: if the protocol changes, nothing was before the EXEC
	case !s.runHere(row, args):
		s.refuse(row, errNotNow.Error())
	}
}

// gathered: the reply to a command of the gateway's own has come, for the one transaction that the session may have under way then.
func (s *session) gathered() {
	for seq := s.q.head; seq != s.q.tail; seq++ {
		if m := s.q.at(seq).merge; m != nil && m.tx != nil && m.tx.reply != nil {
			if !m.tx.running {
				s.gatheredFor(seq, m.tx)
			}
			return
		}
	}
}

// gatheredFor puts the reply to EXEC together, if all of it is there.
func (s *session) gatheredFor(seq uint32, tx *transaction) {
	for at := tx.first; at != s.q.tail; at++ {
		if !s.q.at(at).done {
			return
		}
	}
	p := s.p
	theirs := resp.Elements(tx.reply)
	out := resp.AppendArray(p.bufs.get(), len(tx.queue))
	for i := range tx.queue {
		q := &tx.queue[i]
		from := len(out)
		if q.wrong != "" {
			out = appendError(out, q.wrong)
		} else if q.here == 0 {
			elem, ok := theirs.Next()
			if !ok {
				out = append(out[:0], errorOutOfForm...)
				break
			}
			if q.scan.active {
				copied := q.scan.rewrite(p, topologyID(tx.topo), p.bufs.copy(elem))
				out = append(out, copied...)
				p.bufs.put(copied)
			} else {
				out = append(out, elem...)
			}
		} else if q.reply >= 0 {
			e := s.q.at(tx.first + uint32(q.reply))
			out = append(out, e.reply...)
		}
		if q.mute {
			out = out[:from]
		}
	}
	for at := tx.first; at != s.q.tail; at++ {
		if e := s.q.at(at); e.reply != nil {
			s.held -= len(e.reply)
			p.bufs.put(e.reply)
			e.reply = nil
		}
	}
	s.endExec(seq, out)
	p.bufs.recycle(out)
}
