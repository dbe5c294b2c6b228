package scan

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"larder/backends/remote"
	"larder/control/migrate"
	"larder/persistence/digest"
)

const (
	stopTime = 50 * time.Millisecond // that writes are to be stopped for
	patience = 4                     // or a part of the time that was spent on approaching it
	lookedAt = 100                   // keys of each database that are compared at the end, from either side
)

// errUnequal says that the last look has found a difference: something changed that nobody told.
var errUnequal = errors.New("source and target differ")

var errLate = fmt.Errorf("%w: what was left took longer than the time that was given", migrate.ErrBehind)

// cutover stops the source's writes, brings what is left and looks whether all is there. If something has changed that nobody told of, writes go on and all
// is read again; if that is so a second time, all is read while they are stopped. Errors: ErrBehind, and what ends the links.
func (k *copier) cutover(o order) (cut migrate.Cut, err error) {
	deadline := k.o.Now().Add(o.o.Timeout)
	thorough := k.o.Notifications == None
	for {
		if cut, err = k.attempt(o, deadline, thorough); !errors.Is(err, errUnequal) {
			return cut, err
		}
		k.o.Log.Warn("cutover is undone, and all is read again", "error", err)
		if wrong := k.pass(); wrong != nil {
			return cut, wrong
		}
		if k.o.Now().After(deadline) {
			return cut, fmt.Errorf("%w: %w", migrate.ErrBehind, err)
		}
		thorough = true
	}
}

// attempt is one try. It undoes the pause if it fails.
func (k *copier) attempt(o order, deadline time.Time, thorough bool) (cut migrate.Cut, err error) {
	if err := k.approach(o.ctx, deadline); err != nil {
		return cut, err
	}
	stopped := k.o.Now()
	if stopped.After(deadline) {
		return cut, errLate
	}
	before := k.Status().Keys
	if !o.o.NoPause {
		if err := k.pause(deadline.Sub(stopped) + o.o.Hold); err != nil {
			return cut, err
		}
		defer func() {
			if err != nil || o.o.Hold == 0 {
				k.letGo()
			}
		}()
	}
	if err := k.finish(o.ctx, deadline, thorough); err != nil {
		return cut, err
	}
	if k.o.Now().After(deadline) {
		return cut, errLate
	}
	return migrate.Cut{Stopped: k.o.Now().Sub(stopped), Keys: k.Status().Keys - before}, nil
}

// approach copies while the source is written still, until what is left takes no longer than stopTime; as time goes by it is content with more.
func (k *copier) approach(ctx context.Context, deadline time.Time) error {
	if err := k.copyStreams(); err != nil {
		return err
	}
	begun := k.o.Now()
	for copied := 0; ; {
		left, _ := k.changed.size()
		took := k.o.Now().Sub(begun)
		if left <= someKeys || copied > 0 && time.Duration(float64(took)/float64(copied)*float64(left)) < max(stopTime, took/patience) {
			return nil
		}
		if k.o.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("%w: %d keys have changed and are not copied yet", migrate.ErrBehind, left)
		}
		list := k.changed.take()
		copied += len(list)
		if err := k.copy(list); err != nil {
			return err
		}
	}
}

// pause stops the writes of the source's clients.
func (k *copier) pause(d time.Duration) error {
	ms := strconv.FormatInt(d.Milliseconds(), 10)
	for _, c := range k.sources {
		if _, err := c.Do("CLIENT", "PAUSE", ms, "WRITE"); err != nil {
			refused := (*remote.Refused)(nil)
			k.letGo()
			if errors.As(err, &refused) {
				return fmt.Errorf("%w: the source cannot be paused: %w. Stop its writes by other means, and say --no-pause", migrate.ErrBehind, err)
			}
			return err
		}
	}
	return nil
}

// letGo lets the source's clients write again, on connections of its own: those at hand may be broken. What fails here ends by itself, with the time that
// the pause has.
func (k *copier) letGo() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(k.ctx), endTime)
	defer cancel()
	servers := make([]string, len(k.primaries))
	for i, p := range k.primaries {
		servers[i] = p.Addr
	}
	if err := k.o.Source.Unpause(ctx, servers...); err != nil {
		k.o.Log.Warn("the source could not be let go on at once", "error", err)
	}
}

// finish brings all that the source has now that nobody writes to it.
func (k *copier) finish(ctx context.Context, deadline time.Time, thorough bool) error {
	if err := k.heard(ctx, deadline); err != nil {
		return err
	}
	if thorough {
		if err := k.pass(); err != nil {
			return err
		}
	}
	if err := k.drainBy(ctx, deadline); err != nil {
		return err
	}
	if k.changed.lost() {
		return fmt.Errorf("%w: more keys changed than may wait", errUnequal)
	}
	differs, err := k.untold()
	if err != nil {
		return err
	}
	if differs {
		return fmt.Errorf("%w: it was flushed, or its databases were swapped, or its functions changed", errUnequal)
	}
	if !thorough {
		if err := k.copyStreams(); err != nil {
			return err
		}
	}
	return k.look()
}

