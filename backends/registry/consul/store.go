package consul

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/consul/api"

	"larder/backends/registry"
)

func (r *Registry) entry(pair *api.KVPair) registry.Entry {
	return registry.Entry{Key: pair.Key[len(r.options.Prefix):], Value: pair.Value, Version: pair.ModifyIndex, Holder: registry.SessionID(pair.Session)}
}

func (r *Registry) entries(pairs api.KVPairs) []registry.Entry {
	found := make([]registry.Entry, len(pairs))
	for i, pair := range pairs {
		found[i] = r.entry(pair)
	}
	return found
}

// Get implements registry.Store. It asks the leader whether it still is one: a leader that was cut off would show what is old.
func (r *Registry) Get(ctx context.Context, key string) (found registry.Entry, err error) {
	if err := registry.CheckKey(key); err != nil {
		return registry.Entry{}, err
	}
	err = r.do(ctx, 0, "get "+key, func(ctx context.Context) error {
		found, err = r.get(ctx, key)
		return err
	})
	return found, err
}

func (r *Registry) get(ctx context.Context, key string) (registry.Entry, error) {
	q := query(ctx)
	q.RequireConsistent = true
	pair, _, err := r.client.KV().Get(r.key(key), q)
	if err != nil {
		return registry.Entry{}, err
	}
	if pair == nil {
		return registry.Entry{}, registry.ErrNotFound
	}
	return r.entry(pair), nil
}

// List implements registry.Store.
func (r *Registry) List(ctx context.Context, prefix string) (found []registry.Entry, err error) {
	err = r.do(ctx, 0, "list "+prefix, func(ctx context.Context) error {
		q := query(ctx)
		q.RequireConsistent = true
		pairs, _, err := r.client.KV().List(r.key(prefix), q)
		found = r.entries(pairs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Put implements registry.Store.
func (r *Registry) Put(ctx context.Context, key string, value []byte) error {
	if err := check(key, value); err != nil {
		return err
	}
	return r.do(ctx, 0, "put "+key, func(ctx context.Context) error {
		_, err := r.client.KV().Put(&api.KVPair{Key: r.key(key), Value: value}, write(ctx))
		return err
	})
}

func check(key string, value []byte) error {
	if err := registry.CheckKey(key); err != nil {
		return err
	}
	if err := registry.CheckValue(value); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}

// CompareAndSet implements registry.Store: one transaction that checks the sessions and the entry's index, and writes.
func (r *Registry) CompareAndSet(ctx context.Context, key string, value []byte, version uint64, fences ...registry.Fence) (written uint64, err error) {
	if err := check(key, value); err != nil {
		return 0, err
	}
	if err := registry.CheckFences(fences); err != nil {
		return 0, err
	}
	ops := make(api.TxnOps, 0, len(fences)+1)
	for _, f := range fences {
		ops = append(ops, &api.TxnOp{KV: &api.KVTxnOp{Verb: api.KVCheckSession, Key: r.key(f.Key), Session: string(f.Session)}})
	}
	ops = append(ops, &api.TxnOp{KV: &api.KVTxnOp{Verb: api.KVCAS, Key: r.key(key), Value: value, Index: version}})
	err = r.do(ctx, 0, "compare and set "+key, func(ctx context.Context) error {
		failed, results, err := r.transact(ctx, ops)
		switch {
		case err != nil:
			return err
		case failed == nil:
			written = results[len(results)-1].KV.ModifyIndex
			return nil
		case failed.OpIndex < len(fences):
			return fmt.Errorf("lock %s: %w", fences[failed.OpIndex].Key, registry.ErrNotHeld)
		default:
			return fmt.Errorf("it is not at version %d: %w", version, registry.ErrConflict)
		}
	})
	return written, err
}

// transact carries out all operations or none: then failed is the first that may not be.
func (r *Registry) transact(ctx context.Context, ops api.TxnOps) (failed *api.TxnError, results api.TxnResults, err error) {
	ok, answer, _, err := r.client.Txn().Txn(ops, query(ctx))
	if err != nil {
		return nil, nil, err
	}
	for _, e := range answer.Errors {
		if denied(e.What) {
			return nil, nil, fmt.Errorf("%w by Consul: %s", registry.ErrDenied, e.What)
		}
		if failed == nil || e.OpIndex < failed.OpIndex {
			failed = e
		}
	}
	if failed == nil && (!ok || len(answer.Results) == 0) {
		return nil, nil, fmt.Errorf("a transaction of %d operations had %d results", len(ops), len(answer.Results))
	}
	return failed, answer.Results, nil
}

// Delete implements registry.Store.
func (r *Registry) Delete(ctx context.Context, key string) error {
	if err := registry.CheckKey(key); err != nil {
		return err
	}
	return r.do(ctx, 0, "delete "+key, func(ctx context.Context) error {
		_, err := r.client.KV().Delete(r.key(key), write(ctx))
		return err
	})
}

// Watch implements registry.Store by blocking queries. The number for the next call is Consul's index; one that has gone back (the servers were put back to
// a copy of theirs) is taken as it is, and what was told with it is told.
func (r *Registry) Watch(ctx context.Context, prefix string, after uint64) (found []registry.Entry, next uint64, err error) {
	err = r.do(ctx, forEver, "watch "+prefix, func(ctx context.Context) error {
		found, next, err = until(r, after, func() ([]registry.Entry, uint64, error) { return r.blocking(ctx, prefix, after) })
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return found, next, nil
}

// until asks until the index is another.
func until[T any](r *Registry, after uint64, ask func() ([]T, uint64, error)) ([]T, uint64, error) {
	for {
		found, index, err := ask()
		if err != nil || index != after {
			return found, index, err
		}
		r.count.reached(true) // it waited in vain, which is well
	}
}

// forEver bounds a watch as a whole; each of its requests has a bound of its own.
const forEver = 1000 * time.Hour

// blocking is one request of a watch.
func (r *Registry) blocking(ctx context.Context, prefix string, after uint64) ([]registry.Entry, uint64, error) {
	q, done := r.waiting(ctx, after)
	defer done()
	pairs, meta, err := r.client.KV().List(r.key(prefix), q)
	if err != nil {
		return nil, 0, err
	}
	return r.entries(pairs), max(meta.LastIndex, 1), nil
}

// waiting are the options of a request that waits until the index is past after (0: it does not). Consul lets it wait a sixteenth longer than it is told to,
// so that not all come back at once.
func (r *Registry) waiting(ctx context.Context, after uint64) (*api.QueryOptions, context.CancelFunc) {
	wait := r.options.Wait
	if after == 0 {
		wait = 0
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.Timeout+wait+wait/16)
	q := query(ctx)
	q.WaitIndex, q.WaitTime = after, wait
	return q, cancel
}
