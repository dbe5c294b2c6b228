package proxy

import (
	"sync"
	"time"
)

// hearing is what a loop's clients are subscribed to, and how far the nodes know of it. Each topic is subscribed once at each node that it concerns, over
// one connection a node (ear), however many clients have it.
type hearing struct {
	topics   [topicKinds]map[string]*topic
	sessions int      // clients that are subscribed to anything
	bytes    int64    // of the topics' names
	changed  []*topic // since the nodes were told
	rounds   uint64   // how often they were
	due      bool     // they are to be told at the end of this turn
	waiting  []*promise
	crowd    crowd

	quietNS int64 // since when nobody is subscribed to anything; 0 = somebody is
}

func (h *hearing) change(t *topic) {
	if !t.changed {
		t.changed = true
		h.changed = append(h.changed, t)
	}
}

// behind tells whether there is anything to tell.
func (h *hearing) behind() bool {
	n := len(h.waiting)
	return len(h.changed) > 0 || n > 0 && h.waiting[n-1].round > h.rounds
}

// promise is the reply of a command that is given when the nodes know what it changed, so that what is published after it is delivered, and counted, as the
// reply says.
type promise struct {
	s       *session
	seq     uint32
	round   uint64    // the nodes are told in this one
	members []*member // hear from now on
	leaves  []*member // hear no more
	shards  []*topic  // not empty: only the nodes of these shard channels
	reply   []byte    // empty: the session is woken instead
	joins   bool      // it is refused if no node can be reached
	untilNS int64     // then what has been reached is enough
}

// await makes a session wait for the nodes; seq's reply is given then.
func (s *session) await(pr promise) {
	h := &s.p.hearing
	pr.s, pr.round = s, h.rounds+1
	s.ears.promised++
	h.waiting = append(h.waiting, &pr)
	s.p.tellNodes()
}

// tellNodes has the nodes told of all changes at the end of this turn.
func (p *part) tellNodes() {
	h := &p.hearing
	if h.due || !h.behind() || p.stopping {
		return
	}
	for _, u := range p.upstreams {
		if u.ear != nil && u.ear.ln.state == laneReady {
			u.ear.ln.c.Touch()
			h.due = true
		}
	}
	if !h.due {
		p.tellNow()
	}
}

// tellNow begins a round: each node is told what it does not know yet. Nodes out of reach are told when they return.
func (p *part) tellNow() {
	h := &p.hearing
	h.due = false
	h.rounds++
	p.openEars()
	for _, u := range p.upstreams {
		if u.ear != nil && u.ear.ln.state == laneReady {
			u.ear.tell(h.changed)
		}
	}
	changed := h.changed
	h.changed = h.changed[:0]
	for _, t := range changed {
		t.changed = false
		if len(t.who) == 0 {
			p.endTopic(t)
		}
	}
	clear(changed)
	p.keepPromises()
}

// openEars dials the nodes that are to be heard and are not.
func (p *part) openEars() {
	everywhere := len(p.hearing.topics[channel])+len(p.hearing.topics[pattern]) > 0
	for _, u := range p.shards {
		if u.ear == nil && (everywhere || u.owned > 0) && p.nowNS >= max(u.retryNS, u.earRetryNS) {
			u.openEar()
		}
	}
}

// reach is how far a node is with a promise.
type reach uint8

const (
	reachAway reach = iota // it cannot be reached
	reachTry               // it is tried again, and failed before: waited for only where no other node is
	reachWait
	reachDone
)

func (u *upstream) reach(round uint64) reach {
	switch {
	case u == nil || u.ear == nil:
		return reachAway
	case u.ear.round >= round:
		return reachDone
	case u.ear.ln.state != laneReady && u.err != "":
		return reachTry
	default:
		return reachWait
	}
}

// reached looks at all nodes of a promise.
func (pr *promise) reached() (all, done, waiting int, first *upstream) {
	trying := 0
	look := func(u *upstream) {
		all++
		switch u.reach(pr.round) {
		case reachDone:
			done++
		case reachWait:
			waiting++
		case reachTry:
			trying++
		}
		if first == nil {
			first = u
		}
	}
	for _, t := range pr.shards {
		look(t.owner)
	}
	if len(pr.shards) == 0 {
		for _, u := range pr.s.p.shards {
			look(u)
		}
	}
	if pr.joins && done == 0 {
		waiting += trying
	}
	return all, done, waiting, first
}

