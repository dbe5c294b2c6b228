package proxy

import (
	"bytes"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// settle sees, within the greeting, that the node has the functions that all shards have: one that was started anew has none. They are those of another
// shard, if one answers, else those that the gateway has kept. It says true if the greeting has to wait for answers.
func (ln *lane) settle() bool {
	u, p := ln.u, ln.p
	if u.replica { // what it has is its primary's
		u.settled = true
	}
	if u.settled || ln.greet.settled {
		return ln.greet.asked > 0
	}
	ln.greet.settled = true
	ln.settleScripts()
	known := p.g.knownFunctions()
	switch {
	case ln.greet.larder && ln.greet.functions > 0:
		u.settled = true
		if known == nil {
			number, cluster := p.g.dumps.Add(1), p.topo.Cluster
			ln.ask(func(_ *lane, reply []byte) error {
				payload, _ := resp.BulkOf(reply)
				p.g.keepFunctions(number, cluster, payload)
				return nil
			}, wordFunction, wordDump)
		}
	case ln.greet.larder:
		ln.askOthers()
	case hasLibraries(known):
		ln.ask((*lane).heardList, wordFunction, wordList)
	default:
		u.settled = true
	}
	return len(ln.greet.words) > 0 || ln.greet.asked > 0
}

// heardList: a stock server does not say in its greeting whether it has functions. One before 7.0 does not know the word.
func (ln *lane) heardList(reply []byte) error {
	if list := resp.Elements(reply); reply[0] == '*' && list.Left() == 0 {
		ln.askOthers()
		return nil
	}
	ln.u.settled = true
	return nil
}

// askOthers asks the other shards that can be asked at once what functions there are.
func (ln *lane) askOthers() {
	p := ln.p
	for _, u := range p.shards {
		other := u.ready()
		if u == ln.u || other == nil || p.g.changing.Load() != nil {
			continue
		}
		ln.greet.asked++
		other.query(ln.heardOther, wordFunction, wordDump)
	}
	if ln.greet.asked > 0 {
		ln.greet.untilNS = p.nowNS + int64(p.opts.Upstream.DialTimeout)/2
		return
	}
	known := p.g.knownFunctions()
	ln.u.settled = len(p.shards) == 1 || hasLibraries(known) // else FCALL asks again
	ln.give(known)
}

// heardOther is what another shard says. The first that has functions gives them.
func (ln *lane) heardOther(reply []byte) {
	if ln.state != laneGreeting || ln.greet.asked == 0 {
		return
	}
	ln.greet.asked--
	payload, _ := resp.BulkOf(reply)
	switch {
	case hasLibraries(payload):
		ln.greet.asked = 0
		ln.u.settled = true
		ln.give(payload)
	case ln.greet.asked == 0:
		ln.u.settled = true
		ln.give(ln.p.g.knownFunctions())
	default:
		return
	}
	ln.goOn()
}

// goOn ends the greeting, if there is nothing more to give.
func (ln *lane) goOn() {
	if len(ln.greet.words) == 0 {
		ln.greetedOn()
	}
}

// tickSettling gives up waiting for shards that do not answer.
func (ln *lane) tickSettling() {
	if ln.state == laneGreeting && ln.greet.asked > 0 && ln.p.nowNS > ln.greet.untilNS {
		ln.greet.asked = 0
		known := ln.p.g.knownFunctions()
		ln.u.settled = hasLibraries(known)
		ln.give(known)
		ln.goOn()
	}
}

// give tells the node functions, in its greeting.
func (ln *lane) give(payload []byte) {
	if !hasLibraries(payload) {
		return
	}
	ln.p.count.functionsGiven++
	ln.ask(func(ln *lane, reply []byte) error {
		if reply[0] == '-' { // another loop was quicker, or it cannot take them: FCALL says so
			ln.p.g.log.Info("node did not take functions", "node", ln.u.addr, "reply", string(bytes.TrimSpace(reply)))
		}
		return nil
	}, wordFunction, wordRestore, payload)
}

// functionsThere sees, before a command that needs functions goes to a shard which had none when it was greeted, that the other shards have been asked for
// theirs. It says false if the session has to wait, or has been refused.
func (s *session) functionsThere(row *command.Row, shard int) bool {
	p := s.p
	u := p.shards[shard]
	if len(p.shards) == 1 || u.settled {
		return true
	}
	ln, _ := s.laneTo(row, shard)
	if ln == nil {
		return false
	}
	if ln.state < laneReady { // its greeting asks, or tells that there is no need
		ln.waiters = append(ln.waiters, s)
		return s.stall(stallLane)
	}
	if !u.larder {
		return true
	}
	for _, other := range p.shards {
		if other == u {
			continue
		}
		if far := other.lane(s.line); far != nil && far.state < laneReady {
			far.waiters = append(far.waiters, s)
			return s.stall(stallLane)
		}
	}
	if p.g.changing.Load() != nil { // what they answer may be half of it
		p.waitTurn(s)
		return s.stall(stallTurn)
	}
	u.wanting = append(u.wanting, s)
	s.stall(stallTurn)
	if u.asking == 0 && !u.giving {
		u.askForFunctions(ln)
	}
	return false
}

// askForFunctions asks all other shards that can be reached, and tells ln's node what the first answers that has any.
func (u *upstream) askForFunctions(ln *lane) {
	u.asking = 1 // so that none ends it before all are asked
	for _, other := range u.p.shards {
		far := other.ready()
		if other == u || far == nil {
			continue
		}
		u.asking++
		far.query(func(reply []byte) {
			if payload, _ := resp.BulkOf(reply); hasLibraries(payload) && !u.giving && !u.settled && ln.state == laneReady {
				u.giving = true // of several answers one is enough
				u.p.count.functionsGiven++
				ln.query(func([]byte) { u.there(ln) }, wordFunction, wordRestore, payload)
			}
			u.asked(ln)
		}, wordFunction, wordDump)
	}
	u.asked(ln)
}

// asked counts an answer. If the last one came and none had functions, whoever waited goes on without.
func (u *upstream) asked(ln *lane) {
	if u.asking--; u.asking == 0 && !u.giving && !u.settled {
		u.there(ln)
	}
}

// there lets those go on who waited for the node to have its functions.
func (u *upstream) there(ln *lane) {
	u.settled, u.giving = ln.state == laneReady, false
	waiting := u.wanting
	u.wanting = nil
	for _, s := range waiting {
		s.wake(stallTurn)
	}
}
