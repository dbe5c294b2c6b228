package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"larder/persistence/inspect"
	"larder/persistence/rdb"
	"larder/router"
)

// A cluster that runs is filled from RDB files in two passes. The first reads everything: sums are compared, every key is decoded, and it is counted whose the
// keys are and what they take; until it has ended, and each node has said that it can take its share, nothing has changed. The second cuts the files by shard
// while it reads them once more. What goes wrong there leaves a part; run again with Replace, it comes to the same end.

// ErrNotEmpty is what a restore gives where the cluster has keys and it is not said that they may be replaced.
var ErrNotEmpty = errors.New("the cluster is not empty")

// Restorer is what a cluster must have that can be restored into while it runs.
type Restorer interface {
	// Original opens what users call from: names of snapshots, folders, files. Errors: snapshot.ErrUnknown, persistence.ErrInvalid.
	Original(ctx context.Context, from []string) (*Original, error)
	// Survey looks whether a shard's primary can take keys and libraries in, and what it has of those that are selected.
	Survey(ctx context.Context, shard int, of router.Selection, libraries []string) (Survey, error)
	// Discard removes the selected keys of a shard.
	Discard(ctx context.Context, shard int, of router.Selection) (int64, error)
	// Intake puts an RDB file's keys into a shard, in place of others of their names, and with functions its libraries. It closes in, which tells whoever writes
	// there that no more is taken.
	Intake(ctx context.Context, shard int, in *io.PipeReader, functions bool) (Intake, error)
}

// Original is RDB files that a cluster is to be filled with.
type Original struct {
	Name  string // for people
	Files []OriginalFile
	Apart bool // no key is in two of them, so that some can be read at once
}

// OriginalFile is one of them.
type OriginalFile struct {
	Name  string
	Bytes int64 // decompressed, as far as is known
	Open  func(ctx context.Context) (io.ReadCloser, error)
}

// Survey is what a shard has of selected keys.
type Survey struct {
	Keys, Selected, Bytes, Used, MaxMemory int64 // Bytes are what the selected take, Used what all do
	Databases                              int
}

// Intake is what a shard has taken in, and what it has left out because its time was over.
type Intake struct{ Taken, Expired int64 }

// Restore says what is restored.
type Restore struct {
	From     []string
	Replace  bool
	Selected router.Selection
}

// Restored is what came of it.
type Restored struct {
	From     string `json:"from"`
	Selected string `json:"selected"`
	Shards   int    `json:"shards"`
	Keys     int64  `json:"keys"`    // that were put in
	Expired  int64  `json:"expired"` // that were left out: their time was over
	Removed  int64  `json:"removed"` // that were there before
	Raw      int64  `json:"raw_bytes"`
}

// restoring is one under way.
type restoring struct {
	a    *Agent
	r    Restorer
	j    *job
	want Restore
	from *Original
	to   *router.Topology

	read      atomic.Int64 // bytes of both passes
	total     atomic.Int64
	libraries []string
	plan      [][]share // of a file: what each shard has in it
	highest   int       // database
	changed   atomic.Bool
	done      Restored
	took      []Intake // by shard; a shard's files are added up under its lock
}

// share is what a shard is to get of a file.
type share struct{ keys, bytes int64 }

// Restore fills the running cluster. Errors: ErrBusy, those of Restorer.Original; all else is the task's.
func (a *Agent) Restore(ctx context.Context, want Restore) (Task, error) {
	if a.o.Restorer == nil {
		return Task{}, fmt.Errorf("restore: %w: this cluster can only be restored when it starts (--restore)", errors.ErrUnsupported)
	}
	from, err := a.o.Restorer.Original(ctx, want.From)
	if err != nil {
		return Task{}, err
	}
	over, err := a.claim("restore of " + from.Name)
	if err != nil {
		return Task{}, err
	}
	task, err := a.begin(kindRestore, from.Name, "bytes", func(ctx context.Context, j *job) (any, error) {
		r := &restoring{a: a, r: a.o.Restorer, j: j, want: want, from: from, to: a.o.Fleet.Topology()}
		err := r.run(ctx)
		over()
		r.tell(ctx, err)
		if err != nil {
			return nil, err
		}
		return r.done, nil
	})
	if err != nil {
		over()
	}
	return task, err
}

// kindRestore is the task's.
const kindRestore = "snapshot.restore"

func (r *restoring) tell(ctx context.Context, err error) {
	switch {
	case err == nil:
		r.a.Report("snapshot-restored", fmt.Sprintf("%s of %s are restored: %d keys in %d shards", &r.want.Selected, r.from.Name, r.done.Keys, r.done.Shards))
	case errors.Is(context.Cause(ctx), errCanceled):
		r.a.Report("snapshot-restore-canceled", err.Error())
	default:
		r.a.Report("snapshot-restore-failed", err.Error())
	}
}

