package scan

import (
	"sync"
	"time"
)

// changed are the keys that have changed since they were read last. Those who listen add to it, who copies takes from it.
type changed struct {
	max  int
	wake chan struct{} // somebody has added

	mu       sync.Mutex
	keys     map[place]struct{} // those in order
	order    []waiting          // as they came
	overflow bool               // more changed than may wait: all must be read again
}

type waiting struct {
	place
	since time.Time
}

func newChanged(most int) *changed {
	return &changed{max: most, wake: make(chan struct{}, 1), keys: map[place]struct{}{}}
}

func (c *changed) add(p place, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.keys[p]; there || c.overflow {
		return
	}
	if len(c.keys) < c.max {
		c.keys[p] = struct{}{}
		c.order = append(c.order, waiting{p, now})
	} else {
		c.overflow = true
		c.keys, c.order = map[place]struct{}{}, nil
	}
	c.poke()
}

// poke wakes who copies.
func (c *changed) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// take takes the oldest out, up to someKeys.
func (c *changed) take() (list []place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(someKeys, len(c.order))
	for _, one := range c.order[:n] {
		delete(c.keys, one.place)
		list = append(list, one.place)
	}
	c.order = c.order[n:]
	return list
}

// size tells how many keys wait, and since when the oldest does.
func (c *changed) size() (keys int, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.order) > 0 {
		since = c.order[0].since
	}
	return len(c.order), since
}

// lost tells whether something was not noted, and forgets it: who asks reads all again.
func (c *changed) lost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.overflow
	c.overflow = false
	return was
}

func (c *changed) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys, c.order, c.overflow = map[place]struct{}{}, nil, false
}
