package control_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends/registry/embedded"
	"larder/control"
	"larder/control/controller"
	"larder/persistence"
	"larder/persistence/dir"
	"larder/persistence/snapshot"
)

// dies leaves in a registry and a store what a process leaves that is killed amid a task.
func dies(t *testing.T, registry, store, folder string, files ...string) {
	t.Helper()
	reg, err := embedded.Open(registry)
	if err != nil {
		t.Fatal(err)
	}
	task := fmt.Sprintf(`{"id":%q,"kind":"snapshot.create","subject":"one","state":"running","folder":%q}`, folder, folder)
	if err := errors.Join(reg.Put(t.Context(), "larder/clusters/main/tasks/"+folder, []byte(task)), reg.Close(), os.MkdirAll(filepath.Join(store, folder), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if err := os.WriteFile(filepath.Join(store, folder, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *bed) eventually(what string, ok func() bool) {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatal(what, ": never; events", b.Events(), "files", b.files())
		}
	}
}

func (b *bed) told(kind string) bool {
	return slices.ContainsFunc(b.Events(), func(e control.Event) bool { return e.Kind == kind })
}

// TestKilled: what a process that was killed has left is removed at the next start at once, whole objects and halves, and what it had finished stays and is told
// as done. What others write is not touched.
func TestKilled(t *testing.T) {
	folder := t.TempDir()
	const half, whole, other = "one-20261130t120000-aaaaaa", "two-20261130t120000-bbbbbb", "new-20261130t120000-cccccc"
	var path string
	b := start(t, &fleet{}, folder, nil)
	path = b.path
	if task, err := b.Create("good"); err != nil || b.ends(task.ID).State != control.TaskDone {
		t.Fatal(task, err)
	}
	b.stop()
	dies(t, folder, path, half, "shard-0000.rdb.zst", ".put-shard-0001.rdb.zst.ABC")
	dies(t, folder, path, whole, "shard-0000.rdb.zst", "manifest.json")
	if err := errors.Join(os.MkdirAll(filepath.Join(path, other), 0o700), os.WriteFile(filepath.Join(path, other, "shard-0000.rdb.zst"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	next := startAt(t, &fleet{}, folder, path, nil)
	next.eventually("what was left is removed", func() bool { return next.told("snapshot-swept") && next.ends(whole).State == control.TaskDone })
	if task := next.ends(half); task.State != control.TaskFailed || task.Folder != "" {
		t.Error(task)
	}
	if _, err := os.Stat(filepath.Join(path, half)); !errors.Is(err, os.ErrNotExist) {
		t.Error("there is left", next.files(), err)
	}
	if left := len(next.files()); left != 3+2+1 {
		t.Error("there are", next.files())
	}
	if !next.told("snapshot-taken") {
		t.Error("what the process before reported is forgotten:", next.Events())
	}
}

// wrong is a store with a fault.
type wrong struct {
	persistence.Bucket
	err error
}

func (w wrong) Check(context.Context) error { return w.err }

// TestCodes: what is wrong with the store is told before anything begins, with a code for programs.
func TestCodes(t *testing.T) {
	for err, code := range map[error]string{
		persistence.ErrNoBucket: "store-bucket", persistence.ErrCredentials: "store-credentials", persistence.ErrClock: "store-clock", persistence.ErrRegion: "store-region",
		persistence.ErrDenied: "store-denied", persistence.ErrFull: "store-full", persistence.ErrKey: "store-key", persistence.ErrUnavailable: "store",
		errors.New("of no kind"): "failed",
	} {
		began := make(chan struct{}, 9)
		b := start(t, &fleet{began: began, waits: make(chan struct{})}, t.TempDir(), func(o *control.Options) { o.Store.Bucket = wrong{o.Store.Bucket, fmt.Errorf("here: %w", err)} })
		task, failed := b.Create("one")
		if failed != nil {
			t.Fatal(failed)
		}
		task = b.ends(task.ID)
		if task.State != control.TaskFailed || task.Code != code || !strings.Contains(task.Error, "was not begun") || len(began) > 0 || len(b.files()) > 0 {
			t.Errorf("%v: %+v, %v", err, task, b.files())
		}
	}
}

// values are those of metrics that have one, by name and, where there are some, the kind.
func values(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			all[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return all
}

// TestMetrics: what alarms are made of. They know at the next start what is in the store.
func TestMetrics(t *testing.T) {
	folder := t.TempDir()
	now := time.Now()
	measured := func(reg *prometheus.Registry) func(*control.Options) {
		return func(o *control.Options) {
			var err error
			if o.Metrics, err = control.NewMetrics(reg, func() time.Time { return now.Add(time.Hour) }); err != nil {
				t.Fatal(err)
			}
			o.Now = func() time.Time { return now }
		}
	}
	reg := prometheus.NewRegistry()
	b := start(t, &fleet{fails: []error{control.ErrKept}}, folder, measured(reg))
	if got := values(t, reg); !math.IsInf(got["larder_snapshot_age_seconds"], 1) || got["larder_control_events_total snapshot-failed"] != 0 {
		t.Error(got)
	}
	for _, name := range []string{"one", "one", "two"} {
		task, err := b.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		b.ends(task.ID)
	}
	got := values(t, reg)
	for name, want := range map[string]float64{
		"larder_control_events_total snapshot-taken": 2, "larder_control_events_total snapshot-failed": 1, "larder_control_events_total snapshot-given-up": 1,
		"larder_snapshot_running": 0, "larder_snapshot_stored": 2,
	} {
		if got[name] != want {
			t.Errorf("%s: %v, want %v", name, got[name], want)
		}
	}
	if age := got["larder_snapshot_age_seconds"]; age < 3599 || age > 3601 {
		t.Error("age", age)
	}
	for _, name := range []string{"larder_snapshot_read_bytes_total", "larder_snapshot_uploaded_bytes_total", "larder_snapshot_last_bytes", "larder_snapshot_last_raw_bytes", "larder_snapshot_last_ratio"} {
		if got[name] <= 0 {
			t.Errorf("%s: %v", name, got[name])
		}
	}
	b.stop()
	again := prometheus.NewRegistry()
	next := startAt(t, &fleet{}, folder, b.path, measured(again))
	next.eventually("the store is listed", func() bool { return values(t, again)["larder_snapshot_stored"] == 2 })
	if was := got["larder_snapshot_last_raw_bytes"]; values(t, again)["larder_snapshot_last_raw_bytes"] != was {
		t.Error(values(t, again))
	}
	for _, name := range []string{"one", "two"} {
		if err := next.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if age := values(t, again)["larder_snapshot_age_seconds"]; !math.IsInf(age, 1) {
		t.Error("without any, the age is", age)
	}
}

// TestAutomaticWaits: an automatic snapshot that is due while somebody takes one waits, which is no failure; and while one is taken, who asks for another is told.
func TestAutomaticWaits(t *testing.T) {
	folder := t.TempDir()
	reg, err := embedded.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(reg.Put(t.Context(), "larder/clusters/main/snapshots/schedule", []byte(`{"window":"2026-11-29T03:00:00Z"}`)), reg.Close()); err != nil {
		t.Fatal(err)
	}
	window, err := controller.ParseWindow("03:00-05:00")
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{waits: make(chan struct{}), began: make(chan struct{}, 4)}
	clock := time.Date(2026, 11, 30, 4, 0, 0, 0, time.UTC)
	began := time.Now()
	var asked atomic.Int64 // how often for the time
	b := start(t, f, folder, func(o *control.Options) {
		o.Snapshot.Schedule = func() controller.Schedule { return controller.Schedule{Window: window, Retain: 1} }
		o.Now = func() time.Time {
			asked.Add(1)
			return clock.Add(100 * time.Since(began)) // a minute is 0.6 s
		}
	})
	task, err := b.Create("mine")
	if err != nil {
		t.Fatal(err)
	}
	<-f.began
	<-f.began
	from := asked.Load()
	b.eventually("ticks pass, at each of which it would be due", func() bool { return asked.Load() >= from+6 }) // such a tick asks twice, a look at the store too
	if b.told("snapshot-failed") || len(b.Tasks()) != 1 {
		t.Error(b.Events(), b.Tasks())
	}
	f.waits <- struct{}{}
	f.waits <- struct{}{}
	if b.ends(task.ID).State != control.TaskDone {
		t.Error(b.ends(task.ID))
	}
	<-f.began // of the automatic one
	if _, err := b.Create("another"); !errors.Is(err, control.ErrBusy) || !strings.Contains(err.Error(), "automatic snapshot auto-20261130-04") {
		t.Error(err)
	}
	close(f.waits)
	b.eventually("the automatic one is there", func() bool { return strings.Contains(fmt.Sprint(b.Events()), "snapshot auto-20261130-04") })
}

// TestComesLate: what arrives in the store when a snapshot was given up and its folder removed is removed too, soon.
func TestComesLate(t *testing.T) {
	began := make(chan struct{}, 9)
	var late atomic.Int64
	b := start(t, &fleet{began: began, waits: make(chan struct{})}, t.TempDir(), func(o *control.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	})
	task, err := b.Create("one")
	if err != nil {
		t.Fatal(err)
	}
	<-began
	running := b.Tasks()[0]
	if running.ID != task.ID || running.Folder == "" {
		t.Fatal(running)
	}
	if err := b.Cancel(task.ID); err != nil {
		t.Fatal(err)
	}
	if ended := b.ends(task.ID); ended.State != control.TaskCanceled || ended.Folder != "" {
		t.Fatal(ended)
	}
	folder := filepath.Join(b.path, running.Folder)
	if err := errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, ".put-shard-0000.rdb.zst.ABC"), []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	late.Store(int64(time.Minute))
	b.eventually("what came late is removed", func() bool {
		_, err := os.Stat(folder)
		return errors.Is(err, os.ErrNotExist)
	})
}

// unlisted is a store that cannot be listed any more from some moment on.
type unlisted struct {
	persistence.Bucket
	off    *atomic.Bool
	offPut bool // that moment is when something is put, else when something is deleted
}

func (u unlisted) List(ctx context.Context, prefix string) ([]persistence.Object, error) {
	if u.off.Load() && !u.offPut {
		return nil, persistence.ErrUnavailable
	}
	return u.Bucket.List(ctx, prefix)
}

func (u unlisted) Put(ctx context.Context, name string, r io.Reader, told func(int64)) (persistence.Object, error) {
	if u.offPut {
		u.off.Store(true)
	}
	return u.Bucket.Put(ctx, name, r, told)
}

func (u unlisted) Delete(ctx context.Context, name string) error {
	if !strings.HasSuffix(name, "/"+snapshot.ManifestName) { // that one goes first, and then it is listed what else there is
		u.off.Store(true)
	}
	return u.Bucket.Delete(ctx, name)
}

// TestUnlisted: what was copied or deleted is told as done, though the store cannot be listed afterwards.
func TestUnlisted(t *testing.T) {
	var off atomic.Bool
	b := start(t, &fleet{}, t.TempDir(), func(o *control.Options) { o.Store.Bucket = unlisted{Bucket: o.Store.Bucket, off: &off} })
	task, err := b.Create("one")
	if err != nil || b.ends(task.ID).State != control.TaskDone {
		t.Fatal(task, err)
	}
	off.Store(false)
	other, err := dir.Open(dir.Options{Path: filepath.Join(t.TempDir(), "other")})
	if err != nil {
		t.Fatal(err)
	}
	task, err = b.Copy(t.Context(), "one", snapshot.Store{Bucket: unlisted{Bucket: other, off: &off, offPut: true}}, "two")
	if err != nil {
		t.Fatal(err)
	}
	if task = b.ends(task.ID); task.State != control.TaskDone || !off.Load() {
		t.Error(task)
	}
	off.Store(false)
	if err := b.Delete(t.Context(), "one"); err != nil || !off.Load() {
		t.Error(err, off.Load())
	}
}
