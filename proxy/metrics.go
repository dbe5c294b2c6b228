package proxy

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/metrics"
)

// published is the loops' counters as they were a second ago at most.
type published struct {
	mu    sync.Mutex
	loops []counters
}

func (p *published) put(loop int, c *counters) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.loops) <= loop {
		p.loops = append(p.loops, counters{commands: metrics.NewCommands()})
	}
	have := p.loops[loop].commands
	have.Set(&c.commands)
	p.loops[loop] = *c
	p.loops[loop].commands, p.loops[loop].errors = have, c.errors.Clone()
}

// sum adds up all loops.
func (p *published) sum() counters {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := counters{commands: metrics.NewCommands()}
	for i := range p.loops {
		all.add(&p.loops[i])
	}
	return all
}

func (c *counters) add(o *counters) {
	c.commands.Add(&o.commands)
	c.errors.Join(&o.errors)
	c.rates.Add(&o.rates)
	for i, field := range c.numbers() {
		*field.Value += *o.numbers()[i].Value
	}
}

// counted is what CONFIG RESETSTAT saw, nothing if nobody has said it.
func (g *Gateway) counted() counters {
	if base := g.base.Load(); base != nil {
		return *base
	}
	return counters{commands: metrics.NewCommands()}
}

// sinceReset is the sum less what CONFIG RESETSTAT saw; gauges of it mean nothing.
func (g *Gateway) sinceReset() counters {
	all, base := g.stats.sum(), g.base.Load()
	if base == nil {
		return all
	}
	all.commands.Take(&base.commands)
	for i, field := range all.numbers() {
		*field.Value -= *base.numbers()[i].Value
	}
	return all
}

