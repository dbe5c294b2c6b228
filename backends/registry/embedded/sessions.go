package embedded

import (
	"context"
	"fmt"
	"maps"
	"time"

	"larder/backends/registry"
)

// OpenSession implements registry.Sessions.
func (r *Registry) OpenSession(ctx context.Context, s registry.Session) (registry.SessionID, error) {
	if err := registry.CheckSession(s); err != nil {
		return "", err
	}
	if err := r.enter(ctx); err != nil {
		return "", fmt.Errorf("open session %s: %w", s.Name, err)
	}
	defer r.mu.Unlock()
	id := newID()
	r.sessions[id] = session{Session: s, ends: time.Now().Add(s.TTL)}
	return id, nil
}

// Renew implements registry.Sessions.
func (r *Registry) Renew(ctx context.Context, id registry.SessionID) error {
	if err := r.enter(ctx); err != nil {
		return fmt.Errorf("renew session %s: %w", id, err)
	}
	defer r.mu.Unlock()
	s, ok := r.sessions[id]
	if !ok {
		return fmt.Errorf("renew session %s: %w", id, registry.ErrSessionLost)
	}
	s.ends = time.Now().Add(s.TTL)
	r.sessions[id] = s
	return nil
}

// EndSession implements registry.Sessions.
func (r *Registry) EndSession(ctx context.Context, id registry.SessionID) error {
	if err := r.enter(ctx); err != nil {
		return fmt.Errorf("end session %s: %w", id, err)
	}
	defer r.mu.Unlock()
	if _, err := r.end(id); err != nil {
		return fmt.Errorf("end session %s: %w", id, err)
	}
	return nil
}

// Release implements registry.Sessions.
func (r *Registry) Release(ctx context.Context, key string, id registry.SessionID) error {
	if err := registry.CheckKey(key); err != nil {
		return err
	}
	if err := r.enter(ctx); err != nil {
		return fmt.Errorf("release %s: %w", key, err)
	}
	defer r.mu.Unlock()
	e := r.entries[key]
	if e.Holder == "" || e.Holder != id {
		return fmt.Errorf("release %s: %w", key, registry.ErrNotHeld)
	}
	next := maps.Clone(r.entries)
	e.Holder, e.Version = "", r.index+1
	next[key] = e
	if err := r.commit(next); err != nil {
		return fmt.Errorf("release %s: %w", key, err)
	}
	return nil
}

// end closes a session and frees what it held, in one change.
func (r *Registry) end(id registry.SessionID) (held []string, err error) {
	s, ok := r.sessions[id]
	if !ok {
		return nil, nil
	}
	next := maps.Clone(r.entries)
	for key, e := range next {
		if e.Holder != id {
			continue
		}
		held = append(held, key)
		if s.Ephemeral {
			delete(next, key)
			continue
		}
		e.Holder, e.Version = "", r.index+1
		next[key] = e
	}
	if len(held) > 0 {
		if err := r.commit(next); err != nil {
			return nil, err
		}
	}
	delete(r.sessions, id)
	return held, nil
}

// expire ends the sessions whose time is over, and the delays of locks.
func (r *Registry) expire(now time.Time) error {
	maps.DeleteFunc(r.shut, func(_ string, until time.Time) bool { return !now.Before(until) })
	for id, s := range r.sessions {
		if now.Before(s.ends) {
			continue
		}
		held, err := r.end(id)
		if err != nil {
			return fmt.Errorf("end session %s after %s: %w", s.Name, s.TTL, err)
		}
		for _, key := range held {
			if s.LockDelay > 0 {
				r.shut[key] = now.Add(s.LockDelay)
			}
		}
	}
	return nil
}

// nextEnd is when the next session ends; the zero time if there is none.
func (r *Registry) nextEnd() time.Time {
	var next time.Time
	for _, s := range r.sessions {
		if next.IsZero() || s.ends.Before(next) {
			next = s.ends
		}
	}
	return next
}
