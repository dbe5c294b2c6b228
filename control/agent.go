package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends/registry"
	"larder/control/controller"
	"larder/persistence/snapshot"
)

// Options say what an Agent works with. All fields but Metrics and Restorer must be given.
type Options struct {
	Cluster  string
	Fleet    Fleet
	Restorer Restorer // nil: the cluster is not restored into while it runs
	Store    snapshot.Store
	Registry registry.Store
	Snapshot SnapshotOptions
	Version  string // of Larder
	Log      *slog.Logger
	Metrics  *Metrics // nil: nobody looks at them
	Now      func() time.Time
	Sleep    func(ctx context.Context, d time.Duration) error
	Chance   *rand.Rand // the agent's own
}

// SnapshotOptions say how snapshots are taken.
type SnapshotOptions struct {
	Level       int                        // of zstd
	BytesPerSec int64                      // of a shard's RDB file; 0: as many as come
	Schedule    func() controller.Schedule // now; nil: none is taken by itself
}

// Agent looks after one cluster. Its methods may be called from any goroutine once Run has closed ready.
type Agent struct {
	o     Options
	tasks tasks
	jobs  sync.WaitGroup
	base  context.Context // of the tasks; it ends with the agent
	stop  context.CancelCauseFunc

	mu      sync.Mutex // of what follows
	state   controller.Snapshots
	taking  string // what is under way that excludes others: a snapshot that is taken, a restore
	stopped bool
	dropped []dropped // the oldest first

	telling sync.Mutex // of what follows; no other lock is taken while it is held
	events  []Event
}

const tickEvery = time.Second

var errAgentEnds = errors.New("the process ends")

// New makes an agent, which Run then runs.
func New(o Options) *Agent {
	if o.Metrics == nil {
		o.Metrics, _ = NewMetrics(prometheus.NewRegistry(), o.Now) // in a registry of its own no name is taken
	}
	a := &Agent{o: o}
	a.tasks = tasks{reg: o.Registry, prefix: "larder/clusters/" + o.Cluster + "/tasks/", now: o.Now, newID: a.newID, all: map[string]*job{}}
	a.base, a.stop = context.WithCancelCause(context.Background())
	return a
}

func (a *Agent) newID() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return fmt.Sprintf("%s-%08x", a.o.Now().UTC().Format("20060102t150405"), a.o.Chance.Uint32())
}

func (a *Agent) random() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.o.Chance.Uint64()
}

func (a *Agent) scheduleKey() string { return "larder/clusters/" + a.o.Cluster + "/snapshots/schedule" }

// start takes up what another process has left.
func (a *Agent) start(ctx context.Context) error {
	if err := a.tasks.load(ctx); err != nil {
		return err
	}
	if err := a.loadEvents(ctx); err != nil {
		return err
	}
	entry, err := a.o.Registry.Get(ctx, a.scheduleKey())
	switch {
	case errors.Is(err, registry.ErrNotFound):
	case err != nil:
		return fmt.Errorf("read the schedule: %w", err)
	default:
		if err := json.Unmarshal(entry.Value, &a.state); err != nil {
			return fmt.Errorf("read the schedule: %w", err)
		}
	}
	return nil
}

// tell tells the controller something and does what it answers.
func (a *Agent) tell(ctx context.Context, e controller.Event) {
	var schedule controller.Schedule
	if a.o.Snapshot.Schedule != nil {
		schedule = a.o.Snapshot.Schedule()
	}
	a.mu.Lock()
	var effects []controller.Effect
	a.state, effects = a.state.Step(a.o.Now(), schedule, e)
	state := a.state
	a.mu.Unlock()
	for _, effect := range effects {
		if err := a.do(ctx, effect, state); err != nil {
			a.o.Log.Warn("what is to be done could not be done now", "cluster", a.o.Cluster, "what", fmt.Sprintf("%T", effect), "error", err)
		}
	}
}

func (a *Agent) do(ctx context.Context, effect controller.Effect, state controller.Snapshots) error {
	switch e := effect.(type) {
	case controller.Take:
		switch _, err := a.create(e.Name, true); {
		case errors.Is(err, ErrBusy):
			a.tell(ctx, controller.Postponed(e))
		case err != nil:
			a.tell(ctx, controller.Failed{Name: e.Name, Why: err.Error()})
		}
	case controller.Delete:
		found, err := a.o.Store.Find(ctx, e.Name)
		if errors.Is(err, snapshot.ErrUnknown) {
			return nil
		}
		if err == nil {
			err = a.o.Store.Delete(ctx, found)
		}
		if err == nil {
			a.Report("snapshot-pruned", "automatic snapshot "+e.Name+" was deleted: there are newer ones")
		}
		return err
	case controller.Keep:
		text, err := json.Marshal(state)
		if err != nil {
			return err
		}
		return a.o.Registry.Put(ctx, a.scheduleKey(), text)
	case controller.Report:
		a.Report(e.Kind, e.Text)
	}
	return nil
}

// Tasks gives all tasks, the newest first.
func (a *Agent) Tasks() []Task { return a.tasks.list() }

// Task gives one: after it has ended, or when ctx has. Errors: ErrUnknown.
func (a *Agent) Task(ctx context.Context, id string) (Task, error) { return a.tasks.get(ctx, id) }

// Cancel stops one; it ends when it has cleaned up. Errors: ErrUnknown.
func (a *Agent) Cancel(id string) error { return a.tasks.stop(id) }
