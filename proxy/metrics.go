package proxy

import (
	"math"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"larder/protocol/command"
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
		p.loops = append(p.loops, counters{})
		p.loops[len(p.loops)-1].init()
	}
	have := p.loops[loop]
	copy(have.calls, c.calls)
	copy(have.failed, c.failed)
	copy(have.latency, c.latency)
	copy(have.latencyUS, c.latencyUS)
	now := *c
	now.calls, now.failed, now.latency, now.latencyUS = have.calls, have.failed, have.latency, have.latencyUS
	p.loops[loop] = now
}

// sum adds up all loops.
func (p *published) sum() counters {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all counters
	all.init()
	for i := range p.loops {
		all.add(&p.loops[i])
	}
	return all
}

func (c *counters) add(o *counters) {
	for id := range c.calls {
		c.calls[id] += o.calls[id]
		c.failed[id] += o.failed[id]
		c.latencyUS[id] += o.latencyUS[id]
		for b := range c.latency[id] {
			c.latency[id][b] += o.latency[id][b]
		}
	}
	for i, field := range c.numbers() {
		*field.value += *o.numbers()[i].value
	}
}

// sinceReset is the sum less what CONFIG RESETSTAT saw; gauges of it mean nothing.
func (g *Gateway) sinceReset() counters {
	all, base := g.stats.sum(), g.base.Load()
	if base == nil {
		return all
	}
	for id := range all.calls {
		all.calls[id] -= base.calls[id]
		all.failed[id] -= base.failed[id]
	}
	for i, field := range all.numbers() {
		*field.value -= *base.numbers()[i].value
	}
	return all
}

// number is a counter or gauge with the name it is published under.
type number struct {
	value *uint64
	gauge bool
	name  string
	help  string
}

func (c *counters) numbers() []number {
	return []number{
		{&c.clients, true, "larder_gateway_clients", "Client connections that are open."},
		{&c.accepted, false, "larder_gateway_clients_accepted_total", "Client connections that were let in."},
		{&c.closed, false, "larder_gateway_clients_closed_total", "Client connections that have ended."},
		{&c.refused, false, "larder_gateway_clients_refused_total", "Connections from addresses that no access list names."},
		{&c.slowClosed, false, "larder_gateway_clients_slow_closed_total", "Clients closed because they did not read their replies."},
		{&c.loginsFailed, false, "larder_gateway_logins_failed_total", "AUTH and HELLO AUTH with a wrong user or password."},
		{&c.protocolErrors, false, "larder_gateway_protocol_errors_total", "Connections ended by malformed requests."},
		{&c.pauses, false, "larder_gateway_pauses_total", "Times a client was not read for a while, because it was faster than its shards or did not read its replies."},
		{&c.bytesIn, false, "larder_gateway_received_bytes_total", "Bytes from clients."},
		{&c.bytesOut, false, "larder_gateway_sent_bytes_total", "Bytes to clients."},
		{&c.heldBytes, true, "larder_gateway_held_bytes", "Replies that wait for their turn or their other parts."},
		{&c.lanes, true, "larder_gateway_lanes", "Connections to nodes."},
		{&c.depth, true, "larder_gateway_lane_depth", "Commands on lanes that nodes have not answered."},
		{&c.laneBytes, true, "larder_gateway_lane_bytes", "Bytes of those commands."},
		{&c.dialsFailed, false, "larder_gateway_dials_failed_total", "Connections to nodes that could not be made or greeted."},
		{&c.lanesLost, false, "larder_gateway_lanes_lost_total", "Connections to nodes that were lost while in use."},
		{&c.resent, false, "larder_gateway_resent_total", "Commands sent again after their lane was lost."},
		{&c.unknown, false, "larder_gateway_unknown_total", "Writes answered UNKNOWN: they may or may not have run."},
		{&c.stale, false, "larder_gateway_stale_total", "Commands that a node refused because of another epoch, and that went again."},
		{&c.streamed, false, "larder_gateway_streamed_total", "Commands with a large argument that were passed on as they came."},
		{&c.loop.Turns, false, "larder_gateway_turns_total", "Rounds of the event loops that did something."},
		{&c.loop.Writes, false, "larder_gateway_writes_total", "Writes to sockets, of clients and nodes."},
	}
}

// collector reads the published counters when Prometheus asks.
type collector struct{ g *Gateway }

var (
	descCommands = prometheus.NewDesc("larder_gateway_commands_total", "Commands answered, by name and outcome.", []string{"command", "outcome"}, nil)
	descLatency  = prometheus.NewDesc("larder_gateway_command_seconds", "Time from reading a command to its reply, by name.", []string{"command"}, nil)
	descEpoch    = prometheus.NewDesc("larder_gateway_topology_epoch", "Epoch of the topology that commands are routed by.", nil, nil)
)

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- descCommands
	ch <- descLatency
	ch <- descEpoch
	var none counters
	for _, n := range none.numbers() {
		ch <- prometheus.NewDesc(n.name, n.help, nil, nil)
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	all := c.g.stats.sum()
	for _, n := range all.numbers() {
		kind := prometheus.CounterValue
		if n.gauge {
			kind = prometheus.GaugeValue
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(n.name, n.help, nil, nil), kind, float64(*n.value))
	}
	ch <- prometheus.MustNewConstMetric(descEpoch, prometheus.GaugeValue, float64(c.g.topo.Load().Epoch))
	for id, calls := range all.calls {
		if calls == 0 {
			continue
		}
		name := "unknown"
		if row := command.ByID(command.ID(id)); row != nil {
			name = row.Name
		}
		ch <- prometheus.MustNewConstMetric(descCommands, prometheus.CounterValue, float64(calls-all.failed[id]), name, "ok")
		ch <- prometheus.MustNewConstMetric(descCommands, prometheus.CounterValue, float64(all.failed[id]), name, "error")
		ch <- prometheus.MustNewConstHistogram(descLatency, calls, float64(all.latencyUS[id])/1e6, cumulative(all.latency[id][:]), name)
	}
}

// cumulative turns buckets of powers of two of a microsecond into Prometheus's upper bounds in seconds.
func cumulative(buckets []uint64) map[float64]uint64 {
	out := make(map[float64]uint64, len(buckets))
	var below uint64
	for i, n := range slices.All(buckets[:len(buckets)-1]) {
		below += n
		out[math.Ldexp(1e-6, i)] = below
	}
	return out
}
