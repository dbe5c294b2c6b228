package follow_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"larder/backends/remote"
	"larder/control/migrate"
	"larder/control/migrate/follow"
	"larder/internal/peers"
	"larder/router"
)

// behind is a staging node that tells one piece, which is never enough, and then gives what it is given.
type behind struct {
	pieces chan follow.Piece
	ended  chan error
}

func (*behind) Follow(context.Context, string, remote.Login) error { return nil }
func (*behind) Again(context.Context, []follow.Key, uint64) error  { return nil }
func (*behind) Anew(context.Context) error                         { return nil }
func (*behind) Link(context.Context) (link follow.Link, err error) { return link, nil }
func (*behind) Close() error                                       { return nil }
func (*behind) Topology() *router.Topology                         { return nil }
func (*behind) Dial(context.Context, string) (*remote.Conn, error) { return nil, io.EOF }
func (b *behind) Next(ctx context.Context) (piece follow.Piece, err error) {
	select {
	case piece = <-b.pieces:
		return piece, nil
	case err = <-b.ended:
		return piece, err
	case <-ctx.Done():
		return piece, context.Cause(ctx)
	}
}

// TestCutoverInterrupted: whatever ends a cutover that waits, the source writes again at once.
func TestCutoverInterrupted(t *testing.T) {
	for name, interrupt := range map[string]func(stop, abort context.CancelFunc, b *behind){
		"who asked has gone":         func(stop, _ context.CancelFunc, _ *behind) { stop() },
		"the migration is aborted":   func(_, abort context.CancelFunc, _ *behind) { abort() },
		"the staging node is broken": func(_, _ context.CancelFunc, b *behind) { b.ended <- io.ErrUnexpectedEOF },
	} {
		t.Run(name, func(t *testing.T) {
			addr := peers.StartRedis(t)
			c := peers.Dial(t, addr, 0)
			source, err := remote.Parse("redis://" + addr)
			if err != nil {
				t.Fatal(err)
			}
			b := &behind{pieces: make(chan follow.Piece, 1), ended: make(chan error, 1)}
			b.pieces <- follow.Piece{ID: "another history", Made: time.Now()}
			w := follow.New(follow.Options{
				Source: source, Target: b, Stage: func(context.Context, string, int) (follow.Staging, error) { return b, nil },
				Report: func(string, string) {}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
			})
			running, abort := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- w.Run(running) }()
			defer func() {
				abort()
				<-ended
			}()
			peers.Await(t, "it follows", func() bool { return w.Status().Phase == migrate.Following })
			asking, stop := context.WithCancel(t.Context())
			defer stop()
			cut := make(chan error, 1)
			go func() {
				_, err := w.Cutover(asking, migrate.CutoverOptions{Timeout: peers.Patience, Hold: time.Hour})
				cut <- err
			}()
			peers.Await(t, "the source is paused", func() bool { return strings.Contains(string(c.Do("INFO", "commandstats")), "cmdstat_client|pause") })
			interrupt(stop, abort, b)
			select {
			case err := <-cut:
				if err == nil || strings.Contains(err.Error(), "stay paused") {
					t.Error(err)
				}
			case <-time.After(peers.Patience / 2):
				t.Fatal("the cutover does not end")
			}
			writer, err := source.Dial(t.Context(), addr)
			if err != nil {
				t.Fatal(err)
			}
			defer writer.Close()
			writer.Patience = peers.Patience / 2
			if _, err := writer.Do("SET", "a", "1"); err != nil {
				t.Error("the source stays paused:", err)
			}
		})
	}
}
