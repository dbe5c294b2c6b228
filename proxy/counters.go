package proxy

import (
	"larder/loop"
	"larder/metrics"
	"larder/protocol/command"
)

// counters are one loop's, plain numbers written on the loop; publish copies them out
// once a second.
type counters struct {
	commands metrics.Commands
	errors   metrics.Errors
	rates    metrics.Rates

	accepted, closed, refused uint64 // client connections
	expelled                  uint64 // of those that were let in: closed because the access list changed
	bytesIn, bytesOut         uint64
	protocolErrors            uint64
	loginsFailed              uint64
	pauses                    uint64 // times a client was not read for a while
	slowClosed                uint64
	dialsFailed, lanesLost    uint64
	resent, unknown, stale    uint64
	cacheTold, cacheFlushes   uint64 // messages of nodes on changed keys; times when clients were told that nothing holds
	streamed                  uint64 // commands passed on as they arrived
	crossSlots                uint64 // writes over several shards, done in steps
	gathers, gatherRefused    uint64 // commands over several shards worked out here, and refused for the size of what they need
	lendsRefused              uint64 // lanes that were not lent because too many were
	functionsGiven            uint64 // times that a node had no functions and was told those of the others
	scriptsTold               uint64 // SCRIPT LOADs of the gateway's own
	scriptsLacked             uint64 // commands sent again because their node lacked the script

	troubles, waits, lanesAsked                   uint64 // times a shard had no primary, commands that waited for that, and lost lanes about which a node was asked
	readsAway, readsBehind, readsLate, readsMoved uint64 // reads at replicas; times that one was too far behind for a read, or for any; reads that went on to the primary

	held, heldNS                uint64 // replies and messages that waited for what they show to be committed, and how long
	unconfirmed, messagesUnsafe uint64 // of them: replies that became errors, messages that were lost

	messages, delivered uint64 // heard from nodes, and passed on to clients
	earsLost, halfHeard uint64 // nodes not heard for a while, and subscriptions confirmed while one was out of reach

	// gauges, set by publish
	trackers, trackedKeys, trackedItems, trackedPrefixes uint64
	subscribers, subscribedBytes                         uint64

	clients, lanes, lent, depth, laneBytes, heldBytes, queuedBytes, gatherBytes, holding uint64
	awaiting, awaitingBytes                                                              uint64
	loop                                                                                 loop.Stats
}

// ran counts one answered command, and gives how long it took; row nil = one we do not know.
func (p *part) ran(row *command.Row, startNS int64, reply []byte) int64 {
	var id command.ID
	if row != nil {
		id = row.ID
	}
	tookNS := max(0, p.nowNS-startNS)
	p.count.commands.Ran(id, 1, uint64(tookNS))
	if len(reply) > 0 && reply[0] == '-' {
		p.count.commands.Fail(id)
		p.count.errors.Add(reply)
	}
	return tookNS
}

// publish copies the counters to where the collector reads them.
func (p *part) publish() {
	c := &p.count
	c.clients = uint64(len(p.sessions))
	c.lanes, c.depth, c.laneBytes = 0, 0, 0
	c.lent = 0
	for _, u := range p.upstreams {
		c.lent += uint64(u.lent)
		for _, ln := range u.lanes {
			c.lanes++
			c.depth += uint64(ln.queue.len())
			c.laneBytes += uint64(len(ln.log) - ln.head)
		}
	}
	c.subscribers, c.subscribedBytes = uint64(p.hearing.sessions), uint64(p.hearing.bytes)
	c.heldBytes, c.queuedBytes = uint64(p.bufs.held), uint64(p.txs.bytes)
	c.gatherBytes = uint64(p.gathered)
	c.holding = 0
	for _, h := range p.holds {
		c.holding += uint64(h.len())
	}
	c.awaiting, c.awaitingBytes = uint64(len(p.waiting)+len(p.retries)), uint64(p.waitBytes+p.parkedBytes+p.retryBytes)
	for _, q := range p.inquests {
		c.awaiting += uint64(len(q.parked))
	}
	c.trackers, c.trackedKeys = uint64(len(p.caches.clients)), uint64(p.caches.keys)
	c.trackedItems, c.trackedPrefixes = uint64(p.caches.items), uint64(len(p.caches.follow))
	c.loop = p.l.Stats()
	p.g.stats.put(p.l.Index(), c)
}
