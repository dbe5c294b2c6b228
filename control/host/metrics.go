package host

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// counters are what a host counts, be it published or not.
type counters struct {
	ends   prometheus.Counter
	orders *prometheus.CounterVec
}

// Outcomes of an order.
const (
	orderObeyed  = "obeyed"
	orderPartly  = "partly"
	orderRefused = "refused"
)

func newCounters() counters {
	c := counters{
		ends:   prometheus.NewCounter(prometheus.CounterOpts{Name: "larder_host_nodes_ended_total", Help: "Nodes that have ended, or could not be started, without having been told to end."}),
		orders: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "larder_host_orders_total", Help: "Orders of controllers, by what became of them: obeyed, partly (some nodes are refused, for lack of memory above all), refused."}, []string{"outcome"}),
	}
	for _, outcome := range []string{orderObeyed, orderPartly, orderRefused} { // so that an alarm has a zero to begin from
		c.orders.WithLabelValues(outcome)
	}
	return c
}

// Register publishes how the host is.
func (h *Host) Register(reg prometheus.Registerer) error {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			h.mu.Lock()
			defer h.mu.Unlock()
			return value()
		})
	}
	count := func(which func(k *keeper) bool) func() float64 {
		return func() (n float64) {
			for _, k := range h.keepers {
				if which(k) {
					n++
				}
			}
			return n
		}
	}
	var failed []error
	for _, c := range []prometheus.Collector{
		gauge("larder_host_nodes", "Nodes that the host has.", count(func(*keeper) bool { return true })),
		gauge("larder_host_nodes_running", "Of them those that run and answer, or have answered.", count(func(k *keeper) bool { return k.run != "" })),
		gauge("larder_host_nodes_failed", "Of them those that end again and again as soon as they are started.", count(func(k *keeper) bool { return k.run == "" && k.failed != "" })),
		gauge("larder_host_memory_bytes", "Memory that the host offers to its nodes (host.memory).", func() float64 { return float64(h.o.Memory) }),
		gauge("larder_host_memory_held_bytes", "Of it what nodes may take.", func() float64 { return float64(h.memory.holds()) }),
		h.counters.ends, h.counters.orders,
	} {
		failed = append(failed, reg.Register(c))
	}
	return errors.Join(failed...)
}

// Register publishes whether the host is announced.
func (a *Announcement) Register(reg prometheus.Registerer) error {
	return reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "larder_host_announced", Help: "1 = the host is announced in the registry; while it is not, it gets no nodes and those that it has count as lost.",
	}, func() float64 {
		if a.There() {
			return 1
		}
		return 0
	}))
}
