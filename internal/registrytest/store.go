package registrytest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/backends/registry"
)

func want(t *testing.T, what string, err, target error) {
	t.Helper()
	if target == nil && err != nil || target != nil && !errors.Is(err, target) {
		t.Fatalf("%s: got error %v, want %v", what, err, target)
	}
}

func put(t *testing.T, r registry.Registry, key, value string) {
	t.Helper()
	want(t, "put "+key, r.Put(bounded(t), key, []byte(value)), nil)
}

func get(t *testing.T, r registry.Registry, key string) registry.Entry {
	t.Helper()
	e, err := r.Get(bounded(t), key)
	want(t, "get "+key, err, nil)
	return e
}

func entries(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	_, err := r.Get(ctx, "a/b")
	want(t, "get nothing", err, registry.ErrNotFound)
	want(t, "delete nothing", r.Delete(ctx, "a/b"), nil)
	put(t, r, "a/b", "one")
	first := get(t, r, "a/b")
	put(t, r, "a/b", "two")
	second := get(t, r, "a/b")
	if string(first.Value) != "one" || string(second.Value) != "two" || first.Version == 0 || second.Version <= first.Version || second.Key != "a/b" {
		t.Errorf("got %+v, then %+v", first, second)
	}
	want(t, "delete", r.Delete(ctx, "a/b"), nil)
	_, err = r.Get(ctx, "a/b")
	want(t, "get after delete", err, registry.ErrNotFound)
}

func anyBytes(t *testing.T, r registry.Registry) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, value := range [][]byte{{}, all, []byte("é <&>\n"), bytes.Repeat([]byte{0xff}, registry.ValueMaxBytes)} {
		want(t, "put", r.Put(bounded(t), "k", value), nil)
		if got := get(t, r, "k"); !bytes.Equal(got.Value, value) {
			t.Errorf("%d bytes came back as %d others", len(value), len(got.Value))
		}
	}
}

func anyKeys(t *testing.T, r registry.Registry) {
	names := []string{"a b", "a%2Fb", "a?b=c&d", "a#b", "a+b", "\u00e9/\u4e16", "a\\b", "a:b", "...", "a/.b", "a\"b'c", "dir/"}
	for _, key := range names {
		put(t, r, key, "of "+key)
	}
	for _, key := range names {
		if e := get(t, r, key); e.Key != key || string(e.Value) != "of "+key {
			t.Errorf("%q: got %+v", key, e)
		}
		written, err := r.CompareAndSet(bounded(t), key, []byte("again"), get(t, r, key).Version)
		want(t, "compare and set "+key, err, nil)
		found, err := r.List(bounded(t), key)
		want(t, "list "+key, err, nil)
		if len(found) == 0 || found[0].Key != key || found[0].Version != written {
			t.Errorf("list %q: got %+v", key, found)
		}
		want(t, "delete "+key, r.Delete(bounded(t), key), nil)
	}
	found, err := r.List(bounded(t), "")
	want(t, "list", err, nil)
	if len(found) > 0 {
		t.Errorf("left: %q", keys(found))
	}
}

func ownValue(t *testing.T, r registry.Registry) {
	value := []byte("value")
	want(t, "put", r.Put(bounded(t), "k", value), nil)
	value[0] = 'X'
	get(t, r, "k").Value[1] = 'Y'
	if got := string(get(t, r, "k").Value); got != "value" {
		t.Errorf("got %q", got)
	}
}

func limits(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	put(t, r, strings.Repeat("k", registry.KeyMaxBytes), "fits")
	for _, key := range []string{"", "/a", "a\x00b", "a\nb", "\xff", "a//b", "a/../b", ".", "./a", "a/..", strings.Repeat("k", registry.KeyMaxBytes+1)} {
		want(t, "put "+key, r.Put(ctx, key, nil), registry.ErrInvalid)
		_, err := r.Get(ctx, key)
		want(t, "get "+key, err, registry.ErrInvalid)
		want(t, "delete "+key, r.Delete(ctx, key), registry.ErrInvalid)
		_, err = r.CompareAndSet(ctx, key, nil, 0)
		want(t, "compare and set "+key, err, registry.ErrInvalid)
		want(t, "acquire "+key, r.Acquire(ctx, key, nil, "s"), registry.ErrInvalid)
		want(t, "release "+key, r.Release(ctx, key, "s"), registry.ErrInvalid)
	}
	want(t, "put too much", r.Put(ctx, "k", make([]byte, registry.ValueMaxBytes+1)), registry.ErrInvalid)
	for _, ttl := range []time.Duration{0, registry.TTLMin - 1, registry.TTLMax + 1} {
		_, err := r.OpenSession(ctx, registry.Session{Name: "s", TTL: ttl})
		want(t, "session of "+ttl.String(), err, registry.ErrInvalid)
	}
	_, err := r.OpenSession(ctx, registry.Session{Name: "s", TTL: registry.TTLMin, LockDelay: registry.LockDelayMax + 1})
	want(t, "session with too long a delay", err, registry.ErrInvalid)
	_, err = r.CompareAndSet(ctx, "k", nil, 0, make([]registry.Fence, registry.FencesMax+1)...)
	want(t, "too many fences", err, registry.ErrInvalid)
	for _, addr := range []string{"", "h", "h:0", "h:x", "h:65536"} {
		want(t, "service at "+addr, r.Register(ctx, registry.Service{ID: "i", Name: "n", TTL: time.Second, Addr: addr}), registry.ErrInvalid)
	}
	for _, word := range []string{"a/b", "a b", "a\n", "\xff"} {
		want(t, "service with id "+word, r.Register(ctx, registry.Service{ID: word, Name: "n", TTL: time.Second, Addr: ":1"}), registry.ErrInvalid)
		want(t, "service "+word, r.Register(ctx, registry.Service{ID: "i", Name: word, TTL: time.Second, Addr: ":1"}), registry.ErrInvalid)
	}
	want(t, "service without id", r.Register(ctx, registry.Service{Name: "n", TTL: time.Second}), registry.ErrInvalid)
	want(t, "service without name", r.Register(ctx, registry.Service{ID: "i", TTL: time.Second}), registry.ErrInvalid)
	want(t, "service without ttl", r.Register(ctx, registry.Service{ID: "i", Name: "n"}), registry.ErrInvalid)
}

