package registry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How often Lock tries again while nobody holds the lock and it is closed: nobody tells when its delay is over. The wait doubles.
const (
	lockRetryMin = 10 * time.Millisecond
	lockRetryMax = time.Second
)

// Lock waits until the session holds the lock under key, which then has value, or until ctx ends. It does not renew the
// session: that must go on meanwhile, and end ctx when the session is lost. Errors: ErrSessionLost.
func Lock(ctx context.Context, r Registry, key string, value []byte, id SessionID) error {
	pause := lockRetryMin
	for {
		err := r.Acquire(ctx, key, value, id)
		if !errors.Is(err, ErrHeld) {
			return err
		}
		held, err := waitWhileHeld(ctx, r, key)
		if err != nil {
			return fmt.Errorf("wait for lock %s: %w", key, err)
		}
		if held {
			pause = lockRetryMin
		} else {
			sleep(ctx, pause)
			pause = min(2*pause, lockRetryMax)
		}
	}
}

// waitWhileHeld returns when nobody holds the lock, and whether anybody did.
func waitWhileHeld(ctx context.Context, r Registry, key string) (held bool, err error) {
	for seen := uint64(0); ; held = true {
		entries, next, err := r.Watch(ctx, key, seen)
		if err != nil {
			return held, err
		}
		if holderOf(entries, key) == "" {
			return held, nil
		}
		seen = next
	}
}

func holderOf(entries []Entry, key string) SessionID {
	for _, e := range entries {
		if e.Key == key {
			return e.Holder
		}
	}
	return ""
}
