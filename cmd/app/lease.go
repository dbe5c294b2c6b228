package app

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// lease are the metrics of a part that may end before the process does. It implements prometheus.Registerer.
type lease struct {
	reg prometheus.Registerer
	mu  sync.Mutex
	all []prometheus.Collector
}

// Register implements prometheus.Registerer.
func (l *lease) Register(c prometheus.Collector) error {
	if err := l.reg.Register(c); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, c)
	return nil
}

// MustRegister implements prometheus.Registerer.
func (l *lease) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := l.Register(c); err != nil {
			panic(err)
		}
	}
}

// Unregister implements prometheus.Registerer.
func (l *lease) Unregister(c prometheus.Collector) bool { return l.reg.Unregister(c) }

// end has nothing of it be published any more.
func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.all {
		l.reg.Unregister(c)
	}
	l.all = nil
}
