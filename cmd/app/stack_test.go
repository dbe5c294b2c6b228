package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// trace is what happened, in order.
type trace struct {
	mu    sync.Mutex
	words []string
}

func (r *trace) say(word string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.words = append(r.words, word)
}

func (r *trace) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.words, " ")
}

// part is one that says when it starts and ends; fail ends it with an error.
type part struct {
	run   func(context.Context) error
	ready chan struct{}
	fail  chan error
}

func (r *trace) part(name string) part {
	p := part{ready: make(chan struct{}), fail: make(chan error, 1)}
	p.run = func(ctx context.Context) error {
		r.say("+" + name)
		close(p.ready)
		defer r.say("-" + name)
		select {
		case <-ctx.Done():
			return nil
		case err := <-p.fail:
			return err
		}
	}
	return p
}

func startAll(t *testing.T, s *stack, r *trace) []part {
	t.Helper()
	parts := []part{r.part("a"), r.part("b"), r.part("c")}
	for i, p := range parts {
		if err := s.start(fmt.Sprint("part ", i), p.run, p.ready); err != nil {
			t.Fatal(err)
		}
	}
	return parts
}

func TestStopsInOppositeOrder(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var r trace
	s := newStack(ctx)
	startAll(t, s, &r)
	cancel()
	s.wait()
	if err := s.finish(nil); err != nil || r.String() != "+a +b +c -c -b -a" {
		t.Errorf("%v: %s", err, &r)
	}
}

func TestOneFailsAllStop(t *testing.T) {
	var r trace
	s := newStack(context.Background())
	failure := errors.New("disk full")
	startAll(t, s, &r)[1].fail <- failure
	s.wait()
	if err := s.finish(nil); !errors.Is(err, failure) || err.Error() != "part 1: disk full" || r.String() != "+a +b +c -b -c -a" {
		t.Errorf("%v: %s", err, &r)
	}
}

func TestOneEndsAllStop(t *testing.T) {
	var r trace
	s := newStack(context.Background())
	startAll(t, s, &r)[0].fail <- nil
	s.wait()
	if err := s.finish(nil); err != nil || r.String() != "+a +b +c -a -c -b" {
		t.Errorf("%v: %s", err, &r)
	}
}

func TestStartFails(t *testing.T) {
	var r trace
	s := newStack(context.Background())
	first := r.part("a")
	if err := s.start("first", first.run, first.ready); err != nil {
		t.Fatal(err)
	}
	never := make(chan struct{})
	failure := errors.New("no")
	err := s.start("second", func(context.Context) error { return failure }, never)
	if !errors.Is(err, errEnding) {
		t.Errorf("start: %v", err)
	}
	if err := s.finish(err); !errors.Is(err, failure) || r.String() != "+a -a" {
		t.Errorf("%v: %s", err, &r)
	}
}

// A signal that comes while parts start is an end in order.
func TestStoppedWhileStarting(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := newStack(ctx)
	run := func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return nil
	}
	err := s.start("slow", run, make(chan struct{}))
	if !errors.Is(err, errEnding) {
		t.Errorf("start: %v", err)
	}
	if err := s.finish(err); err != nil {
		t.Error(err)
	}
}

func TestOtherErrorWhileStarting(t *testing.T) {
	s := newStack(context.Background())
	failure := errors.New("no folder")
	if err := s.finish(failure); !errors.Is(err, failure) {
		t.Error(err)
	}
}

func TestHealth(t *testing.T) {
	h := newHealth()
	ctx := context.Background()
	if err := h.ready(ctx); !errors.Is(err, errStarting) {
		t.Error(err)
	}
	sick := errors.New("node away")
	h.add("fine", func(context.Context) error { return nil })
	h.set(nil)
	if err := h.ready(ctx); err != nil {
		t.Error(err)
	}
	h.add("gateway", func(context.Context) error { return sick })
	if err := h.ready(ctx); !errors.Is(err, sick) || err.Error() != "gateway: node away" {
		t.Error(err)
	}
	h.set(errStopping)
	if err := h.ready(ctx); !errors.Is(err, errStopping) {
		t.Error(err)
	}
}

func TestConnectTo(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:1": "127.0.0.1 1", ":2": "127.0.0.1 2", "0.0.0.0:3": "127.0.0.1 3", "[::]:4": "::1 4", "[::1]:5": "::1 5", "host:6": "host 6", "10.0.0.1:7": "10.0.0.1 7",
	} {
		if host, port := connectTo(listen); host+" "+port != want {
			t.Errorf("%s: got %s %s, want %s", listen, host, port, want)
		}
	}
}
