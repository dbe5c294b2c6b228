package proxy

import (
	"bytes"
	"hash/fnv"
	"slices"

	"larder/router"
)

// An endpoint may point to another cluster while clients are connected. Each loop takes the other topology over between two callbacks, as it does with one of the same
// cluster: what a session has under way is answered by the old nodes first, and all that it sends behind that goes to the new ones. What is more, because nothing that
// the old cluster told holds in the new one: epochs do not compare, records are forgotten, cursors begin their group anew, watched keys count as changed, what clients
// have cached is invalid, subscriptions are the new nodes', and commands that wait are fetched back from where nothing comes any more.

// told takes over what the gateway's source says: the next topology of the cluster, or another cluster's.
func (g *Gateway) told(t *router.Topology) {
	have := g.topo.Load()
	if have.Cluster == t.Cluster || have.Epoch == 0 {
		g.Adopt(t)
		return
	}
	g.topo.Store(t)                                                           // nobody else may take over another cluster's
	g.functions.Store(&functionDump{number: g.dumps.Add(1), publishes: true}) // the number keeps out what the old cluster was asked before
	g.log.Info("endpoint moved to another cluster", "cluster", t.Cluster, "epoch", t.Epoch, "shards", len(t.Shards), "before", have.Cluster, "its epoch", have.Epoch)
}

// topologyID tells topologies apart: those of one cluster differ by their epochs, and by those modulo any power of two as the epochs do.
func topologyID(t *router.Topology) uint64 {
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Cluster))
	return t.Epoch ^ name.Sum64()
}

// inTopology tells whether a node belongs to the cluster.
func (p *part) inTopology(addr string) bool {
	return slices.ContainsFunc(p.topo.Shards, func(s router.Shard) bool { return hasAddr(&s, addr) })
}

// fetchBlocked asks a node that has left to let go of the commands that wait there, so that they wait anew where their keys are now. The node decides whether one has
// got something before; what comes too early for it is asked again.
func (u *upstream) fetchBlocked() {
	u.p.l.Hurry()
	for _, ln := range append([]*lane(nil), u.lanes...) {
		s := ln.lentTo
		if ln.use != useBlock || ln.state != laneReady || ln.queue.len() == 0 || s == nil || s.block == nil {
			continue
		}
		b := s.block
		if b.ln != ln || b.acks != nil || b.fetching || b.asked || b.wrong != "" {
			continue
		}
		b.fetching, b.elsewhere = true, true
		s.endBlock("ERROR", "", func(int64) { b.fetching = false })
	}
}

// fetched: a node has let go of a command that waits, which goes again.
func (ln *lane) fetched(t ticket, reply []byte) bool {
	if t.kind&kindBlocks == 0 || t.s.abandoned() || !bytes.HasPrefix(reply, unblockedPrefix) {
		return false
	}
	b := t.s.block
	if b == nil || !b.elsewhere || b.asked || b.wrong != "" {
		return false
	}
	b.elsewhere, b.fetching = false, false
	told := b.told
	b.told = nil
	for _, f := range told {
		f()
	}
	ln.p.goAgain(ln, t, false)
	return true
}

// closeLeft ends shared lanes to a node that has left, which were dialled to fetch what waited there.
func (u *upstream) closeLeft() {
	if !u.left || u.probed {
		return
	}
	for _, ln := range u.shared {
		if ln != nil && ln.state == laneReady && ln.queue.len() == 0 {
			ln.end()
		}
	}
}

const textMovedAway = "CLUSTERDOWN the endpoint was moved to another cluster while the command was under way"

// movedAway ends a job that has begun in another cluster, before it asks more. One that has written there may have done half of its work.
func (j *job) movedAway() bool {
	switch {
	case j.cluster == j.p.topo.Cluster:
		return false
	case j.wrote:
		j.fail("UNKNOWN the endpoint was moved to another cluster when the command had done a part of its work there")
	default:
		j.fail(textMovedAway)
	}
	return true
}