// keepPromises gives the replies that need wait no longer.
func (p *part) keepPromises() {
	h := &p.hearing
	if len(h.waiting) == 0 {
		return
	}
	waiting := h.waiting
	h.waiting = nil // giving a reply may begin another round
	kept := waiting[:0]
	for _, pr := range waiting {
		if pr.s.gone {
			pr.part()
			continue
		}
		all, done, left, first := pr.reached()
		if left > 0 && p.nowNS < pr.untilNS || pr.round > h.rounds {
			kept = append(kept, pr)
			continue
		}
		pr.keep(all, done, first)
	}
	clear(waiting[len(kept):])
	h.waiting = append(kept, h.waiting...)
}

// part takes those out that have left.
func (pr *promise) part() {
	for _, m := range pr.leaves {
		m.out()
	}
}

// keep ends a promise, of which done of all its nodes know.
func (pr *promise) keep(all, done int, first *upstream) {
	s, p := pr.s, pr.s.p
	s.ears.promised--
	if pr.joins && done == 0 {
		for _, m := range pr.members {
			if m.in {
				m.leave()
				m.out()
			}
		}
		p.tellNodes()
		s.complete(pr.seq, appendError(nil, outOfHearing(first)))
		return
	}
	if pr.joins && done < all {
		p.count.halfHeard++
	}
	for _, m := range pr.members {
		m.t.seal()
		m.hears = true // even if it is leaving by now
	}
	pr.part()
	if len(pr.reply) == 0 {
		s.settleMail()
		s.wake(stallHear)
		return
	}
	if !s.settleMail() && s.follow(pr) {
		return
	}
	s.complete(pr.seq, pr.reply)
}

// follow has a reply come behind messages that wait. It says false where nothing may.
func (s *session) follow(pr *promise) bool {
	b := &s.ears.mail
	if pr.seq != s.q.head || b.reply || s.closing || s.q.at(pr.seq).mute {
		return false
	}
	b.put(&bundle{text: pr.reply})
	s.complete(pr.seq, nil)
	return true
}

func outOfHearing(u *upstream) string {
	switch {
	case u == nil:
		return "CLUSTERDOWN Hash slot not served"
	case u.err != "":
		return u.err
	default:
		return downText(u.addr, errReplyTimeout)
	}
}

// rehome moves shard channels to the nodes that have their slots now.
func (p *part) rehome() {
	for _, t := range p.hearing.topics[shardChannel] {
		if p.own(t) {
			p.hearing.change(t)
		}
	}
	if p.hearing.sessions > 0 {
		p.tellNodes()
		p.openEars()
	}
}

// earIdleMax is how long a connection to a node is kept that hears nothing, and earLookEvery how long a node may be silent until it is asked whether it is
// there: what it published would else be missed without a word.
const (
	earIdleMax   = int64(10 * time.Second)
	earLookEvery = int64(time.Second)
)

// tickHearing does what time brings.
func (p *part) tickHearing() {
	h := &p.hearing
	if h.sessions > 0 {
		h.quietNS = 0
		p.openEars()
	} else if h.quietNS == 0 {
		h.quietNS = max(1, p.nowNS)
	}
	p.tickCrowd()
	p.passEars()
	h.due = false // those who were to tell may be gone
	p.tellNodes()
	p.keepPromises()
	for _, u := range p.upstreams {
		e := u.ear
		switch {
		case e == nil || e.ln.state != laneReady || e.ln.queue.len() > 0:
		case len(e.said) == 0 && h.sessions == 0 && p.nowNS-h.quietNS > earIdleMax:
			e.ln.end()
		case p.nowNS-e.ln.heardNS > earLookEvery:
			e.ask()
		}
	}
}

// heardNames counts the loops that hear each topic, for INFO. Its lock is taken when the first client of a loop subscribes to something and when the last
// one leaves, not for messages.
type heardNames struct {
	mu    sync.Mutex
	loops [topicKinds]map[string]int
}

func (n *heardNames) count(kind topicKind, name string, more int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.loops[kind] == nil {
		n.loops[kind] = map[string]int{}
	}
	if left := n.loops[kind][name] + more; left > 0 {
		n.loops[kind][name] = left
	} else {
		delete(n.loops[kind], name)
	}
}

// sizes are how many of each kind anybody hears.
func (n *heardNames) sizes() (all [topicKinds]int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for kind, names := range n.loops {
		all[kind] = len(names)
	}
	return all
}
