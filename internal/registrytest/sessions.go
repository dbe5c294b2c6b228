package registrytest

import (
	"context"
	"errors"
	"testing"
	"time"

	"larder/backends/registry"
)

// lost is how long it may take until a session of the shortest TTL has ended and its locks are free.
const lost = 2*registry.TTLMin + patience

func session(t *testing.T, r registry.Registry, s registry.Session) registry.SessionID {
	t.Helper()
	if s.TTL == 0 {
		s.TTL = registry.TTLMin
	}
	id, err := r.OpenSession(bounded(t), s)
	want(t, "open session", err, nil)
	return id
}

func oneHolder(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	a, b := session(t, r, registry.Session{Name: "a"}), session(t, r, registry.Session{Name: "b"})
	if a == b {
		t.Fatalf("two sessions with the id %q", a)
	}
	want(t, "acquire", r.Acquire(ctx, "lock", []byte("a"), a), nil)
	want(t, "acquire again", r.Acquire(ctx, "lock", []byte("a2"), a), nil)
	want(t, "acquire what is held", r.Acquire(ctx, "lock", []byte("b"), b), registry.ErrHeld)
	if e := get(t, r, "lock"); e.Holder != a || string(e.Value) != "a2" {
		t.Errorf("got %+v, want holder %s", e, a)
	}
	put(t, r, "lock", "over it")
	if e := get(t, r, "lock"); e.Holder != a {
		t.Errorf("a put took the lock from %s: %+v", a, e)
	}
	want(t, "release another's", r.Release(ctx, "lock", b), registry.ErrNotHeld)
	held := get(t, r, "lock").Version
	want(t, "release", r.Release(ctx, "lock", a), nil)
	if e := get(t, r, "lock"); e.Version <= held {
		t.Errorf("a release is no change: version %d, then %d", held, e.Version)
	}
	want(t, "release again", r.Release(ctx, "lock", a), registry.ErrNotHeld)
	if e := get(t, r, "lock"); e.Holder != "" || string(e.Value) != "over it" {
		t.Errorf("after release: %+v", e)
	}
	want(t, "acquire what was released", r.Acquire(ctx, "lock", []byte("b"), b), nil)
	held = get(t, r, "lock").Version
	want(t, "end session", r.EndSession(ctx, b), nil)
	if e := get(t, r, "lock"); e.Holder != "" || e.Version <= held {
		t.Errorf("a session's end is no change: version %d, then %+v", held, e)
	}
	want(t, "end it again", r.EndSession(ctx, b), nil)
	want(t, "acquire after the session's end", r.Acquire(ctx, "lock", nil, a), nil)
	want(t, "acquire by a dead session", r.Acquire(ctx, "other", nil, b), registry.ErrSessionLost)
}

func fences(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	a, b := session(t, r, registry.Session{Name: "a"}), session(t, r, registry.Session{Name: "b"})
	_, err := r.CompareAndSet(ctx, "k", nil, 0, registry.Fence{Key: "leader", Session: a})
	want(t, "without the lock", err, registry.ErrNotHeld)
	want(t, "acquire", r.Acquire(ctx, "leader", nil, a), nil)
	version, err := r.CompareAndSet(ctx, "k", []byte("by a"), 0, registry.Fence{Key: "leader", Session: a})
	want(t, "with the lock", err, nil)
	_, err = r.CompareAndSet(ctx, "k", nil, version, registry.Fence{Key: "leader", Session: b})
	want(t, "with another's lock", err, registry.ErrNotHeld)
	_, err = r.CompareAndSet(ctx, "k", nil, version+1, registry.Fence{Key: "leader", Session: a})
	want(t, "with the lock, at a wrong version", err, registry.ErrConflict)
	want(t, "end session", r.EndSession(ctx, a), nil)
	_, err = r.CompareAndSet(ctx, "k", nil, version, registry.Fence{Key: "leader", Session: a})
	want(t, "with a lost lock", err, registry.ErrNotHeld)
}

