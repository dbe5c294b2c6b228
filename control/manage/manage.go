// Package manage has what operators want of a fleet written into the registry, where the leading controller reads it, and tells them what that controller knows.
// It is what the management API asks (api.Manager). What must hold: what cannot be is refused before anything is written, in words that say what to do; a wish is
// changed by compare-and-set, so of two who change it at once one looks again; nothing is done here but writing: whoever leads does it, and another one goes on.
// Methods may be called from any goroutine.
package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"larder/backends/registry"
	"larder/control/api"
	"larder/control/controller"
	"larder/control/fleet"
)

// Options say what a Manager works with. All fields but Endpoint, Limits and NodeType must be given.
type Options struct {
	View     func() fleet.View
	Registry registry.Store
	Limits   controller.Limits
	NodeType string // of clusters for which no size is said; empty: cache.t3.micro
	// CheckParameter tells what about a node's parameter cannot be.
	CheckParameter func(name, value string) error
	// Endpoint tells where a cluster's clients connect, host:port; empty: not known. nil: where it was asked to listen.
	Endpoint func(cluster string) string
	Now      func() time.Time
	Sleep    func(ctx context.Context, d time.Duration) error
	Chance   *rand.Rand // the manager's own
}

// Manager implements api.Manager.
type Manager struct {
	o Options

	mu sync.Mutex // held while something is changed: what two ask of this process at once does not take one place twice
}

// New makes a manager.
func New(o Options) *Manager {
	if o.NodeType == "" {
		o.NodeType = "cache.t3.micro"
	}
	return &Manager{o: o}
}

const (
	attempts  = 5                     // to change what others change too
	seenEvery = 10 * time.Millisecond // while something is waited for
	taskEvery = 50 * time.Millisecond // while a task's end is
	seenMax   = 5 * time.Second       // for the controller to have read what was written
	tasksMax  = 100                   // that are over and kept
)

// fleet is what is known, if this process leads.
func (m *Manager) fleet() (controller.Fleet, error) {
	v := m.o.View()
	switch {
	case v.Leads && v.Fleet.Known():
		return v.Fleet, nil
	case v.Leads, v.Leader.ID == "":
		return controller.Fleet{}, api.Refuse(api.CodeNoLeader, "no controller leads the fleet now: try again in a moment")
	}
	return controller.Fleet{}, api.Refuse(api.CodeNoLeader, "this controller does not lead: ask %s at %s", v.Leader.ID, v.Leader.Addr)
}

// judged is an error of the registry as people are told it.
func judged(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, registry.ErrUnavailable):
		return api.Refuse(api.CodeRegistry, "the registry cannot be reached; it may have been done: look before you try again (%s)", err)
	case errors.Is(err, registry.ErrDenied), errors.Is(err, registry.ErrInvalid):
		return api.Refuse(api.CodeRegistry, "the registry refuses: %s", err)
	}
	return err
}

// read gives what stands under a key. found is false if nothing does.
func (m *Manager) read(ctx context.Context, key string, into any) (found bool, version uint64, err error) {
	e, err := m.o.Registry.Get(ctx, key)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return false, 0, nil
	case err != nil:
		return false, 0, judged(err)
	case len(e.Value) == 0:
		return false, e.Version, nil
	}
	if err := json.Unmarshal(e.Value, into); err != nil {
		return false, e.Version, fmt.Errorf("read %s: %w", key, err)
	}
	return true, e.Version, nil
}

// write puts a value under a key that is still at that version, and waits until the controller knows. Errors: registry.ErrConflict.
func (m *Manager) write(ctx context.Context, key string, value any, version uint64) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if version != 0 {
		stood, err := m.o.Registry.Get(ctx, key)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return judged(err)
		}
		if text, err = kept(text, value, stood.Value); err != nil { // if it is of another version by now, nothing is written
			return err
		}
	}
	now, err := m.o.Registry.CompareAndSet(ctx, key, text, version)
	if err != nil {
		if errors.Is(err, registry.ErrConflict) {
			return err
		}
		return judged(err)
	}
	m.await(ctx, func(f controller.Fleet) bool { return f.Seen(key, now) })
	return nil
}

// await waits until the controller knows something, for a while: who looks just afterwards should see what was done. Whoever leads will know in any case.
func (m *Manager) await(ctx context.Context, known func(controller.Fleet) bool) {
	for waited := time.Duration(0); waited < seenMax; waited += seenEvery {
		if f, err := m.fleet(); err != nil || known(f) {
			return
		}
		if m.o.Sleep(ctx, seenEvery) != nil {
			return
		}
	}
}

// Events implements api.Manager.
func (m *Manager) Events(ctx context.Context) ([]api.Event, error) {
	kept, err := fleet.ReadEvents(ctx, m.o.Registry)
	if err != nil {
		return nil, judged(err)
	}
	list := make([]api.Event, 0, len(kept))
	for _, e := range kept {
		list = append(list, api.Event(e))
	}
	return list, nil
}
