package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// health says whether the process can serve. Any goroutine.
type health struct {
	mu     sync.Mutex
	state  error // why it cannot, whatever the parts say; nil = ask them
	checks []check
}

type check struct {
	name string
	ask  func(context.Context) error
}

var (
	errStarting = errors.New("starting")
	errStopping = errors.New("stopping")
)

func newHealth() *health { return &health{state: errStarting} }

// add names a part whose health counts.
func (h *health) add(name string, ask func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, check{name, ask})
}

// drop has the health of a part that has ended count no more.
func (h *health) drop(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = slices.DeleteFunc(slices.Clone(h.checks), func(c check) bool { return c.name == name }) // who asks at the moment has the old list
}

func (h *health) set(state error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = state
}

// ready is nil, or the first reason why the process cannot serve.
func (h *health) ready(ctx context.Context) error {
	h.mu.Lock()
	state, checks := h.state, h.checks
	h.mu.Unlock()
	if state != nil {
		return state
	}
	for _, c := range checks {
		if err := c.ask(ctx); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}
