// Package embedded is the registry of a single process: in memory, its entries kept in one file. `larder dev` uses it.
// What must hold: a change that was answered is on the disk before anybody can read it; the file is replaced as a whole,
// so after a crash it is the old or the new one; the folder belongs to this process alone (whoever opens it holds the
// folder's lock). Sessions and services live in memory: they end with the process that they speak of. It starts no
// goroutine: what ends with time is ended by the next call, and calls that wait know when that is. Any goroutine.
package embedded

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"larder/backends/registry"
)

// Registry implements registry.Registry.
type Registry struct {
	disk *disk

	mu       sync.Mutex
	entries  map[string]registry.Entry
	index    uint64        // of the last change; an entry's version is the index of its change
	changed  chan struct{} // closed and replaced at each change
	closed   bool
	sessions map[registry.SessionID]session
	shut     map[string]time.Time // locks in their delay, and until when
	services map[string]service

	servicesIndex   uint64        // of the last change of services
	servicesChanged chan struct{} // closed and replaced at each
}

type session struct {
	registry.Session
	ends time.Time
}

type service struct {
	registry.Instance
	fails time.Time // when the last report is no longer good
}

// Open reads the entries kept in the folder, which must exist and be this process's own. What sessions of the process
// before held is free, and its ephemeral entries are gone. A file that is damaged is an error that names it.
func Open(folder string) (*Registry, error) { return open(folder, system{}) }

func open(folder string, f files) (*Registry, error) {
	d := &disk{folder: folder, files: f}
	kept, err := d.load()
	if err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	r := &Registry{
		disk: d, index: kept.Index, entries: make(map[string]registry.Entry, len(kept.Entries)), changed: make(chan struct{}),
		sessions: map[registry.SessionID]session{}, shut: map[string]time.Time{}, services: map[string]service{},
		servicesChanged: make(chan struct{}),
	}
	for _, e := range kept.Entries {
		if !e.Ephemeral {
			r.entries[e.Key] = registry.Entry{Key: e.Key, Value: e.value(), Version: e.Version}
		}
	}
	return r, nil
}

// Close wakes all calls that wait. Nothing is written: every change already is.
func (r *Registry) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		close(r.changed)
		close(r.servicesChanged)
	}
	return nil
}

// enter locks the registry for a call and ends what has ended meanwhile. If it returns an error, nothing is locked.
func (r *Registry) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return fmt.Errorf("closed: %w", registry.ErrUnavailable)
	}
	if err := r.expire(time.Now()); err != nil {
		r.mu.Unlock()
		return err
	}
	return nil
}

// Get implements registry.Store.
func (r *Registry) Get(ctx context.Context, key string) (registry.Entry, error) {
	if err := registry.CheckKey(key); err != nil {
		return registry.Entry{}, err
	}
	if err := r.enter(ctx); err != nil {
		return registry.Entry{}, fmt.Errorf("get %s: %w", key, err)
	}
	defer r.mu.Unlock()
	e, ok := r.entries[key]
	if !ok {
		return registry.Entry{}, fmt.Errorf("get %s: %w", key, registry.ErrNotFound)
	}
	return handOut(e), nil
}

// handOut gives the caller a value of its own.
func handOut(e registry.Entry) registry.Entry {
	e.Value = slices.Clone(e.Value)
	return e
}

// List implements registry.Store.
func (r *Registry) List(ctx context.Context, prefix string) ([]registry.Entry, error) {
	if err := r.enter(ctx); err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	defer r.mu.Unlock()
	return r.under(prefix), nil
}

func (r *Registry) under(prefix string) []registry.Entry {
	var found []registry.Entry
	for key, e := range r.entries {
		if strings.HasPrefix(key, prefix) {
			found = append(found, handOut(e))
		}
	}
	slices.SortFunc(found, func(a, b registry.Entry) int { return cmp.Compare(a.Key, b.Key) })
	return found
}

// Put implements registry.Store.
func (r *Registry) Put(ctx context.Context, key string, value []byte) error {
	return r.write(ctx, "put", key, value, func(have registry.Entry) (registry.Entry, error) { return have, nil })
}

