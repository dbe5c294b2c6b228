package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
)

// Reads from replicas. A session whose policy is another than primary has a readState. What must hold: a session's commands show it what they would show if they had
// run one after the other, so it changes between a shard's nodes only when nothing of it is on the way; at every level but eventual it never sees less of a slot than
// it has seen before; and a replica that fails costs no error: what was asked there goes to the primary.

// readState is what a session knows of its own reads.
type readState struct {
	readPolicy
	away  bool // with commands under way: they are reads at replicas
	mixed bool // and some of them are, or have come, elsewhere
	swaps uint32
	last  []uint8    // by shard: the replica that was read last, from 1; 0 = none
	seen  []offsetIn // what a replica must have come to before it is read
}

// offsetIn is a place in a stream.
type offsetIn struct {
	era *era
	at  int64
}

// readMode is what the connection has said.
type readMode uint8

const (
	modeUsual     readMode = iota
	modeReadOnly           // READONLY
	modeReadWrite          // READWRITE
)

// chooseReads gives the session the policy that holds for it now. What it has under way ends by the old one.
func (s *session) chooseReads() {
	policy := s.p.rules.of(s.user)
	switch {
	case s.readMode == modeReadWrite:
		policy.from = fromPrimary
	case s.readMode == modeReadOnly && policy.from == fromPrimary:
		policy.from = preferReplica
	}
	switch {
	case s.reads != nil:
		s.reads.readPolicy = policy
	case policy.from != fromPrimary:
		s.reads = &readState{readPolicy: policy}
	}
}

// readOnly is READONLY: drivers for clusters say it on connections from which they read.
func (s *session) readOnly(row *command.Row, _ [][]byte) {
	p := s.p
	if s.readMode = modeReadOnly; p.g.high.on.Load() {
		s.chooseReads()
		s.ok(row, nil)
		return
	}
	seq := s.push(row)
	p.g.splitReads(p, func() {
		if !s.gone {
			s.chooseReads()
		}
		s.later(seq, (*resp.Writer).OK)
	})
}

// readWrite is READWRITE: reads go to primaries from here on.
func (s *session) readWrite(row *command.Row, _ [][]byte) {
	s.readMode = modeReadWrite
	s.chooseReads()
	s.ok(row, nil)
}

// splitReads has all loops note what reads from replicas need to know, and then runs done on p's loop.
func (g *Gateway) splitReads(p *part, done func()) {
	p.everywhere((*part).noteForReads, func() {
		g.high.on.Store(true)
		done()
	})
}

// mayBeAway tells whether a command may run at a replica.
func (s *session) mayBeAway(row *command.Row) bool {
	const never = command.Write | command.MayReplicate | command.Blocking | command.TouchesArbitraryKeys
	return row.Flags&(never|command.ReadOnly) == command.ReadOnly && s.track == nil && s.watch == nil && !s.executing &&
		row.ID != command.CmdTouch && row.Parent != command.CmdObject // those are about the primary's own care for the key
}

// awayFirst has a command that replicas do not run wait until what the session has under way there is answered.
func (s *session) awayFirst(row *command.Row) bool {
	r := s.reads
	if s.q.len() == 0 {
		r.away, r.mixed = false, false
		return false
	}
	if !r.away || row.Request == command.RequestLocal && row.ID != command.CmdExec {
		return false
	}
	return !s.mayBeAway(row) || row.Request != command.RequestKey && row.Request != command.RequestMultiShard
}

// laneFor is laneTo of a session that may read from replicas. slots are those that a read looks at; none: it may be any of the shard.
func (s *session) laneFor(row *command.Row, shard int, slots []int) (*lane, bool) {
	r := s.reads
	if r == nil {
		return s.laneTo(row, shard)
	}
	if !r.mixed && (r.away || s.q.len() == 0) && s.mayBeAway(row) {
		ln, ok := s.replicaFor(shard, slots)
		if ln != nil {
			r.away = true
		}
		if ln != nil || !ok {
			return ln, ok
		}
	}
	if r.away {
		return nil, s.stall(stallEmpty)
	}
	return s.laneTo(row, shard)
}

