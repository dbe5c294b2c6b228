package registry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// lockRetry is how often Lock tries again though nothing has changed: nobody tells when a lock's delay is over.
const lockRetry = time.Second

// Lock waits until the session holds the lock under key, which then has value, or until ctx ends. It does not renew the
// session: that must go on meanwhile. Errors: ErrSessionLost.
func Lock(ctx context.Context, r Registry, key string, value []byte, id SessionID) error {
	var seen uint64
	for {
		err := r.Acquire(ctx, key, value, id)
		if !errors.Is(err, ErrHeld) {
			return err
		}
		if seen, err = waitForChange(ctx, r, key, seen); err != nil {
			return fmt.Errorf("wait for lock %s: %w", key, err)
		}
	}
}

// waitForChange returns after a change under key or after lockRetry; an error only if ctx ended or the registry failed.
func waitForChange(ctx context.Context, r Registry, key string, seen uint64) (uint64, error) {
	wait, cancel := context.WithTimeout(ctx, lockRetry)
	defer cancel()
	_, next, err := r.Watch(wait, key, seen)
	switch {
	case err == nil:
		return next, nil
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return seen, nil
	default:
		return 0, err
	}
}
