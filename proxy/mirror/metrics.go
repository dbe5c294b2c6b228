package mirror

import (
	"github.com/prometheus/client_golang/prometheus"

	"larder/metrics"
)

// numbers are what is published; the values are copies.
func (m *Mirror) numbers() []metrics.Number {
	c := &m.count
	of := func(n uint64) *uint64 { return &n }
	return []metrics.Number{
		{Value: of(c.mirrored.Load()), Name: "larder_shadow_mirrored_total", Help: "Commands that the shadow has answered."},
		{Value: of(c.dropped.Load()), Name: "larder_shadow_dropped_total", Help: "Commands that were not mirrored for want of room."},
		{Value: of(c.missed.Load()), Name: "larder_shadow_missed_total", Help: "Commands that the shadow did not get or answer, as it was out of reach."},
		{Value: of(c.refused.Load()), Name: "larder_shadow_refused_total", Help: "Commands that the shadow could not do then (LOADING, OOM, CLUSTERDOWN and the like)."},
		{Value: of(c.compared.Load()), Name: "larder_shadow_compared_total", Help: "Replies that were compared."},
		{Value: of(c.differing.Load()), Name: "larder_shadow_differing_total", Help: "Replies that differed, before both sides were asked again."},
		{Value: of(c.confirmed.Load()), Name: "larder_shadow_differences_total", Help: "Differences that were confirmed."},
		{Value: of(c.unknown.Load() + c.blind.Load()), Name: "larder_shadow_not_compared_total", Help: "Replies that were not compared: the key is not known to be the same on both sides, or they depend on chance, time or the server."},
		{Value: of(uint64(max(0, m.queued.Load()))), Gauge: true, Name: "larder_shadow_waiting", Help: "Commands that wait to be said to the shadow."},
		{Value: of(uint64(max(0, m.bytes.Load()))), Gauge: true, Name: "larder_shadow_waiting_bytes", Help: "Bytes that these and their replies take."},
		{Value: of(uint64(c.away.Load())), Gauge: true, Name: "larder_shadow_away", Help: "1 while the shadow is out of reach."},
	}
}

// Describe implements prometheus.Collector.
func (m *Mirror) Describe(ch chan<- *prometheus.Desc) { metrics.Describe(ch, m.numbers()) }

// Collect implements prometheus.Collector.
func (m *Mirror) Collect(ch chan<- prometheus.Metric) { metrics.Collect(ch, m.numbers()) }