func (k *copier) drainBy(ctx context.Context, deadline time.Time) error {
	for {
		list := k.changed.take()
		if len(list) == 0 {
			return nil
		}
		if k.o.Now().After(deadline) || ctx.Err() != nil {
			for _, p := range list {
				k.changed.add(p, k.o.Now())
			}
			left, _ := k.changed.size()
			return fmt.Errorf("%w: %d keys have changed and are not copied yet", migrate.ErrBehind, left)
		}
		if err := k.copy(list); err != nil {
			return err
		}
	}
}

// heard waits until all is noted that the sources have told: what they answer to PING comes behind it.
func (k *copier) heard(ctx context.Context, deadline time.Time) error {
	for i, e := range k.ears {
		word := strconv.FormatInt(k.o.Now().UnixNano(), 10)
		if err := e.conn.Tell("PING", word); err != nil {
			return err
		}
		timer := time.NewTimer(max(0, deadline.Sub(k.o.Now())))
		for got := ""; got != word; {
			select {
			case got = <-e.pongs:
			case <-k.ctx.Done():
				timer.Stop()
				return context.Cause(k.ctx)
			case <-ctx.Done():
				timer.Stop()
				return fmt.Errorf("%w: %w", migrate.ErrBehind, context.Cause(ctx))
			case <-timer.C:
				return fmt.Errorf("%w: server %s has not told all yet that changed", migrate.ErrBehind, k.primaries[i].Addr)
			}
		}
		timer.Stop()
	}
	return nil
}

// look compares some keys of each side, and the counts.
func (k *copier) look() error {
	dbs, err := k.databases()
	if err != nil {
		return err
	}
	for _, db := range dbs {
		if err := k.counts(db); err != nil {
			return err
		}
		if err := k.sampleOf(db); err != nil {
			return err
		}
	}
	return nil
}

// counts compares how many keys there are. The source may have some more, which are dead and not removed yet: at most as many as can expire.
func (k *copier) counts(db int) error {
	var source, expiring int64
	for _, c := range k.sources {
		info, err := c.Info("keyspace")
		if err != nil {
			return err
		}
		var keys, expires int64
		if text := info["db"+strconv.Itoa(db)]; text != "" {
			if _, err := fmt.Sscanf(text, "keys=%d,expires=%d", &keys, &expires); err != nil {
				return fmt.Errorf("server %s: INFO says %q", c.Addr, text)
			}
		}
		source, expiring = source+keys, expiring+expires
	}
	sizes, err := keysOf(k.target)
	if err != nil {
		return err
	}
	if target := sizes[k.to(db)]; target > source && source+expiring < target || target < source-expiring {
		return fmt.Errorf("%w: database %d has %d keys at the source, of which %d expire, and %d at the target", errUnequal, db, source, expiring, target)
	}
	return nil
}

// sampleOf compares keys that either side draws.
func (k *copier) sampleOf(db int) error {
	if err := k.selectAll(db); err != nil {
		return err
	}
	for _, c := range append(k.sources[:len(k.sources):len(k.sources)], k.target) {
		for range lookedAt {
			c.AppendWords("RANDOMKEY")
		}
		if err := c.Flush(); err != nil {
			return err
		}
		keys := map[string]bool{}
		for range lookedAt {
			reply, err := c.Taken()
			if remote.Denied(err) {
				continue
			}
			if err != nil {
				return err
			}
			if name, ok := reply.Bytes(); ok && !reply.IsNull() {
				keys[string(name)] = true
			}
		}
		for key := range keys {
			if err := k.compare(place{db, key}); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare compares a key's value on both sides; large ones are passed over. One that dies just then is looked at again.
func (k *copier) compare(p place) error {
	const looks = 3
	for range looks {
		source, err := k.valueAt(k.source(p.key), p)
		if err != nil {
			return err
		}
		target, err := k.valueAt(k.target, p)
		if err != nil {
			return err
		}
		if source.Same(target) || source.Type == tooLarge || target.Type == tooLarge {
			return nil
		}
		if err := k.o.Sleep(k.ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: key %s", errUnequal, p)
}

// valueAt digests a value; none is the zero one, and so is one that is large.
func (k *copier) valueAt(c *remote.Conn, p place) (v digest.Value, err error) {
	if usage, err := c.Do("MEMORY", "USAGE", p.key); err == nil {
		if n, _ := usage.Int(); n > comparedMax {
			return digest.Value{Type: tooLarge}, nil
		}
	}
	reply, err := c.Do("DUMP", p.key)
	if err != nil || reply.IsNull() {
		return v, err
	}
	payload, _ := reply.Bytes()
	if v, err = digest.Payload(payload, k.o.Now().UnixMilli()); err != nil {
		return v, fmt.Errorf("key %s: %w", p, err)
	}
	return v, nil
}

const (
	comparedMax = 1 << 20 // bytes of a value that is compared at the end
	tooLarge    = "large" // in the place of the type of one that is not
)