func (r *restoring) run(ctx context.Context) error {
	for i := range r.from.Files {
		r.total.Add(2 * r.from.Files[i].Bytes)
	}
	r.took = make([]Intake, len(r.to.Shards))
	r.done = Restored{From: r.from.Name, Selected: r.want.Selected.String(), Shards: len(r.to.Shards)}
	err := r.survey(ctx, nil) // what refuses in a moment is not to refuse after an hour
	if err == nil {
		err = r.examine(ctx)
	}
	if err == nil {
		err = r.survey(ctx, r.shares())
	}
	if err == nil {
		err = r.fill(ctx)
	}
	switch {
	case err == nil:
	case r.changed.Load():
		return fmt.Errorf("restore of %s ended midway: %w; what it had done is done: %s are partly as the snapshot has them, partly missing or as they were. "+
			"Run it again with --replace: it begins anew and comes to the same end", r.from.Name, err, &r.want.Selected)
	default:
		return fmt.Errorf("restore of %s: nothing was changed: %w", r.from.Name, err)
	}
	r.read.Store(r.total.Load()) // what is behind a file's keys nobody reads twice
	r.progress()
	for _, t := range r.took {
		r.done.Keys, r.done.Expired = r.done.Keys+t.Taken, r.done.Expired+t.Expired
	}
	return nil
}

// survey asks each shard whether it can take its share; nil: whether it could take any.
func (r *restoring) survey(ctx context.Context, shares []share) error {
	var keys int64
	for i := range r.to.Shards {
		var libraries []string
		if r.want.Selected.All() {
			libraries = r.libraries
		}
		have, err := r.r.Survey(ctx, i, r.want.Selected, libraries)
		if err != nil {
			return fmt.Errorf("shard %d: %w", i, err)
		}
		keys += have.Keys
		if r.highest >= have.Databases {
			return fmt.Errorf("shard %d: keys of database %d are selected, and it has %d databases: start it with more (databases), or select others (--db)", i, r.highest, have.Databases)
		}
		if shares == nil || have.MaxMemory == 0 {
			continue
		}
		stays := have.Used
		if r.want.Replace {
			stays -= have.Bytes
		}
		if stays+shares[i].bytes > have.MaxMemory {
			return fmt.Errorf("shard %d: there is no room: %d bytes are to come, %d stay, and maxmemory is %d: raise it, take more shards, or select less", i, shares[i].bytes, max(stays, 0), have.MaxMemory)
		}
	}
	if keys > 0 && !r.want.Replace {
		return fmt.Errorf("%w: it has %d keys, and a restore overwrites nothing by itself. Say --replace to have %s replaced by what the snapshot has, or empty the cluster before (FLUSHALL)",
			ErrNotEmpty, keys, &r.want.Selected)
	}
	return nil
}

// shares adds up what each shard is to get.
func (r *restoring) shares() []share {
	sum := make([]share, len(r.to.Shards))
	for _, of := range r.plan {
		for i, s := range of {
			sum[i].keys, sum[i].bytes = sum[i].keys+s.keys, sum[i].bytes+s.bytes
		}
	}
	return sum
}

// examine reads all files: the first pass.
func (r *restoring) examine(ctx context.Context) error {
	r.plan = make([][]share, len(r.from.Files))
	var raw int64
	for i, f := range r.from.Files {
		r.plan[i] = make([]share, len(r.to.Shards))
		n, err := r.examineFile(ctx, f, r.plan[i])
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		raw += n
	}
	r.total.Store(2 * raw)
	r.read.Store(raw)
	r.progress()
	r.done.Raw = raw
	return nil
}

func (r *restoring) examineFile(ctx context.Context, f OriginalFile, plan []share) (raw int64, err error) {
	in, err := f.Open(ctx)
	if err != nil {
		return 0, err
	}
	before := r.read.Load()
	found, wrong := inspect.Walk(in, inspect.Options{
		Now:      r.a.o.Now(),
		Progress: func(n int64) { r.read.Store(before + n); r.progress() },
		Library: func(code string) {
			if !slices.Contains(r.libraries, code) {
				r.libraries = append(r.libraries, code)
			}
		},
	}, func(e *rdb.Entry) error { return r.count(ctx, e, plan) })
	_, rest := io.Copy(io.Discard, in) // sums say more than what the reader of RDB makes of changed bytes
	if err = errors.Join(rest, in.Close()); err == nil {
		err = wrong
	}
	return found.Bytes, err
}

// count notes whose a key is, and refuses what no node could take.
func (r *restoring) count(ctx context.Context, e *rdb.Entry, plan []share) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !r.want.Selected.Has(e.DB, e.Key) {
		return nil
	}
	if e.Module != "" {
		return fmt.Errorf("key %.64q is data of the module %s, which Larder does not have: delete such keys where they are and save again, or select others", e.Key, e.Module)
	}
	shard := r.to.ShardOf(e.Key)
	if shard == router.Nobody {
		return fmt.Errorf("no shard has the slot of key %.64q", e.Key)
	}
	r.highest = max(r.highest, e.DB)
	plan[shard].keys++
	plan[shard].bytes += e.Size
	return nil
}

func (r *restoring) progress() { r.a.tasks.progress(r.j, r.read.Load(), r.total.Load()) }

// fill is the second pass.
func (r *restoring) fill(ctx context.Context) error {
	if r.want.Replace {
		for i := range r.to.Shards {
			r.changed.Store(true)
			n, err := r.r.Discard(ctx, i, r.want.Selected)
			r.done.Removed += n
			if err != nil {
				return fmt.Errorf("shard %d: %w", i, err)
			}
		}
	}
	atOnce := 1
	if r.from.Apart {
		atOnce = shardsAtOnce
	}
	return each(ctx, len(r.from.Files), atOnce, func(ctx context.Context, i int) error {
		f := r.from.Files[i]
		if err := r.fillFrom(ctx, f, r.plan[i]); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		return nil
	})
}

// progressEvery is how often the second pass tells how far it is.
const progressEvery = 200 * time.Millisecond
