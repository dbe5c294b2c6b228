package proxy

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strconv"
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// retry is a command that its node refused, unexecuted, because the lane's epoch is not the node's. It goes again.
type retry struct {
	t   ticket
	u   *upstream // the node it was meant for
	raw []byte    // its own copy

	unserved bool // its node did not take it at that moment, and may take what its session has sent behind it
}

const staleWaitNS = int64(20 * time.Millisecond)

// refused handles an error that is for the gateway: the command goes to where it belongs, or behind the script that it names.
func (ln *lane) refused(t ticket, reply []byte) bool {
	ln.unlearn(t)
	return ln.p.stale(ln, t, reply) || ln.unread(t, reply) || ln.lacks(t, reply) || ln.fetched(t, reply) || ln.servesNobody(t, reply)
}

// stale handles -STALE <epoch> <topology>: the node has not run the command, because the lane's epoch is not its own. The newer of both topologies is
// adopted and the command goes where that says; the client sees nothing of it.
func (p *part) stale(ln *lane, t ticket, reply []byte) bool {
	if !isStale(reply) || !ln.u.larder || t.s.abandoned() {
		return false
	}
	p.count.stale++
	epoch, line, _ := bytes.Cut(bytes.TrimSpace(reply[len(stalePrefix):]), []byte(" "))
	if string(epoch) == "record" {
		news := ln.heardRecord(line)
		ln.term = staleTerm
		ln.goBehind(t, !news || !ln.u.serves())
		return true
	}
	theirs, err := strconv.ParseUint(string(epoch), 10, 64)
	if err != nil {
		return false
	}
	if theirs > p.topo.Epoch {
		topo, err := router.ParseLine(string(line))
		if err != nil || topo.Epoch != theirs {
			p.g.log.Error("node told a topology that cannot be read", "node", ln.u.addr, "err", err)
			return false
		}
		p.g.Adopt(topo)
		p.enter()
	}
	ln.term, ln.greet.epoch = staleTerm, theirs // TERM is said before anything else goes on this lane
	ln.goBehind(t, theirs != p.topo.Epoch)      // a greater one is another cluster's
	return true
}

// goAgain sends the command in front of a lane once more, which its node has refused; after a while if the node is to become other than it is.
func (p *part) goAgain(ln *lane, t ticket, behind bool) {
	if t.bytes == 0 { // streamed: its bytes are not kept
		t.s.answered(t, appendError(nil, downText(ln.u.addr, errMoved)))
		return
	}
	if t.kind&kindLent != 0 && t.kind&kindPiece != 0 { // slots have moved: a watched key may have changed
		t.s.answered(t, t.s.nullArray())
		return
	}
	if ln.u.replica { // its primary is asked
		behind = false
		ln.u.restNS = p.nowNS + replicaRestNS
	}
	if behind {
		if !ln.u.waits(t) {
			t.s.answered(t, appendError(nil, "CLUSTERDOWN node "+ln.u.addr+" "+ln.u.whyBehind()))
			return
		}
		t.s.retryNS = p.nowNS + staleWaitNS
	}
	if t.kind&kindBlocks != 0 {
		t.s.block.ln = nil
	}
	t.tries = 0
	p.later(ln.u, t, ln.log[ln.head:ln.head+int(t.bytes)])
}

// waits says whether a command that its node does not take now may wait on.
func (u *upstream) waits(t ticket) bool {
	most := u.p.opts.Upstream.ReplyTimeout
	if u.record != nil {
		most = u.p.opts.Upstream.FailoverTime
	}
	return (u.record == nil || !u.overdue()) && u.p.nowNS-t.s.behindSince(t) <= int64(most)
}

// whyBehind is what a client is told whose command a node goes on refusing.
func (u *upstream) whyBehind() string {
	if u.serves() {
		return "has not taken over the topology yet"
	}
	return "does not serve its shard: another one is to be its primary"
}

// serves tells whether a node's shard has it as primary, as far as the gateway knows.
func (u *upstream) serves() bool {
	return !u.left && (u.record == nil || u.record.State == router.Normal)
}

// behindSince is when the command's node was first found to be behind the topology, or somewhat before that. One that blocks may meet that more than once.
func (s *session) behindSince(t ticket) int64 {
	if t.kind&kindBlocks == 0 {
		return s.q.at(t.seq).startNS
	}
	b, now := s.block, s.p.nowNS
	if b.behindNS == 0 || now-b.behindSeenNS > probeSeldomNS {
		b.behindNS = now
	}
	b.behindSeenNS = now
	return b.behindNS
}

