package proxy

import (
	"bytes"

	"larder/metrics/slow"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// The gateway's own slow log and latency monitor see what a client sees: the time from when a command could have gone to its node until its reply. What of
// that passed in the node, the node's own tell.

// watchTimes has the settings of what looks for slow commands take effect on this loop.
func (p *part) watchTimes(set *slow.Settings) {
	p.slowNS = min(set.SlowNS(), set.SpikeNS())
	p.slowLog.Limit(set.SlowMax)
}

// endWait: the command that waited for a lane has its place in the queue, at, if it has one. Its time began with the waiting.
func (s *session) endWait(at uint32) {
	if s.q.tail != at {
		s.q.at(at).startNS = s.waitedNS
	}
	s.waitedNS = 0
}

// noteSlow tells the latency monitor and the slow log of a command whose reply has come, which took at least as long as one of them looks for. What waited
// for keys by the client's own will has taken no time, and neither has what the gateway answers itself.
func (s *session) noteSlow(seq uint32, tookNS int64) {
	p, e := s.p, s.q.at(seq)
	row := e.row
	if row == nil {
		return
	}
	if p.slowNS == 0 && row.Request == command.RequestLocal && row.ID != command.CmdExec {
		if args := s.toTell[seq]; args != nil {
			delete(s.toTell, seq)
			s.keepSlow(row, args, tookNS, 0)
		}
		return
	}
	args, upstreamNS := p.asked(s, seq, row)
	if args == nil {
		if tookNS == 0 {
			return // it was refused: no node was asked
		}
		args, upstreamNS = [][]byte{[]byte(row.Name)}, tookNS
	}
	upstreamNS = min(upstreamNS, tookNS)
	id := s.keepSlow(row, args, tookNS, upstreamNS)
	if id > 0 && seq != s.q.head {
		e.slow = uint32(id)
	}
}

// runNoted runs a command of the gateway's own where every command is looked for: it is told of when it is answered.
func (s *session) runNoted(row *command.Row, args [][]byte) bool {
	at := s.q.tail
	done := s.runHere(row, args)
	switch {
	case !done || s.gone || row.ID == command.CmdExec:
	case s.q.tail != at && int32(at-s.q.head) >= 0 && !s.q.at(at).done:
		if s.toTell == nil {
			s.toTell = map[uint32][][]byte{}
		}
		s.toTell[at] = copied(args)
	default:
		s.keepSlow(row, args, 0, 0)
	}
	return done
}

// keepSlow gives the number behind the command's in the slow log, 0 if it is not slow enough for that.
func (s *session) keepSlow(row *command.Row, args [][]byte, tookNS, upstreamNS int64) (next uint64) {
	p := s.p
	set := &p.g.settings.Load().watching
	atS := p.g.nowMS(p.l.Now()) / 1000
	if tookNS >= set.SpikeNS() {
		p.spikes.Note(slow.EventOf(row), atS, tookNS)
	}
	if tookNS < set.SlowNS() || row.Flags.Has(command.SkipSlowlog) && row.ID != command.CmdExec {
		return 0
	}
	next = p.g.slowIDs.Add(1)
	p.slowLog.Add(slow.Entry{
		ID: int64(next - 1), AtS: atS, US: tookNS / 1000, Args: slow.Shown(row, args), Client: s.c.Peer().String(), Name: s.name,
		QueueUS: (tookNS - upstreamNS) / 1000, UpstreamUS: upstreamNS / 1000,
	}, set.SlowMax)
	return next
}

// asked finds the command that a lane is just answering: its arguments, which are views, of one over several shards the last one's share; and how long it was
// on the lane. A transaction is EXEC as a whole, with what it ran. Nil: no lane is.
func (p *part) asked(s *session, seq uint32, row *command.Row) (args [][]byte, tookNS int64) {
	if j := p.finishing; j != nil && j.s == s && j.seq == seq {
		return j.args, p.nowNS - j.startNS
	}
	for _, u := range p.upstreams {
		for _, ln := range u.lanes {
			if ln.queue.len() == 0 {
				continue
			}
			t := ln.queue.front()
			if t.s != s || t.seq != seq {
				continue
			}
			tookNS = p.nowNS - t.startNS
			if t.bytes == 0 {
				return [][]byte{[]byte(row.Name)}, tookNS
			}
			raw := ln.log[ln.head : ln.head+int(t.bytes)]
			if t.kind&kindPiece != 0 {
				return p.pieceShown(row, raw), tookNS
			}
			req, _, st := p.again.Next(raw)
			if st != resp.Done {
				return [][]byte{[]byte(row.Name)}, tookNS
			}
			return req.Args, tookNS
		}
	}
	return nil, 0
}

// pieceShown is a transaction as the slow log shows it: EXEC, and each of its commands as one argument. What each of them took only their node knows.
func (p *part) pieceShown(row *command.Row, raw []byte) [][]byte {
	args := [][]byte{[]byte(row.Name)}
	for len(raw) > 0 {
		req, n, st := p.again.Next(raw)
		if st != resp.Done {
			break
		}
		raw = raw[n:]
		if own, _ := p.g.resolve(req.Args); own != nil && own.ID != command.CmdMulti && own.ID != command.CmdExec {
			args = append(args, bytes.Join(slow.Shown(own, req.Args), []byte(" ")))
		}
	}
	return args
}

// slowWritten: the reply of a slow command was written, when those before it were.
func (p *part) slowWritten(e *answer) {
	entry := p.slowLog.Find(int64(e.slow - 1))
	e.slow = 0
	if entry != nil {
		entry.WriteUS = max(0, (p.nowNS-e.startNS)/1000-entry.US)
		entry.US += entry.WriteUS
	}
}
