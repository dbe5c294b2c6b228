package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"larder/control/controller"
	"larder/persistence/snapshot"
	"larder/router"
)

const (
	shardsAtOnce = 4 // that write a snapshot
	triesMax     = 3 // of a shard that gives up since writes were too fast, or copies of it are under way
	tryAgain     = 5 * time.Second
)

// Create takes a snapshot. Errors: ErrBusy, snapshot.ErrName; all else is the task's.
func (a *Agent) Create(name string) (Task, error) {
	if err := snapshot.CheckName(name); err != nil {
		return Task{}, err
	}
	return a.create(name, false)
}

// claim has no other snapshot be taken, and nothing else be restored, until over is called. Errors: ErrBusy.
func (a *Agent) claim(what string) (over func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.taking != "" {
		return nil, fmt.Errorf("%w: %s is under way; wait until it is done, or cancel it", ErrBusy, a.taking)
	}
	a.taking = what
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.taking = ""
	}, nil
}

func (a *Agent) create(name string, automatic bool) (Task, error) {
	what := "snapshot " + name
	if automatic {
		what = "automatic snapshot " + name
	}
	free, err := a.claim(what)
	if err != nil {
		return Task{}, err
	}
	a.o.Metrics.running.Set(1)
	over := func() {
		free()
		a.o.Metrics.running.Set(0)
	}
	task, err := a.begin("snapshot.create", name, "keys", func(ctx context.Context, j *job) (any, error) {
		m, err := a.take(ctx, j, name, automatic)
		over()
		a.taken(ctx, name, automatic, m, err)
		if err != nil {
			return nil, err
		}
		return m, nil
	})
	if err != nil {
		over()
	}
	return task, err
}