// replicaFor is a lane to the replica that a session reads. Nil and true: the primary is read; nil and false: the session waits.
func (s *session) replicaFor(shard int, slots []int) (*lane, bool) {
	p, r := s.p, s.reads
	if r.from == fromPrimary || shard >= len(p.replicas) {
		return nil, true
	}
	all := p.replicas[shard]
	if len(all) == 0 {
		return nil, true
	}
	if r.swaps != p.topoSwaps {
		r.swaps, r.last = p.topoSwaps, append(r.last[:0], make([]uint8, len(p.shards))...)
	}
	which := s.choose(shard, all)
	if which < 0 {
		return nil, true
	}
	u := all[which]
	if was := int(r.last[shard]) - 1; was != which {
		if r.away {
			return nil, s.stall(stallEmpty)
		}
		if was >= 0 && r.level != levelEventual {
			r.see(all[was].era, all[was].at)
		}
		r.last[shard] = uint8(which + 1)
	}
	ln := u.shared[s.line-2]
	if ln.full() {
		ln.waiters = append(ln.waiters, s)
		return nil, s.stall(stallLane)
	}
	if r.level != levelEventual && !r.passed(u, p.ownerOfSlots(shard, slots), slots) {
		p.count.readsBehind++
		u.askStamp()
		return nil, true
	}
	u.reads++
	p.count.readsAway++
	return ln, true
}

// choose is the replica of a shard that the session reads, by its place in all; -1: it reads the primary.
func (s *session) choose(shard int, all []*upstream) int {
	p, r := s.p, s.reads
	was := int(r.last[shard]) - 1
	if r.away && was >= 0 && s.readable(all[was]) {
		return was
	}
	first := int(s.id % uint64(len(all)))
	switch r.from {
	case leastLoaded:
		best, least := -1, p.shards[shard].depth()
		for i := range all {
			at := (first + i) % len(all)
			if s.readable(all[at]) && all[at].depth() < least {
				best, least = at, all[at].depth()
			}
		}
		return best
	case sameZone:
		for i := range all {
			if at := (first + i) % len(all); all[at].near && s.readable(all[at]) {
				return at
			}
		}
		if p.shards[shard].near {
			return -1
		}
	}
	for i := range all {
		if at := (first + i) % len(all); s.readable(all[at]) {
			return at
		}
	}
	return -1
}

// readable tells whether a replica can be asked at all, and is not too far behind.
func (s *session) readable(u *upstream) bool {
	p := s.p
	u.wanted = true
	if p.nowNS < u.restNS {
		return false
	}
	ln := u.lane(s.line)
	if ln == nil || ln.state != laneReady || s.db >= u.databases {
		return false
	}
	if !u.larder {
		return s.reads.level == levelEventual
	}
	if most := p.rules.maxLagNS; most > 0 && p.nowNS-u.asOfNS > most {
		p.count.readsLate++
		return false
	}
	return true
}

// see notes that the session has seen what a stream says up to an offset.
func (r *readState) see(e *era, at int64) {
	if e == nil {
		return
	}
	for i := range r.seen {
		if r.seen[i].era == e {
			r.seen[i].at = max(r.seen[i].at, at)
			return
		}
	}
	r.seen = append(r.seen, offsetIn{e, at})
}

// passed tells whether a replica shows what a read of the session must: of the stream that counts for the slot, as far as was seen.
func (r *readState) passed(u *upstream, o *owner, slots []int) bool {
	if o == nil || o.era != u.era {
		return false
	}
	if u.at < o.before(r.level, slots) {
		return false
	}
	for i := len(r.seen) - 1; i >= 0; i-- {
		switch m := r.seen[i]; {
		case m.era == u.era && m.at > u.at:
			return false
		case m.era == u.era || m.era.over.Load(): // from here on the replica shows it; of a stream that has ended the floor speaks
			r.seen[i] = r.seen[len(r.seen)-1]
			r.seen = r.seen[:len(r.seen)-1]
		}
	}
	return true
}
