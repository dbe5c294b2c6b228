// Package registrytest is the one suite that every form of the registry passes. It checks what registry's comments
// promise and no more, so that a form may be as loose as Consul is. It runs on the test's goroutine.
package registrytest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"larder/backends/registry"
)

// Form is an implementation under test.
type Form struct {
	// Open gives a registry that is empty; the suite closes it. It may be called while others are open, whose services are not its own to ask about.
	Open func(t *testing.T) registry.Registry
	// Synthetic: time is the process's own, so a case that waits for a session to end takes no time. Without it those
	// cases take up to a minute each.
	Synthetic bool
}

// promise is one thing that a form keeps. The registry is fresh.
type promise struct {
	name  string
	check func(t *testing.T, r registry.Registry)
	slow  bool // it waits for a session's end, so it does that beside others
}

// Run checks every promise.
func Run(t *testing.T, f Form) {
	for _, p := range promises() {
		t.Run(p.name, func(t *testing.T) {
			if f.Synthetic {
				synctest.Test(t, func(t *testing.T) { runOne(t, f, p) })
				return
			}
			if p.slow {
				t.Parallel()
			}
			runOne(t, f, p)
		})
	}
}

func runOne(t *testing.T, f Form, p promise) {
	r := f.Open(t)
	defer func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	p.check(t, r)
}

func promises() []promise {
	return []promise{
		{name: "entries", check: entries},
		{name: "values of any bytes", check: anyBytes},
		{name: "a value is the caller's own", check: ownValue},
		{name: "limits", check: limits},
		{name: "compare and set", check: compareAndSet},
		{name: "versions grow over a deletion", check: versionsGrow},
		{name: "keys of any characters", check: anyKeys},
		{name: "list in order", check: listInOrder},
		{name: "watch returns at once what it has not told", check: watchAtOnce},
		{name: "watch wakes on a change", check: watchWakes},
		{name: "watch ends with its context", check: watchEnds},
		{name: "a lock has one holder", check: oneHolder},
		{name: "a fence holds writes back", check: fences},
		{name: "a session that is not renewed ends", check: sessionEnds, slow: true},
		{name: "a renewed session lives", check: sessionLives, slow: true},
		{name: "ephemeral entries end with their session", check: ephemeral, slow: true},
		{name: "a lost lock stays closed for its delay", check: lockDelay, slow: true},
		{name: "lock waits for its turn", check: lockWaits},
		{name: "services", check: services},
		{name: "a service that says nothing fails", check: serviceFails},
		{name: "services are watched", check: serviceWatched},
		{name: "follow tells all", check: follow},
		{name: "announce keeps a service", check: announce},
		{name: "closed", check: closed},
	}
}

// patience is how long anything may take that does not wait for a TTL.
const patience = time.Minute

// eventually asks again and again until it is so.
func eventually(t *testing.T, within time.Duration, what string, so func() bool) {
	t.Helper()
	const pause = 20 * time.Millisecond
	for end := time.Now().Add(within); !so(); time.Sleep(pause) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}
