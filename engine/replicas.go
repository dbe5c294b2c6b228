package engine

import (
	"slices"
	"time"

	"larder/engine/spool"
	"larder/protocol/resp"
)

// replicas are those that follow this node.
type replicas struct {
	all      []*replica // in the order in which they came
	good     int        // online, and heard of within min-replicas-max-lag
	aloneNS  int64      // since when there is none, once there was one
	pingedNS int64      // when the stream had a PING last
	copying  *fullSync  // the pass under way whose copy they are sent
	spools   []*spool.File
	waiters  []*session // who waits for acknowledgements (WAIT, WAITAOF), in their order
	asking   bool       // at the end of the turn they are asked how far they are
	asked    int64      // where the stream ended when they were asked last
	before   int64      // where it ended before that question
	noted    int64      // where it ended when a client's command was taken to have added to it
}

func (all *replicas) remove(r *replica, nowNS int64) {
	all.all = slices.DeleteFunc(all.all, func(o *replica) bool { return o == r })
	if len(all.all) == 0 {
		all.aloneNS = max(1, nowNS)
	}
}

// streamed has what was added to the stream sent at the end of the turn.
func (p *part) streamed() {
	for _, r := range p.replicas.all {
		r.s.c.Touch()
	}
}

// cronReplicas comes once a second.
func (p *part) cronReplicas() {
	all := &p.replicas
	if len(all.all) == 0 {
		p.forgetPast()
		return
	}
	if !p.follows() && !p.isStill() && p.failover.state == failoverNone && p.nowNS-all.pingedNS >= p.set.repl.pingS*int64(time.Second) {
		all.pingedNS = p.nowNS
		p.addToStream("ping")
	}
	for _, r := range slices.Clone(all.all) {
		r.cron()
	}
	p.countGood()
	p.startWaiting()
}

// cron cuts a replica that is not heard of any more, or does not take its copy, and tells one that waits that it is not forgotten.
func (r *replica) cron() {
	p := r.s.p
	timeoutNS := p.set.repl.timeoutS * int64(time.Second)
	switch r.phase {
	case phaseWaiting:
		r.nudge()
	case phaseSyncing, phaseLoading:
		if r.copy != nil && !r.copy.sending() {
			r.nudge()
			break
		}
		if silentNS := p.nowNS - max(r.movedNS, r.ackedNS); silentNS > timeoutNS || r.copy != nil && r.copy.holdsOthersUp(r, silentNS) {
			r.cut("it does not take its copy of the data")
			return
		}
	case phaseOnline:
		if !r.old && p.nowNS-r.ackedNS > timeoutNS {
			r.cut("it has not said how far it is for repl-timeout")
			return
		}
	}
	r.s.c.Touch() // looks at its limit, also while the stream rests
}

// nudge writes an empty line, which says that the answer is still to come.
func (r *replica) nudge() { r.write("\n") }

func (r *replica) cut(why string) {
	p := r.s.p
	p.n.log.Warn("replica cut: "+why, "node", p.n.id, "replica", r.address(), "behind bytes", r.behind())
	r.s.c.Close()
}

// countGood counts those on whom a write can be in time, and has writes refused while there are too few of them.
func (p *part) countGood() {
	set, n := &p.set.repl, 0
	for _, r := range p.replicas.all {
		if r.phase == phaseOnline && r.lagS() <= set.lagMaxS {
			n++
		}
	}
	p.replicas.good = n
	p.setGuard(guardReplicas, set.wanted > 0 && set.lagMaxS > 0 && int64(n) < set.wanted && !p.follows())
}

// addToStream adds a command of the node's own.
func (p *part) addToStream(words ...string) {
	all, past := &p.replicas, p.stream.past
	own := all.noted == past.End() // else a client's command stands before it, which is not noted yet
	past.Append(resp.AppendCommandStrings(nil, words...))
	if own {
		all.noted = past.End()
	}
	p.streamed()
}

// askForAcks has the replicas asked how far they are, if somebody waits to know and they were not asked at this place of the stream already. It comes at
// the end of a turn, so that all who wait share the question.
func (p *part) askForAcks() {
	all := &p.replicas
	if !all.asking {
		return
	}
	if all.asking = false; p.follows() || p.isStill() || p.failover.state != failoverNone {
		return // the stream is the primary's, or stands still
	}
	if end := p.stream.past.End(); end != all.asked {
		p.addToStream("REPLCONF", "GETACK", "*")
		all.before, all.asked = end, p.stream.past.End()
	}
}

// forgetPast lets the past go when no replica has been here for repl-backlog-ttl. What is changed from then on is not in the stream, so that its name has
// to be another when the next one comes.
func (p *part) forgetPast() {
	all, ttlS := &p.replicas, p.set.repl.backlogTTLS
	if p.reign != nil || all.aloneNS == 0 || ttlS == 0 || p.nowNS-all.aloneNS < ttlS*int64(time.Second) || !p.streaming() || p.follows() {
		return
	}
	all.aloneNS = 0
	if p.endStream() {
		p.n.log.Info("backlog let go: no replica for repl-backlog-ttl", "node", p.n.id, "seconds", ttlS)
	}
}
