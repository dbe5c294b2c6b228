package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Stop ends the mirroring; what is under way is forgotten. Any goroutine.
func (m *Mirror) Stop() { m.off.Store(true) }

// What Begin leaves for Run's goroutine.
const (
	anewUnknown = 1
	anewFilled  = 2
)

// Begin begins the mirroring again. Filled: both sides have the same; then no command may be under way. Any goroutine.
func (m *Mirror) Begin(filled bool) {
	m.anew.Store(anewUnknown)
	if filled {
		m.anew.Store(anewFilled)
		m.mu.Lock()
		m.wholeFrom = m.count.unsaid()
		m.mu.Unlock()
	}
	m.off.Store(false)
}

// Said waits until the shadow has been told all that waits to be said to it: nothing may be under way at the source. Any goroutine. Errors: the context's.
func (m *Mirror) Said(ctx context.Context) error {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for m.queued.Load() > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d commands wait to be said to the shadow: %w", m.queued.Load(), context.Cause(ctx))
		case <-again.C:
		}
	}
	return nil
}

// beginAnew does what Begin has said.
func (m *Mirror) beginAnew() {
	anew := m.anew.Swap(0)
	if anew == 0 {
		return
	}
	m.forgetAll()
	if anew == anewFilled {
		m.known.allKnown()
	}
	m.recent = newAccesses()
	m.count.allKnown.Store(m.known.all)
	m.count.odd.Store(0)
}

// unsaid is how much the shadow was not told, or did not do.
func (c *counters) unsaid() uint64 {
	return c.dropped.Load() + c.missed.Load() + c.refused.Load() + c.halves.Load() + c.lost.Load() + c.denied.Load()
}

// Whole waits until the shadow has all that the source has, as far as that can be known: nothing may be under way at the source. Any goroutine. The error says why it has not.
func (m *Mirror) Whole(ctx context.Context) error {
	again := time.NewTicker(tickEvery)
	defer again.Stop()
	since := m.nowNS()
	for {
		m.mu.Lock()
		from := m.wholeFrom
		m.mu.Unlock()
		odd, waiting := m.count.odd.Load(), m.queued.Load()
		switch {
		case m.off.Load():
			return errors.New("nothing is mirrored at present")
		case m.o.Share < 1:
			return fmt.Errorf("only %.4g%% of the keys are mirrored", 100*m.o.Share)
		case m.count.unsaid() != from:
			return fmt.Errorf("%d commands were not mirrored, or not done by it", m.count.unsaid()-from)
		case !m.count.allKnown.Load():
			return errors.New("it did not have the same data to begin with, or has lost some")
		case m.count.differing.Load() > 0 && m.count.confirmed.Load() > 0:
			return errors.New("it differs: larder shadow report")
		case odd == 0 && waiting == 0 && m.count.keysDoubted.Load() == 0 && m.tickedNS.Load() > since:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("of %d keys it is not known whether they are the same, and %d commands wait", odd, waiting)
		case <-again.C:
		}
	}
}
