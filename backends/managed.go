package backends

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"larder/router"
)

// State is what a node says of itself and of its shard (docs/formats/shard.md, LARDER STATE).
type State struct {
	Run                 router.Run
	Role                string
	Record              *router.Record // the newest that it knows; nil: none
	Promised, Reign     uint64         // the epoch of its last promise; the reign of its data
	Executed, Committed int64
	Loaded, Following   bool
	Confirmed           []router.Run // who joins and has what it needs
	Followers           []router.Run // who acknowledges
	Acked               []int64      // up to where, each of Followers
	Clock               time.Time    // its wall clock; zero: it does not say
}

// Managed gives managed nodes their orders. It keeps a connection to each that it has asked lately. Any goroutine.
type Managed struct {
	auth Auth

	mu     sync.Mutex
	idle   map[string]*Admin
	closed bool
}

// NewManaged makes one. Whoever makes it closes it.
func NewManaged(auth Auth) *Managed { return &Managed{auth: auth, idle: map[string]*Admin{}} }

// idleMax is how many connections are kept: some for each node of a large fleet.
const idleMax = 4096

// Close closes what is kept.
func (m *Managed) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for _, a := range m.idle {
		_ = a.Close()
	}
	clear(m.idle)
}

// do says one command to a node. One that is kept may have been closed by a node that was started again, so after a failure on such a one it is said once more:
// what is said here may be said twice.
func (m *Managed) do(ctx context.Context, addr string, words ...string) (Reply, error) {
	m.mu.Lock()
	kept := m.idle[addr]
	delete(m.idle, addr)
	m.mu.Unlock()
	if kept != nil {
		reply, err := kept.Do(ctx, words...)
		if m.keep(addr, kept, err) || ctx.Err() != nil {
			return reply, err
		}
	}
	fresh, err := Dial(ctx, addr, m.auth)
	if err != nil {
		return Reply{}, err
	}
	reply, err := fresh.Do(ctx, words...)
	m.keep(addr, fresh, err)
	return reply, err
}

// keep keeps a connection that is of further use, and tells whether it was.
func (m *Managed) keep(addr string, a *Admin, err error) bool {
	refused := (*Refused)(nil)
	usable := err == nil || errors.As(err, &refused)
	m.mu.Lock()
	defer m.mu.Unlock()
	if usable && !m.closed && m.idle[addr] == nil {
		if len(m.idle) >= idleMax {
			m.dropOne()
		}
		m.idle[addr] = a
		return true
	}
	_ = a.Close()
	return usable
}

// dropOne makes room: nodes come and go, and nobody says here which are gone.
func (m *Managed) dropOne() {
	for addr, a := range m.idle {
		_ = a.Close()
		delete(m.idle, addr)
		return
	}
}

// Show gives a node a record as an order. That it knows a newer one is no error: its State shows it.
func (m *Managed) Show(ctx context.Context, addr string, record *router.Record, places []string) error {
	_, err := m.do(ctx, addr, append([]string{"LARDER", "RECORD", record.Line()}, places...)...)
	if refused := (*Refused)(nil); errors.As(err, &refused) && strings.HasPrefix(refused.Text, "STALE ") {
		return nil
	}
	return err
}

// Promise asks a member to promise an election; exited are runs that are known to have ended. That it has not yet, or knows a newer record, is no error: its
// State shows it.
func (m *Managed) Promise(ctx context.Context, addr string, record *router.Record, exited []router.Run) error {
	words := []string{"LARDER", "PROMISE", record.Line()}
	if len(exited) > 0 {
		words = append(words, "EXITED")
	}
	for _, run := range exited {
		words = append(words, run.String())
	}
	_, err := m.do(ctx, addr, words...)
	if refused := (*Refused)(nil); errors.As(err, &refused) && (strings.HasPrefix(refused.Text, "STALE ") || strings.HasPrefix(refused.Text, "LOADING ")) {
		return nil
	}
	return err
}

// State asks a node how it is.
func (m *Managed) State(ctx context.Context, addr string) (State, error) {
	reply, err := m.do(ctx, addr, "LARDER", "STATE")
	if err != nil {
		return State{}, err
	}
	s, err := stateOf(reply)
	if err != nil {
		return State{}, fmt.Errorf("state of node %s: %w", addr, err)
	}
	return s, nil
}

// Set sets one parameter of a node.
func (m *Managed) Set(ctx context.Context, addr, name, value string) error {
	_, err := m.do(ctx, addr, "CONFIG", "SET", name, value)
	return err
}

// stateOf reads the map. What it does not know it passes over: a newer node says more.
func stateOf(reply Reply) (s State, err error) {
	if len(reply.List)%2 != 0 || len(reply.List) == 0 {
		return s, fmt.Errorf("%d values: want a map", len(reply.List))
	}
	var failed []error
	note := func(err error) { failed = append(failed, err) }
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		note(err)
		return n
	}
	runs := func(list []Reply, stride int) (runs []router.Run) {
		for i := 0; i < len(list); i += stride {
			run, err := router.ParseRun(list[i].Text)
			note(err)
			runs = append(runs, run)
		}
		return runs
	}
	for i := 0; i < len(reply.List); i += 2 {
		switch value := reply.List[i+1]; reply.List[i].Text {
		case "run":
			s.Run, err = router.ParseRun(value.Text)
			note(err)
		case "role":
			s.Role = value.Text
		case "record":
			if value.Text != "" {
				s.Record, err = router.ParseRecord(value.Text)
				note(err)
			}
		case "promised":
			s.Promised = uint64(number(value.Text))
		case "reign":
			s.Reign = uint64(number(value.Text))
		case "clock":
			s.Clock = time.UnixMilli(number(value.Text))
		case "executed":
			s.Executed = number(value.Text)
		case "committed":
			s.Committed = number(value.Text)
		case "loaded":
			s.Loaded = value.Text == "1"
		case "following":
			s.Following = value.Text == "1"
		case "confirmed":
			s.Confirmed = runs(value.List, 1)
		case "followers": // each with its offset
			s.Followers = runs(value.List, 2)
			for i := range value.List {
				if i%2 == 1 {
					s.Acked = append(s.Acked, number(value.List[i].Text))
				}
			}
			if len(s.Acked) != len(s.Followers) {
				note(errors.New("a follower has no offset"))
			}
		}
	}
	if s.Run.Node == "" {
		note(errors.New("it has no run"))
	}
	return s, errors.Join(failed...)
}
