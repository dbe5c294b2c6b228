package engine

import (
	"math"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"larder/protocol/command"
)

// published is the loop's counters as they were a second ago at most.
type published struct {
	mu   sync.Mutex
	last counters
}

func (p *published) put(c *counters) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last.took == nil {
		p.last.init()
	}
	c.copyTo(&p.last)
}

func (p *published) get() counters {
	var c counters
	c.init()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last.took != nil {
		p.last.copyTo(&c)
	}
	return c
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
		{&c.clients, true, "larder_engine_clients", "Connections that are open, lanes of gateways among them."},
		{&c.lanes, true, "larder_engine_lanes", "Connections of gateways that are open."},
		{&c.accepted, false, "larder_engine_clients_accepted_total", "Connections that were let in."},
		{&c.closed, false, "larder_engine_clients_closed_total", "Connections that have ended."},
		{&c.refused, false, "larder_engine_clients_refused_total", "Connections from addresses that no access list names."},
		{&c.slowClosed, false, "larder_engine_clients_slow_closed_total", "Connections closed at a limit: replies not read, or a command too large."},
		{&c.loginsFailed, false, "larder_engine_logins_failed_total", "AUTH and HELLO AUTH with a wrong user or password."},
		{&c.protocolErrors, false, "larder_engine_protocol_errors_total", "Connections ended by malformed requests."},
		{&c.stalls, false, "larder_engine_stalls_total", "Times a connection's commands had to wait, for its replies to be read or for CLIENT PAUSE."},
		{&c.stale, false, "larder_engine_stale_total", "Commands of lanes that were refused because of another epoch."},
		{&c.large, false, "larder_engine_large_arguments_total", "Commands with an argument that was taken in piece by piece."},
		{&c.bytesIn, false, "larder_engine_received_bytes_total", "Bytes from clients and gateways."},
		{&c.bytesOut, false, "larder_engine_sent_bytes_total", "Bytes to clients and gateways."},
		{&c.keys, true, "larder_engine_keys", "Keys in all databases."},
		{&c.expires, true, "larder_engine_expiring_keys", "Keys with a time to live."},
		{&c.expired, false, "larder_engine_expired_total", "Keys that died of age."},
		{&c.evicted, false, "larder_engine_evicted_total", "Keys that were evicted to keep below maxmemory."},
		{&c.memory, true, "larder_engine_memory_bytes", "Bytes that keys, values and index take."},
		{&c.memoryReserved, true, "larder_engine_memory_reserved_bytes", "Bytes that the keyspace has taken from the process, in use or not."},
		{&c.memoryMax, true, "larder_engine_memory_max_bytes", "The limit on memory; 0 = none."},
		{&c.epoch, true, "larder_engine_topology_epoch", "Epoch of the topology that the node serves in; 0 = none was assigned."},
		{&c.loop.Turns, false, "larder_engine_turns_total", "Rounds of the event loop that did something."},
		{&c.loop.Reads, false, "larder_engine_reads_total", "Reads from sockets."},
		{&c.loop.Writes, false, "larder_engine_writes_total", "Writes to sockets."},
	}
}

// collector reads the published counters when Prometheus asks.
type collector struct{ n *Node }

var (
	descCommands = prometheus.NewDesc("larder_engine_commands_total", "Commands answered, by name and outcome.", []string{"command", "outcome"}, nil)
	descTook     = prometheus.NewDesc("larder_engine_command_seconds", "Time a command took in the node, by name: its share of the batch it ran in.", []string{"command"}, nil)
)

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- descCommands
	ch <- descTook
	var none counters
	for _, n := range none.numbers() {
		ch <- prometheus.NewDesc(n.name, n.help, nil, nil)
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	all := c.n.stats.get()
	for _, n := range all.numbers() {
		kind := prometheus.CounterValue
		if n.gauge {
			kind = prometheus.GaugeValue
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(n.name, n.help, nil, nil), kind, float64(*n.value))
	}
	for id := range all.took {
		calls := all.calls(id)
		if calls == 0 {
			continue
		}
		name := commandName(id)
		failed := all.failed[id] + all.rejected[id]
		ch <- prometheus.MustNewConstMetric(descCommands, prometheus.CounterValue, float64(calls-failed), name, "ok")
		ch <- prometheus.MustNewConstMetric(descCommands, prometheus.CounterValue, float64(failed), name, "error")
		ch <- prometheus.MustNewConstHistogram(descTook, calls, float64(all.tookNS[id])/1e9, cumulative(all.took[id][:]), name)
	}
}

func commandName(id int) string {
	if row := command.ByID(command.ID(id)); row != nil {
		return row.Name
	}
	return "unknown"
}

// cumulative turns buckets into Prometheus's upper bounds in seconds.
func cumulative(buckets []uint64) map[float64]uint64 {
	const first = 1e-9 * (1 << bucketShift)
	out := make(map[float64]uint64, len(buckets))
	var below uint64
	for i, n := range buckets[:len(buckets)-1] {
		below += n
		out[math.Ldexp(first, i)] = below
	}
	return out
}
