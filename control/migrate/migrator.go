package migrate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"larder/backends/registry"
)

// Request says what is to be migrated.
type Request struct {
	From     string `json:"from"`               // the source's address, with its password; it is kept nowhere
	Password string `json:"password,omitempty"` // where From has none
	By       string `json:"by"`                 // replication or scan; empty: replication
	Replace  bool   `json:"replace"`            // what the cluster has is deleted
	Scan
}

// Scan is what is asked of the way by scan alone.
type Scan struct {
	Notifications string `json:"notifications,omitempty"` // how changes are heard of: ask, assume or none; empty: ask
	Rate          int    `json:"rate,omitempty"`          // keys a second that are read of the source; 0 = as many as there can be
}

// State says where a migration is.
type State string

// The states. All but Running are for good.
const (
	Running State = "running"
	Done    State = "done" // cut over
	Failed  State = "failed"
	Aborted State = "aborted"
)

// Migration is one under way, or over.
type Migration struct {
	ID     string     `json:"id"`
	From   string     `json:"from"` // without its password
	By     string     `json:"by"`
	State  State      `json:"state"`
	Began  time.Time  `json:"began"`
	Ended  *time.Time `json:"ended,omitempty"`
	Status Status     `json:"status"`
	Cut    *Cut       `json:"cut,omitempty"`
	Held   *time.Time `json:"held_until,omitempty"` // the source stays paused until then
	Error  string     `json:"error,omitempty"`
}

// record is what is kept of a migration.
type record struct {
	Migration
	Address string `json:"address,omitempty"` // by which it can go on in another process: only one that needs no password
	Scan
}

// Options say what a Migrator works with. All fields must be given.
type Options struct {
	Cluster  string
	Registry registry.Store
	// Way makes the way that a request asks for, and gives its address as it may be shown, and whether that is all that is needed. Errors: ErrRequest.
	Way    func(r Request) (way Way, shown string, whole bool, err error)
	Keys   func(ctx context.Context) (int64, error) // that the cluster has
	Empty  func(ctx context.Context) error          // deletes them
	Report func(kind, text string)
	Log    *slog.Logger
	Now    func() time.Time
	NewID  func() string
}

// What callers decide on, by errors.Is.
var (
	ErrRequest = errors.New("this cannot be asked for")
	ErrUnknown = errors.New("there is no such migration")
	ErrBusy    = errors.New("a migration is under way")
	ErrNotNow  = errors.New("not now")
	ErrFull    = errors.New("the cluster has keys")
)

// checker is a Way that can look at its source before anything begins.
type checker interface {
	Check(ctx context.Context) error
}

// releaser is a Way that can let the source write again after a cutover.
type releaser interface {
	Release(ctx context.Context) error
}

// Migrator looks after the migrations into a cluster, one at a time. Its methods may be called from any goroutine once Run has closed ready.
type Migrator struct {
	o    Options
	base context.Context // of what is under way
	stop context.CancelFunc
	jobs sync.WaitGroup

	mu      sync.Mutex // of what follows
	last    *record    // the newest
	way     Way        // its way; nil: this process knows none
	end     context.CancelCauseFunc
	ended   chan struct{} // closed when its way has
	busy    bool          // one is being begun, or the source of the last let go
	stopped bool
}

// NewMigrator makes one, which Run then runs.
func NewMigrator(o Options) *Migrator {
	m := &Migrator{o: o}
	m.base, m.stop = context.WithCancel(context.Background())
	return m
}

func (m *Migrator) key() string { return "larder/clusters/" + m.o.Cluster + "/migration" }

// errAborted ends a migration that somebody has given up.
var errAborted = errors.New("aborted")

// load takes up what another process has left. What can go on without a password goes on.
func (m *Migrator) load(ctx context.Context) error {
	entry, err := m.o.Registry.Get(ctx, m.key())
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the migration: %w", err)
	}
	r := &record{}
	if err := json.Unmarshal(entry.Value, r); err != nil {
		return fmt.Errorf("read the migration: %w", err)
	}
	m.last = r
	if r.State != Running {
		return nil
	}
	way, _, _, err := m.o.Way(Request{From: r.Address, By: r.By, Replace: true, Scan: r.Scan})
	if r.Address != "" && err == nil {
		m.o.Report("migration-anew", "the migration from "+r.From+" begins anew: the process that did it ended")
		m.launch(r, way)
		return nil
	}
	m.over(ctx, r, Failed, "the process that did it ended, and the source's password is kept nowhere: begin it again, with --replace")
	return nil
}

func (m *Migrator) keep(ctx context.Context, r record) {
	if r.State != Running { // nobody goes on with it
		r.Address = ""
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = m.o.Registry.Put(ctx, m.key(), text)
	}
	if err != nil {
		m.o.Log.Warn("the migration's state could not be kept", "cluster", m.o.Cluster, "error", err)
	}
}

// over notes how a migration has ended.
func (m *Migrator) over(ctx context.Context, r *record, state State, why string) {
	m.mu.Lock()
	ended := m.o.Now()
	r.State, r.Ended, r.Error = state, &ended, why
	if m.way != nil && m.last == r {
		r.Status = m.way.Status()
	}
	kept := *r
	m.mu.Unlock()
	m.keep(ctx, kept)
	text := "the migration from " + r.From + " is over: " + string(state)
	if why != "" {
		text += ": " + why
	}
	m.o.Report("migration-"+string(state), text)
}

