package proxy

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"larder/loop"
	"larder/protocol/resp"
)

// ear is the connection to a node over which a loop hears all that its clients are subscribed to there. It is a lane that no client's command goes over:
// it says what to subscribe, and is told messages.
type ear struct {
	u       *upstream
	ln      *lane
	said    map[*topic]int // what it is subscribed to, and how many clients the node was told of
	rounds  []uint64       // of the answers that are to come
	round   uint64         // up to this one the node knows
	marks   bool           // the node puts marks
	mark    mark           // the last one
	passing *passing       // it is not read on; nil: it is
}

// openEar dials. RESP2 is for nodes that have no HELLO.
func (u *upstream) openEar() {
	proto := 3
	if u.earOld {
		proto = 2
	}
	ln := &lane{p: u.p, u: u, line: proto, proto: proto}
	u.ear = &ear{u: u, ln: ln, said: map[*topic]int{}}
	ln.ear = u.ear
	u.connect(ln)
}

// ready: the node is greeted, and is told everything.
func (e *ear) ready() {
	p := e.u.p
	var all []*topic
	for kind := range topicKinds {
		for _, t := range p.hearing.topics[kind] {
			all = append(all, t)
		}
	}
	if e.u.earLost {
		e.u.earLost = false
		p.g.log.Info("subscriptions to a node are back", "node", e.u.addr, "topics", len(all))
	}
	if e.ln.greet.larder {
		e.rounds = append(e.rounds, e.round)
		e.ln.query(func(reply []byte) { e.mark, e.marks = readMark(reply) }, wordLarder, wordEar)
	}
	e.tell(all)
}

// lost: what the node publishes is missed until it is dialled again. One that took the connection and then refused what was said is left alone for a while.
func (e *ear) lost(err error) {
	u, p := e.u, e.u.p
	u.ear = nil
	p.passEars()
	if err == nil {
		return // it has ended
	}
	u.earOld = u.earOld || strings.Contains(err.Error(), "unknown command 'HELLO'") || strings.Contains(err.Error(), "unknown command `HELLO`")
	if e.ln.heardNS != 0 && e.round == 0 {
		u.earRetryNS = p.nowNS + int64(p.opts.Upstream.BackoffMax)
	}
	if len(e.said) > 0 && !u.left && !p.stopping {
		u.earLost = true
		p.count.earsLost++
		p.g.log.Warn("subscriptions to a node were lost", "node", u.addr, "topics", len(e.said))
	}
	p.l.Hurry()
}

// wants is how many clients the node is to be told of; a stock node counts the connection.
func (e *ear) wants(t *topic) int {
	n := len(t.who) - t.leaving
	switch {
	case t.kind == shardChannel && t.owner != e.u:
		return 0
	case !e.u.larder:
		return min(n, 1)
	default:
		return n
	}
}

// namesMax is how many topics one command names.
const namesMax = 1000

// tell says what of these topics the node does not know, and asks for an answer to it.
func (e *ear) tell(topics []*topic) {
	var join, leave [topicKinds][]*topic
	var counts []*topic
	for _, t := range topics {
		have, want := e.said[t], e.wants(t)
		switch {
		case have == want:
			continue
		case want == 0:
			leave[t.kind] = append(leave[t.kind], t)
			delete(e.said, t)
			continue
		case have == 0:
			join[t.kind] = append(join[t.kind], t)
		}
		if e.said[t] = want; want != max(have, 1) {
			counts = append(counts, t)
		}
	}
	ln, from := e.ln, len(e.ln.log)
	for kind := range topicKinds {
		ln.name(unsubscribeOrders[kind], leave[kind])
		ln.name(subscribeOrders[kind], join[kind])
	}
	for len(counts) > namesMax {
		e.count(counts[:namesMax])
		e.commit(from, e.round)
		counts, from = counts[namesMax:], len(ln.log)
	}
	if len(counts) > 0 {
		e.count(counts)
	} else {
		ln.log = resp.AppendCommand(ln.log, wordPing)
	}
	e.commit(from, e.u.p.hearing.rounds)
}

