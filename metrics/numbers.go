// Package metrics hands the plain numbers that event loops count to Prometheus, in one form for gateway and node.
//
// What must hold: a loop counts into its own numbers, without a lock; what is collected is a copy, so nothing here is shared between goroutines.
// The functions that send to a channel run on the goroutine on which Prometheus collects.
package metrics

import "github.com/prometheus/client_golang/prometheus"

// Number is a counter or gauge with the name it is published under.
type Number struct {
	Value *uint64
	Gauge bool
	Name  string
	Help  string
}

func (n *Number) desc() *prometheus.Desc { return prometheus.NewDesc(n.Name, n.Help, nil, nil) }

// Describe tells what the numbers are.
func Describe(ch chan<- *prometheus.Desc, numbers []Number) {
	for i := range numbers {
		ch <- numbers[i].desc()
	}
}

// Collect tells what the numbers are worth.
func Collect(ch chan<- prometheus.Metric, numbers []Number) {
	for i := range numbers {
		n := &numbers[i]
		kind := prometheus.CounterValue
		if n.Gauge {
			kind = prometheus.GaugeValue
		}
		ch <- prometheus.MustNewConstMetric(n.desc(), kind, float64(*n.Value))
	}
}
