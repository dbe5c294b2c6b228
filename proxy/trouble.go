package proxy

import (
	"slices"
	"time"

	"larder/router"
)

// While a shard whose nodes get orders has no primary that takes commands (it is out of reach, or its record says that it is frozen, or that another is being
// elected) its clients' commands wait: those that were on the way are parked or refused and go again (inquest.go, stale.go), those that come are left unread in
// their clients' buffers, which keeps each session's order. So it is for failover-time from when the trouble began, and within failover-max of bytes a loop; what
// is more gets the error that it always got. Nobody waits who has nothing to do with the shard.

// Trouble is told of nobody who waits before this has passed, so that a lost connection that is back at once is none.
const (
	probeSoonNS   = int64(20 * time.Millisecond)  // how often nodes are asked for the record of a shard in trouble
	probeEveryNS  = int64(100 * time.Millisecond) // or of one whose primary may have another by now
	probeSeldomNS = int64(time.Second)            // or of one that has been in trouble for longer than anybody waits
	silentNS      = int64(250 * time.Millisecond) // a node with commands that says nothing for so long may be none any more
	troubleDelay  = 200 * time.Millisecond        // the most between attempts to reach a node for which commands wait
)

// halts says whether commands for the node's shard are to wait: it cannot take any now, and it has not been so for too long.
func (u *upstream) halts() bool {
	if u.record == nil || u.overdue() {
		return false
	}
	return u.halted || u.p.nowNS < u.retryNS && !u.reachable()
}

// reachable says whether any shared lane is there.
func (u *upstream) reachable() bool { return u.readyLane(2) || u.readyLane(3) }

func (u *upstream) readyLane(line int) bool {
	ln := u.shared[line-2]
	return ln != nil && ln.state == laneReady
}

// overdue says whether the trouble has lasted for longer than commands wait.
func (u *upstream) overdue() bool {
	return u.troubleNS != 0 && u.p.nowNS-u.troubleNS >= int64(u.p.opts.Upstream.FailoverTime)
}

// troubled notes that the node's shard has no primary that takes commands.
func (u *upstream) troubled() {
	p := u.p
	p.l.Hurry()
	if u.troubleNS == 0 {
		u.troubleNS = max(1, p.nowNS)
		p.count.troubles++
	}
}

// whyNot is what a client is told whose command the node does not take.
func (u *upstream) whyNot() string {
	if u.err != "" {
		return u.err
	}
	return "CLUSTERDOWN node " + u.addr + " " + u.whyBehind()
}

// awaitShard has the session's next command wait for a shard that is in trouble. It says false if it may not: the command is refused then.
func (s *session) awaitShard(u *upstream) bool {
	if !u.halts() || !s.p.roomToWait(len(s.c.In())) {
		return false
	}
	p := s.p
	if u.troubled(); s.waitedNS == 0 {
		p.count.waits++
	}
	u.awaited++
	s.waitBytes = len(s.c.In())
	p.waitBytes += s.waitBytes
	p.waiting = append(p.waiting, s)
	s.stall(stallShard)
	return true
}

// roomToWait says whether so many bytes more may be kept for shards in trouble.
func (p *part) roomToWait(bytes int) bool {
	return int64(p.waitBytes+p.parkedBytes+p.retryBytes+bytes) <= p.opts.Upstream.FailoverMaxBytes
}

// wakeWaiting lets all go on that wait for any shard: who has to wait on does so.
func (p *part) wakeWaiting() {
	waiting := p.waiting
	p.waiting, p.waitBytes = nil, 0
	for _, s := range waiting {
		s.waitBytes = 0
		if s.waitedNS != 0 && !s.gone {
			p.g.waited(p.nowNS - s.waitedNS)
		}
		s.wake(stallShard)
	}
}

// leaveWaiting takes a client out of those that wait for a shard.
func (s *session) leaveWaiting() {
	if s.stalled != stallShard {
		return
	}
	p := s.p
	if at := slices.Index(p.waiting, s); at >= 0 {
		p.waiting = slices.Delete(p.waiting, at, at+1)
		p.waitBytes -= s.waitBytes
		s.waitBytes = 0
	}
}

// waited notes how long a command has waited.
func (g *Gateway) waited(forNS int64) {
	for longest := g.waitLongestNS.Load(); forNS > longest && !g.waitLongestNS.CompareAndSwap(longest, forNS); {
		longest = g.waitLongestNS.Load()
	}
}

