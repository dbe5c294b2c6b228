package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"larder/backends/registry"
)

// Event is something that people should know of.
type Event struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Cluster string    `json:"cluster,omitempty"` // that it is about, where that is not plain
	Text    string    `json:"text"`
}

// eventsMax is how many are remembered.
const eventsMax = 200

func (a *Agent) eventsKey() string { return "larder/clusters/" + a.o.Cluster + "/events" }

// loadEvents takes up what another process has reported.
func (a *Agent) loadEvents(ctx context.Context) error {
	entry, err := a.o.Registry.Get(ctx, a.eventsKey())
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(entry.Value, &a.events)
	}
	if err != nil {
		return fmt.Errorf("read the events: %w", err)
	}
	return nil
}

// Report notes an event, which stays for later processes too. That it cannot be kept is no reason to fail what it tells of.
func (a *Agent) Report(kind, text string) {
	a.o.Log.Info(text, "cluster", a.o.Cluster, "event", kind)
	a.o.Metrics.events.WithLabelValues(kind).Inc()
	a.telling.Lock() // held to the end, so that what is kept is never older than what was kept before
	defer a.telling.Unlock()
	a.events = append(a.events, Event{At: a.o.Now(), Kind: kind, Text: text})
	a.events = a.events[max(0, len(a.events)-eventsMax):]
	list, err := json.Marshal(a.events)
	if err == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(a.base), dropTime)
		defer cancel()
		err = a.o.Registry.Put(ctx, a.eventsKey(), list)
	}
	if err != nil {
		a.o.Log.Warn("an event could not be kept", "cluster", a.o.Cluster, "event", kind, "error", err)
	}
}

// Events gives what happened, the oldest first.
func (a *Agent) Events() []Event {
	a.telling.Lock()
	defer a.telling.Unlock()
	return append([]Event(nil), a.events...)
}