// Start begins a migration. Errors: ErrRequest, ErrBusy, ErrFull, and what the source says.
func (m *Migrator) Start(ctx context.Context, want Request) (Migration, error) {
	m.mu.Lock()
	if m.busy || m.stopped || m.last != nil && m.last.State == Running {
		m.mu.Unlock()
		return Migration{}, fmt.Errorf("%w: larder migrate status shows it, larder migrate abort ends it", ErrBusy)
	}
	m.busy = true
	m.mu.Unlock()
	defer m.idle()
	if want.By == "" {
		want.By = "replication"
	}
	way, shown, whole, err := m.o.Way(want)
	if err != nil {
		return Migration{}, err
	}
	if c, ok := way.(checker); ok {
		if err := c.Check(ctx); err != nil {
			return Migration{}, fmt.Errorf("%w: %w", ErrRequest, err)
		}
	}
	keys, err := m.o.Keys(ctx)
	if err != nil {
		return Migration{}, err
	}
	if keys > 0 && !want.Replace {
		return Migration{}, fmt.Errorf("%w: %d of them, which a migration would mix with the source's: --replace deletes them first", ErrFull, keys)
	}
	if keys > 0 {
		if err := m.o.Empty(ctx); err != nil {
			return Migration{}, err
		}
	}
	r := &record{Migration: Migration{ID: m.o.NewID(), From: shown, By: want.By, State: Running, Began: m.o.Now()}, Scan: want.Scan}
	if whole {
		r.Address = want.From
	}
	m.keep(ctx, *r)
	m.o.Report("migration-began", "migration from "+shown+" by "+want.By)
	m.mu.Lock()
	m.last = r
	m.mu.Unlock()
	m.launch(r, way)
	return m.Get(r.ID)
}

// List gives the newest migration, if there was one.
func (m *Migrator) List() []Migration {
	list := []Migration{}
	if one, err := m.Get(Current); err == nil {
		list = append(list, one)
	}
	return list
}

// Current stands for the newest migration's id.
const Current = "current"

// Get tells of one. Errors: ErrUnknown.
func (m *Migrator) Get(id string) (Migration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last == nil || id != Current && m.last.ID != id {
		return Migration{}, fmt.Errorf("%w: %q", ErrUnknown, id)
	}
	if m.way != nil && m.last.State == Running {
		m.last.Status = m.way.Status()
	}
	return m.last.Migration, nil
}

// running is the migration that can be told something.
func (m *Migrator) running(id string) (*record, Way, error) {
	one, err := m.Get(id)
	if err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if one.State != Running || m.way == nil {
		return m.last, m.way, fmt.Errorf("%w: the migration is %s", ErrNotNow, one.State)
	}
	return m.last, m.way, nil
}

// cutoverTime is how long a cutover may take if nothing is said.
const cutoverTime = 30 * time.Second

// Cutover has a migration cut over. Errors: ErrUnknown, ErrNotNow, ErrBehind and what the servers say; then it goes on.
func (m *Migrator) Cutover(ctx context.Context, id string, o CutoverOptions) (Migration, error) {
	r, way, err := m.running(id)
	if err != nil {
		return Migration{}, err
	}
	if o.Timeout <= 0 {
		o.Timeout = cutoverTime
	}
	cut, err := way.Cutover(ctx, o)
	if err != nil {
		m.o.Report("migration-cutover-failed", "the cutover from "+r.From+" was not done: "+err.Error())
		return Migration{}, err
	}
	m.mu.Lock()
	r.Cut = &cut
	if !o.NoPause {
		held := m.o.Now().Add(o.Hold)
		r.Held = &held
	}
	ended := m.ended
	m.mu.Unlock()
	<-ended
	m.over(context.WithoutCancel(ctx), r, Done, "")
	return m.Get(r.ID)
}

// release lets the source of a migration that is cut over write again, if it is held. Meanwhile none can begin, whose record would be overwritten.
func (m *Migrator) release(ctx context.Context, r *record, way Way) (released bool, err error) {
	rel, ok := way.(releaser)
	m.mu.Lock()
	held := ok && !m.busy && m.last == r && r.State == Done && r.Held != nil && m.o.Now().Before(*r.Held)
	m.busy = m.busy || held
	m.mu.Unlock()
	if !held {
		return false, nil
	}
	defer m.idle()
	if err := rel.Release(ctx); err != nil {
		return false, err
	}
	m.mu.Lock()
	r.Held = nil
	kept := *r
	m.mu.Unlock()
	m.keep(context.WithoutCancel(ctx), kept)
	m.o.Report("migration-released", "the source "+r.From+" may write again after the cutover")
	return true, nil
}

// idle ends what made the migrator busy.
func (m *Migrator) idle() {
	m.mu.Lock()
	m.busy = false
	m.mu.Unlock()
}

// Abort ends a migration; what the cluster has got by then stays. After a cutover it lets the source write again. Errors: ErrUnknown, ErrNotNow.
func (m *Migrator) Abort(ctx context.Context, id string) (Migration, error) {
	r, way, err := m.running(id)
	switch {
	case errors.Is(err, ErrUnknown):
		return Migration{}, err
	case err != nil:
		released, wrong := m.release(ctx, r, way)
		if !released {
			return Migration{}, cmp.Or(wrong, err)
		}
		return m.Get(r.ID)
	}
	m.mu.Lock()
	end, ended := m.end, m.ended
	m.mu.Unlock()
	end(errAborted)
	<-ended
	return m.Get(r.ID)
}
