package follow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"larder/backends/remote"
	"larder/control/migrate"
	"larder/router"
)

// stage is a primary of the source on its way to the target.
type stage struct {
	way     *Way
	slots   []router.Range // nil: all
	staging Staging
	tunnel  *remote.Tunnel // to the primary, if that speaks TLS
	to      *sender

	// Under the way's lock:
	addr      string
	link      Link
	problem   string // why the target does not take what it is given
	id        string // the history that applied is in
	applied   int64  // the target has the primary's stream up to here; -1: it lacks something
	source    int64  // where the primary was when it was last asked; -1: not known
	reachedAt time.Time
	piece     Piece // the last one, without its commands
	keys      int64
	bytes     int64
}

const (
	// pieceAge is how old what is told may become before it is sent: a key may be gone at the target by then. The staging node tells keys that are near their
	// end as they are, which allows for this and for clocks that differ.
	pieceAge = 45 * time.Second
	stallMin = 50 * time.Millisecond
	stallMax = 2 * time.Second
)

// pump gives the target what the staging node tells, until ctx ends.
func (t *stage) pump(ctx context.Context) error {
	stall := stallMin
	for ctx.Err() == nil {
		piece, err := t.staging.Next(ctx)
		if err != nil {
			return fmt.Errorf("staging node of %s: %w", t.primary(), err)
		}
		err = t.give(ctx, piece)
		var fatal *fatalError
		if errors.As(err, &fatal) {
			return fatal.err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t.note(piece, err)
		if err == nil {
			stall = stallMin
			continue
		}
		if err := t.tellAgain(ctx, piece); err != nil {
			return err
		}
		rest(ctx, stall)
		stall = min(2*stall, stallMax)
	}
	return nil
}

// give gives the target a piece. An error says that it may lack some of it.
func (t *stage) give(ctx context.Context, p Piece) error {
	if p.Anew {
		if err := t.to.clear(ctx); err != nil {
			return err
		}
	} else if len(p.Commands) > 0 && t.way.o.Now().Sub(p.Made) > pieceAge {
		return errors.New("the target has not taken what it was given for too long: it is told anew")
	}
	return t.to.send(ctx, p.Commands)
}

// tellAgain has the keys of a piece told again that the target may not have.
func (t *stage) tellAgain(ctx context.Context, p Piece) error {
	keys, each, err := keysOf(p.Commands)
	if err != nil {
		return err
	}
	err = ErrMoved
	if each && !p.Anew {
		err = t.staging.Again(ctx, keys, p.Swaps)
	}
	if errors.Is(err, ErrMoved) {
		err = t.staging.Anew(ctx)
	}
	if err != nil {
		return fmt.Errorf("staging node of %s: %w", t.primary(), err)
	}
	return nil
}

// note says how far the target is.
func (t *stage) note(p Piece, err error) {
	w := t.way
	stalled := ""
	defer func() {
		if stalled != "" { // not with the lock: a report may wait for the registry
			w.o.Report("migration-stalled", "the target does not take what it is given, which is tried again: "+stalled)
		}
	}()
	w.mu.Lock()
	defer w.mu.Unlock()
	t.keys += t.to.keys
	t.bytes += t.to.bytes
	t.to.keys, t.to.bytes = 0, 0
	p.Commands = nil
	t.piece = p
	was := t.problem
	t.problem = ""
	if err != nil {
		t.problem = err.Error()
		t.applied = -1
		if was == "" && !w.over {
			stalled = t.problem
		}
		return
	}
	t.id, t.applied = p.ID, p.Offset
	if p.Offset >= t.source {
		t.reachedAt = w.o.Now()
	}
	w.step()
}

// watch asks the primary and the staging node now and then how they are.
func (t *stage) watch(ctx context.Context) error {
	var conn *remote.Conn
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	for {
		link, err := t.staging.Link(ctx)
		if err == nil {
			t.noteLink(link)
			if strings.Contains(link.Reason, "-NOPERM") {
				return noPSYNC(link.Reason)
			}
		}
		if conn == nil || conn.Addr != t.primary() {
			if conn != nil {
				conn.Close()
			}
			if conn, err = t.way.o.Source.Dial(ctx, t.primary()); err != nil {
				conn = nil
			}
		}
		if conn != nil {
			if err := t.look(conn); err != nil {
				conn.Close()
				conn = nil
			}
		}
		if !rest(ctx, lookEvery) {
			return nil
		}
	}
}

func (t *stage) look(conn *remote.Conn) error {
	info, err := conn.Info("replication")
	if err != nil {
		return err
	}
	at, err := strconv.ParseInt(info["master_repl_offset"], 10, 64)
	if err != nil {
		return err
	}
	w := t.way
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.source = at; t.applied >= at {
		t.reachedAt = w.o.Now()
	}
	return nil
}

func (t *stage) noteLink(link Link) {
	w := t.way
	w.mu.Lock()
	was := t.link
	t.link = link
	w.mu.Unlock()
	if link.Faults > was.Faults {
		w.o.Report("migration-fault", fmt.Sprintf("commands of the source could not be followed, what they changed may differ: %d so far, the last %s", link.Faults, link.LastFault))
	}
	switch {
	case was.Following && !link.Following && link.Reason != "":
		w.o.Report("migration-link-lost", "the link to the source's primary "+t.primary()+" is lost: "+link.Reason)
	case !was.Following && link.Following:
		w.o.Report("migration-linked", "the source's primary "+t.primary()+" is followed")
	}
}

func (t *stage) primary() string {
	t.way.mu.Lock()
	defer t.way.mu.Unlock()
	return t.addr
}

// turnTo has the staging node follow another server.
func (t *stage) turnTo(ctx context.Context, addr string) error {
	t.way.mu.Lock()
	t.addr, t.source = addr, -1
	t.way.mu.Unlock()
	return t.follow(ctx, addr)
}

// follow has the staging node follow a server. One goroutine at a time calls it.
func (t *stage) follow(ctx context.Context, addr string) error {
	w, old := t.way, t.tunnel
	if t.tunnel = nil; w.o.Source.TLS { // the staging node speaks none
		tunnel, err := w.o.Source.Tunnel(addr, func(err error) { w.o.Log.Warn("the source's primary cannot be reached", "primary", addr, "error", err) })
		if err != nil {
			t.tunnel = old
			return fmt.Errorf("tunnel to %s: %w", addr, err)
		}
		t.tunnel, addr = tunnel, tunnel.Path
	}
	err := t.staging.Follow(ctx, addr, w.o.Source.Login)
	return errors.Join(err, closeTunnel(old))
}

func closeTunnel(t *remote.Tunnel) error {
	if t == nil {
		return nil
	}
	return t.Close()
}

// addTo adds the stage to what is told of the way. Called with the way's lock.
func (t *stage) addTo(s *migrate.Status, now time.Time) {
	s.Keys += t.keys
	s.Bytes += t.bytes
	s.Expected += t.piece.Total
	s.LagKeys += t.piece.Pending
	if t.piece.Copying || t.id == "" {
		s.Phase = migrate.Copying
	}
	if t.source >= 0 && t.applied >= 0 && t.source > t.applied {
		s.LagBytes += t.source - t.applied
	}
	if !t.reachedAt.IsZero() && t.applied < t.source {
		s.Lag = max(s.Lag, now.Sub(t.reachedAt))
	}
	switch {
	case t.problem != "":
		s.Error = t.problem
	case !t.link.Following && t.link.Reason != "":
		s.Error = "source " + t.addr + ": " + t.link.Reason
	}
}
