package children

import (
	"context"
	"time"
)

// How often it is looked whether nodes have ended, and how long their logs are.
const (
	lookEvery = 20 * time.Millisecond
	trimEvery = time.Second
)

// Run notices which nodes have ended, until ctx ends. Nodes go on.
func (c *Children) Run(ctx context.Context) error {
	look, trims := time.NewTicker(lookEvery), time.NewTicker(trimEvery)
	defer look.Stop()
	defer trims.Stop()
	long := map[string]bool{} // nodes whose logs cannot be cut off, of which that was said
	for {
		select {
		case <-look.C:
			for _, p := range c.running() {
				p.look()
			}
		case <-trims.C:
			for _, p := range c.running() {
				c.trim(p.node, long)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (c *Children) running() (all []*child) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.nodes {
		select {
		case <-p.ended:
		default:
			all = append(all, p)
		}
	}
	return all
}

func (c *Children) trim(node string, long map[string]bool) {
	err := trim(c.folder(node), c.o.LogMax)
	if err != nil && !long[node] {
		c.o.Log.Warn("a node's log has become too long and cannot be begun anew", "node", node, "error", err)
	}
	if long[node] = err != nil; err == nil {
		delete(long, node)
	}
}
