package engine

import (
	"slices"

	"larder/protocol/resp"
)

// awaited is what WAIT or WAITAOF waits for.
type awaited struct {
	offset   int64 // of the client's last write
	replicas int64 // so many have it
	local    int64 // 1: this node's journal has it on disk
	onDisk   bool  // WAITAOF: replicas are to have it on disk
}

const (
	errWaitFollower    = "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated."
	errWaitAOFFollower = "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated."
	errWaitAOFLocal    = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
)

// wait is WAIT numreplicas timeout (Redis 7.2 replication.c, waitCommand).
func wait(s *session, args [][]byte) {
	if s.p.follows() {
		s.fail(errWaitFollower)
		return
	}
	n, ok := resp.ParseNumber(args[1])
	if !ok {
		s.fail(errNotInt)
		return
	}
	s.await(args[2], awaited{offset: s.wroteAt, replicas: n})
}

// waitAOF is WAITAOF numlocal numreplicas timeout (Redis 7.2 replication.c, waitaofCommand).
func waitAOF(s *session, args [][]byte) {
	local, ok := resp.ParseNumber(args[1])
	n, ok2 := resp.ParseNumber(args[2])
	_, journal := s.p.journalSynced()
	switch {
	case !ok:
		s.fail(errNotInt)
		return
	case local < 0 || local > 1:
		s.fail("ERR value is out of range, value must between 0 and 1")
		return
	case !ok2 || n < 0:
		s.fail("ERR value is out of range, must be positive")
		return
	}
	if _, wrong := parseWaitMS(args[3]); wrong != "" {
		s.fail(wrong)
		return
	}
	switch {
	case s.p.follows():
		s.fail(errWaitAOFFollower)
		return
	case local > 0 && !journal:
		s.fail(errWaitAOFLocal)
		return
	}
	s.await(args[3], awaited{offset: s.wroteAt, replicas: n, local: local, onDisk: true})
}

// noteWrite notes where the stream ends behind a client's command, if that has added to it.
func (p *part) noteWrite(s *session) {
	if end := p.stream.past.End(); end != p.replicas.noted {
		p.replicas.noted, s.wroteAt, s.wrote = end, end, true
	}
}

// larderWrote has WAIT and WAITAOF on this connection speak of all that was written until now: what a gateway's client wrote came over other connections.
func larderWrote(s *session, _ [][]byte) {
	s.waitsFor(s.p.stream.past.End())
	s.ok()
}

// waitsFor has WAIT and WAITAOF on this connection, which may be any client's, speak of the stream up to an offset.
func (s *session) waitsFor(offset int64) {
	all := &s.p.replicas
	if offset > 0 && offset == all.asked {
		offset = all.before // replicas answer a question with where it stands
	}
	s.wroteAt, all.noted = offset, s.p.stream.past.End() // what the node itself has added is nobody's
}

func parseWaitMS(text []byte) (ms int64, wrong string) {
	ms, ok := resp.ParseNumber(text)
	switch {
	case !ok:
		return 0, "ERR timeout is not an integer or out of range"
	case ms < 0:
		return 0, "ERR timeout is negative"
	}
	return ms, ""
}

// await answers at once if there is nothing to wait for, or if the client may not wait; else when there is not, or when the time is over.
func (s *session) await(timeout []byte, want awaited) {
	p := s.p
	ms, wrong := parseWaitMS(timeout)
	switch {
	case wrong != "":
		s.fail(wrong)
	case p.has(&want), want.offset == nowhere, !p.call.Blockable, p.depth > 0:
		p.writeAcks(&want)
	default:
		p.call.Wait.TimeoutMS, p.call.Wait.Keys, p.call.Wait.Note = ms, nil, nil
		p.park(s, s.last, [][]byte{nil})
		s.waiter.acks = &want
		p.replicas.waiters = append(p.replicas.waiters, s)
		p.replicas.asking = true
		p.streamed()
	}
}

// ackers counts the replicas that have the stream up to an offset, or have it on disk.
func (p *part) ackers(offset int64, onDisk bool) (n int64) {
	for _, r := range p.replicas.all {
		at := r.ackedAt
		if onDisk {
			at = r.syncedAt
		}
		if r.phase == phaseOnline && at >= offset {
			n++
		}
	}
	return n
}

// localAck is 1 if the node's own journal has the stream up to an offset on disk.
func (p *part) localAck(offset int64) int64 {
	if synced, journal := p.journalSynced(); journal && synced >= offset {
		return 1
	}
	return 0
}

func (p *part) has(w *awaited) bool {
	return p.ackers(w.offset, w.onDisk) >= w.replicas && (w.local == 0 || p.localAck(w.offset) >= w.local)
}

func (p *part) writeAcks(w *awaited) {
	n := p.ackers(w.offset, w.onDisk)
	if !w.onDisk {
		p.w.Int(n)
		return
	}
	p.w.Array(2)
	p.w.Int(p.localAck(w.offset))
	p.w.Int(n)
}

// serveAcks answers those who have waited long enough: a replica, or the journal, has said how far it is.
func (p *part) serveAcks() {
	for _, s := range slices.Clone(p.replicas.waiters) {
		w := s.waiter
		if !p.has(w.acks) {
			continue
		}
		p.as(s, func() { p.writeAcks(w.acks) })
		p.ran(s, w.row, w.args, 0)
		p.unpark(s)
	}
}

// forgetAcks takes a session that waits no more out of those who do.
func (p *part) forgetAcks(s *session) {
	p.replicas.waiters = slices.DeleteFunc(p.replicas.waiters, func(o *session) bool { return o == s })
}
