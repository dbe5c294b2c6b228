package config

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"larder/backends/registry"
)

// When a process says what it runs though nothing has changed, and from when on one that says nothing is gone.
const (
	sayEvery  = 30 * time.Second
	goneAfter = 3 * sayEvery    // who was killed keeps `config set` from being in force everywhere until then
	sayAgain  = 5 * time.Second // after a failure
	leaveTime = 2 * time.Second // for the last word
)

// FollowerOptions say what a Follower works with. All fields but Changed and Metrics must be given.
type FollowerOptions struct {
	Registry registry.Store
	Rules    Rules
	Cluster  string
	Own      map[string]Own
	// Apply has values take effect, and tells which of them wait for the next start. An error refuses them: all is as it was.
	Apply   func(ctx context.Context, values Values, version uint64) (waiting []string, err error)
	Changed func() // Running gives something else than before
	Metrics *Metrics
	Log     *slog.Logger
	Now     func() time.Time
	Dice    *rand.Rand // the follower's own
}

// Follower keeps a process at the settings that stand in the registry. Begin and Run are called once each, in this order.
type Follower struct {
	o     FollowerOptions
	again chan struct{} // there is something new to be said

	mu  sync.Mutex
	now Running
}

// NewFollower asks nobody yet.
func NewFollower(o FollowerOptions) *Follower {
	f := &Follower{o: o, again: make(chan struct{}, 1)}
	f.now = Running{Cluster: o.Cluster, Since: o.Now().UTC(), Own: o.Own}
	return f
}

// Running is what the process runs.
func (f *Follower) Running() Running {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Begin applies what stands in the registry, before the process serves. Where that is not right, or is gone though there has been something, the newest good
// version of the history counts. Errors: the registry's.
func (f *Follower) Begin(ctx context.Context) error {
	entries, err := f.o.Registry.List(ctx, Key)
	if err != nil {
		return fmt.Errorf("read the gateways' settings: %w", err)
	}
	e, is := entryOf(entries)
	if is {
		f.take(ctx, e, is)
	}
	if f.Running().Version != 0 {
		return nil
	}
	all, err := history(ctx, f.o.Registry)
	if err != nil {
		return err
	}
	if !is && len(all) > 0 {
		f.take(ctx, e, is)
	}
	f.fallBack(ctx, all, e.Version)
	return nil
}

// fallBack applies the newest version of the history that is right for this process, if there is one. What stands in the registry stays refused.
func (f *Follower) fallBack(ctx context.Context, all []Version, refused uint64) {
	for _, v := range all {
		if v.Refused != "" || v.Version == refused {
			continue
		}
		waiting, err := f.o.Apply(ctx, v.Values, v.Version)
		if err == nil {
			f.runs(v.Version, waiting, f.Running().Refused)
			return
		}
		f.o.Log.Warn("an earlier version of the gateways' settings is not right here either", "version", v.Version, "error", err)
	}
}

// watch takes what comes until ctx ends.
func (f *Follower) watch(ctx context.Context) {
	registry.Follow(ctx, f.o.Registry, registry.Follower{
		Prefix: Key,
		Told: func(entries []registry.Entry) {
			e, is := entryOf(entries)
			if now := f.Running(); is || now.Version != 0 || now.Refused != nil {
				f.take(ctx, e, is)
			}
		},
		Lost: func(err error) {
			if err != nil {
				f.o.Log.Warn("the gateways' settings cannot be watched; the last ones are used", "version", f.Running().Version, "error", err)
				return
			}
			f.o.Log.Info("the gateways' settings are watched again")
		},
		Dice: f.o.Dice,
	})
}

// take judges what stands in the registry. What is known already changes nothing.
func (f *Follower) take(ctx context.Context, e registry.Entry, is bool) {
	now := f.Running()
	switch {
	case now.Refused == nil && is && now.Version == e.Version, now.Refused != nil && now.Refused.Version == e.Version:
		return
	case !is:
		f.refuse(0, errors.New("the entry "+Key+" is gone from the registry"))
		return
	}
	values, err := f.o.Rules.Parse(Key, e.Value)
	if err != nil {
		f.refuse(e.Version, err)
		return
	}
	f.apply(ctx, values, e.Version)
}

// apply has values take effect, or refuses them.
func (f *Follower) apply(ctx context.Context, values Values, version uint64) {
	waiting, err := f.o.Apply(ctx, values, version)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		f.refuse(version, err)
	default:
		f.runs(version, waiting, nil)
	}
}

// runs notes which version has taken effect; refused is what stands in the registry instead of it, nil if it does.
func (f *Follower) runs(version uint64, waiting []string, refused *Refusal) {
	before := f.Running()
	f.set(func(r *Running) {
		r.Version, r.Since, r.Refused, r.Waiting = version, f.o.Now().UTC(), refused, waiting
	})
	f.o.Log.Info("the gateways' settings are taken", "old version", before.Version, "version", version, "wait for the next start", waiting)
}

func (f *Follower) refuse(version uint64, why error) {
	f.o.Log.Error("the gateways' settings in the registry are not taken; the last good ones stay", "key", Key, "version", version, "running", f.Running().Version, "error", why)
	f.o.Metrics.refuse()
	f.set(func(r *Running) { r.Refused = &Refusal{version, why.Error()} })
}

// set notes what is true now, and has it said.
func (f *Follower) set(edit func(*Running)) {
	f.mu.Lock()
	edit(&f.now)
	now := f.now
	f.mu.Unlock()
	f.o.Metrics.set(now)
	if f.o.Changed != nil {
		f.o.Changed()
	}
	select {
	case f.again <- struct{}{}:
	default:
	}
}

// say keeps the process's entry until ctx ends, and removes it then.
func (f *Follower) say(ctx context.Context) {
	key, failing := runningPrefix+f.Running().ID, false
	for {
		now := f.Running()
		now.Seen = f.o.Now().UTC()
		err := f.o.Registry.Put(ctx, key, encode(now))
		if ctx.Err() != nil {
			break
		}
		if err != nil && !failing {
			f.o.Log.Warn("it cannot be said in the registry which settings run here; they are followed all the same", "key", key, "error", err)
		}
		failing = err != nil
		wait := sayEvery
		if failing && !errors.Is(err, registry.ErrDenied) {
			wait = sayAgain
		}
		if !f.rest(ctx, wait) {
			break
		}
	}
	leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	_ = f.o.Registry.Delete(leave, key) // nobody is left to try again; it ages
}

// rest waits until there is something to say, or for about so long; false: ctx has ended.
func (f *Follower) rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.again:
	case <-ctx.Done():
		return false
	}
	return true
}