func sessionEnds(t *testing.T, r registry.Registry) {
	a := session(t, r, registry.Session{Name: "a"})
	want(t, "acquire", r.Acquire(bounded(t), "lock", []byte("kept"), a), nil)
	eventually(t, lost, "the lock is free", func() bool { return get(t, r, "lock").Holder == "" })
	if e := get(t, r, "lock"); string(e.Value) != "kept" {
		t.Errorf("the entry changed: %+v", e)
	}
	want(t, "renew", r.Renew(bounded(t), a), registry.ErrSessionLost)
	want(t, "acquire by it", r.Acquire(bounded(t), "another", nil, a), registry.ErrSessionLost)
	b := session(t, r, registry.Session{Name: "b"})
	eventually(t, lost, "another gets the lock", func() bool {
		if err := r.Renew(bounded(t), b); err != nil {
			t.Fatal(err)
		}
		err := r.Acquire(bounded(t), "lock", nil, b)
		if err != nil && !errors.Is(err, registry.ErrHeld) {
			t.Fatal(err)
		}
		return err == nil
	})
}

func lockDelay(t *testing.T, r registry.Registry) {
	const delay = 3 * time.Second
	a := session(t, r, registry.Session{Name: "a", LockDelay: delay})
	released := session(t, r, registry.Session{Name: "released", LockDelay: delay})
	b := session(t, r, registry.Session{Name: "b"})
	want(t, "acquire", r.Acquire(bounded(t), "ended", nil, released), nil)
	want(t, "end session", r.EndSession(bounded(t), released), nil)
	want(t, "acquire what was released", r.Acquire(bounded(t), "ended", nil, b), nil)

	want(t, "acquire", r.Acquire(bounded(t), "lock", nil, a), nil)
	eventually(t, lost, "the lock is free", func() bool {
		want(t, "renew", r.Renew(bounded(t), b), nil)
		return get(t, r, "lock").Holder == ""
	})
	want(t, "acquire in its delay", r.Acquire(bounded(t), "lock", nil, b), registry.ErrHeld)
	begun := time.Now()
	want(t, "lock after its delay", registry.Lock(bounded(t), r, "lock", nil, b), nil)
	if waited := time.Since(begun); waited < delay/2 {
		t.Errorf("the lock was closed for %s only", waited)
	}
}

func sessionLives(t *testing.T, r registry.Registry) {
	a := session(t, r, registry.Session{Name: "a"})
	want(t, "acquire", r.Acquire(bounded(t), "lock", nil, a), nil)
	for end := time.Now().Add(2*registry.TTLMin + registry.TTLMin/2); time.Now().Before(end); time.Sleep(registry.TTLMin / 3) {
		want(t, "renew", r.Renew(bounded(t), a), nil)
	}
	if e := get(t, r, "lock"); e.Holder != a {
		t.Errorf("got %+v, want holder %s", e, a)
	}
}

func ephemeral(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	ended := session(t, r, registry.Session{Name: "ended", Ephemeral: true})
	want(t, "acquire", r.Acquire(ctx, "hosts/1", []byte("here"), ended), nil)
	want(t, "end session", r.EndSession(ctx, ended), nil)
	_, err := r.Get(ctx, "hosts/1")
	want(t, "get after its session's end", err, registry.ErrNotFound)

	silent := session(t, r, registry.Session{Name: "silent", Ephemeral: true})
	want(t, "acquire", r.Acquire(ctx, "hosts/2", []byte("here"), silent), nil)
	_, seen, err := r.Watch(ctx, "hosts/", 0)
	want(t, "watch", err, nil)
	ctx, cancel := context.WithTimeout(context.Background(), lost)
	defer cancel()
	for {
		found, next, err := r.Watch(ctx, "hosts/", seen)
		want(t, "watch for the end of a silent session", err, nil)
		if len(found) == 0 {
			return
		}
		seen = next
	}
}

func lockWaits(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	a, b := session(t, r, registry.Session{Name: "a"}), session(t, r, registry.Session{Name: "b"})
	want(t, "lock", registry.Lock(ctx, r, "lock", []byte("a"), a), nil)
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	want(t, "lock what is held", registry.Lock(short, r, "lock", nil, b), context.DeadlineExceeded)
	locked := background(func() error { return registry.Lock(ctx, r, "lock", []byte("b"), b) })
	want(t, "release", r.Release(ctx, "lock", a), nil)
	want(t, "lock after the release", <-locked, nil)
	if e := get(t, r, "lock"); e.Holder != b || string(e.Value) != "b" {
		t.Errorf("got %+v, want holder %s", e, b)
	}
	want(t, "end session", r.EndSession(ctx, a), nil)
	want(t, "lock by a dead session", registry.Lock(ctx, r, "free", nil, a), registry.ErrSessionLost)
}
