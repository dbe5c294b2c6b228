package engine

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"larder/metrics"
)

// published is the loop's counters as they were a second ago at most.
type published struct {
	mu   sync.Mutex
	last counters
}

func (p *published) put(c *counters) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last.errors == nil {
		p.last.init()
	}
	c.copyTo(&p.last)
}

func (p *published) get() counters {
	var c counters
	c.init()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last.errors != nil {
		p.last.copyTo(&c)
	}
	return c
}

func (c *counters) numbers() []metrics.Number {
	return []metrics.Number{
		{Value: &c.clients, Gauge: true, Name: "larder_engine_clients", Help: "Connections that are open, lanes of gateways among them."},
		{Value: &c.lanes, Gauge: true, Name: "larder_engine_lanes", Help: "Connections of gateways that are open."},
		{Value: &c.numbered, Gauge: true, Name: "larder_engine_numbered_lanes", Help: "Connections of gateways of which the node's data say up to which request they have run, ended ones among them."},
		{Value: &c.replicas, Gauge: true, Name: "larder_engine_replicas", Help: "Replicas that are connected."},
		{Value: &c.streamEnd, Gauge: true, Name: "larder_engine_replication_offset_bytes", Help: "How much was said to replicas so far, or would have been."},
		{Value: &c.backlog, Gauge: true, Name: "larder_engine_replication_backlog_bytes", Help: "Memory that the newest part of the replication stream takes."},
		{Value: &c.syncFull, Name: "larder_engine_replica_syncs_full_total", Help: "Replicas that were sent a copy of all data."},
		{Value: &c.syncPartial, Name: "larder_engine_replica_syncs_partial_total", Help: "Replicas that went on where they were."},
		{Value: &c.syncRefused, Name: "larder_engine_replica_syncs_refused_total", Help: "Replicas that wanted to go on where they were and had to be sent a copy."},
		{Value: &c.replOut, Name: "larder_engine_replication_sent_bytes_total", Help: "Bytes of copies and of the stream that were sent to replicas."},
		{Value: &c.accepted, Name: "larder_engine_clients_accepted_total", Help: "Connections that were let in."},
		{Value: &c.closed, Name: "larder_engine_clients_closed_total", Help: "Connections that have ended."},
		{Value: &c.refused, Name: "larder_engine_clients_refused_total", Help: "Connections from addresses that no access list names."},
		{Value: &c.slowClosed, Name: "larder_engine_clients_slow_closed_total", Help: "Connections closed at a limit: replies not read, or a command too large."},
		{Value: &c.loginsFailed, Name: "larder_engine_logins_failed_total", Help: "AUTH and HELLO AUTH with a wrong user or password."},
		{Value: &c.protocolErrors, Name: "larder_engine_protocol_errors_total", Help: "Connections ended by malformed requests."},
		{Value: &c.stalls, Name: "larder_engine_stalls_total", Help: "Times a connection's commands had to wait, for its replies to be read or for CLIENT PAUSE."},
		{Value: &c.stale, Name: "larder_engine_stale_total", Help: "Commands of lanes that were refused because of another epoch."},
		{Value: &c.unled, Name: "larder_engine_lease_lost_closed_total", Help: "Connections closed because the primary had no lease any more when their replies were to be written."},
		{Value: &c.unconfirmed, Name: "larder_engine_unconfirmed_total", Help: "Replies that were not confirmed by all members in time, and went out as -UNKNOWN."},
		{Value: &c.replicated, Name: "larder_engine_replicated_bytes_total", Help: "Bytes from the primary that the node follows."},
		{Value: &c.faults, Name: "larder_engine_replication_faults_total", Help: "Commands of the primary that failed here, or are not known here."},
		{Value: &c.large, Name: "larder_engine_large_arguments_total", Help: "Commands with an argument that was taken in piece by piece."},
		{Value: &c.chores, Name: "larder_engine_chores_total", Help: "Turns in which the keyspace did work of its own: expiry, eviction, giving memory back."},
		{Value: &c.bytesIn, Name: "larder_engine_received_bytes_total", Help: "Bytes from clients and gateways."},
		{Value: &c.bytesOut, Name: "larder_engine_sent_bytes_total", Help: "Bytes to clients and gateways."},
		{Value: &c.keys, Gauge: true, Name: "larder_engine_keys", Help: "Keys in all databases."},
		{Value: &c.expires, Gauge: true, Name: "larder_engine_expiring_keys", Help: "Keys with a time to live."},
		{Value: &c.expired, Name: "larder_engine_expired_total", Help: "Keys that died of age."},
		{Value: &c.evicted, Name: "larder_engine_evicted_total", Help: "Keys that were evicted to keep below maxmemory."},
		{Value: &c.memory, Gauge: true, Name: "larder_engine_memory_bytes", Help: "Bytes that keys, values and index take."},
		{Value: &c.memoryReserved, Gauge: true, Name: "larder_engine_memory_reserved_bytes", Help: "Bytes that the keyspace has taken from the process, in use or not."},
		{Value: &c.memoryMax, Gauge: true, Name: "larder_engine_memory_max_bytes", Help: "The limit on memory; 0 = none."},
		{Value: &c.kept, Gauge: true, Name: "larder_engine_snapshot_kept_bytes", Help: "Bytes of overwritten data that are kept for saves and replicas that are being written."},
		{Value: &c.journalBytes, Gauge: true, Name: "larder_engine_journal_bytes", Help: "Bytes of the journal's files; 0 = there is none."},
		{Value: &c.journalBehind, Gauge: true, Name: "larder_engine_journal_unwritten_bytes", Help: "Bytes that are to be written to the journal and are not yet."},
		{Value: &c.journalFailed, Gauge: true, Name: "larder_engine_journal_failed", Help: "1 = the journal cannot be written, and writes are refused."},
		{Value: &c.rewrites, Name: "larder_engine_journal_rewrites_total", Help: "Times the journal's base was written anew."},
		{Value: &c.saves, Name: "larder_engine_saves_total", Help: "Saves to the node's file that have begun."},
		{Value: &c.saveFailed, Gauge: true, Name: "larder_engine_save_failed", Help: "1 = the last save in the background has failed."},
		{Value: &c.savedS, Gauge: true, Name: "larder_engine_saved_timestamp_seconds", Help: "When the data was saved last, or the node began."},
		{Value: &c.unsaved, Gauge: true, Name: "larder_engine_unsaved_changes", Help: "Changes of the keyspace since then."},
		{Value: &c.epoch, Gauge: true, Name: "larder_engine_topology_epoch", Help: "Epoch of the topology that the node serves in; 0 = none was assigned."},
		{Value: &c.loop.Turns, Name: "larder_engine_turns_total", Help: "Rounds of the event loop that did something."},
		{Value: &c.loop.Reads, Name: "larder_engine_reads_total", Help: "Reads from sockets."},
		{Value: &c.loop.Writes, Name: "larder_engine_writes_total", Help: "Writes to sockets."},
	}
}

// collector reads the published counters when Prometheus asks.
type collector struct{ n *Node }

var (
	byCommand       = metrics.NewFamily("larder_engine", "Time a command took in the node, by name: its share of the batch it ran in.")
	descPrefixKeys  = prometheus.NewDesc("larder_engine_prefix_keys", "Keys in all databases that begin with one of engine.key-prefixes.", []string{"prefix"}, nil)
	descPrefixBytes = prometheus.NewDesc("larder_engine_prefix_bytes", "Bytes that those keys and their values take, without their share of the index.", []string{"prefix"}, nil)
)

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	byCommand.Describe(ch)
	ch <- descPrefixKeys
	ch <- descPrefixBytes
	var none counters
	metrics.Describe(ch, none.numbers())
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	all := c.n.stats.get()
	metrics.Collect(ch, all.numbers())
	byCommand.Collect(ch, &all.commands)
	for _, p := range all.prefixes {
		ch <- prometheus.MustNewConstMetric(descPrefixKeys, prometheus.GaugeValue, float64(p.Keys), p.Prefix)
		ch <- prometheus.MustNewConstMetric(descPrefixBytes, prometheus.GaugeValue, float64(p.Bytes), p.Prefix)
	}
}
