package proxy

import (
	"bytes"
	"strconv"
	"time"

	"larder/protocol/resp"
	"larder/router"
)

// retry is a command that its node refused, unexecuted, because it is behind: it knows
// an older epoch than this gateway. It goes again until its time is up.
type retry struct {
	t       ticket
	command []byte
	atNS    int64
	untilNS int64
}

const staleWaitNS = int64(20 * time.Millisecond)

// stale handles -STALE <epoch> <topology>: the node has not run the command, because
// the lane's epoch is not its own. The newer of both topologies is adopted and the
// command goes where that says; the client sees nothing of it.
func (p *part) stale(ln *lane, t ticket, reply []byte) bool {
	if !isStale(reply) || !ln.u.larder || t.s.gone {
		return false
	}
	p.count.stale++
	epoch, line, _ := bytes.Cut(bytes.TrimSpace(reply[len(stalePrefix):]), []byte(" "))
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
	command := append([]byte(nil), ln.log[ln.head:ln.head+int(t.bytes)]...)
	ln.term = staleTerm // TERM is said before anything else goes on this lane
	if theirs < p.topo.Epoch {
		p.swaps++ // newer commands of the session wait until this one is through
		p.retries = append(p.retries, retry{t: t, command: command, atNS: p.nowNS + staleWaitNS, untilNS: p.nowNS + int64(p.g.opts.Upstream.ReplyTimeout)})
		return true
	}
	p.resend(t, command)
	return true
}

// staleTerm is no epoch that a topology can have.
const staleTerm = ^uint64(0)

// retryStale sends again what waited for a node to catch up. The order of a session's
// commands holds: they were refused in order, and newer ones wait for an empty queue.
func (p *part) retryStale() {
	if len(p.retries) == 0 || p.nowNS < p.retries[0].atNS {
		return
	}
	due := p.retries
	p.retries = nil
	for _, r := range due {
		switch {
		case r.t.s.gone:
		case p.nowNS > r.untilNS:
			r.t.s.answered(r.t, appendError(nil, "CLUSTERDOWN the shard's node has not taken over the topology yet"))
		default:
			r.t.tries = 0
			p.resend(r.t, r.command)
		}
	}
}

// resend routes a command anew by the present topology. It surely has not run.
func (p *part) resend(t ticket, raw []byte) {
	s := t.s
	req, _, st := p.again.Next(raw)
	if st != resp.Done {
		s.answered(t, appendError(nil, "ERR the gateway could not read a command again"))
		return
	}
	if m := s.q.at(t.seq).merge; m != nil {
		p.resendPart(s, t, m, req)
		return
	}
	p.keys = t.row.KeyPositions(req.Args, p.keys[:0])
	shard, cross := p.topo.OneShard(req.Args, p.keys)
	if cross != router.Together {
		s.answered(t, appendError(nil, cross.Error()))
		return
	}
	p.resendTo(shard, t, raw)
}

func (p *part) resendTo(shard int, t ticket, raw []byte) {
	u := p.shards[shard]
	ln := u.lane(t.s.proto)
	if ln == nil {
		t.s.answered(t, appendError(nil, u.err))
		return
	}
	ln.resume(raw, t)
}

// resendPart routes one shard's share of a merged command anew; it may now belong to several.
func (p *part) resendPart(s *session, t ticket, m *merge, req resp.Request) {
	args := req.Args
	switch {
	case m.scan.active:
		// No keys and the cursor as it was: the client's next call goes by the new topology.
		s.answered(t, m.scan.nothing(nil))
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
	for _, part := range p.split.Parts {
		if p.shards[part.Shard].lane(s.proto) == nil {
			s.answered(t, appendError(nil, p.shards[part.Shard].err))
			return
		}
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