// taken tells who must know how a snapshot has ended.
func (a *Agent) taken(ctx context.Context, name string, automatic bool, m *snapshot.Manifest, err error) {
	switch {
	case err == nil:
		keys, raw, bytes := m.Totals()
		a.o.Metrics.stored.Inc()
		a.o.Metrics.newest(m)
		a.Report("snapshot-taken", fmt.Sprintf("snapshot %s is there: %d keys, %d bytes, compressed %d, in %s", name, keys, raw, bytes, m.Ended.Sub(m.Began).Round(time.Millisecond)))
	case !automatic && errors.Is(context.Cause(ctx), errCanceled):
		a.Report("snapshot-canceled", "snapshot "+name+" was canceled")
	case !automatic:
		a.Report("snapshot-failed", fmt.Sprintf("snapshot %s: %s", name, err))
	}
	if !automatic {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if err != nil {
		a.tell(ctx, controller.Failed{Name: name, Why: err.Error()})
		return
	}
	a.tell(ctx, controller.Taken{Name: name})
	a.relist(ctx) // what is known may be of a time when the store could not be seen; what is too many goes now
}

// relist looks again which snapshots there are, behind what has changed them. Where that fails, what was done is done: the next look tells.
func (a *Agent) relist(ctx context.Context) {
	if err := a.list(ctx); err != nil {
		a.o.Log.Warn("the snapshots cannot be listed now", "cluster", a.o.Cluster, "error", err)
	}
}

// take takes a snapshot, or leaves nothing of it.
func (a *Agent) take(ctx context.Context, j *job, name string, automatic bool) (*snapshot.Manifest, error) {
	if err := a.o.Store.Bucket.Check(ctx); err != nil {
		return nil, fmt.Errorf("snapshot %s was not begun: %w", name, err)
	}
	began := a.o.Now()
	folder, err := a.o.Store.Begin(ctx, name, began, a.random())
	if err != nil {
		return nil, err
	}
	if err := a.tasks.writes(ctx, j, folder); err != nil {
		return nil, fmt.Errorf("snapshot %s was not begun: %w", name, err)
	}
	m := &snapshot.Manifest{Format: snapshot.Format, Name: name, Cluster: a.o.Cluster, Automatic: automatic, Began: began, Larder: a.o.Version, Level: a.o.Snapshot.Level}
	if _, err = a.o.Store.Bucket.Put(ctx, begunIn(folder), strings.NewReader(name), nil); err == nil {
		err = a.shards(ctx, j, folder, m)
	}
	if err == nil { // who does not look after the cluster any more cannot note that, and finishes nothing: another one has removed it, or will
		err = a.tasks.writes(ctx, j, folder)
	}
	if err == nil {
		_ = a.o.Store.Bucket.Delete(ctx, begunIn(folder)) // it is small, and nobody minds it: a careful owner lets nobody delete
		m.Ended = a.o.Now()
		_, err = a.o.Store.Finish(ctx, folder, m)
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", name, a.drop(ctx, j, a.o.Store, folder, err))
	}
	a.tasks.cleared(j)
	return m, nil
}

// shards writes an object a shard.
func (a *Agent) shards(ctx context.Context, j *job, folder string, m *snapshot.Manifest) (err error) {
	if m.Parameters, m.Users, err = a.o.Fleet.Settings(ctx); err != nil {
		return err
	}
	topology := a.o.Fleet.Topology()
	m.Shards = make([]snapshot.Shard, len(topology.Shards))
	p := progress{tell: func(done, total int64) { a.tasks.progress(j, done, total) }, of: make([][2]int64, len(m.Shards))}
	return each(ctx, len(m.Shards), shardsAtOnce, func(ctx context.Context, i int) error {
		m.Shards[i].Slots = string(router.AppendRanges(nil, topology.Shards[i].Slots))
		taken, err := a.shard(ctx, folder, i, &m.Shards[i], func(of Progress) { p.note(i, of.Done, of.Total) })
		if err == nil {
			p.databases(taken.Databases, m)
		}
		return err
	})
}

// shard writes one, and tries again where that can help.
func (a *Agent) shard(ctx context.Context, folder string, i int, s *snapshot.Shard, told func(Progress)) (Taken, error) {
	for try := 1; ; try++ {
		to := Object{Begun: begunIn(folder), Folder: folder, Name: snapshot.ObjectName(i, try), Level: a.o.Snapshot.Level, BytesPerSec: a.o.Snapshot.BytesPerSec}
		var moved Progress
		taken, err := a.o.Fleet.Snapshot(ctx, i, to, func(p Progress) {
			a.o.Metrics.read.Add(float64(max(0, p.Raw-moved.Raw)))
			a.o.Metrics.uploaded.Add(float64(max(0, p.Bytes-moved.Bytes)))
			moved = p
			told(p)
		})
		if err == nil {
			*s = snapshot.Shard{
				Object: to.Name, Slots: s.Slots, Node: taken.Node, Replica: taken.Replica, At: taken.At, Keys: taken.Keys, Expiring: taken.Expiring, RDBVersion: snapshot.RDBVersion,
				ReplID: taken.ReplID, ReplOffset: taken.ReplOffset, RawBytes: taken.RawBytes, Bytes: taken.Bytes, SHA256: taken.SHA256,
			}
			return taken, nil
		}
		if try == triesMax || ctx.Err() != nil || !errors.Is(err, ErrKept) && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrLost) {
			return Taken{}, fmt.Errorf("shard %d: %w", i, err)
		}
		a.Report("snapshot-given-up", fmt.Sprintf("shard %d gave its snapshot up, and begins again: %s", i, err))
		if err := a.o.Sleep(ctx, tryAgain); err != nil {
			return Taken{}, err
		}
	}
}

// begunIn is the object by which whoever writes to a folder knows that it sees the store that was meant. It is there while a snapshot is taken.
func begunIn(folder string) string { return folder + "/begun" }

// progress adds up what shards tell.
type progress struct {
	tell func(done, total int64)

	mu sync.Mutex
	of [][2]int64
}

func (p *progress) note(shard int, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of[shard] = [2]int64{done, total}
	var sum [2]int64
	for _, one := range p.of {
		sum[0] += one[0]
		sum[1] += one[1]
	}
	p.tell(sum[0], sum[1])
}