func (c *counters) numbers() []metrics.Number {
	return []metrics.Number{
		{Value: &c.clients, Gauge: true, Name: "larder_gateway_clients", Help: "Client connections that are open."},
		{Value: &c.accepted, Name: "larder_gateway_clients_accepted_total", Help: "Client connections that were let in."},
		{Value: &c.closed, Name: "larder_gateway_clients_closed_total", Help: "Client connections that have ended."},
		{Value: &c.refused, Name: "larder_gateway_clients_refused_total", Help: "Connections from addresses that no access list names."},
		{Value: &c.expelled, Name: "larder_gateway_clients_expelled_total", Help: "Clients closed because the access list was changed and no longer names their address."},
		{Value: &c.slowClosed, Name: "larder_gateway_clients_slow_closed_total", Help: "Clients closed because they did not read their replies."},
		{Value: &c.loginsFailed, Name: "larder_gateway_logins_failed_total", Help: "AUTH and HELLO AUTH with a wrong user or password."},
		{Value: &c.protocolErrors, Name: "larder_gateway_protocol_errors_total", Help: "Connections ended by malformed requests."},
		{Value: &c.pauses, Name: "larder_gateway_pauses_total", Help: "Times a client was not read for a while, because it was faster than its shards or did not read its replies."},
		{Value: &c.bytesIn, Name: "larder_gateway_received_bytes_total", Help: "Bytes from clients."},
		{Value: &c.bytesOut, Name: "larder_gateway_sent_bytes_total", Help: "Bytes to clients."},
		{Value: &c.heldBytes, Gauge: true, Name: "larder_gateway_held_bytes", Help: "Replies that wait for their turn, their other parts, or until what they show is committed."},
		{Value: &c.queuedBytes, Gauge: true, Name: "larder_gateway_queued_bytes", Help: "Commands between MULTI and EXEC."},
		{Value: &c.lanes, Gauge: true, Name: "larder_gateway_lanes", Help: "Connections to nodes."},
		{Value: &c.lent, Gauge: true, Name: "larder_gateway_lanes_lent", Help: "Those of them that are lent to one client."},
		{Value: &c.lendsRefused, Name: "larder_gateway_lends_refused_total", Help: "Clients that could not block, watch or monitor, because too many connections are lent."},
		{Value: &c.depth, Gauge: true, Name: "larder_gateway_lane_depth", Help: "Commands on lanes that nodes have not answered."},
		{Value: &c.laneBytes, Gauge: true, Name: "larder_gateway_lane_bytes", Help: "Bytes of those commands."},
		{Value: &c.dialsFailed, Name: "larder_gateway_dials_failed_total", Help: "Connections to nodes that could not be made or greeted."},
		{Value: &c.lanesLost, Name: "larder_gateway_lanes_lost_total", Help: "Connections to nodes that were lost while in use."},
		{Value: &c.resent, Name: "larder_gateway_resent_total", Help: "Commands sent again after their lane was lost."},
		{Value: &c.unknown, Name: "larder_gateway_unknown_total", Help: "Writes answered UNKNOWN: they may or may not have run."},
		{Value: &c.lanesAsked, Name: "larder_gateway_lanes_asked_total", Help: "Times a node was asked how far a lost connection's commands had come, so that only what has not run was sent again."},
		{Value: &c.troubles, Name: "larder_gateway_shard_troubles_total", Help: "Times a loop saw a shard without a primary that takes commands."},
		{Value: &c.waits, Name: "larder_gateway_shard_waits_total", Help: "Commands that waited for a shard to have a primary again before they were sent."},
		{Value: &c.awaiting, Gauge: true, Name: "larder_gateway_shard_waiting", Help: "Commands that wait now for a shard to have a primary again, or for it to say whether they have run."},
		{Value: &c.awaitingBytes, Gauge: true, Name: "larder_gateway_shard_waiting_bytes", Help: "Bytes of those commands."},
		{Value: &c.held, Name: "larder_gateway_replies_held_total", Help: "Replies and messages of replicated shards that had to wait until what they may show was committed."},
		{Value: &c.heldNS, Name: "larder_gateway_replies_held_nanoseconds_total", Help: "How long they waited."},
		{Value: &c.holding, Gauge: true, Name: "larder_gateway_replies_held", Help: "Those that wait now."},
		{Value: &c.unconfirmed, Name: "larder_gateway_replies_unconfirmed_total", Help: "Of them, those that were not committed within gateway.upstream.hold-time or not at all: a write was answered UNKNOWN, a read CLUSTERDOWN."},
		{Value: &c.messagesUnsafe, Name: "larder_gateway_messages_unconfirmed_total", Help: "Published messages that were lost because what they may show was not committed in time."},
		{Value: &c.stale, Name: "larder_gateway_stale_total", Help: "Commands that a node refused because of another epoch, and that went again."},
		{Value: &c.readsAway, Name: "larder_gateway_replica_reads_total", Help: "Reads that were sent to replicas, parts of commands over several shards each for itself."},
		{Value: &c.readsBehind, Name: "larder_gateway_replica_reads_behind_total", Help: "Reads that went to the primary because the replica was not known to have all that gateway.read-level wants them to show."},
		{Value: &c.readsLate, Name: "larder_gateway_replica_reads_late_total", Help: "Times a replica was passed over because it was further behind than gateway.read-max-lag."},
		{Value: &c.readsMoved, Name: "larder_gateway_replica_reads_moved_total", Help: "Reads that went on to the primary because the replica refused them, or was lost before it answered."},
		{Value: &c.streamed, Name: "larder_gateway_streamed_total", Help: "Commands with a large argument that were passed on as they came."},
		{Value: &c.crossSlots, Name: "larder_gateway_cross_slot_total", Help: "Writes over keys of several shards that were done in steps, as gateway.cross-slot allows."},
		{Value: &c.trackers, Gauge: true, Name: "larder_gateway_tracking_clients", Help: "Clients that track keys."},
		{Value: &c.trackedKeys, Gauge: true, Name: "larder_gateway_tracking_keys", Help: "Keys whose readers are to be told when they change."},
		{Value: &c.trackedItems, Gauge: true, Name: "larder_gateway_tracking_items", Help: "Readers of those keys."},
		{Value: &c.trackedPrefixes, Gauge: true, Name: "larder_gateway_tracking_prefixes", Help: "Prefixes of keys that clients follow."},
		{Value: &c.cacheTold, Name: "larder_gateway_tracking_messages_total", Help: "Messages of nodes that keys have changed."},
		{Value: &c.cacheFlushes, Name: "larder_gateway_tracking_flushes_total", Help: "Times when clients were told that nothing they keep holds, because a lane that tells was lost or slots moved."},
		{Value: &c.gathers, Name: "larder_gateway_gathers_total", Help: "Commands over keys of several shards that were worked out in the gateway."},
		{Value: &c.gatherRefused, Name: "larder_gateway_gathers_refused_total", Help: "Commands refused because they need more of several shards than gateway.gather-max."},
		{Value: &c.gatherBytes, Gauge: true, Name: "larder_gateway_gather_bytes", Help: "Bytes that commands over several shards keep while they are worked out."},
		{Value: &c.scriptsTold, Name: "larder_gateway_scripts_told_total", Help: "Lua scripts that the gateway told a node of itself, before a command that names them."},
		{Value: &c.scriptsLacked, Name: "larder_gateway_scripts_lacked_total", Help: "Commands sent again because their node had lost the script that they name."},
		{Value: &c.functionsGiven, Name: "larder_gateway_functions_given_total", Help: "Times a node had no functions and was told those of the other shards."},
		{Value: &c.subscribers, Gauge: true, Name: "larder_gateway_subscribers", Help: "Clients that are subscribed to a channel or pattern."},
		{Value: &c.subscribedBytes, Gauge: true, Name: "larder_gateway_subscribed_bytes", Help: "Bytes of the names of what clients are subscribed to, each counted once a loop."},
		{Value: &c.messages, Name: "larder_gateway_messages_total", Help: "Published messages that nodes told the gateway's loops of."},
		{Value: &c.delivered, Name: "larder_gateway_messages_delivered_total", Help: "Copies of them that clients were given."},
		{Value: &c.earsLost, Name: "larder_gateway_subscriptions_lost_total", Help: "Times a node's messages were not heard for a while, because its connection was lost."},
		{Value: &c.halfHeard, Name: "larder_gateway_subscriptions_incomplete_total", Help: "SUBSCRIBEs confirmed while a node was out of reach; it is subscribed there when it returns."},
		{Value: &c.loop.Turns, Name: "larder_gateway_turns_total", Help: "Rounds of the event loops that did something."},
		{Value: &c.loop.Writes, Name: "larder_gateway_writes_total", Help: "Writes to sockets, of clients and nodes."},
	}
}

