package consul

import (
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// What a request is about, as the metric's label says it.
const (
	aboutKeys = iota
	aboutWatch
	aboutSession
	aboutService
	abouts
)

var aboutNames = [abouts]string{"keys", "watch", "session", "service"}

// counters count what is asked of Consul. Any goroutine.
type counters struct {
	requests [abouts]atomic.Uint64
	failures atomic.Uint64
	up       atomic.Bool
}

func newCounters() *counters { return &counters{} }

func (c *counters) request(r *http.Request) {
	about := aboutKeys
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1/session/"):
		about = aboutSession
	case r.URL.Query().Has("index"):
		about = aboutWatch
	case strings.HasPrefix(r.URL.Path, "/v1/agent/"), strings.HasPrefix(r.URL.Path, "/v1/health/"):
		about = aboutService
	}
	c.requests[about].Add(1)
}

// reached notes how the last request went: whether Consul answered it.
func (c *counters) reached(up bool) {
	c.up.Store(up)
	if !up {
		c.failures.Add(1)
	}
}

var (
	requestsDesc = prometheus.NewDesc("larder_consul_requests_total", "Requests to the Consul agent, by what they are about; a watch is a request that waits.", []string{"about"}, nil)
	failuresDesc = prometheus.NewDesc("larder_consul_failures_total", "Requests that Consul did not answer: the agent is away, or has no leader.", nil, nil)
	upDesc       = prometheus.NewDesc("larder_consul_up", "1 if Consul answered the last request, 0 if not, or if none has ended yet.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *counters) Describe(to chan<- *prometheus.Desc) {
	to <- requestsDesc
	to <- failuresDesc
	to <- upDesc
}

// Collect implements prometheus.Collector.
func (c *counters) Collect(to chan<- prometheus.Metric) {
	for about, name := range aboutNames {
		to <- prometheus.MustNewConstMetric(requestsDesc, prometheus.CounterValue, float64(c.requests[about].Load()), name)
	}
	to <- prometheus.MustNewConstMetric(failuresDesc, prometheus.CounterValue, float64(c.failures.Load()))
	up := 0.0
	if c.up.Load() {
		up = 1
	}
	to <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, up)
}
