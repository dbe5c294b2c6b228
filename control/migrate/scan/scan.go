// Package scan is the way of a migration where the source refuses to be followed by replication: it looks through all keys (SCAN, DUMP, RESTORE), hears by
// keyspace notifications which of them have changed since, and fetches those again, until the source's writes are stopped and nothing is left.
//
// What must hold: a key is copied by one goroutine only, and its name is taken off the list of what has changed before its value is read, so what comes later
// never loses to what came before. What no notification tells (FLUSHALL, FLUSHDB, SWAPDB, a lost connection, too many changes) leads to another pass through
// everything, in which keys that the source lacks are deleted; what readers of streams do is not told either, so streams are read again at the cutover.
// The source's keys are never written; its notify-keyspace-events may be, and gets back what it was.
package scan

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"larder/backends/remote"
	"larder/control/migrate"
)

// Notifications says how changes are heard of.
type Notifications uint8

// The ways of hearing.
const (
	Ask    Notifications = iota // they are turned on if they are off; it is an error if that cannot be found out
	Assume                      // the user has turned them on, where CONFIG is refused
	None                        // not at all: all keys are read again and again, and at the cutover once more
)

// ParseNotifications reads a way of hearing as users write it; empty is Ask.
func ParseNotifications(word string) (Notifications, error) {
	n, ok := map[string]Notifications{"": Ask, "ask": Ask, "assume": Assume, "none": None}[word]
	if !ok {
		return n, fmt.Errorf("%q is no way of hearing what changes: ask, assume and none are", word)
	}
	return n, nil
}

// Options say what is copied where.
type Options struct {
	Source, Target remote.Address
	Replace        bool // what the target has may be overwritten and deleted
	Notifications  Notifications
	Rate           int   // keys a second that are read at most; 0 = as many as there can be
	Large          int64 // bytes in memory from which a value is copied in pieces; 0 = 32 MiB
	ChangedMax     int   // keys that may wait to be read again; 0 = a million. With more, all is read again
	Log            *slog.Logger
	Now            func() time.Time
	Sleep          func(ctx context.Context, d time.Duration) error
}

const (
	largeBytes = 32 << 20
	changedMax = 1 << 20
)

// What Run cannot outlive, beside what the servers say.
var (
	// ErrNotEmpty: the target has keys, and may not lose them.
	ErrNotEmpty = errors.New("the target has keys already")
	// ErrNotifications: nobody can hear what changes at the source.
	ErrNotifications = errors.New("the source does not tell what changes")
	// ErrValue: the target does not take a value.
	ErrValue = errors.New("a value cannot be copied")
)

// Way is a migration of this kind. It implements migrate.Way.
type Way struct {
	o        Options
	changed  *changed
	orders   chan order // cutovers, for who copies
	over     chan struct{}
	opened   bool              // both sides were reached once
	restored map[string]string // what the sources' notify-keyspace-events were, by address

	mu     sync.Mutex
	status migrate.Status
}

// New makes one.
func New(o Options) *Way {
	if o.Large <= 0 {
		o.Large = largeBytes
	}
	if o.ChangedMax <= 0 {
		o.ChangedMax = changedMax
	}
	return &Way{
		o: o, changed: newChanged(o.ChangedMax), orders: make(chan order), over: make(chan struct{}), restored: map[string]string{},
		status: migrate.Status{Phase: migrate.Copying},
	}
}

// Status implements migrate.Way.
func (w *Way) Status() migrate.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	keys, since := w.changed.size()
	s.LagKeys = int64(keys)
	if keys > 0 {
		s.Lag = w.o.Now().Sub(since)
	}
	return s
}

func (w *Way) tell(change func(s *migrate.Status)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.status.Phase
	change(&w.status)
	if w.status.Phase != was {
		w.o.Log.Info("migration goes on otherwise", "old", was, "new", w.status.Phase, "source", w.o.Source.String())
	}
}

// Check looks at the source before anything begins. Errors: what Run would fail with.
func (w *Way) Check(ctx context.Context) error {
	k, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer k.close()
	if w.o.Notifications != Ask {
		return nil
	}
	for _, c := range k.sources {
		if _, err := w.setting(c); err != nil {
			return err
		}
	}
	return nil
}

// Release lets the source's clients write again after a cutover.
func (w *Way) Release(ctx context.Context) error { return w.o.Source.Unpause(ctx) }

// order asks who copies for a cutover.
type order struct {
	ctx  context.Context
	o    migrate.CutoverOptions
	done chan<- outcome
}

type outcome struct {
	cut migrate.Cut
	err error
}

// Cutover implements migrate.Way.
func (w *Way) Cutover(ctx context.Context, o migrate.CutoverOptions) (migrate.Cut, error) {
	done := make(chan outcome, 1)
	timer := time.NewTimer(o.Timeout)
	defer timer.Stop()
	select {
	case w.orders <- order{ctx, o, done}:
	case <-timer.C:
		return migrate.Cut{}, fmt.Errorf("%w: it is still %s", migrate.ErrBehind, w.Status().Phase)
	case <-w.over:
		return migrate.Cut{}, errors.New("the migration has ended")
	case <-ctx.Done():
		return migrate.Cut{}, context.Cause(ctx)
	}
	select {
	case out := <-done:
		return out.cut, out.err
	case <-w.over:
		select {
		case out := <-done:
			return out.cut, out.err
		default:
			return migrate.Cut{}, errors.New("the migration has ended")
		}
	}
}

// place is a key of the source.
type place struct {
	db  int
	key string
}

func (p place) String() string { return fmt.Sprintf("%q of database %d", p.key, p.db) }