// collector reads the published counters when Prometheus asks.
type collector struct{ g *Gateway }

var (
	byCommand       = metrics.NewFamily("larder_gateway", "Time from reading a command to its reply, by name.")
	descScripts     = prometheus.NewDesc("larder_gateway_scripts", "Lua scripts that the gateway keeps, so that a node that lacks one can be told it.", nil, nil)
	descScriptBytes = prometheus.NewDesc("larder_gateway_script_bytes", "Bytes of those scripts.", nil, nil)
	descRefused     = prometheus.NewDesc("larder_gateway_scripts_refused_total", "Lua scripts that were not kept because there was no room.", nil, nil)

	descWaited = prometheus.NewDesc("larder_gateway_shard_wait_longest_seconds", "The longest that a command has waited for its shard to have a primary again.", nil, nil)

	descEpoch = prometheus.NewDesc("larder_gateway_topology_epoch", "Epoch of the topology that commands are routed by.", nil, nil)
)

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	byCommand.Describe(ch)
	for _, desc := range []*prometheus.Desc{descEpoch, descWaited, descScripts, descScriptBytes, descRefused} {
		ch <- desc
	}
	var none counters
	metrics.Describe(ch, none.numbers())
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	all := c.g.stats.sum()
	metrics.Collect(ch, all.numbers())
	ch <- prometheus.MustNewConstMetric(descEpoch, prometheus.GaugeValue, float64(c.g.topo.Load().Epoch))
	ch <- prometheus.MustNewConstMetric(descWaited, prometheus.GaugeValue, time.Duration(c.g.waitLongestNS.Load()).Seconds())
	scripts, bytes := c.g.scripts.size()
	ch <- prometheus.MustNewConstMetric(descScripts, prometheus.GaugeValue, float64(scripts))
	ch <- prometheus.MustNewConstMetric(descScriptBytes, prometheus.GaugeValue, float64(bytes))
	ch <- prometheus.MustNewConstMetric(descRefused, prometheus.CounterValue, float64(c.g.scripts.refused.Load()))
	byCommand.Collect(ch, &all.commands)
}
