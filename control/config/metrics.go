package config

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what a Follower counts.
type Metrics struct {
	version, refused prometheus.Gauge
	refusals         prometheus.Counter
}

// NewMetrics registers them.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		version:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "larder_config_version", Help: "Version of the gateways' settings in the registry that run here; 0: none of the registry."}),
		refused:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "larder_config_refused", Help: "1 while what stands in the registry as the gateways' settings is not taken: it is wrong, or gone. The last good version runs."}),
		refusals: prometheus.NewCounter(prometheus.CounterOpts{Name: "larder_config_refused_total", Help: "Versions of the gateways' settings that were not taken."}),
	}
	for _, c := range []prometheus.Collector{m.version, m.refused, m.refusals} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of the settings: %w", err)
		}
	}
	return m, nil
}

func (m *Metrics) refuse() {
	if m != nil {
		m.refusals.Inc()
	}
}

func (m *Metrics) set(now Running) {
	if m == nil {
		return
	}
	m.version.Set(float64(now.Version))
	m.refused.Set(0)
	if now.Refused != nil {
		m.refused.Set(1)
	}
}
