package fleet

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are a leader's. Its numbers may be changed from any goroutine.
type Metrics struct {
	leads, hosts                    prometheus.Gauge
	steps, deposed                  prometheus.Counter
	effects, failed, silent, events *prometheus.CounterVec
}

// NewMetrics makes them and registers them.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	vec := func(name, help, label string, values ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
		for _, value := range values { // so that an alarm has a zero to begin from
			v.WithLabelValues(value)
		}
		return v
	}
	kinds := []string{"put", "order", "tell"}
	m := &Metrics{
		leads:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "larder_fleet_leads", Help: "1 = this process leads the fleet; the sum over all should be 1."}),
		hosts:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "larder_fleet_hosts", Help: "Hosts that are announced, as the leader sees it."}),
		steps:   prometheus.NewCounter(prometheus.CounterOpts{Name: "larder_fleet_steps_total", Help: "Steps that the controller has taken."}),
		deposed: prometheus.NewCounter(prometheus.CounterOpts{Name: "larder_fleet_deposed_total", Help: "Leaders that did not answer and whose place this process has taken."}),
		effects: vec("larder_fleet_effects_total", "What steps wanted done and was begun, by kind: writes to the registry, orders to hosts, records told to nodes.", "kind", kinds...),
		failed:  vec("larder_fleet_effects_failed_total", "How much of it failed; it is tried again as long as it is needed.", "kind", kinds...),
		silent:  vec("larder_fleet_unanswered_total", "Times that a host, a node or a server of others was asked how it is and did not answer.", "from", "host", "node", "server"),
		events:  vec("larder_fleet_events_total", "What was reported, by kind (larder events shows the texts).", "kind"),
	}
	var failed []error
	for _, c := range []prometheus.Collector{m.leads, m.hosts, m.steps, m.deposed, m.effects, m.failed, m.silent, m.events} {
		failed = append(failed, reg.Register(c))
	}
	return m, errors.Join(failed...)
}