// recovered ends the trouble if the node is the primary and can be reached.
func (u *upstream) recovered() {
	if u.troubleNS == 0 || u.left || u.halted {
		return
	}
	for _, ln := range u.shared {
		if ln != nil && ln.state == laneReady {
			p := u.p
			p.g.log.Info("a shard is served again", "node", u.addr, "after", time.Duration(p.nowNS-u.troubleNS).Round(time.Millisecond), "clients waited", u.awaited)
			u.troubleNS, u.awaited, u.warned, u.gaveUp = 0, 0, false, false
			p.wakeWaiting()
			return
		}
	}
}

// succeeds has a shard's new primary go on from the one before: commands wait for it as long as they would have for that, and WAIT asks it for what was written there.
func (u *upstream) succeeds(old *upstream) {
	if old.troubleNS != 0 && u.troubleNS == 0 {
		u.troubleNS, u.awaited, u.warned, u.gaveUp = old.troubleNS, old.awaited, old.warned, old.gaveUp
	}
	old.troubleNS, old.awaited, old.warned, old.gaveUp = 0, 0, false, false
	for _, s := range u.p.sessions {
		s.writesOf(old, u)
	}
}

// depose stops what goes to nodes that are primaries no more: their replies are taken for a while, then their lanes are lost.
func (u *upstream) depose(now *upstream) {
	if u.deposedNS != 0 {
		return
	}
	u.deposedNS = u.p.nowNS + deposedNS
	u.p.l.Hurry()
	now.succeeds(u)
}

// deposedLanes are the lanes on which nothing more is said since the node ceased to be the primary.
func (u *upstream) deposedLanes() []*lane {
	if !slices.ContainsFunc(u.lanes, (*lane).deposed) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(u.lanes), func(ln *lane) bool { return !ln.deposed() })
}

// tickDeposed ends lanes to a node that is a primary no more.
func (u *upstream) tickDeposed() {
	for _, ln := range u.deposedLanes() {
		if ln.head == ln.sent || u.p.nowNS >= u.deposedNS {
			ln.fail(errDeposed)
		}
	}
}

// deposed says whether a lane was there when its node ceased to be the primary. It says nothing more.
func (ln *lane) deposed() bool {
	return ln.over || ln.u.deposedNS != 0 && (ln.id != "" || ln.ear != nil) && (ln.state == laneEnding || ln.state == laneReady && ln.lentTo != nil)
}

// tickTrouble does what time brings to shards in trouble.
func (p *part) tickTrouble() {
	gaveUp := false
	for _, u := range p.shards {
		if u.record == nil || u.troubleNS == 0 {
			continue
		}
		switch lasted := p.nowNS - u.troubleNS; {
		case u.overdue():
			gaveUp = gaveUp || !u.gaveUp
			u.gaveUp = true
		case lasted >= silentNS && !u.warned:
			u.warned = true
			p.g.log.Warn("a shard has no primary: its commands wait", "node", u.addr, "why", u.whyNot())
		}
		if !u.overdue() {
			u.gaveUp = false
			p.l.Hurry()
			u.lane(3) // whoever waits does not dial
			u.recovered()
		}
	}
	if gaveUp {
		p.wakeWaiting()
	}
	p.holdInquests()
}

// silent says whether a node has said nothing for a while to commands that wait for it.
func (u *upstream) silent() bool {
	for _, ln := range u.lanes {
		if ln.queue.len() > 0 && ln.queue.front().kind&kindBlocks == 0 && u.p.nowNS-max(ln.queue.front().startNS, ln.heardNS) > silentNS {
			return true
		}
	}
	return false
}

// doubtful says how often the nodes of a shard are to be asked who is the primary; 0: there is no reason to.
func (u *upstream) doubtful(shard *router.Shard) int64 {
	switch {
	case u.record == nil && (shard.Primary.External || len(shard.Replicas) == 0 || u.err == "" || u.known && !u.larder):
		return 0
	case u.record == nil, u.overdue(): // it may have one that nobody has told yet
		return probeSeldomNS
	case u.halted, u.troubleNS != 0:
		return probeSoonNS
	case u.err != "", u.silent(), u.addr != shard.Primary.Addr && u.p.nowNS-u.p.topoNS < probeSeldomNS: // the topology may know more
		return probeEveryNS
	}
	return 0
}
