package engine

import (
	"strings"

	"larder/engine/shard"
	"larder/protocol/resp"
)

// psync is a replica that asks for the stream behind an offset, or else for a copy of the data and what follows (Redis 7.0 replication.c, syncCommand).
func psync(s *session, args [][]byte) {
	p := s.p
	if s.state&monitoring != 0 {
		s.hushed = true
		return
	}
	if len(args) > 3 && lower(args[3]) == "failover" {
		if p.reign != nil {
			s.fail(textManaged)
			return
		}
		if wrong := p.takeOver(s, string(args[1])); wrong != "" {
			s.fail(wrong)
			return
		}
	}
	r := s.asReplica()
	if wrong := r.mayFollow(); wrong != "" {
		s.fail(wrong)
		return
	}
	offset, ok := resp.ParseNumber(args[2])
	if !ok {
		s.fail(errNotInt)
		return
	}
	id := strings.ToLower(string(args[1]))
	if p.resumes(r, id, offset-1) {
		return
	}
	if id != "?" {
		p.count.syncRefused++
	}
	p.copyTo(r)
}

// syncFully is SYNC: a replica of old, or a tool, that asks for a copy of the data and what follows.
func syncFully(s *session, _ [][]byte) {
	if s.state&monitoring != 0 {
		s.hushed = true
		return
	}
	r := s.asReplica()
	if wrong := r.mayFollow(); wrong != "" {
		s.fail(wrong)
		return
	}
	r.old = true
	s.p.copyTo(r)
}

func (s *session) asReplica() *replica {
	if s.replica == nil {
		s.replica = &replica{s: s}
	}
	return s.replica
}

// mayFollow is why the connection cannot be a replica's, "" if it can.
func (r *replica) mayFollow() string {
	switch k := r.s.p.link; {
	case r.s.p.failover.state != failoverNone:
		return "NOMASTERLINK Can't SYNC while failing over"
	case r.s.p.isStill() && r.s.p.reign.role != shard.Frozen:
		return "NOMASTERLINK Can't SYNC: this node is not the primary of its shard"
	case k != nil && k.phase != linkFollowing:
		return "NOMASTERLINK Can't SYNC while not connected with my master"
	case r.s.waitsAtGate():
		return "ERR SYNC and PSYNC are invalid with pending output"
	case r.told.filtered && !r.told.eof:
		return "ERR Filtered replica requires EOF capability"
	}
	return ""
}

// resumes has a replica go on behind offset after, which it has of the stream called id, if the stream and that much of the past are here.
func (p *part) resumes(r *replica, id string, after int64) bool {
	past := p.stream.past
	if !p.streaming() || !past.Covers(id, after) {
		p.n.log.Info("a replica is sent a copy of the data", "node", p.n.id, "replica", r.address(), "asked for", id, "after", after,
			"id", past.ID, "old id", past.OldID, "kept from", past.First(), "end", past.End())
		return false
	}
	if r.feed = past.Read(after); r.feed == nil {
		return false
	}
	answer := "CONTINUE"
	if r.told.psync2 {
		answer += " " + past.ID
	}
	p.w.Status(answer)
	p.count.syncPartial++
	r.begin(phaseOnline)
	p.n.log.Info("a replica goes on where it was", "node", p.n.id, "replica", r.address(), "after", after, "behind bytes", past.End()-after)
	r.s.c.Touch()
	return true
}

// copyTo has a replica be sent a copy of the data. The copy is made for all that ask in the same turn, at the earliest.
func (p *part) copyTo(r *replica) {
	p.count.syncFull++
	r.begin(phaseWaiting)
	r.askedNS = p.nowNS
	if p.replicas.copying != nil && p.replicas.copying.join(r) {
		return
	}
	p.l.Later(p.startCopy)
}