func compareAndSet(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	_, err := r.CompareAndSet(ctx, "k", []byte("x"), 7)
	want(t, "set what is not there", err, registry.ErrConflict)
	first, err := r.CompareAndSet(ctx, "k", []byte("one"), 0)
	want(t, "create", err, nil)
	_, err = r.CompareAndSet(ctx, "k", []byte("x"), 0)
	want(t, "create again", err, registry.ErrConflict)
	if e := get(t, r, "k"); e.Version != first || string(e.Value) != "one" {
		t.Errorf("got %+v, want version %d", e, first)
	}
	second, err := r.CompareAndSet(ctx, "k", []byte("two"), first)
	want(t, "set", err, nil)
	_, err = r.CompareAndSet(ctx, "k", []byte("x"), first)
	want(t, "set at the old version", err, registry.ErrConflict)
	if e := get(t, r, "k"); e.Version != second || second <= first || string(e.Value) != "two" {
		t.Errorf("got %+v, want version %d > %d", e, second, first)
	}
}

func versionsGrow(t *testing.T, r registry.Registry) {
	put(t, r, "k", "one")
	before := get(t, r, "k").Version
	want(t, "delete", r.Delete(bounded(t), "k"), nil)
	_, err := r.CompareAndSet(bounded(t), "k", nil, before)
	want(t, "set what was deleted", err, registry.ErrConflict)
	put(t, r, "k", "two")
	if after := get(t, r, "k").Version; after <= before {
		t.Errorf("version %d after %d", after, before)
	}
}

func keys(entries []registry.Entry) []string {
	var keys []string
	for _, e := range entries {
		keys = append(keys, e.Key)
	}
	return keys
}

func listInOrder(t *testing.T, r registry.Registry) {
	for _, key := range []string{"b/2", "a", "b/10", "b", "b/1/x", "c"} {
		put(t, r, key, "of "+key)
	}
	for prefix, wanted := range map[string]string{"b/": "b/1/x b/10 b/2", "b": "b b/1/x b/10 b/2", "": "a b b/1/x b/10 b/2 c", "d": ""} {
		found, err := r.List(bounded(t), prefix)
		want(t, "list "+prefix, err, nil)
		if got := strings.Join(keys(found), " "); got != wanted {
			t.Errorf("list %q: got %q, want %q", prefix, got, wanted)
		}
		for _, e := range found {
			if string(e.Value) != "of "+e.Key || e.Version == 0 {
				t.Errorf("list %q: got %+v", prefix, e)
			}
		}
	}
}

func watchAtOnce(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	_, seen, err := r.Watch(ctx, "w/", 0)
	want(t, "watch nothing", err, nil)
	if seen == 0 {
		t.Error("the number for the next call is 0, which means that nothing was seen")
	}
	put(t, r, "w/a", "1")
	put(t, r, "w/b", "1")
	found, _, err := r.Watch(ctx, "w/", seen)
	want(t, "watch", err, nil)
	if !slices.Equal(keys(found), []string{"w/a", "w/b"}) {
		t.Errorf("got %v", keys(found))
	}
}

// settle is longer than a watch takes to begin.
const settle = 20 * time.Millisecond

// watchWakes follows a prefix while another goroutine creates, overwrites and deletes, there and elsewhere: the last
// state must be told.
func watchWakes(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	put(t, r, "w/gone", "")
	put(t, r, "w/a", "old")
	failed := background(func() error {
		if err := r.Delete(ctx, "w/gone"); err != nil {
			return err
		}
		for _, key := range []string{"w/b", "other", "w/a"} {
			time.Sleep(settle) // so that the watch mostly waits when the change comes; it must be told either way
			if err := r.Put(ctx, key, []byte("new")); err != nil {
				return err
			}
		}
		return nil
	})
	for seen := uint64(0); ; {
		found, next, err := r.Watch(ctx, "w/", seen)
		want(t, "watch", err, nil)
		if slices.Equal(keys(found), []string{"w/a", "w/b"}) && string(found[0].Value) == "new" {
			break
		}
		seen = next
	}
	want(t, "write while watched", <-failed, nil)
}

func watchEnds(t *testing.T, r registry.Registry) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for seen := uint64(0); ; { // it may return without a change, but not for ever
		_, next, err := r.Watch(ctx, "w/", seen)
		if err != nil {
			want(t, "watch", err, context.DeadlineExceeded)
			return
		}
		seen = next
	}
}

func closed(t *testing.T, r registry.Registry) {
	ctx := bounded(t)
	_, seen, err := r.Watch(ctx, "w/", 0)
	want(t, "watch", err, nil)
	watched := background(func() error {
		for {
			if _, seen, err = r.Watch(ctx, "w/", seen); err != nil {
				return err
			}
		}
	})
	want(t, "close", r.Close(), nil)
	want(t, "the watch that waits", <-watched, registry.ErrUnavailable)
	_, err = r.Get(ctx, "k")
	want(t, "get", err, registry.ErrUnavailable)
	want(t, "put", r.Put(ctx, "k", nil), registry.ErrUnavailable)
}
