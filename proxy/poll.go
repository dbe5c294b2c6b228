package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
)

// poll asks nodes about themselves, or sets something of theirs, and hands their replies, which are views, to then; that has to see to the session's reply,
// by later. What is asked belongs to its nodes: it never goes to others because slots have moved. An error is a reply like any other. It says false when
// the session has to wait.
func (s *session) poll(row *command.Row, shards []int, kind ticketKind, args [][]byte, then func(seq uint32, replies [][]byte)) bool {
	p := s.p
	for _, shard := range shards {
		if ln := p.shards[shard].lane(s.line); ln != nil && ln.full() {
			ln.waiters = append(ln.waiters, s)
			return s.stall(stallLane)
		}
	}
	nodes := make([]*upstream, len(shards))
	for i, shard := range shards {
		nodes[i] = p.shards[shard]
	}
	s.pollFor(s.push(row), row, nodes, kind, func(int) [][]byte { return args }, then)
	return true
}

// pollFor is poll in the name of a command that has its place: one round of several. Each node gets words of its own.
func (s *session) pollFor(seq uint32, row *command.Row, nodes []*upstream, kind ticketKind, words func(i int) [][]byte, then func(seq uint32, replies [][]byte)) {
	p := s.p
	m := p.merges.get(mergeFirst, p.topoID, len(nodes))
	m.poll = func(replies [][]byte) { then(seq, replies) }
	s.q.at(seq).merge = m
	var out []int
	for i, u := range nodes {
		ln := (*lane)(nil)
		if !u.left {
			ln = u.lane(s.line)
		}
		if ln == nil {
			out = append(out, i)
			continue
		}
		db := s.db
		if u.known && db >= u.databases {
			db = 0
		}
		ln.to(db)
		at := len(ln.log)
		ln.log = resp.AppendCommand(ln.log, words(i)...)
		ln.commit(at, ticket{s: s, row: row, seq: seq, sub: uint16(i), kind: kind})
	}
	for _, i := range out {
		why := nodes[i].err
		if nodes[i].left {
			why = downText(nodes[i].addr, errLeft)
		}
		s.answered(ticket{s: s, row: row, seq: seq, sub: uint16(i)}, appendError(nil, why))
	}
	if len(nodes) == 0 {
		p.polled(s.q.at(seq))
	}
}

// polled hands over the replies of a poll when all have come.
func (p *part) polled(e *answer) {
	m := e.merge
	e.merge = nil
	m.poll(m.subs)
	p.merges.put(m, &p.bufs)
}

// allShards are the numbers of all shards.
func (p *part) allShards() []int {
	all := make([]int, len(p.shards))
	for i := range all {
		all[i] = i
	}
	return all
}

// settles has the session's next command wait until what it has under way is answered: the next is to find it done.
func (s *session) settles() bool {
	if s.unanswered() {
		s.stall(stallEmpty)
	}
	return true
}

// firstFailed is the first reply that is an error, and of which shard; -1 if none is.
func firstFailed(replies [][]byte) int {
	for i, reply := range replies {
		if resp.IsError(reply) {
			return i
		}
	}
	return -1
}
