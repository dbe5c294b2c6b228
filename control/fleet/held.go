package fleet

import (
	"context"
	"errors"
	"fmt"

	"larder/backends/registry"
)

// Term is a time in which this process leads, for who does more than the controller's steps then.
type Term struct {
	Ctx   context.Context // it ends with the term
	Store registry.Store  // the registry: what is written there is fenced by the leader's lock
}

// Terms gives each term when it begins; one that nobody has taken when the next begins is not given any more. One goroutine may receive.
func (l *Leader) Terms() <-chan Term { return l.terms }

// held is a registry in which is written only while a session holds the leader's lock: who has lost it and does not know yet changes nothing.
type held struct {
	registry.Store
	fence registry.Fence
}

const putAttempts = 5

// Put implements registry.Store. Errors: registry.ErrNotHeld.
func (h held) Put(ctx context.Context, key string, value []byte) error {
	for range putAttempts {
		e, err := h.Get(ctx, key)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return err
		}
		_, err = h.CompareAndSet(ctx, key, value, e.Version)
		if !errors.Is(err, registry.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("write %s: %w", key, registry.ErrConflict)
}

// CompareAndSet implements registry.Store. Errors: registry.ErrNotHeld too.
func (h held) CompareAndSet(ctx context.Context, key string, value []byte, version uint64, fences ...registry.Fence) (uint64, error) {
	return h.Store.CompareAndSet(ctx, key, value, version, append(fences, h.fence)...)
}