// CompareAndSet implements registry.Store.
func (r *Registry) CompareAndSet(ctx context.Context, key string, value []byte, version uint64, fences ...registry.Fence) (uint64, error) {
	if err := registry.CheckFences(fences); err != nil {
		return 0, err
	}
	var written uint64
	err := r.write(ctx, "compare and set", key, value, func(have registry.Entry) (registry.Entry, error) {
		for _, f := range fences {
			if holder := r.entries[f.Key].Holder; holder == "" || holder != f.Session {
				return have, fmt.Errorf("lock %s: %w", f.Key, registry.ErrNotHeld)
			}
		}
		if have.Version != version {
			return have, fmt.Errorf("it is at version %d, not %d: %w", have.Version, version, registry.ErrConflict)
		}
		written = r.index + 1
		return have, nil
	})
	if err != nil {
		return 0, err
	}
	return written, nil
}

// Acquire implements registry.Sessions.
func (r *Registry) Acquire(ctx context.Context, key string, value []byte, id registry.SessionID) error {
	return r.write(ctx, "acquire", key, value, func(have registry.Entry) (registry.Entry, error) {
		if _, open := r.sessions[id]; !open {
			return have, registry.ErrSessionLost
		}
		if _, shut := r.shut[key]; shut || have.Holder != "" && have.Holder != id {
			return have, registry.ErrHeld
		}
		have.Holder = id
		return have, nil
	})
}

// write changes one entry: change gets what stands there (version 0: nothing) and says what its holder is from now on,
// or why not. The version and the value are seen to here.
func (r *Registry) write(ctx context.Context, verb, key string, value []byte, change func(registry.Entry) (registry.Entry, error)) error {
	if err := registry.CheckKey(key); err != nil {
		return err
	}
	if err := registry.CheckValue(value); err != nil {
		return fmt.Errorf("%s %s: %w", verb, key, err)
	}
	if err := r.enter(ctx); err != nil {
		return fmt.Errorf("%s %s: %w", verb, key, err)
	}
	defer r.mu.Unlock()
	e, err := change(r.entries[key])
	if err != nil {
		return fmt.Errorf("%s %s: %w", verb, key, err)
	}
	next := maps.Clone(r.entries)
	next[key] = registry.Entry{Key: key, Value: slices.Clone(value), Version: r.index + 1, Holder: e.Holder}
	if err := r.commit(next); err != nil {
		return fmt.Errorf("%s %s: %w", verb, key, err)
	}
	return nil
}

// Delete implements registry.Store.
func (r *Registry) Delete(ctx context.Context, key string) error {
	if err := registry.CheckKey(key); err != nil {
		return err
	}
	if err := r.enter(ctx); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	defer r.mu.Unlock()
	if _, ok := r.entries[key]; !ok {
		return nil
	}
	next := maps.Clone(r.entries)
	delete(next, key)
	if err := r.commit(next); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// commit makes next the state: on the disk first, then for readers. If the file may already be the new one when the
// disk fails, the new state is taken over too: memory never falls behind the file.
func (r *Registry) commit(next map[string]registry.Entry) error {
	replaced, err := r.disk.save(r.keep(next))
	if replaced {
		r.entries, r.index = next, r.index+1
		close(r.changed)
		r.changed = make(chan struct{})
	}
	if err != nil {
		return fmt.Errorf("%w: %w", registry.ErrUnavailable, err)
	}
	return nil
}

// keep is the state in the file's form.
func (r *Registry) keep(entries map[string]registry.Entry) kept {
	k := kept{Format: format, Index: r.index + 1, Entries: make([]keptEntry, 0, len(entries))}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		e := entries[key]
		k.Entries = append(k.Entries, keepEntry(e, r.sessions[e.Holder].Ephemeral))
	}
	return k
}

// Watch implements registry.Store. Between two calls any change counts; while it waits, only changes under the prefix do.
func (r *Registry) Watch(ctx context.Context, prefix string, after uint64) ([]registry.Entry, uint64, error) {
	var before []registry.Entry
	for first := true; ; first = false {
		if err := r.enter(ctx); err != nil {
			return nil, 0, fmt.Errorf("watch %s: %w", prefix, err)
		}
		now, index, changed, ends := r.under(prefix), r.index+1, r.changed, r.nextEnd()
		r.mu.Unlock()
		if first {
			before = now
		}
		if index != after && first || !first && !slices.EqualFunc(before, now, sameEntry) {
			return now, index, nil
		}
		wait(ctx, changed, ends)
	}
}

func sameEntry(a, b registry.Entry) bool { return a.Key == b.Key && a.Version == b.Version }

// wait returns when ctx or changed is done, or at the time given (the zero time: never).
func wait(ctx context.Context, changed <-chan struct{}, until time.Time) {
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer:
	}
}

// newID is long enough to be unique for ever.
func newID() registry.SessionID { return registry.SessionID(rand.Text()) }