func (p *progress) databases(n int, m *snapshot.Manifest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.Databases = max(m.Databases, n)
}

// Snapshots lists those of the cluster's store.
func (a *Agent) Snapshots(ctx context.Context) (list []*snapshot.Found, broken map[string]error, err error) {
	return a.o.Store.List(ctx)
}

// Snapshot gives one. Errors: snapshot.ErrUnknown.
func (a *Agent) Snapshot(ctx context.Context, name string) (*snapshot.Found, error) {
	return a.o.Store.Find(ctx, name)
}

// Delete removes a snapshot. Errors: snapshot.ErrUnknown.
func (a *Agent) Delete(ctx context.Context, name string) error {
	found, err := a.o.Store.Find(ctx, name)
	if err != nil {
		return err
	}
	if err := a.o.Store.Delete(ctx, found); err != nil {
		return err
	}
	a.Report("snapshot-deleted", "snapshot "+name+" was deleted")
	a.relist(ctx)
	return nil
}

// Verify reads a snapshot back. Errors: snapshot.ErrUnknown; all else is the task's.
func (a *Agent) Verify(ctx context.Context, name string) (Task, error) {
	found, err := a.o.Store.Find(ctx, name)
	if err != nil {
		return Task{}, err
	}
	_, _, total := found.Manifest.Totals()
	return a.begin("snapshot.verify", name, "bytes", func(ctx context.Context, j *job) (any, error) {
		v, err := a.o.Store.Verify(ctx, found, a.o.Now(), func(read int64) { a.tasks.progress(j, read, total) })
		if err != nil {
			return nil, err
		}
		return v, nil
	})
}

// Copy copies a snapshot to another store, which it closes then, or under another name. Errors: snapshot.ErrUnknown, snapshot.ErrName; all else is the task's.
func (a *Agent) Copy(ctx context.Context, name string, to snapshot.Store, as string) (Task, error) {
	if err := snapshot.CheckName(as); err != nil {
		return Task{}, err
	}
	found, err := a.o.Store.Find(ctx, name)
	if err != nil {
		return Task{}, err
	}
	_, _, total := found.Manifest.Totals()
	return a.begin("snapshot.copy", name, "bytes", func(ctx context.Context, j *job) (any, error) {
		if to.Bucket != a.o.Store.Bucket {
			defer to.Bucket.Close()
		}
		if err := to.Bucket.Check(ctx); err != nil {
			return nil, fmt.Errorf("copy snapshot %s: %w", name, err)
		}
		folder, err := to.Begin(ctx, as, a.o.Now(), a.random())
		if err != nil {
			return nil, fmt.Errorf("copy snapshot %s: %w", name, err)
		}
		if to.Bucket == a.o.Store.Bucket {
			if err := a.tasks.writes(ctx, j, folder); err != nil {
				return nil, err
			}
		} else if _, err := to.Sweep(ctx, a.o.Now().Add(-sweepAfter), nil); err != nil { // nobody else looks after that store
			return nil, fmt.Errorf("copy snapshot %s: %w", name, err)
		}
		copied, err := a.o.Store.Copy(ctx, found, to, folder, as, func(done int64) { a.tasks.progress(j, done, total) })
		if err != nil {
			return nil, fmt.Errorf("copy snapshot %s: %w", name, a.drop(ctx, j, to, folder, err))
		}
		a.tasks.cleared(j)
		if to.Bucket == a.o.Store.Bucket {
			a.relist(ctx)
		}
		return copied.Manifest, nil
	})
}

// Store is where the cluster's snapshots are.
func (a *Agent) Store() snapshot.Store { return a.o.Store }

// Object reads one of a snapshot's objects as it is. Errors: snapshot.ErrUnknown, persistence.ErrNotFound.
func (a *Agent) Object(ctx context.Context, name, object string) (io.ReadCloser, error) {
	found, err := a.o.Store.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	return a.o.Store.Object(ctx, found, object)
}