var errMoved = errors.New("the slots moved while a large command was on its way")

// staleTerm is no epoch that a topology can have.
const staleTerm = ^uint64(0)

// later keeps a command until nothing else of its session is on the way: what of that is refused too goes again in the order in which it was sent, and by
// one topology. What the session sends meanwhile waits.
func (p *part) later(u *upstream, t ticket, raw []byte) {
	if !p.roomToWait(len(raw)) {
		p.swaps++ // what follows must not overtake it, if it is a part of more
		t.s.answered(t, appendError(nil, "CLUSTERDOWN node "+u.addr+" does not take the command, and too many wait for it: gateway.upstream.failover-max"))
		return
	}
	p.swaps++
	p.l.Hurry()
	t.s.retrying++
	p.retryBytes += len(raw)
	p.retries = append(p.retries, retry{t: t, u: u, raw: bytes.Clone(raw)})
}

const (
	retriesMany   = 64                          // so many commands that wait are not looked at whenever any node has said something:
	retriesRestNS = int64(5 * time.Millisecond) // if none could go they rest for so long
)

// retriesRest says whether nobody is to look yet for commands that may go again.
func (p *part) retriesRest() bool {
	return len(p.retries) == 0 || len(p.retries) > retriesMany && p.nowNS < p.retriesDueNS
}

// retryStale sends again what later has kept, for the sessions that are ready for it.
func (p *part) retryStale() {
	var due, late []retry
	for _, r := range p.retries {
		r.t.s.halted = false
	}
	for _, r := range p.retries {
		if u := p.present(r.u); u != nil && u.halts() {
			r.t.s.halted = true
		}
	}
	kept := p.retries[:0]
	p.retryBytes = 0
	for _, r := range p.retries {
		switch s := r.t.s; {
		case s.abandoned():
		case s.flying > 0 || s.parked > 0 || s.holding > 0 || p.nowNS < s.retryNS, s.halted && p.staysLate(r):
			kept = append(kept, r)
			p.retryBytes += len(r.raw)
		case s.halted:
			s.retrying--
			late = append(late, r)
		default:
			s.retrying--
			due = append(due, r)
		}
	}
	clear(p.retries[len(kept):])
	p.retries, p.retriesDueNS = kept, 0
	if len(due)+len(late) == 0 {
		p.retriesDueNS = p.nowNS + retriesRestNS
	}
	slices.SortStableFunc(due, func(a, b retry) int {
		return cmp.Or(cmp.Compare(a.t.s.id, b.t.s.id), cmp.Compare(int32(a.t.seq-b.t.seq), 0), cmp.Compare(a.t.sub, b.t.sub))
	})
	for _, r := range due {
		if !r.t.s.abandoned() {
			p.resend(r.u, r.t, r.raw)
		}
	}
	for _, r := range late {
		if s := r.t.s; !s.abandoned() {
			s.tooLate(r)
		}
	}
}

// staysLate says whether a command goes on waiting for a shard in trouble.
func (p *part) staysLate(r retry) bool { return r.u.waits(r.t) && r.t.s.inVain() == nil }

// tooLate answers a command for which its shard has had no primary in time.
func (s *session) tooLate(r retry) {
	reply := s.inVain()
	if reply == nil {
		u := s.p.present(r.u)
		if u == nil {
			u = r.u
		}
		reply = appendError(nil, u.whyNot())
	}
	s.answered(r.t, reply)
}

// resend routes a command anew by the present topology. It surely has not run, or may run twice. from is the node it was meant for.
func (p *part) resend(from *upstream, t ticket, raw []byte) {
	s := t.s
	if s.reads != nil {
		s.reads.mixed = true
	}
	if t.kind&kindLent != 0 {
		p.resendLent(t, raw)
		return
	}
	m := s.q.at(t.seq).merge
	if m != nil && m.tx != nil {
		p.resendExec(t, m.tx, raw)
		return
	}
	if m != nil && m.job != nil {
		m.job.again(t, raw)
		return
	}
	if m != nil && m.poll != nil && from.left {
		s.answered(t, appendError(nil, downText(from.addr, errLeft)))
		return
	}
	if m != nil && (m.poll != nil || t.row.First == 0 && p.keepsTo(from, t, m)) {
		p.resendTo(from, t, raw)
		return
	}
	req, _, st := p.again.Next(raw)
	if st != resp.Done {
		s.answered(t, appendError(nil, "ERR the gateway could not read a command again"))
		return
	}
	if m != nil {
		p.resendPart(s, t, m, req)
		return
	}
	if t.row.Request == command.RequestMultiShard {
		p.resendSplit(s, t, req)
		return
	}
	shard, cross := p.shardFor(t.row, req.Args)
	if cross != router.Together {
		if shard = p.together(t.row, req.Args, cross); shard < 0 {
			s.answered(t, appendError(nil, p.crossAgain(t.row, cross)))
			return
		}
	}
	p.resendTo(p.shards[shard], t, raw)
}