var wordPing, wordSubscribers = []byte("PING"), []byte("SUBSCRIBERS")

// name appends commands about topics of one kind.
func (ln *lane) name(order []byte, topics []*topic) {
	for len(topics) > 0 {
		some := topics[:min(len(topics), namesMax)]
		topics = topics[len(some):]
		ln.log = resp.AppendBulk(resp.AppendArray(ln.log, 1+len(some)), order)
		for _, t := range some {
			ln.log = resp.AppendBulkString(ln.log, t.name)
		}
	}
}

// count appends how many clients stand behind topics.
func (e *ear) count(topics []*topic) {
	log := resp.AppendArray(e.ln.log, 2+3*len(topics))
	log = resp.AppendBulk(resp.AppendBulk(log, wordLarder), wordSubscribers)
	for _, t := range topics {
		var digits [20]byte
		log = resp.AppendBulk(log, subscribersWords[t.kind])
		log = resp.AppendBulkString(log, t.name)
		log = resp.AppendBulk(log, strconv.AppendInt(digits[:0], int64(e.said[t]), 10))
	}
	e.ln.log = log
}

// commit queues what log holds from at on: one answer will come, and with it the node knows of a round.
func (e *ear) commit(at int, round uint64) {
	e.rounds = append(e.rounds, round)
	e.ln.commit(at, ticket{})
}

// ask has the node show that it is there.
func (e *ear) ask() {
	at := len(e.ln.log)
	e.ln.log = resp.AppendCommand(e.ln.log, wordPing)
	e.commit(at, e.round)
}

// Data takes messages, and answers to what was said.
func (e *ear) Data(c *loop.Conn) {
	ln := e.ln
	if ln.state < laneReady {
		ln.Data(c)
		return
	}
	ln.p.enter()
	ln.heardNS = ln.p.nowNS
	buf, pos := c.In(), 0
	for ln.state != laneClosed && e.passing == nil {
		if ln.p.hearing.crowd.full() {
			ln.p.releaseCrowd()
			c.Resume() // when it is written
			break
		}
		n, kind, st := ln.replies.Next(buf[pos:])
		if st == resp.More {
			break
		}
		if st == resp.Failed {
			ln.fail(errors.New(ln.replies.Err()))
			return
		}
		reply := buf[pos : pos+n]
		pos += n
		push := kind.IsPush() || ln.proto == 2
		switch {
		case push && ln.stamped(reply):
			ln.heedStamp()
		case ln.past != nil && e.keeps(reply, push):
		case !e.take(reply, push):
			return
		}
	}
	if ln.state != laneClosed {
		c.Took(pos)
		ln.progress()
	}
}

// take takes a message, or an answer. It says false when the connection is done for.
func (e *ear) take(reply []byte, push bool) bool {
	ln := e.ln
	if push && ln.p.heard(e, reply) {
		return true
	}
	if !ln.reply(reply) {
		return false
	}
	e.round = max(e.round, e.rounds[0])
	e.rounds = e.rounds[1:]
	ln.p.keepPromises()
	return true
}

// Flush comes at the end of a turn: what has changed in it is told now.
func (e *ear) Flush(c *loop.Conn) {
	if e.u.p.hearing.due {
		e.u.p.tellNow()
	}
	e.ln.Flush(c)
}

// Drained, Ended and Closed are a lane's.
func (e *ear) Drained(c *loop.Conn) { e.ln.Drained(c) }

// Ended: a node that sends no more publishes no more.
func (e *ear) Ended(c *loop.Conn) bool { return e.ln.Ended(c) }

// Closed is the connection's end.
func (e *ear) Closed(c *loop.Conn, err error) { e.ln.Closed(c, err) }

// pingMax is how long a subscriber's PING waits for nodes that do not answer.
const pingMax = int64(500 * time.Millisecond)
