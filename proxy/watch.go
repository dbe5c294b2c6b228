package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// watching is a lane lent to a session whose keys are watched: the node knows who watches by the connection. All keys are one shard's, and so are those of
// the transaction that follows. EXEC goes over the lane and ends it. When the lane is lost, or slots have moved, EXEC answers null as if a key had changed:
// the client tries again.
type watching struct {
	ln   *lane // nil once lost
	u    *upstream
	topo *router.Topology
	said int // times that WATCH was said
	lost bool
}

var wordUnwatch = []byte("UNWATCH")

// runWatch is WATCH. It comes behind what the session has under way, which may change the keys, and before what it says next.
func (s *session) runWatch(row *command.Row, args [][]byte) bool {
	if s.tx != nil {
		s.refuse(row, "ERR WATCH inside MULTI is not allowed")
		return true
	}
	if s.q.len() > 0 {
		return s.stall(stallEmpty)
	}
	p := s.p
	shard, cross := p.shardOfAll(row, args)
	if cross != router.Together {
		s.refuse(row, cross.Error())
		return true
	}
	u := p.shards[shard]
	if u.known && s.db >= u.databases {
		s.refuse(row, "ERR DB index is out of range")
		return true
	}
	s.checkWatch()
	w := s.watch
	switch {
	case u.halts() && s.awaitShard(u):
		return false
	case w == nil:
		ln, wrong := u.lend(s, useWatch)
		if ln == nil {
			s.loseWatch() // a client that goes on nevertheless does not run unwatched
			s.refuse(row, wrong)
			return true
		}
		w = &watching{ln: ln, u: u, topo: p.topo}
		s.watch = w
	case w.lost:
		s.ok(row, nil)
		return true
	case w.u != u:
		s.refuse(row, router.Crosses.Error())
		return true
	}
	seq := s.push(row)
	w.said++
	w.ln.to(s.db)
	at := len(w.ln.log)
	w.ln.log = resp.AppendCommand(w.ln.log, args...)
	w.ln.commit(at, ticket{s: s, row: row, seq: seq, kind: kindLent | kindReads})
	s.stall(stallEmpty)
	return true
}

// shardOfAll is the one shard of all keys, which may lie in several slots.
func (p *part) shardOfAll(row *command.Row, args [][]byte) (int, router.Cross) {
	p.keys = row.KeyPositions(args, p.keys[:0])
	shard := anyShard
	for _, at := range p.keys {
		switch owner := p.topo.ShardOf(args[at]); {
		case owner < 0:
			return 0, router.Unserved
		case shard != anyShard && shard != owner:
			return 0, router.Crosses
		default:
			shard = owner
		}
	}
	return max(0, shard), router.Together
}

// watchesElsewhere tells whether keys are watched that are not of this shard. What is lost needs no shard.
func (s *session) watchesElsewhere(shard int) bool {
	w := s.watch
	return w != nil && !w.lost && w.topo == s.p.topo && !w.u.left && w.u != s.p.shards[shard]
}

func (s *session) unwatch(row *command.Row, _ [][]byte) {
	s.endWatch()
	s.ok(row, nil)
}

// checkWatch gives up watching by an older topology: the keys may be another node's, and have been changed there.
func (s *session) checkWatch() {
	if w := s.watch; w != nil && (w.topo != s.p.topo || w.u != nil && w.u.left) {
		s.loseWatch()
	}
}

// loseWatch: the next EXEC answers null.
func (s *session) loseWatch() {
	s.endWatch()
	s.watch = &watching{lost: true}
}

// endWatch gives the lane back, clean.
func (s *session) endWatch() {
	w := s.watch
	if w == nil {
		return
	}
	s.watch = nil
	if w.ln != nil {
		w.ln.say(wordUnwatch) // it returns with the answer
	}
}

// watchAgain sends WATCH again whose lane is lost. If keys were watched there before, that is lost too.
func (s *session) watchAgain(u *upstream, t ticket, raw []byte) bool {
	if t.tries+1 >= triesMax {
		return false
	}
	t.tries++
	s.p.count.resent++
	s.p.resendSoon(u, t, raw)
	return true
}

// rewatch says WATCH on a new lane, unless what was watched before is lost.
func (s *session) rewatch(t ticket, req resp.Request) {
	w, p := s.watch, s.p
	if w == nil || w.said > 1 {
		if w != nil {
			s.loseWatch()
		}
		s.answered(t, []byte("+OK\r\n"))
		return
	}
	s.loseWatch() // its lane is lost, or has watched nothing
	shard, cross := p.shardOfAll(t.row, req.Args)
	if cross != router.Together {
		s.answered(t, appendError(nil, cross.Error()))
		return
	}
	u := p.shards[shard]
	ln, wrong := u.lend(s, useWatch)
	if ln == nil {
		s.answered(t, appendError(nil, wrong))
		return
	}
	s.watch = &watching{ln: ln, u: u, topo: p.topo, said: 1}
	ln.resume(req.Raw, t)
}

// execWatched sends the transaction over the lane that watches. Nil: it cannot come to anything, and is answered.
func (s *session) execWatched(row *command.Row) *lane {
	s.checkWatch()
	w := s.watch
	if w.lost {
		s.watch = nil
		s.dropMulti()
		s.say(row, (*resp.Writer).NullArray)
		return nil
	}
	s.watch = nil // the node forgets what was watched, whatever EXEC answers
	return w.ln
}
