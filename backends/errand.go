package backends

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"larder/protocol/errands"
)

// Errand is work that a node is asked for, over a connection of its own (docs/formats/upstream.md, "Errands"). It has secrets, and is shown to nobody.
type Errand struct {
	Kind  string
	Order any                 // what errands says of the kind
	Give  io.ReadCloser       // what the node is given; nil: nothing. It is closed in any case
	Told  func(errands.State) // is told now and then how it is; nil: nobody is
}

// Failed is an errand's failure that the node told.
type Failed struct{ Addr, Code, Text string }

func (e *Failed) Error() string { return e.Text }

const (
	errandDial  = 5 * time.Second
	askFirst    = 2 * time.Millisecond // how soon it is asked how an errand is, twice as long each time
	askMost     = 200 * time.Millisecond
	errandReply = 10 * time.Second // a node that does not answer for so long is given up
)

// ErrUnreached is that the node was never reached, and has done nothing.
var ErrUnreached = errors.New("the node cannot be reached")

// errSilent is what a node that does not answer is given up for.
var errSilent = fmt.Errorf("it has not answered for %s", errandReply)

// Run has the node at addr do it, and gives what it comes to. With ctx the connection ends, and with it the node's work. Errors: *Failed; *Refused;
// ErrUnreached; any other: the node was lost midway.
func (e *Errand) Run(ctx context.Context, addr string, auth Auth) (json.RawMessage, error) {
	order, err := json.Marshal(e.Order)
	if err != nil {
		return nil, e.over(err)
	}
	dialing, cancel := context.WithTimeout(ctx, errandDial)
	admin, err := Dial(dialing, addr, auth)
	cancel()
	if refused := (*Refused)(nil); err != nil && !errors.As(err, &refused) {
		err = fmt.Errorf("%w: %w", ErrUnreached, err)
	}
	if err != nil {
		return nil, e.over(err)
	}
	r := &erranding{Errand: e, admin: admin, addr: addr, wait: askFirst}
	if _, err = r.say(ctx, "ERRAND", e.Kind, string(order)); err == nil {
		err = r.follow(ctx)
	}
	return r.state.Result, errors.Join(err, admin.Close())
}

// over lets go of what it was to give.
func (e *Errand) over(err error) error {
	if e.Give != nil {
		err = errors.Join(err, e.Give.Close())
	}
	return err
}

// erranding is one under way.
type erranding struct {
	*Errand
	admin *Admin
	addr  string
	wait  time.Duration
	given int64
	ended bool // all was given
	state errands.State
}

// say says a word in bounded time.
func (r *erranding) say(ctx context.Context, words ...string) (Reply, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, errandReply, errSilent)
	defer cancel()
	return r.admin.Do(ctx, append([]string{"LARDER"}, words...)...)
}

// piece is what was read of what is given, or why there is no more.
type piece struct {
	bytes []byte
	ended bool // there is no more
	err   error
}

// follow gives what there is to give, and asks until it is over.
func (r *erranding) follow(ctx context.Context) error {
	var pieces <-chan piece
	if r.Give != nil {
		reading, stop := r.reading()
		defer stop()
		pieces = reading
	}
	timer := time.NewTimer(r.wait)
	defer timer.Stop()
	for !r.state.Over {
		now := pieces
		if r.ended || r.given-r.state.Used > errands.AheadMax-errands.PieceMax {
			now = nil
		}
		var err error
		select {
		case p := <-now:
			err = r.give(ctx, p)
		case <-timer.C:
			err = r.ask(ctx)
			timer.Reset(r.wait)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
	if r.state.Error != "" {
		return &Failed{r.addr, r.state.Code, r.state.Error}
	}
	return nil
}

func (r *erranding) give(ctx context.Context, p piece) error {
	switch {
	case p.ended:
		r.ended, r.wait = true, askFirst
		_, err := r.say(ctx, "GIVEN")
		return err
	case p.err != nil:
		r.ended = true
		_, err := r.say(ctx, "GIVEN", p.err.Error())
		return errors.Join(p.err, err)
	}
	reply, err := r.say(ctx, "GIVE", string(p.bytes))
	if err != nil {
		return err
	}
	r.given += int64(len(p.bytes))
	r.wait = askFirst // where there is no room, there soon is
	r.state.Used, err = strconv.ParseInt(reply.Text, 10, 64)
	return err
}

func (r *erranding) ask(ctx context.Context) error {
	reply, err := r.say(ctx, "ASK")
	if err != nil {
		return err
	}
	r.state = errands.State{}
	if err := json.Unmarshal([]byte(reply.Text), &r.state); err != nil {
		return fmt.Errorf("node %s tells of its errand what cannot be read: %w", r.addr, err)
	}
	if r.Told != nil {
		r.Told(r.state)
	}
	r.wait = min(askMost, 2*r.wait)
	return nil
}
