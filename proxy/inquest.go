package proxy

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"larder/protocol/resp"
)

// inquest is a numbered lane that was lost with requests unanswered. Whoever is its shard's primary now is asked how far the lane came, which ends the lane there;
// then what has not run is sent again, and what has is UNKNOWN. Until then the requests are parked, and what their sessions send waits behind them: so a session's
// commands keep their order, and nothing runs twice. What must hold: the lane's connection is closed before anybody is asked, and no reply of it is taken any more.
type inquest struct {
	p       *part
	id      string
	u       *upstream // where the lane led
	cluster string
	err     error // why it was lost
	parked  []parked
	log     []byte // the bytes of them
	sinceNS int64
	againNS int64 // nobody is asked before
	asking  bool
}

// parked is a request of which it is not known whether it has run.
type parked struct {
	t        ticket
	from, to int    // its place in the log
	number   uint64 // on its lane
	sent     bool   // the node may have it
}

// verdict is what the primary has said of a lane: all requests up to a number have run, and no later one has changed anything.
type verdict struct {
	known  bool
	number uint64
}

// ran tells whether a request that was sent may have run.
func (v verdict) ran(number uint64) bool { return !v.known || number <= v.number }

var (
	wordEnded, wordForget = []byte("ENDED"), []byte("FORGET")

	errDeposed = errors.New("another node is the primary of its shard now")
)

const (
	// askAgainNS is how soon a primary is asked again that does not know yet, or is not one yet.
	askAgainNS = int64(20 * time.Millisecond)
	// triesAsked is how often a command is sent that has not run, though the node may have had it: each time that may have been what the node died of.
	triesAsked = 5
	// deposedNS is how long replies of a node are taken when another is known to be the primary.
	deposedNS = int64(100 * time.Millisecond)
)

// park keeps what a lost lane has not answered. It says false if nobody can be asked about the lane, or too much is kept already.
func (ln *lane) park(err error) bool {
	p, log := ln.p, ln.log[ln.head:]
	if ln.id == "" || ln.aside || p.stopping || !ln.asksAnything() || !p.roomToWait(len(log)) {
		return false
	}
	q := &inquest{p: p, id: ln.id, u: ln.u, cluster: p.topo.Cluster, err: err, log: log, sinceNS: p.nowNS}
	number := ln.done
	for at, sent := 0, ln.sent-ln.head; ln.queue.len() > 0; {
		t := ln.queue.front()
		ln.mirrorsNot(t, ln.head+at)
		number += ln.requests(t)
		end := at + int(t.bytes)
		if s := t.s; s != nil {
			s.flying--
			if !s.abandoned() {
				if t.kind&kindBlocks != 0 {
					s.block.ln = nil
				}
				s.parked++
				s.retrying++
				q.parked = append(q.parked, parked{t: *t, from: at, to: end, number: number, sent: end <= sent})
			}
		}
		at = end
		ln.queue.pop()
	}
	p.swaps++
	p.l.Hurry()
	p.parkedBytes += len(log)
	p.inquests = append(p.inquests, q)
	return true
}

// asksAnything says whether anybody waits for what the lane has not answered.
func (ln *lane) asksAnything() bool {
	for i := ln.queue.head; i != ln.queue.tail; i++ {
		if s := ln.queue.at(i).s; s != nil && !s.abandoned() {
			return true
		}
	}
	return false
}

// present is the node that is the primary now of the shard that a node was of; nil: there is none that is known.
func (p *part) present(u *upstream) *upstream {
	if !u.left {
		return u
	}
	for i := range p.topo.Shards {
		now := p.shards[i]
		if u.record != nil && now.record != nil && sameShard(u.record, now.record) || hasAddr(&p.topo.Shards[i], u.addr) {
			return now
		}
	}
	return nil
}

// holdInquests asks about all lanes of which somebody can be asked.
func (p *part) holdInquests() {
	for _, q := range slices.Clone(p.inquests) {
		q.proceed()
	}
}

// proceed asks about the lane, or gives up.
func (q *inquest) proceed() {
	p := q.p
	u := p.present(q.u)
	switch {
	case q.asking:
	case p.nowNS-q.sinceNS > int64(p.opts.Upstream.FailoverTime), u == nil, q.cluster != p.topo.Cluster:
		q.judge(verdict{}, standing{})
	case p.nowNS < q.againNS || !u.serves():
	default:
		ln := u.lane(3)
		if ln == nil || ln.state != laneReady || ln.id == q.id {
			return
		}
		q.asking = true
		p.count.lanesAsked++
		ln.to(ln.db) // by the term that is adopted
		ln.query(func(reply []byte) { q.heard(ln, reply) }, wordLarder, wordEnded, []byte(q.id))
	}
}

// heard takes the answer. It says nothing if the lane was lost, or the node is not, or not yet, who knows.
func (q *inquest) heard(ln *lane, reply []byte) {
	p := q.p
	q.asking, q.againNS = false, p.nowNS+askAgainNS
	switch {
	case len(reply) == 0:
	case reply[0] != '-':
		it := resp.Elements(reply)
		first, ok := it.Next()
		n, is := resp.ParseInt(first)
		if !ok {
			return
		}
		q.judge(verdict{known: is, number: uint64(n)}, ln.standingOf(&it))
		p.forgetLane(q.id, q.u)
	case isStale(reply):
		if line, is := bytes.CutPrefix(bytes.TrimSpace(reply[len(stalePrefix):]), []byte("record ")); is {
			ln.heardRecord(line)
		}
		ln.term = staleTerm
	case bytes.HasPrefix(reply, []byte("-ERR unknown")): // a node of an earlier release
		q.judge(verdict{}, standing{})
	}
}

// judge ends the inquest: each request goes again or is answered.
func (q *inquest) judge(v verdict, at standing) {
	p := q.p
	p.inquests = slices.DeleteFunc(p.inquests, func(other *inquest) bool { return other == q })
	p.parkedBytes -= len(q.log)
	for i := range q.parked {
		if k := &q.parked[i]; k.sent && v.ran(k.number) && !mayRunTwice(k.t) {
			k.t.s.lostWrites++
		}
	}
	q.judgeHeld(v, at)
	for i := range q.parked {
		k := &q.parked[i]
		s := k.t.s
		s.parked--
		s.retrying--
		ran := k.sent && v.ran(k.number)
		if ran && !mayRunTwice(k.t) {
			s.lostWrites--
		}
		if !s.abandoned() {
			q.decide(k, ran)
		}
	}
	p.retryStale()
}

// decide is about one request: ran means that it may have run.
func (q *inquest) decide(k *parked, ran bool) {
	t, p, s := k.t, q.p, k.t.s
	raw := q.log[k.from:k.to]
	switch {
	case t.bytes == 0 && ran:
		s.lostStream(t, q.err)
	case t.bytes == 0:
		s.stream = nil
		s.answered(t, appendError(nil, downText(q.u.addr, q.err)))
	case t.kind&kindLent != 0 && s.lostLent(q.u, t, raw, ran, q.err):
	case ran && !mayRunTwice(t):
		s.leftUnknown(&t, q.u)
		s.answered(t, appendError(nil, unknownText(q.u.addr, q.err)))
	case k.sent && mayRunTwice(t) && s.lostWrites > 0:
		s.answered(t, appendError(nil, downText(q.u.addr, q.err)))
	default:
		if k.sent {
			t.tries++
		}
		if t.tries >= triesAsked {
			s.answered(t, appendError(nil, downText(q.u.addr, q.err)))
			return
		}
		p.count.resent++
		p.later(q.u, t, raw)
	}
}
