package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"larder/backends/registry"
	"larder/control"
)

// EventsKey is where what has happened to the fleet stands: a list in JSON, packed (registry.Pack), the oldest first.
const EventsKey = "larder/events/fleet"

const (
	eventsMax  = 500                    // that are kept
	reportsMax = 1000                   // that wait for the registry
	gatherFor  = 100 * time.Millisecond // what happens within is written at once
)

// ReadEvents gives what is kept, the oldest first.
func ReadEvents(ctx context.Context, r registry.Store) ([]control.Event, error) {
	events, _, err := readEvents(ctx, r)
	return events, err
}

func readEvents(ctx context.Context, r registry.Store) (events []control.Event, version uint64, err error) {
	e, err := r.Get(ctx, EventsKey)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, 0, nil
	}
	text := e.Value
	if err == nil {
		text, err = registry.Unpack(text)
	}
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &events)
	}
	if err != nil {
		return nil, e.Version, fmt.Errorf("read the events: %w", err)
	}
	return events, e.Version, nil
}

// AppendEvents adds to what is kept; the oldest are forgotten. Others may do so at the same time.
func AppendEvents(ctx context.Context, r registry.Store, more []control.Event, fences ...registry.Fence) error {
	for {
		events, version, err := readEvents(ctx, r)
		if errors.Is(err, registry.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		events = append(events, more...) // what cannot be read is begun anew: nobody decides by it
		events = events[max(0, len(events)-eventsMax):]
		text, err := json.Marshal(events)
		if err != nil {
			return err
		}
		packed, err := registry.Pack(text)
		if err != nil {
			return err
		}
		if _, err = r.CompareAndSet(ctx, EventsKey, packed, version, fences...); !errors.Is(err, registry.ErrConflict) {
			return err
		}
	}
}

// keepEvents writes what is reported into the registry, until the term ends. What could not be written is written with what comes next.
func (t *term) keepEvents() error {
	var waiting []control.Event
	again := time.NewTimer(0)
	<-again.C
	for {
		select {
		case <-t.ctx.Done():
			t.flush(waiting)
			return nil
		case e := <-t.l.told:
			if waiting = append(waiting, e); len(waiting) == 1 {
				again.Reset(gatherFor)
			}
			waiting = waiting[max(0, len(waiting)-eventsMax):]
		case <-again.C:
			if err := t.append(t.ctx, waiting); err != nil {
				t.l.o.Log.Debug("events could not be kept yet", "count", len(waiting), "error", err)
				again.Reset(tickEvery)
				continue
			}
			waiting = nil
		}
	}
}

func (t *term) append(ctx context.Context, events []control.Event) error {
	ctx, cancel := context.WithTimeout(ctx, registryTime)
	defer cancel()
	return AppendEvents(ctx, t.l.o.Registry, events, registry.Fence{Key: LockKey, Session: t.session})
}

// flush writes what is left when the term ends, if the lock is still held.
func (t *term) flush(events []control.Event) {
	for len(t.l.told) > 0 {
		events = append(events, <-t.l.told)
	}
	if len(events) > 0 {
		_ = t.append(context.WithoutCancel(t.ctx), events) // the log has them
	}
}
