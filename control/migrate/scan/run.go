package scan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/backends/remote"
	"larder/control/migrate"
)

const (
	retryMin = 200 * time.Millisecond
	retryMax = 10 * time.Second
	endTime  = 10 * time.Second // to put back what was set
	forever  = 100 * 365 * 24 * time.Hour
)

// errCutOver ends what runs when the cutover is done.
var errCutOver = errors.New("cut over")

// Run implements migrate.Way.
func (w *Way) Run(ctx context.Context) error {
	defer close(w.over)
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		w.putBack(end)
	}()
	if err := w.empty(ctx); err != nil {
		return err
	}
	for pause := retryMin; ; pause = min(2*pause, retryMax) {
		began := w.o.Now()
		err := w.connected(ctx)
		switch {
		case errors.Is(err, errCutOver):
			return nil
		case ctx.Err() != nil:
			return nil
		case fatal(err) || !w.opened: // an address that was never right
			w.tell(func(s *migrate.Status) { s.Error = err.Error() })
			return err
		}
		w.o.Log.Warn("migration is interrupted", "source", w.o.Source.String(), "error", err, "again in", pause)
		w.tell(func(s *migrate.Status) { s.Phase, s.Error = migrate.Broken, err.Error() })
		if w.o.Now().Sub(began) > retryMax {
			pause = retryMin
		}
		if w.o.Sleep(ctx, pause) != nil {
			return nil
		}
	}
}

// fatal tells whether trying again cannot help.
func fatal(err error) bool {
	refused := (*remote.Refused)(nil)
	if errors.As(err, &refused) && !passing(refused) {
		return true
	}
	for _, kind := range []error{ErrNotEmpty, ErrNotifications, ErrValue, remote.ErrAddress} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// connected does all that needs the links, until one of them breaks. Listening begins before anything is read.
func (w *Way) connected(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		k, err := w.open(ctx)
		if err != nil {
			return err
		}
		defer k.close()
		w.opened = true
		w.changed.clear()
		if w.o.Notifications != None {
			for _, p := range k.primaries {
				e, err := w.listen(ctx, p.Addr)
				if err != nil {
					return err
				}
				k.ears = append(k.ears, e)
				group.Go(func() error {
					defer e.conn.Close() // not by who copies: his end would look like a lost connection
					return fmt.Errorf("the source's notifications are lost: %w", w.hear(e))
				})
			}
		}
		return k.run()
	})
	return group.Wait()
}
