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
	// Open gives a registry that is empty; the suite closes it.
	Open func(t *testing.T) registry.Registry
	// Synthetic: time is the process's own, so a case that waits for a session to end takes no time. Without it those
	// cases take up to a minute each.
	Synthetic bool
}

// promise is one thing that a form keeps. The registry is fresh.
type promise struct {
	name  string
	check func(t *testing.T, r registry.Registry)
}

// Run checks every promise.
func Run(t *testing.T, f Form) {
	for _, p := range promises() {
		t.Run(p.name, func(t *testing.T) {
			if f.Synthetic {
				synctest.Test(t, func(t *testing.T) { runOne(t, f, p) })
			} else {
				runOne(t, f, p)
			}
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
		{"entries", entries},
		{"values of any bytes", anyBytes},
		{"a value is the caller's own", ownValue},
		{"limits", limits},
		{"compare and set", compareAndSet},
		{"versions grow over a deletion", versionsGrow},
		{"list in order", listInOrder},
		{"watch returns at once what it has not told", watchAtOnce},
		{"watch wakes on a change", watchWakes},
		{"watch ends with its context", watchEnds},
		{"a lock has one holder", oneHolder},
		{"a fence holds writes back", fences},
		{"a session that is not renewed ends", sessionEnds},
		{"a renewed session lives", sessionLives},
		{"ephemeral entries end with their session", ephemeral},
		{"lock waits for its turn", lockWaits},
		{"services", services},
		{"a service that says nothing fails", serviceFails},
		{"closed", closed},
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
