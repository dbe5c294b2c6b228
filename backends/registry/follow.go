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

// InstanceFollower is who wants to know which services of a name there are.
type InstanceFollower struct {
	Name string
	Told func([]Instance) // as Follower.Told
	Lost func(error)
	Dice *rand.Rand
}

// Follow watches until ctx ends. It outlives a registry that fails: what was told last is what is known then. After a
// failure all is read anew, for the registry may have been put back to an older state.
func Follow(ctx context.Context, r Store, f Follower) {
	follow(ctx, f.Dice, f.Lost, f.Told, func(after uint64) ([]Entry, uint64, error) { return r.Watch(ctx, f.Prefix, after) })
}

// FollowInstances is Follow for services.
func FollowInstances(ctx context.Context, r Services, f InstanceFollower) {
	follow(ctx, f.Dice, f.Lost, f.Told, func(after uint64) ([]Instance, uint64, error) { return r.WatchInstances(ctx, f.Name, after) })
}

func follow[T any](ctx context.Context, dice *rand.Rand, lost func(error), told func([]T), watch func(after uint64) ([]T, uint64, error)) {
	var seen uint64
	again := backoff{dice: dice}
	for ctx.Err() == nil {
		found, next, err := watch(seen)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			seen = 0
			if again.first() {
				lost(err)
			}
			sleep(ctx, again.next())
			continue
		}
		if !again.first() {
			lost(nil)
			again.reset()
		}
		seen = next
		told(found)
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
