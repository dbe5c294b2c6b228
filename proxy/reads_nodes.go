package proxy

import (
	"bytes"
	"slices"
	"time"

	"larder/protocol/command"
	"larder/router"
)

// Replicas as a loop sees them: upstreams beside those of primaries, with shared lanes of their own, which are dialled when somebody first wants to read there. A
// node that comes to be the primary, or ceases to be, is another upstream from then on: what it was asked as the one is not mixed with what it is asked as the other.
// A loop lists them once any session of its gateway reads from replicas.

// replicating is what an upstream is to reads.
type replicating struct {
	shard   int   // whose node it is
	replica bool  // as one of its shard's replicas; for good
	near    bool  // it stands in the gateway's zone
	era     *era  // in which its last stamp was; nil: it has said none since its lanes were there
	at      int64 // how far it was
	reads   uint64

	claimed    *router.Topology // for which its era counts for its shard's slots
	claimedEra *era

	wanted  bool  // somebody has wanted to read it since the last look
	asOfNS  int64 // its data is at least what its primary's was then
	restNS  int64 // it is not asked before
	samples [samplesMost]sample
	sampled int // of a primary: how many there have been

	stampAsked   bool // its stamp is being asked for
	stampAskedNS int64
	stampHeard   func(reply []byte)
}

// sample is how far a primary was at some time.
type sample struct {
	offsetIn
	ns int64
}

const (
	// samplesMost is into how many parts the lag is told apart at which a replica is not read any more.
	samplesMost = 8
	// replicaSilentNS is how long a replica may leave a read unanswered: others have the same data.
	replicaSilentNS = int64(time.Second)
	// replicaRestNS is how long a replica is left alone that has refused a read.
	replicaRestNS = int64(100 * time.Millisecond)
	// sampleNS is how often nodes are asked how far they are, if they don't say so by themselves.
	sampleNS = int64(100 * time.Millisecond)
)

// noteForReads has this loop list the replicas, and note from here on what reads from them have to know. What was noted by nobody until now is below what the
// loop has heard.
func (p *part) noteForReads() {
	if p.noting {
		return
	}
	p.noting = true
	for _, u := range p.upstreams {
		for _, ln := range u.lanes {
			ln.heed |= heedReads
			ln.heedEra()
		}
		if u.era != nil {
			lift(&u.era.all, u.at)
			lift(&u.era.newest, u.at)
		}
	}
	p.adopt(p.topo)
}

// enlist finds the replicas of all shards by a new topology or record. used are the upstreams that are.
func (p *part) enlist(used map[string]bool) {
	p.topoSwaps++
	p.adoptedNS = p.nowNS
	for _, all := range p.replicas {
		for _, u := range all {
			u.keepShown() // sessions forget whom they read
		}
	}
	p.replicas = p.replicas[:0]
	if !p.noting {
		return
	}
	for i := range p.topo.Shards {
		shard, lead := &p.topo.Shards[i], p.shards[i]
		lead.near = p.rules.isNear(p.nodeAt(shard, lead.addr))
		var all []*upstream
		for _, n := range append([]router.Node{shard.Primary}, shard.Replicas...) {
			if n.Addr == lead.addr {
				continue
			}
			key := replicaKey + n.Addr
			used[key] = true
			u := p.upstreams[key]
			if u == nil {
				u = p.addUpstream(key, n.Addr)
				u.replica = true
			}
			u.left, u.shard, u.record, u.near = false, i, lead.record, p.rules.isNear(&n)
			all = append(all, u)
		}
		p.replicas = append(p.replicas, all)
	}
}

// replicaKey stands before the address in the names under which upstreams of replicas are kept.
const replicaKey = "replica "

func (p *part) nodeAt(shard *router.Shard, addr string) *router.Node {
	for i := range shard.Replicas {
		if shard.Replicas[i].Addr == addr {
			return &shard.Replicas[i]
		}
	}
	return &shard.Primary
}

// isNear tells whether a node stands in the gateway's zone.
func (r *readRules) isNear(n *router.Node) bool { return r.zone != "" && r.zones[n.ID] == r.zone }

// keepShown has nobody be shown less than a replica may have shown.
func (u *upstream) keepShown() {
	if u.era != nil && u.replica {
		lift(&u.era.shown, u.at)
	}
}

// forgetPlace believes what the lanes say that are left: one has ended, perhaps because the node was started anew, with less than it had.
func (u *upstream) forgetPlace() {
	if u.era == nil {
		return
	}
	u.keepShown()
	u.era, u.at, u.asOfNS = nil, 0, 0
	for _, ln := range u.lanes {
		ln.heedEra()
	}
}

