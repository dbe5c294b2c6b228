package consul

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"larder/backends/registry"
)

// lockDelayMin stands for none: Consul's client leaves zero out, and Consul then takes 15 s.
const lockDelayMin = time.Millisecond

// OpenSession implements registry.Sessions. The session hangs on its TTL alone and on no check of the agent, so that an agent that is started anew ends
// nothing.
func (r *Registry) OpenSession(ctx context.Context, s registry.Session) (id registry.SessionID, err error) {
	if err := registry.CheckSession(s); err != nil {
		return "", err
	}
	wanted := &api.SessionEntry{Name: s.Name, TTL: s.TTL.String(), LockDelay: max(s.LockDelay, lockDelayMin), Behavior: api.SessionBehaviorRelease}
	if s.Ephemeral {
		wanted.Behavior = api.SessionBehaviorDelete
	}
	err = r.do(ctx, 0, "open session "+s.Name, func(ctx context.Context) error {
		opened, _, err := r.client.Session().CreateNoChecks(wanted, write(ctx))
		id = registry.SessionID(opened)
		return err
	})
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[id] = &session{ephemeral: s.Ephemeral, keys: map[string]bool{}}
	return id, nil
}

// Renew implements registry.Sessions.
func (r *Registry) Renew(ctx context.Context, id registry.SessionID) error {
	err := r.do(ctx, 0, "renew session "+string(id), func(ctx context.Context) error {
		if !isID(id) {
			return registry.ErrSessionLost
		}
		renewed, _, err := r.client.Session().Renew(string(id), write(ctx))
		if err == nil && renewed == nil {
			return registry.ErrSessionLost
		}
		return err
	})
	if errors.Is(err, registry.ErrSessionLost) {
		r.forget(id)
	}
	return err
}

// isID tells whether it looks like an id of Consul's, which takes other words for faults of the request.
func isID(id registry.SessionID) bool {
	const idBytes = 36
	return len(id) == idBytes && strings.Trim(string(id), "0123456789abcdef-") == ""
}

func (r *Registry) forget(id registry.SessionID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.held, id)
}

// note says whether a session opened here holds a key from now on.
func (r *Registry) note(id registry.SessionID, key string, holds bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.held[id]
	switch {
	case s == nil:
	case holds:
		s.keys[key] = true
	default:
		delete(s.keys, key)
	}
}

// EndSession implements registry.Sessions. Consul closes what a session held when it is destroyed for the lock's delay; so all is released before.
func (r *Registry) EndSession(ctx context.Context, id registry.SessionID) error {
	if !isID(id) {
		return nil
	}
	r.mu.Lock()
	var ephemeral bool
	var keys []string
	if s := r.held[id]; s != nil {
		ephemeral, keys = s.ephemeral, slices.Sorted(maps.Keys(s.keys))
	}
	r.mu.Unlock()
	err := r.do(ctx, 0, "end session "+string(id), func(ctx context.Context) error {
		for _, key := range keys {
			if err := r.leave(ctx, key, id, ephemeral); err != nil && !errors.Is(err, registry.ErrNotHeld) {
				return err
			}
		}
		_, err := r.client.Session().Destroy(string(id), write(ctx))
		return err
	})
	if err == nil {
		r.forget(id)
	}
	return err
}

// leave gives up one lock of a session that ends.
func (r *Registry) leave(ctx context.Context, key string, id registry.SessionID, ephemeral bool) error {
	if !ephemeral {
		return r.release(ctx, key, id)
	}
	failed, _, err := r.transact(ctx, api.TxnOps{
		{KV: &api.KVTxnOp{Verb: api.KVCheckSession, Key: r.key(key), Session: string(id)}},
		{KV: &api.KVTxnOp{Verb: api.KVGet, Key: r.key(key)}}, // a deletion alone has no result
		{KV: &api.KVTxnOp{Verb: api.KVDelete, Key: r.key(key)}},
	})
	if err == nil && failed != nil {
		return registry.ErrNotHeld
	}
	return err
}

// Acquire implements registry.Sessions.
func (r *Registry) Acquire(ctx context.Context, key string, value []byte, id registry.SessionID) error {
	if err := check(key, value); err != nil {
		return err
	}
	err := r.do(ctx, 0, "acquire "+key, func(ctx context.Context) error {
		if !isID(id) {
			return registry.ErrSessionLost
		}
		acquired, _, err := r.client.KV().Acquire(&api.KVPair{Key: r.key(key), Value: value, Session: string(id)}, write(ctx))
		switch {
		case err != nil && strings.Contains(err.Error(), "invalid session"):
			return registry.ErrSessionLost
		case err == nil && !acquired:
			return registry.ErrHeld
		default:
			return err
		}
	})
	if err == nil || errors.Is(err, registry.ErrUnavailable) || ctx.Err() != nil { // who did not hear may hold it: EndSession is to open it
		r.note(id, key, true)
	}
	return err
}

// Release implements registry.Sessions.
func (r *Registry) Release(ctx context.Context, key string, id registry.SessionID) error {
	if err := registry.CheckKey(key); err != nil {
		return err
	}
	err := r.do(ctx, 0, "release "+key, func(ctx context.Context) error { return r.release(ctx, key, id) })
	if err == nil || errors.Is(err, registry.ErrNotHeld) {
		r.note(id, key, false)
	}
	return err
}

// release unlocks and leaves the value, which Consul's own unlocking would write: it happens only if the entry is still the one that was read.
func (r *Registry) release(ctx context.Context, key string, id registry.SessionID) error {
	for {
		e, err := r.get(ctx, key)
		if errors.Is(err, registry.ErrNotFound) || err == nil && (e.Holder == "" || e.Holder != id) {
			return registry.ErrNotHeld
		}
		if err != nil {
			return err
		}
		failed, _, err := r.transact(ctx, api.TxnOps{
			{KV: &api.KVTxnOp{Verb: api.KVCheckIndex, Key: r.key(key), Index: e.Version}},
			{KV: &api.KVTxnOp{Verb: api.KVUnlock, Key: r.key(key), Value: e.Value, Session: string(id)}},
		})
		if err != nil {
			return err
		}
		if failed == nil {
			return nil
		}
		if err := ctx.Err(); err != nil { // somebody wrote meanwhile: again
			return fmt.Errorf("release: %w", err)
		}
	}
}
