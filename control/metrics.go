package control

import (
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/persistence/snapshot"
)

// Metrics are an agent's. Its numbers may be changed from any goroutine.
type Metrics struct {
	events                         *prometheus.CounterVec
	running, stored                prometheus.Gauge
	read, uploaded                 prometheus.Counter
	keys, raw, bytes, ratio, tookS prometheus.Gauge

	newestMS atomic.Int64 // when the newest snapshot ended; 0: none is known
}

// eventKinds are there from the start, so that an alarm has a zero to begin from.
var eventKinds = []string{
	"snapshot-taken", "snapshot-failed", "snapshot-given-up", "snapshot-missed", "snapshot-pruned", "snapshot-deleted", "snapshot-restored", "snapshot-restore-failed", "snapshot-swept",
}

// NewMetrics makes them and registers them.
func NewMetrics(reg prometheus.Registerer, now func() time.Time) (*Metrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &Metrics{
		events:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "larder_control_events_total", Help: "What was reported, by kind (larder snapshot events shows the texts)."}, []string{"kind"}),
		running:  gauge("larder_snapshot_running", "1 = a snapshot is being taken."),
		stored:   gauge("larder_snapshot_stored", "Snapshots of the cluster that are in the store, as it was listed last."),
		read:     counter("larder_snapshot_read_bytes_total", "Bytes of RDB files that nodes wrote for snapshots, those that were given up among them."),
		uploaded: counter("larder_snapshot_uploaded_bytes_total", "Bytes that became of them, compressed, on their way to the store."),
		keys:     gauge("larder_snapshot_last_keys", "Keys of the newest snapshot."),
		raw:      gauge("larder_snapshot_last_raw_bytes", "Bytes of its RDB files."),
		bytes:    gauge("larder_snapshot_last_bytes", "Bytes of its objects, compressed."),
		ratio:    gauge("larder_snapshot_last_ratio", "Its compressed bytes for each of its RDB files."),
		tookS:    gauge("larder_snapshot_last_took_seconds", "How long it took."),
	}
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "larder_snapshot_age_seconds", Help: "Time since the newest snapshot that is in the store was taken; +Inf = there is none.",
	}, func() float64 {
		newest := m.newestMS.Load()
		if newest == 0 {
			return math.Inf(1)
		}
		return now().Sub(time.UnixMilli(newest)).Seconds()
	})
	for _, kind := range eventKinds {
		m.events.WithLabelValues(kind)
	}
	var failed []error
	for _, c := range []prometheus.Collector{m.events, m.running, m.stored, m.read, m.uploaded, m.keys, m.raw, m.bytes, m.ratio, m.tookS, age} {
		failed = append(failed, reg.Register(c))
	}
	return m, errors.Join(failed...)
}

// listed is told which snapshots of the cluster there are.
func (m *Metrics) listed(all []*snapshot.Manifest) {
	m.stored.Set(float64(len(all)))
	if len(all) == 0 {
		m.newestMS.Store(0)
		return
	}
	m.newest(slices.MaxFunc(all, func(a, b *snapshot.Manifest) int { return a.Ended.Compare(b.Ended) })) // at once: who looks between sees no age of none
}

// newest is told of the newest of them.
func (m *Metrics) newest(one *snapshot.Manifest) {
	keys, raw, bytes := one.Totals()
	m.newestMS.Store(one.Ended.UnixMilli())
	m.keys.Set(float64(keys))
	m.raw.Set(float64(raw))
	m.bytes.Set(float64(bytes))
	m.ratio.Set(float64(bytes) / float64(max(raw, 1)))
	m.tookS.Set(one.Ended.Sub(one.Began).Seconds())
}
