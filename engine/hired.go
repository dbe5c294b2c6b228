package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"larder/persistence"
	"larder/protocol/errands"
)

// A controller has a node do what takes long over a connection of its own: LARDER ERRAND begins it, LARDER ASK tells how it is, LARDER GIVE brings what it needs
// (docs/formats/upstream.md). The work is done on a goroutine of its own by the methods that others in the process call, so there is one way for both. It is the
// connection's: who has gone, or does not ask any more, wants nothing.

// hired is such work, from its beginning until the connection ends or begins another.
type hired struct {
	kind    string
	cancel  context.CancelCauseFunc
	heardNS int64 // when it was asked about last; the loop's
	feed    *feed // nil: it is given nothing

	mu    sync.Mutex
	state errands.State
}

var (
	errHirerGone = errors.New("who asked for it has gone")
	errNotAsked  = errors.New("nobody has asked about it for long")
)

const (
	textHiring = "ERR the connection's errand is not over"
	textNoHire = "ERR the connection has asked for no errand"
	textNoWork = "ERR the node does nothing beside its loop"
	textNoFeed = "ERR the connection's errand is given nothing"
)

// larderErrand begins an errand of the connection's.
func larderErrand(s *session, args [][]byte) {
	p := s.p
	if s.hired != nil && !s.hired.over() {
		s.fail(textHiring)
		return
	}
	if p.n.working == nil {
		s.fail(textNoWork)
		return
	}
	h := &hired{kind: string(args[2]), heardNS: p.nowNS}
	do, err := p.n.job(h, args[3])
	if err != nil {
		s.fail("ERR " + err.Error())
		return
	}
	ctx, cancel := context.WithCancelCause(p.n.working)
	h.cancel, s.hired = cancel, h
	p.hired = append(p.hired, h)
	p.n.hire(func() {
		defer cancel(nil)
		result, err := do(ctx)
		h.end(result, err)
	})
	s.ok()
}

// larderAsk tells how it is.
func larderAsk(s *session, _ [][]byte) {
	if s.hired == nil {
		s.fail(textNoHire)
		return
	}
	s.hired.heardNS = s.p.nowNS
	state := s.hired.now()
	text, err := json.Marshal(&state)
	if err != nil {
		panic(err) // numbers and texts can be encoded
	}
	s.p.w.BulkBytes(text)
}

// larderGive brings it a piece.
func larderGive(s *session, args [][]byte) {
	h := s.hired
	if h == nil || h.feed == nil {
		s.fail(textNoFeed)
		return
	}
	h.heardNS = s.p.nowNS
	if !h.feed.give(args[2]) {
		s.fail(fmt.Sprintf("ERR more than %d bytes are given ahead", errands.AheadMax))
		return
	}
	s.p.w.Int(h.feed.taken())
}

// larderGiven says that it has all, or why it gets no more.
func larderGiven(s *session, args [][]byte) {
	h := s.hired
	if h == nil || h.feed == nil {
		s.fail(textNoFeed)
		return
	}
	h.heardNS = s.p.nowNS
	err := io.EOF
	if len(args) > 2 {
		err = errors.New(string(args[2]))
	}
	h.feed.end(err)
	s.ok()
}

// letGo gives up what the session has asked for.
func (s *session) letGo() {
	if s.hired != nil {
		s.p.dismiss(s.hired, errHirerGone)
		s.hired = nil
	}
}

// tickHired gives up what nobody asks about.
func (p *part) tickHired() {
	for _, h := range slices.Clone(p.hired) {
		switch {
		case h.over():
			p.dismiss(h, nil)
		case p.nowNS-h.heardNS > int64(errands.Patience):
			p.dismiss(h, errNotAsked)
		}
	}
}

func (p *part) dismiss(h *hired, why error) {
	h.cancel(why)
	p.hired = slices.DeleteFunc(p.hired, func(other *hired) bool { return other == h })
}

func (h *hired) now() errands.State {
	h.mu.Lock()
	defer h.mu.Unlock()
	state := h.state
	if h.feed != nil {
		state.Used = h.feed.taken()
	}
	return state
}

func (h *hired) over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state.Over
}

// note changes what is told of it.
func (h *hired) note(change func(s *errands.State)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.state)
}

// end notes what it has come to.
func (h *hired) end(result any, err error) {
	h.note(func(s *errands.State) {
		s.Over = true
		if err != nil {
			s.Error, s.Code = err.Error(), errandCode(err)
			return
		}
		text, err := json.Marshal(result)
		if err != nil {
			panic(err) // numbers and texts can be encoded
		}
		s.Result = text
	})
}

// errandCode is what an error is to programs.
func errandCode(err error) string {
	switch {
	case errors.Is(err, ErrBusy):
		return errands.CodeBusy
	case errors.Is(err, ErrKept):
		return errands.CodeTooSlow
	case errors.Is(err, errUnfit):
		return errands.CodeUnfit
	}
	if code := persistence.Code(err); code != "" {
		return code
	}
	return errands.CodeFailed
}

// feed is what an errand was given, until it has read it.
type feed struct {
	ctx  context.Context
	more chan struct{} // something has come

	mu     sync.Mutex
	pieces [][]byte
	bytes  int   // of them
	read   int64 // that were read, in all
	why    error // of its end; nil: more may come
}

func newFeed() *feed { return &feed{more: make(chan struct{}, 1)} }

// give adds a piece; false: there is no room for it.
func (f *feed) give(piece []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bytes+len(piece) > errands.AheadMax {
		return false
	}
	f.pieces = append(f.pieces, slices.Clone(piece))
	f.bytes += len(piece)
	f.wake()
	return true
}

func (f *feed) end(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.why == nil {
		f.why = why
	}
	f.wake()
}

func (f *feed) wake() {
	select {
	case f.more <- struct{}{}:
	default:
	}
}

func (f *feed) taken() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read
}

// Read waits for what comes; it ends with the errand.
func (f *feed) Read(p []byte) (int, error) {
	for {
		if n, err := f.next(p); n > 0 || err != nil {
			return n, err
		}
		select {
		case <-f.more:
		case <-f.ctx.Done():
			return 0, context.Cause(f.ctx)
		}
	}
}

func (f *feed) next(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pieces) == 0 {
		return 0, f.why
	}
	n := copy(p, f.pieces[0])
	if f.pieces[0] = f.pieces[0][n:]; len(f.pieces[0]) == 0 {
		f.pieces = f.pieces[1:]
	}
	f.bytes, f.read = f.bytes-n, f.read+int64(n)
	return n, nil
}
