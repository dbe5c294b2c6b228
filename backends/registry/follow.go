package registry

import (
	"context"
	"math/rand/v2"
	"time"
)

// Waits of those who follow or announce.
const (
	retryMin = 50 * time.Millisecond // between attempts at a registry that fails; it doubles
	retryMax = 5 * time.Second
	spacing  = 5 * time.Millisecond // between two changes: many are told as one
)

// Follower is who wants to know what stands under a prefix.
type Follower struct {
	Prefix string
	// Told gets all entries, at once, after each change and when the registry is back; what it gets may be what it knows.
	Told func([]Entry)
	// Lost is called when the registry begins to fail, and with nil when it answers again.
	Lost func(error)
	// Dice spread the attempts of many followers of a registry that comes back. Follow is their only user meanwhile.
	Dice *rand.Rand
}

// Follow watches until ctx ends. It outlives a registry that fails: what was told last is what is known then. After a
// failure all is read anew, for the registry may have been put back to an older state.
func Follow(ctx context.Context, r Store, f Follower) {
	var seen uint64
	again := backoff{dice: f.Dice}
	for ctx.Err() == nil {
		entries, next, err := r.Watch(ctx, f.Prefix, seen)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			seen = 0
			if again.first() {
				f.Lost(err)
			}
			sleep(ctx, again.next())
			continue
		}
		if !again.first() {
			f.Lost(nil)
			again.reset()
		}
		seen = next
		f.Told(entries)
		sleep(ctx, spacing)
	}
}

// backoff is the wait between attempts: it doubles, and a half of it is left to chance.
type backoff struct {
	dice *rand.Rand
	wait time.Duration // of the last attempt that failed; 0 = none has
}

func (b *backoff) first() bool { return b.wait == 0 }
func (b *backoff) reset()      { b.wait = 0 }

func (b *backoff) next() time.Duration {
	b.wait = min(max(2*b.wait, retryMin), retryMax)
	return b.wait/2 + time.Duration(b.dice.Int64N(int64(b.wait/2)))
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
