package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"
	"time"

	"larder/backends/registry"
)

// LockKey is the lock of who leads. Its value is a Holder.
const LockKey = "larder/leader"

// How a leader is missed. Its session would end 10 to 20 seconds after its death; so who waits asks it itself, and ends the session of one that is dead. A leader
// that lives and is only not reached changes nothing any more from then on; and that it is not deposed again and again is why who has just deposed one has
// patience with the next.
const (
	pingEvery  = 250 * time.Millisecond
	pingWithin = 500 * time.Millisecond
	refusedFor = 600 * time.Millisecond  // nobody listens there: the process has ended
	silentFor  = 1500 * time.Millisecond // it does not answer
	cutOffFor  = 2 * time.Second         // the registry does not answer it; it has answered us, or we would not compete
	silentLong = 10 * time.Second        // likewise, within restAfter of another that was deposed
	restAfter  = time.Minute
)

const (
	sessionTTL   = registry.TTLMin
	registryTime = 3 * time.Second // for one word with the registry
	retryPause   = 500 * time.Millisecond
)

// compete waits until the session has the lock.
func (l *Leader) compete(ctx context.Context, id registry.SessionID) error {
	value, err := json.Marshal(Holder{l.o.ID, l.o.Addr})
	if err != nil {
		return err
	}
	return registry.Lock(ctx, l.o.Registry, LockKey, value, id)
}

// rival is the leader that is waited for.
type rival struct {
	Holder
	session registry.SessionID
	since   time.Time // since when it has not answered; zero: it has
	refused bool      // since then nobody has listened there, or another process
}

// holder reads who leads.
func holder(entries []registry.Entry) (r rival) {
	for _, e := range entries {
		if e.Key == LockKey && e.Holder != "" {
			r.session = e.Holder
			if err := json.Unmarshal(e.Value, &r.Holder); err != nil {
				return rival{session: e.Holder} // it is not ours to ask
			}
		}
	}
	return r
}

// lead notes who leads, for who asks.
func (l *Leader) leads(h Holder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.view.Leader = h
}

// judge takes in how a rival has answered, and tells whether it is to be deposed.
func (r *rival) judge(now time.Time, err error, deposed time.Time) bool {
	if err == nil {
		r.since = time.Time{}
		return false
	}
	refused := errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, ErrAnother)
	if r.since.IsZero() {
		r.since, r.refused = now, refused
	}
	r.refused = r.refused && refused
	patience := silentFor
	switch {
	case r.refused:
		patience = refusedFor
	case !deposed.IsZero() && now.Sub(deposed) < restAfter:
		patience = silentLong
	case errors.Is(err, ErrCutOff):
		patience = cutOffFor
	}
	return now.Sub(r.since) >= patience
}

// depose ends the session of a leader that does not answer.
func (l *Leader) depose(ctx context.Context, r *rival, why error) error {
	ctx, cancel := context.WithTimeout(ctx, registryTime)
	defer cancel()
	l.o.Log.Warn("the leader does not answer: its place is taken", "leader", r.ID, "addr", r.Addr, "error", why)
	if err := l.o.Registry.EndSession(ctx, r.session); err != nil {
		return fmt.Errorf("end the session of leader %s: %w", r.ID, err)
	}
	l.o.Metrics.deposed.Inc()
	return nil
}

// renew keeps the session until ctx ends. While the registry does not answer it asks often, so that others are told soon that it answers again. Errors:
// registry.ErrSessionLost.
func (l *Leader) renew(ctx context.Context, id registry.SessionID) error {
	l.answered(nil) // it has, when the session began
	next := time.NewTimer(sessionTTL / 3)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.doubt:
		case <-next.C:
		}
		err := l.alive(ctx, id)
		if errors.Is(err, registry.ErrSessionLost) {
			return err
		}
		l.answered(err)
		if err != nil {
			next.Reset(l.jitter(retryPause))
		} else {
			next.Reset(sessionTTL / 3)
		}
	}
}

// doubts has it found out whether the registry answers.
func (l *Leader) doubts() {
	select {
	case l.doubt <- struct{}{}:
	default:
	}
}

// answered notes whether the registry has.
func (l *Leader) answered(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cutOff = err != nil
}

// alive renews the session once.
func (l *Leader) alive(ctx context.Context, id registry.SessionID) error {
	ctx, cancel := context.WithTimeout(ctx, registryTime)
	defer cancel()
	return l.o.Registry.Renew(ctx, id)
}

// open begins a session, when the registry answers.
func (l *Leader) open(ctx context.Context) (registry.SessionID, error) {
	for told := false; ; told = true {
		try, cancel := context.WithTimeout(ctx, registryTime)
		id, err := l.o.Registry.OpenSession(try, registry.Session{Name: "larder-leader " + l.o.ID, TTL: sessionTTL})
		cancel()
		if err == nil || ctx.Err() != nil {
			return id, ctx.Err()
		}
		if errors.Is(err, registry.ErrInvalid) {
			return "", err
		}
		if !told {
			l.o.Log.Warn("the registry does not answer: nothing is decided until it does", "error", err)
		}
		pause(ctx, l.jitter(retryPause))
	}
}

// jitter is a half to the whole of d, so that many do not come back at once.
func (l *Leader) jitter(d time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return d/2 + time.Duration(l.o.Chance.Int64N(int64(d/2)))
}

// leave ends the session, so that another may lead at once.
func (l *Leader) leave(ctx context.Context, id registry.SessionID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), registryTime)
	defer cancel()
	if err := l.o.Registry.EndSession(ctx, id); err != nil {
		l.o.Log.Warn("the leader's session could not be ended: it ends by itself", "error", err)
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