// patienceNS is how long the node may leave a command unanswered.
func (u *upstream) patienceNS() int64 {
	most := int64(u.p.opts.Upstream.ReplyTimeout)
	if u.replica {
		most = min(most, replicaSilentNS)
	}
	return most
}

// depth is how many commands of this loop the node has to answer.
func (u *upstream) depth() (n int) {
	for _, ln := range u.shared {
		if ln != nil {
			n += ln.queue.len()
		}
	}
	return n
}

// askStamp asks the node how far it is, once until it has answered.
func (u *upstream) askStamp() {
	ln := u.ready()
	if u.stampAsked || ln == nil {
		return
	}
	if u.stampHeard == nil {
		u.stampHeard = func(reply []byte) {
			if u.stampAsked = false; reply != nil && u.era != nil {
				u.claim(u.stampAskedNS, u.at)
			}
		}
	}
	u.stampAsked, u.stampAskedNS = true, u.p.nowNS
	ln.query(u.stampHeard, wordPing)
}

// tickReads looks how far behind the replicas are that somebody wants to read.
func (p *part) tickReads() {
	for i, all := range p.replicas {
		lead, wanted := p.shards[i], false
		for _, u := range all {
			wanted = wanted || u.wanted
		}
		if !wanted || !lead.larder && lead.known {
			continue
		}
		lead.sample()
		for _, u := range all {
			if u.wanted {
				u.wanted = false
				u.lookBehind(lead)
			}
		}
	}
}

// heard is when the node was last heard on a shared lane.
func (u *upstream) heard() (ns int64) {
	for _, ln := range u.shared {
		if ln != nil && ln.state == laneReady {
			ns = max(ns, ln.heardNS)
		}
	}
	return ns
}

// sample notes how far a primary is, and has one say so that is silent.
func (u *upstream) sample() {
	p := u.p
	heard := u.heard()
	last := &u.samples[max(0, u.sampled-1)%samplesMost]
	if u.era != nil && (last.era != u.era || heard > last.ns && heard-last.ns >= p.rules.maxLagNS/samplesMost) {
		u.samples[u.sampled%samplesMost] = sample{offsetIn{u.era, u.at}, heard}
		u.sampled++
	}
	if p.nowNS-heard >= sampleNS {
		if u.ready() == nil {
			u.lane(3)
		}
		u.askStamp()
	}
}

// lookBehind notes since when a replica may lack something of its primary's, and has one say how far it is that is silent.
func (u *upstream) lookBehind(lead *upstream) {
	for i := range lead.samples {
		if s := &lead.samples[i]; s.era != nil && s.era == u.era && s.at <= u.at {
			u.asOfNS = max(u.asOfNS, s.ns)
		}
	}
	if u.p.nowNS-u.heard() >= sampleNS || u.era != lead.era || u.at < lead.at {
		u.askStamp()
	}
}

// cannotRead are the errors by which a replica says that it cannot be read now, or not for that.
var cannotRead = [][]byte{
	[]byte("-STALE "), []byte("-MASTERDOWN "), []byte("-LOADING "), []byte("-CLUSTERDOWN "), []byte("-READONLY "), []byte("-MOVED "), []byte("-BUSY "), []byte("-NOSCRIPT "),
}

// unread handles a replica's refusal of a read: it goes to the primary, and the next ones for a while too.
func (ln *lane) unread(t ticket, reply []byte) bool {
	u, p := ln.u, ln.p
	if !u.replica || !t.row.Flags.Has(command.ReadOnly) || t.bytes == 0 || t.s.abandoned() {
		return false
	}
	if !slices.ContainsFunc(cannotRead, func(prefix []byte) bool { return bytes.HasPrefix(reply, prefix) }) {
		return false
	}
	if !bytes.HasPrefix(reply, noScript) {
		u.restNS = p.nowNS + replicaRestNS
	}
	p.count.readsMoved++
	p.later(u, t, ln.log[ln.head:ln.head+int(t.bytes)])
	return true
}

// followsRefused has a read go again whose session waits for one that was sent before it and refused: that one will show more.
func (ln *lane) followsRefused(t *ticket, whole bool) bool {
	if t.s.retrying == 0 || !whole || t.bytes == 0 || t.s.abandoned() || !ln.u.replica {
		return false
	}
	ln.p.later(ln.u, *t, ln.log[ln.head:ln.head+int(t.bytes)])
	return true
}
