package proxy

import (
	"slices"
	"time"
)

// FLUSHALL empties every shard, and each tells of it by itself, while a client is to be told once. What the shards have told of one flush is a round. It ends,
// and clients are told, when all have told. Where one does not, because only another was emptied, a round ends when nothing can be on its way any more.
//
// Of its clients' flushes the gateway knows. Nobody has been told that such a one is done before every shard has answered it, so until then a round may wait
// for as long as that takes. Of what others do to nodes, other gateways' clients among them, it does not know; for that a round waits a moment. Then the
// shards that have not told are asked whether they live: what they have to tell stands before their answer.

// rounds are those that have not ended, oldest first: a shard tells of flushes in their order, so all have told of an older one that have of a newer one.
type rounds struct {
	open   []round
	spent  time.Duration // since a shard told last: of the time to wait for others' flushes, then of that for answers
	seenNS int64         // when that was counted last
	asked  []lanePing    // those that have not told of the oldest
	times  int           // how often they were asked
}

// round is a flush as far as shards have told of it.
type round struct {
	came    []*lane
	beganNS int64
}

const (
	// roundWait is how long a round waits for what the gateway knows nothing of: other gateways say a flush to all shards in one turn.
	roundWait = 100 * time.Millisecond
	// roundTurn is the most that counts of the time between two looks at it. A loop that stood still has not read what came meanwhile.
	roundTurn = 20 * time.Millisecond
	// roundAsks is how often shards are asked: one that stood still takes what has come meanwhile in any order, and the first answer may come before.
	roundAsks = 2
	// roundAnswers is how long it waits for their answers.
	roundAnswers = time.Second
	// roundsMost is how many may be open: a node that is emptied again and again by itself makes one each time.
	roundsMost = 16
)

const (
	roundReaders = iota
	roundFollowers
)

// flushes notes that a flush of the session's is under way.
func (s *session) flushes(m *merge) {
	s.clears++
	s.p.g.flushing.Add(1)
	m.after = func(ticket, []byte) bool {
		s.clears--
		s.p.g.flushing.Add(-1)
		return false
	}
}

// endFlushes: of a client that leaves nobody follows what becomes of its commands.
func (s *session) endFlushes() {
	s.p.g.flushing.Add(-int64(s.clears))
	s.clears = 0
}

// flushed: a node says that nothing is what it was. While one lane takes over from another it says so on both, so it is lanes that tell, not nodes.
func (p *part) flushed(ln *lane, kind int) {
	u := ln.u
	if kind == roundReaders {
		p.forgetReads(u)
		for _, s := range p.caches.clients {
			if s.line != lineReads2 || s.q.len() == 0 { // else it may have read anew, and the reply is on its way
				s.track.forget(u)
			}
		}
	}
	all := &p.caches.rounds[kind]
	at := slices.IndexFunc(all.open, func(r round) bool { return !slices.Contains(r.came, ln) })
	if at < 0 { // it was emptied again
		at = len(all.open)
		all.open = append(all.open, round{beganNS: p.nowNS})
	}
	all.open[at].came = append(all.open[at].came, ln)
	all.spent, all.seenNS, all.asked, all.times = 0, p.nowNS, nil, 0
	p.endRounds()
}

// endRounds tells clients of the flushes of which all has been heard that will be.
func (p *part) endRounds() {
	for kind := range p.caches.rounds {
		for all := &p.caches.rounds[kind]; len(all.open) > 0; {
			n := p.ended(all, kind)
			if n == 0 {
				p.l.Hurry()
				break
			}
			if all.open = all.open[n:]; len(all.open) == 0 {
				all.open = nil
			}
			for range n {
				p.tellFlushed(kind)
			}
		}
	}
}

// ended is how many rounds are over.
func (p *part) ended(all *rounds, kind int) int {
	passed := min(time.Duration(p.nowNS-all.seenNS), roundTurn)
	all.seenNS = p.nowNS
	oldest := &all.open[0]
	missing := p.untold(oldest, kind)
	switch {
	case len(missing) == 0, len(all.open) > roundsMost, p.nowNS-oldest.beganNS > 2*int64(p.opts.Upstream.ReplyTimeout):
		return 1
	case p.g.flushing.Load() > 0:
		all.spent, all.asked, all.times = roundWait, nil, 0 // it is known when that is over
		return 0
	}
	all.spent += passed
	switch {
	case all.times == 0 && all.spent < roundWait, all.times > 0 && all.spent < roundAnswers && !answered(all.asked):
		return 0
	case all.times == roundAsks, all.times > 0 && !answered(all.asked):
		return len(all.open)
	case all.times == 0:
		all.spent = 0
	}
	all.times++
	all.asked = nil
	for _, ln := range missing {
		if ln.state == laneEnding { // it takes no more, and has told all when it is closed
			all.asked = append(all.asked, lanePing{ln, ln.pinged + 1})
			continue
		}
		ln.ping()
		all.asked = append(all.asked, lanePing{ln, ln.pinged})
	}
	return 0
}

// untold are the lanes that have not told of a flush and may: also one that is being greeted, and one that ends.
func (p *part) untold(r *round, kind int) []*lane {
	line := lineReads3
	if kind == roundFollowers {
		line = lineEar
	}
	var missing []*lane
	for _, u := range p.shards {
		for _, ln := range u.lanes {
			if ln.line == line && ln.state >= laneGreeting && ln.state < laneClosed && !slices.Contains(r.came, ln) {
				missing = append(missing, ln)
			}
		}
	}
	return missing
}

func (p *part) tellFlushed(kind int) {
	for _, s := range p.trackers() {
		switch t := s.track; {
		case t == nil || t.Bcast != (kind == roundFollowers):
		case t.Bcast || s.line == lineReads2:
			s.invalid(s.asked(), nil)
		default:
			s.invalid(t.done, nil)
		}
	}
}
