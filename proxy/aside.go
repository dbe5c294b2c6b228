package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
)

// asidesMax is how many such lanes there are at most, a loop and node.
const asidesMax = 32

const textManyAsides = "ERR too many clients ask this node about its running script at once"

// runAside asks every shard on a lane of its own: a node whose script runs on answers nothing more on the lane on which the script came. What the session
// asks before is answered first, and what it asks next waits, as on one server.
func (s *session) runAside(row *command.Row, args [][]byte, how mergeKind) bool {
	if s.q.len() > 0 {
		return s.stall(stallEmpty)
	}
	p := s.p
	for _, u := range p.shards {
		if u.asides >= asidesMax {
			s.refuse(row, textManyAsides)
			return true
		}
	}
	seq := s.push(row)
	m := p.merges.get(how, p.topoID, len(p.shards))
	m.proto = s.proto
	s.q.at(seq).merge = m
	for i, u := range p.shards {
		ln := u.dial(s.proto)
		ln.aside = true
		u.asides++
		at := len(ln.log)
		ln.log = resp.AppendCommand(ln.log, args...)
		ln.commit(at, ticket{s: s, row: row, seq: seq, sub: uint16(i)})
	}
	s.stall(stallEmpty) // what comes next must not overtake it on another lane
	return true
}

// beginAside greets with what a busy node answers, too.
func (ln *lane) beginAside() {
	auth := authWords(ln.p.opts.Upstream)
	if ln.proto == 2 && len(auth) > 0 {
		ln.ask(mustSucceed, auth...)
		return
	}
	hello := [][]byte{[]byte("HELLO"), {'0' + byte(ln.proto)}}
	ln.ask(func(_ *lane, reply []byte) error {
		if ln.proto == 2 {
			return nil // a server that does not know the word speaks it
		}
		return mustSucceed(ln, reply)
	}, append(hello, auth...)...)
}

// readyAside: it is asked its one question, and closes with the answer.
func (ln *lane) readyAside() {
	ln.state = laneEnding
	ln.c.Touch()
}
