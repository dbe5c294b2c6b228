package fleet

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/backends/registry"
	"larder/control/controller"
)

// Run leads the fleet whenever it may, until ctx ends. ready is closed once it competes. That the registry does not answer is no error: it waits.
func (l *Leader) Run(ctx context.Context, ready chan<- struct{}) error {
	close(ready)
	for ctx.Err() == nil {
		id, err := l.open(ctx)
		if errors.Is(err, registry.ErrInvalid) {
			return err
		}
		if err != nil {
			continue // ctx has ended
		}
		if err := l.reign(ctx, id); err != nil && ctx.Err() == nil {
			l.o.Log.Warn("the leader's place is lost, or cannot be competed for; it is tried again", "error", err)
			pause(ctx, l.jitter(retryPause))
		}
		l.leave(ctx, id)
	}
	return nil
}

// reign competes for the lock and leads while the session has it.
func (l *Leader) reign(ctx context.Context, id registry.SessionID) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.renew(ctx, id) })
	group.Go(func() error {
		if err := l.wait(ctx, id); err != nil {
			return err
		}
		return l.lead(ctx, id)
	})
	return group.Wait()
}

// wait competes, and meanwhile asks who leads whether it lives.
func (l *Leader) wait(ctx context.Context, id registry.SessionID) error {
	watching, stop := context.WithCancel(ctx)
	group, _ := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer stop()
		return l.compete(ctx, id)
	})
	rivals := make(chan rival, 1)
	group.Go(func() error {
		registry.Follow(watching, l.o.Registry, registry.Follower{
			Prefix: LockKey, Told: func(entries []registry.Entry) { newest(rivals, holder(entries)) }, Lost: func(error) {}, Dice: l.dice(),
		})
		return nil
	})
	group.Go(func() error {
		l.watch(watching, rivals)
		return nil
	})
	return group.Wait()
}

// newest has a channel of one hold the newest value. It has one sender.
func newest[T any](to chan T, value T) {
	select {
	case <-to:
	default:
	}
	to <- value
}

func (l *Leader) dice() *rand.Rand {
	l.mu.Lock()
	defer l.mu.Unlock()
	return rand.New(rand.NewPCG(l.o.Chance.Uint64(), l.o.Chance.Uint64()))
}

// watch asks the present leader again and again, and deposes one that is dead.
func (l *Leader) watch(ctx context.Context, rivals <-chan rival) {
	every := time.NewTicker(pingEvery)
	defer every.Stop()
	var now rival
	var deposed time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case next := <-rivals:
			if next.session != now.session {
				now = next
				l.leads(next.Holder)
			}
		case <-every.C:
			if now.session == "" || now.Addr == "" || l.o.Ping == nil {
				continue
			}
			asked, cancel := context.WithTimeout(ctx, pingWithin)
			err := l.o.Ping(asked, now.Holder)
			cancel()
			if ctx.Err() != nil || !now.judge(time.Now(), err, deposed) {
				continue
			}
			if err := l.depose(ctx, &now, err); err != nil {
				l.o.Log.Warn("the leader could not be deposed", "error", err)
				continue
			}
			deposed, now = time.Now(), rival{}
		}
	}
}

// lead takes the controller's steps while ctx holds and nobody has taken the lock away.
func (l *Leader) lead(ctx context.Context, id registry.SessionID) error {
	group, ctx := errgroup.WithContext(ctx)
	t := newTerm(ctx, l, id)
	l.begin(t)
	defer l.end()
	newest(l.terms, Term{Ctx: ctx, Store: held{l.o.Registry, registry.Fence{Key: LockKey, Session: id}}})
	group.Go(func() error {
		registry.Follow(ctx, l.o.Registry, registry.Follower{Prefix: controller.Prefix, Told: t.read, Lost: t.lost, Dice: l.dice()})
		return nil
	})
	group.Go(t.steps)
	group.Go(t.guard)
	group.Go(t.polls)
	group.Go(t.servers)
	group.Go(t.keepEvents)
	err := group.Wait()
	t.jobs.Wait()
	return err
}

// spawn does something that waits, beside the steps.
func (t *term) spawn(f func()) { t.jobs.Go(f) }

// errDeposed is why a term ends before its session.
var errDeposed = errors.New("another process has taken the leader's place")
