package engine

import (
	"slices"
	"strconv"
	"time"

	"larder/engine/shard"
	"larder/persistence/journal"
	"larder/protocol/resp"
	"larder/router"
)

// acked is what a follower has acknowledged last, in the words by which things are committed.
type acked struct {
	text   string // its run as it said it, so that it is read once
	run    router.Run
	offset int64
}

// beatEvery is how long a primary's stream rests at most where leases depend on it. Ticks come as often.
const beatEvery = 100 * time.Millisecond

// beatsMax is how many beats in a row nobody has to have acknowledged for there to be no more: what a primary that is cut off adds to its stream, no other has.
const beatsMax = 6

// beat does what time brings: a stream that rests gets something to be acknowledged, and what was held for too long is given up.
func (g *reign) beat() {
	p := g.p
	if g.waits {
		g.carryOut()
	}
	if !g.gated {
		return
	}
	p.l.HurryIn(beatEvery)
	if end := p.stream.past.End(); g.role == shard.Primary {
		if end == g.beatAt && g.countsOthers() && len(p.replicas.all) > 0 && g.unheard < beatsMax {
			g.unheard++
			p.addToStream("REPLCONF", "GETACK", "*")
		}
		g.beatAt = p.stream.past.End()
	}
	g.settle()
	g.judge()
	p.giveUpLate()
}

// sending comes before the stream is sent to a replica.
func (g *reign) sending() {
	if end := g.p.stream.past.End(); g.gated && g.role == shard.Primary && end != g.sentTo {
		g.sentTo = end
		g.node.Sent(end, g.nowNS())
	}
}

// own is up to where what the node itself has counts: under appendfsync always, as far as that is safe on its disk. A primary that begins a journal while it
// leads counts as before until its first base is there: nobody's writes are to wait for that.
func (g *reign) own() int64 {
	p := g.p
	synced, has := p.journalSynced()
	if !has || p.set.journal.sync != journal.Always || p.writing.building && g.role == shard.Primary {
		return p.stream.past.End()
	}
	return synced
}

// settle looks how far things are committed, lets go what has waited for that, and tells the lanes that wait to know.
func (g *reign) settle() {
	p := g.p
	if !g.gated || g.role != shard.Primary {
		return
	}
	g.node.Own(g.own())
	committed, confirmed := g.node.Committed(), g.confirmed
	if g.node.TakesWrites() {
		confirmed = committed
	}
	if committed == g.committed && confirmed == g.confirmed {
		return
	}
	g.committed, g.confirmed = committed, confirmed
	p.gate.confirmed = confirmed
	p.gate.safe = max(p.gate.safe, committed)
	p.visitHeld()
	lanes := g.behind
	g.behind = nil
	for _, s := range lanes {
		if s.stamps != nil && !s.gone {
			s.stamps.behind = false
			s.c.Touch()
		}
	}
}

// stamp is what lanes are told of how far the node is. Only a primary knows what is committed; where writes wait for nobody it is what was executed.
func (g *reign) stamp(end int64) stamp {
	if !g.node.Record().Replicated {
		return stamp{reign: g.data, executed: end, committed: end, confirmed: end}
	}
	return stamp{reign: g.data, executed: end, committed: g.committed, confirmed: g.confirmed}
}

// lagging notes a lane that was told of more than is committed.
func (g *reign) lagging(s *session) {
	if !s.stamps.behind {
		s.stamps.behind = true
		g.behind = append(g.behind, s)
	}
}

// introduces is what the node says to its primary of records and of itself, before it asks for data.
func (g *reign) introduces(n *introduction) {
	n.record = g.node.Record().Line()
	n.run, n.primary, n.reign = g.node.Me().String(), g.follows.to.String(), strconv.FormatUint(g.follows.reign, 10)
}

// appendAck adds to an acknowledgement the words by which things are committed, if the node may say them. It is bound by them from then on.
func (g *reign) appendAck(words []string) []string {
	to := g.follows
	if g.whole(); g.role != shard.Follower || !g.node.MayAcknowledge(to.to, to.reign, g.nowNS()) {
		return words
	}
	return append(words, "REIGN", strconv.FormatUint(to.reign, 10), g.node.Me().String(), strconv.FormatInt(g.own(), 10))
}

// eager tells whether the primary waits for each acknowledgement.
func (g *reign) eager() bool { return g.role == shard.Follower && g.node.Record().Replicated }

// counts takes in those words from a follower.
func (g *reign) counts(r *replica, words [][]byte) {
	reign, ok := parseTerm(words[0])
	offset, ok2 := resp.ParseNumber(words[2])
	if !ok || !ok2 {
		return
	}
	if text := words[1]; string(text) != r.acked.text {
		run, err := router.ParseRun(string(text))
		if err != nil {
			return
		}
		r.acked = acked{text: string(text), run: run}
	}
	g.unheard = 0
	offset = min(offset, g.p.stream.past.End())
	r.acked.offset = offset
	g.node.Acknowledged(r.acked.run, reign, offset)
	g.settle()
	if g.p.guard&guardShard != 0 {
		g.judge()
	}
}

// serves is why a follower that says whom it takes this node for cannot follow it, "" if it can.
func (g *reign) serves(told *announced) (wrong string) {
	reign, ok := parseTerm([]byte(told.reign))
	if _, err := router.ParseRun(told.run); err != nil || !ok {
		return "ERR larder-run, larder-primary and larder-reign belong together: node@run, node@run and a number"
	}
	r := g.node.Record()
	if told.primary != g.node.Me().String() || r.Primary != g.node.Me() || reign != r.Reign || g.node.Role() == shard.Elector {
		return "ERR this node is " + g.node.Me().String() + ", " + roleNames[g.node.Role()] + " in reign " + strconv.FormatUint(r.Reign, 10)
	}
	return ""
}

// forgetLane takes a session out of those that wait to know what is committed.
func (g *reign) forgetLane(s *session) {
	g.behind = slices.DeleteFunc(g.behind, func(o *session) bool { return o == s })
}
