package engine

import (
	"cmp"
	"slices"

	"larder/engine/shard"
	"larder/protocol/command"
)

// What a managed node answers: everything about data only while it serves by the newest record, and to lanes that go by the same.

const (
	textNoPrimary = "CLUSTERDOWN The shard has no primary at the moment"
	textNoOrders  = "CLUSTERDOWN The node waits for a record of its shard and serves nobody until then"
	textNoLease   = "CLUSTERDOWN Not every member of the shard's set is in touch with its primary, which answers nothing without them"
	textFollows   = "MASTERDOWN This node is a replica of a shard whose writes wait for all members: only its primary answers clients"
	textForsaken  = "UNKNOWN the command ran and was not confirmed: another node is the shard's primary now, which may or may not have it"
	textHeld      = "UNKNOWN the command ran and was not confirmed in time: not every member of the shard's set has it, or the set is too small"
)

// aboutData tells whether a command looks at data, changes it or publishes: what a node that does not serve must not do.
func (s *session) aboutData(row *command.Row) bool {
	const data = command.Write | command.ReadOnly | command.MayReplicate
	switch row.ID {
	case command.CmdExec:
		return s.tx.flags&data != 0 || len(s.watching) > 0
	case command.CmdWatch:
		return true
	}
	return row.Flags&data != 0
}

// keepsToItself tells whether what a stream publishes is told to nobody here. What a journal says is past: who could hear it has. And a follower does not know
// what of its primary's is committed: who subscribes at the primary is told when it is.
func (p *part) keepsToItself() bool {
	return p.call.Obeys && (p.replay != nil || p.reign != nil && p.reign.eager())
}

// judge has the guard say what the node may answer now.
func (g *reign) judge() {
	serves := false
	switch r := g.node.Record(); g.role {
	case shard.Primary:
		serves = !r.Replicated || g.node.Serves(g.nowNS())
	case shard.Follower:
		serves = !r.Replicated && !g.still
	}
	g.p.setGuard(guardShard, !serves)
	g.p.setGuard(guardMembers, g.role == shard.Primary && !g.node.TakesWrites())
}

// isStale tells whether a session is a lane that goes by another record than the node, or takes it for what it is not.
func (g *reign) isStale(s *session) bool {
	return s.lane && g.stale != "" && (s.state&outdated != 0 || g.role != shard.Primary && g.role != shard.Follower)
}

// refuses is why a command does not run. judged: that is all there is to say, with no text it runs, or is refused by itself. What a lane that is stale puts into
// a transaction is judged at its EXEC, and there as a whole.
func (g *reign) refuses(s *session, row *command.Row) (text string, judged bool) {
	p := g.p
	if !s.aboutData(row) {
		return "", false
	}
	switch {
	case g.isStale(s) && s.state&inMulti != 0:
		return "", true // staleTransaction answers EXEC
	case g.isStale(s):
		p.count.stale++
		return g.stale, true
	case p.guard&guardShard != 0:
		text = g.notServed(s, row)
	case p.guard&guardMembers != 0 && s.mayWrite(row):
		text = textReplicas
	}
	return text, text != ""
}

// notServed is why a node that does not serve answers nothing, or not that.
func (g *reign) notServed(s *session, row *command.Row) string {
	switch {
	case g.role == shard.Follower && s.mayWrite(row):
		return textReadOnly
	case g.role == shard.Follower && s.lane && !g.still:
		return ""
	case g.role == shard.Follower:
		return textFollows
	case g.role == shard.Primary:
		return textNoLease
	case g.stale == "":
		return textNoOrders
	}
	return textNoPrimary
}

// settleTerms notes which lanes go by another term than the node, and ends the waiting of those.
func (g *reign) settleTerms() {
	var moved []*session
	for _, s := range g.p.sessions {
		if s.settleTerm(); s.waiter != nil && g.isStale(s) {
			moved = append(moved, s)
		}
	}
	slices.SortFunc(moved, func(a, b *session) int { return cmp.Compare(a.id, b.id) })
	for _, s := range moved {
		g.p.count.stale++
		g.p.giveUp(s, g.stale)
	}
}

// settleTerm notes whether a lane's term is the record's.
func (s *session) settleTerm() {
	s.state &^= outdated
	if g := s.p.reign; g != nil && s.lane && g.stale != "" && s.recordTerm != g.node.Record().Term {
		s.state |= outdated
	}
}

// showsData notes that the session's output says something of the data.
func (s *session) showsData() {
	if g := s.p.reign; g != nil {
		s.led, g.looked = true, false
	}
}

// mayLeave is asked just before a session's output is written, and looks at the lease for the last time: whatever a command has found, no other node can have
// been the primary until now. Without the lease what it has found is nobody's to know: the output is dropped and the connection ends.
func (s *session) mayLeave() bool {
	g := s.p.reign
	if g == nil || !s.led {
		return true
	}
	s.led = false
	switch {
	case s.forsaken:
	case !g.gated || g.looked:
		return true
	default:
		if g.looked = g.node.Serves(g.nowNS()); g.looked {
			g.settle()
			return true
		}
	}
	s.p.count.unled++
	s.c.Out = s.c.Out[:0]
	s.closing, s.held = true, nil
	g.judge()
	s.c.Close()
	return false
}
