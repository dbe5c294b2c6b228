package app

import (
	"maps"
	"slices"
	"sync"

	"larder/control/api"
)

// clusters are those that are served here, as the management API asks for them. Any goroutine.
type clusters struct {
	mu  sync.Mutex
	all map[string]api.Served
}

func (c *clusters) set(name string, s api.Served) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]api.Served{}
	}
	c.all[name] = s
}

// Names implements api.Clusters.
func (c *clusters) Names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := slices.AppendSeq([]string{}, maps.Keys(c.all)) // never nil: JSON has a list
	slices.Sort(names)
	return names
}

// Cluster implements api.Clusters.
func (c *clusters) Cluster(name string) (api.Served, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.all[name]
	return s, ok
}