// keepsTo says whether one node's share of a command to all shards goes to that node again, although the topology may have changed. One that empties
// must: on the others the session's later writes may have run already.
func (p *part) keepsTo(from *upstream, t ticket, m *merge) bool {
	if from.left {
		return false
	}
	return m.topoID == p.topoID || !mayRunTwice(t)
}

func (p *part) resendTo(u *upstream, t ticket, raw []byte) {
	ln := u.lane(t.s.line)
	switch {
	case ln != nil && !u.halted:
		ln.resume(raw, t)
	case u.halts() && u.waits(t):
		p.later(u, t, raw)
	default:
		t.s.answered(t, appendError(nil, u.whyNot()))
	}
}

// resendSplit routes a command whose keys were one shard's when it first went; they may be several's now.
func (p *part) resendSplit(s *session, t ticket, req resp.Request) {
	if cross := p.topo.Split(req.Args, t.row.First, t.row.Step, &p.split); cross != router.Together {
		s.answered(t, appendError(nil, cross.Error()))
		return
	}
	parts := p.split.Parts
	if len(parts) == 1 {
		p.resendTo(p.shards[parts[0].Shard], t, req.Raw)
		return
	}
	if err := p.outOfReach(s, parts); err != "" {
		s.answered(t, appendError(nil, err))
		return
	}
	m := p.merges.get(mergeOf(t.row), p.topoID, len(parts))
	m.deal(p.split.Shard, parts)
	s.q.at(t.seq).merge = m
	for i, part := range parts {
		again := t
		again.sub = uint16(i)
		p.putPart(s, t.row, req.Args, part, again)
	}
}

// outOfReach is the error of the first of the parts' shards that has no lane; empty = all have one.
func (p *part) outOfReach(s *session, parts []router.Part) string {
	for _, part := range parts {
		if u := p.shards[part.Shard]; u.lane(s.line) == nil {
			return u.err
		}
	}
	return ""
}

// resendPart routes one shard's share of a merged command anew; it may now belong to several.
func (p *part) resendPart(s *session, t ticket, m *merge, req resp.Request) {
	args := req.Args
	switch {
	case m.scan.active:
		// No keys and the cursor as it was: the client's next call goes by the new topology.
		s.answered(t, m.scan.nothing(nil))
		return
	case t.row.First == 0 && !mayRunTwice(t):
		s.answered(t, appendError(nil, "CLUSTERDOWN a node left the cluster before it ran the command; the others have run it"))
		return
	case t.row.First == 0:
		// To all shards, whose set may have changed: all of it again, when the other replies are in.
		m.rerun = append(m.rerun[:0], req.Raw...)
		s.answered(t, nil)
		return
	}
	if cross := p.topo.Split(args, t.row.First, t.row.Step, &p.split); cross != router.Together {
		s.answered(t, appendError(nil, cross.Error()))
		return
	}
	if err := p.outOfReach(s, p.split.Parts); err != "" {
		s.answered(t, appendError(nil, err))
		return
	}
	subs := m.spread(t.sub, p.split.Parts)
	for i, part := range p.split.Parts {
		again := t
		again.sub = subs(i)
		p.putPart(s, t.row, args, part, again)
	}
}

// spread gives the keys of one part to several: the first keeps its number, the others
// get new ones. It returns the number of the i-th.
func (m *merge) spread(sub uint16, parts []router.Part) func(int) uint16 {
	first := len(m.subs)
	number := func(i int) uint16 {
		if i == 0 {
			return sub
		}
		return uint16(first + i - 1)
	}
	for range parts[1:] {
		m.subs = append(m.subs, nil)
		m.left++
	}
	if m.how != mergeKeys {
		return number
	}
	mine := make([]int, 0, len(m.keys)) // the positions of the part's keys, in order
	for at, part := range m.keys {
		if part == sub {
			mine = append(mine, at)
		}
	}
	for i, part := range parts {
		for _, key := range part.Keys {
			m.keys[mine[key]] = number(i)
		}
	}
	return number
}
