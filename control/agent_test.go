package control_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"larder/backends/registry"
	"larder/backends/registry/embedded"
	"larder/control"
	"larder/control/controller"
	"larder/persistence/dir"
	"larder/persistence/rdb"
	"larder/persistence/snapshot"
	"larder/router"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fleet is two shards that have what the test says.
type fleet struct {
	store snapshot.Store
	mu    sync.Mutex
	fails []error // of the next snapshots
	waits chan struct{}
	began chan struct{}
}

func (f *fleet) Topology() *router.Topology {
	t, err := router.EvenShards("main", 1, []router.Shard{
		{Primary: router.Node{ID: "n0", Addr: "127.0.0.1:1"}}, {Primary: router.Node{ID: "n1", Addr: "127.0.0.1:2"}},
	})
	if err != nil {
		panic(err)
	}
	return t
}

func (f *fleet) Settings(context.Context) (map[string]string, []string, error) {
	return map[string]string{"maxmemory": "0"}, []string{"user default on nopass ~* &* +@all"}, nil
}

func (f *fleet) Snapshot(ctx context.Context, shard int, to control.Object, told func(control.Progress)) (control.Taken, error) {
	if _, err := f.store.Bucket.Stat(ctx, to.Begun); err != nil {
		return control.Taken{}, err
	}
	file, err := f.store.Upload(ctx, to.Folder, to.Name, snapshot.UploadOptions{Level: to.Level, Now: time.Now})
	if err != nil {
		return control.Taken{}, err
	}
	f.mu.Lock()
	var fails error
	if len(f.fails) > 0 {
		fails, f.fails = f.fails[0], f.fails[1:]
	}
	f.mu.Unlock()
	if f.waits != nil {
		f.began <- struct{}{}
		select {
		case <-f.waits:
		case <-ctx.Done():
			fails = context.Cause(ctx)
		}
	}
	if fails != nil {
		return control.Taken{}, errors.Join(fails, file.Abandon())
	}
	var w rdb.Frame
	w.Begin(false)
	w.End()
	err = errors.Join(file.Write(w.Out, nil), file.Commit())
	var s snapshot.Shard
	file.Sizes(&s)
	told(control.Progress{Done: 1, Total: 1, Raw: s.RawBytes, Bytes: s.Bytes})
	return control.Taken{Node: fmt.Sprintf("n%d", shard), Databases: 16, RawBytes: s.RawBytes, Bytes: s.Bytes, SHA256: s.SHA256}, err
}

// bed is an agent over a folder.
type bed struct {
	*control.Agent
	t    *testing.T
	path string
	stop func()
}

func start(t *testing.T, f *fleet, folder string, change func(*control.Options)) *bed {
	t.Helper()
	return startAt(t, f, folder, filepath.Join(t.TempDir(), "snapshots"), change)
}

// startAt starts one whose snapshots are in a folder that is there.
func startAt(t *testing.T, f *fleet, folder, path string, change func(*control.Options)) *bed {
	t.Helper()
	bucket, err := dir.Open(dir.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	reg, err := embedded.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	o := control.Options{
		Cluster: "main", Fleet: f, Store: snapshot.Store{Bucket: bucket}, Registry: reg, Version: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now: time.Now, Sleep: func(context.Context, time.Duration) error { return nil }, Chance: rand.New(rand.NewPCG(1, 2)),
	}
	if change != nil {
		change(&o)
	}
	f.store = o.Store
	b := &bed{Agent: control.New(o), t: t, path: path}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- b.Run(ctx, ready) }()
	<-ready
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-ended, reg.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(b.stop)
	return b
}

// ends waits for a task.
func (b *bed) ends(id string) control.Task {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	task, err := b.Task(ctx, id)
	if err != nil || task.State == control.TaskRunning {
		b.t.Fatal(task, err)
	}
	return task
}

func (b *bed) files() (names []string) {
	b.t.Helper()
	names, err := filepath.Glob(filepath.Join(b.path, "*", "*"))
	if err != nil {
		b.t.Fatal(err)
	}
	return names
}

func TestCreate(t *testing.T) {
	b := start(t, &fleet{}, t.TempDir(), nil)
	task, err := b.Create("one")
	if err != nil {
		t.Fatal(err)
	}
	if task = b.ends(task.ID); task.State != control.TaskDone || task.Done != 2 || task.Total != 2 {
		t.Fatal(task)
	}
	found, err := b.Snapshot(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	m := found.Manifest
	if m.Databases != 16 || m.Larder != "test" || m.Parameters["maxmemory"] != "0" || len(m.Users) != 1 || m.Shards[1].Node != "n1" || m.Shards[0].Slots != "0-8191" {
		t.Errorf("%+v", m)
	}
	if task, err = b.Verify(t.Context(), "one"); err != nil || b.ends(task.ID).State != control.TaskDone {
		t.Error(task, err)
	}
	if task, err = b.Create("one"); err != nil {
		t.Fatal(err)
	}
	if task = b.ends(task.ID); task.State != control.TaskFailed || !strings.Contains(task.Error, "there is a snapshot of that name") {
		t.Error(task)
	}
	if err := b.Delete(t.Context(), "one"); err != nil || len(b.files()) > 0 {
		t.Error(err, b.files())
	}
	if _, err := b.Create("no/name"); !errors.Is(err, snapshot.ErrName) {
		t.Error(err)
	}
}

// TestTriesAgain: a shard that gives up since writes were too fast begins anew; another failure ends the snapshot, of which nothing stays.
func TestTriesAgain(t *testing.T) {
	kept := fmt.Errorf("%w: much", control.ErrKept)
	b := start(t, &fleet{fails: []error{kept, kept}}, t.TempDir(), nil)
	task, err := b.Create("one")
	if err != nil {
		t.Fatal(err)
	}
	if task = b.ends(task.ID); task.State != control.TaskDone {
		t.Fatal(task)
	}
	if n := len(b.Events()); n != 3 {
		t.Error(b.Events())
	}
	b = start(t, &fleet{fails: []error{kept, errors.New("the disk is gone")}}, t.TempDir(), nil)
	if task, err = b.Create("one"); err != nil {
		t.Fatal(err)
	}
	if task = b.ends(task.ID); task.State != control.TaskFailed || !strings.Contains(task.Error, "the disk is gone") || len(b.files()) > 0 {
		t.Error(task, b.files())
	}
}

// TestCancel: one at a time; a cancelled one leaves nothing.
func TestCancel(t *testing.T) {
	f := &fleet{waits: make(chan struct{}), began: make(chan struct{}, 4)}
	b := start(t, f, t.TempDir(), nil)
	task, err := b.Create("one")
	if err != nil {
		t.Fatal(err)
	}
	<-f.began
	if _, err := b.Create("two"); !errors.Is(err, control.ErrBusy) || !strings.Contains(err.Error(), "one") {
		t.Error(err)
	}
	if err := b.Cancel(task.ID); err != nil {
		t.Fatal(err)
	}
	if task = b.ends(task.ID); task.State != control.TaskCanceled || len(b.files()) > 0 {
		t.Error(task, b.files())
	}
	if err := b.Cancel("nobody"); !errors.Is(err, control.ErrUnknown) {
		t.Error(err)
	}
}

// TestProcessEnds: what is under way when the process ends is given up, and another process knows of it; what died amid it is told as failed.
func TestProcessEnds(t *testing.T) {
	folder := t.TempDir()
	f := &fleet{waits: make(chan struct{}), began: make(chan struct{}, 4)}
	b := start(t, f, folder, nil)
	task, err := b.Create("one")
	if err != nil {
		t.Fatal(err)
	}
	<-f.began
	b.stop()
	if len(b.files()) > 0 {
		t.Error(b.files())
	}
	next := start(t, &fleet{}, folder, nil)
	if task = next.ends(task.ID); task.State != control.TaskFailed || !strings.Contains(task.Error, "the process ends") {
		t.Error(task)
	}
	next.stop()

	reg, err := embedded.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	const key = "larder/clusters/main/tasks/x"
	if err := errors.Join(reg.Put(t.Context(), key, []byte(`{"id":"x","kind":"snapshot.create","state":"running"}`)), reg.Close()); err != nil {
		t.Fatal(err)
	}
	last := start(t, &fleet{}, folder, nil)
	if task = last.ends("x"); task.State != control.TaskFailed || !strings.Contains(task.Error, "the process that did it ended") {
		t.Error(task)
	}
}

// TestAutomatic: automatic snapshots come in their window, and only they are pruned.
func TestAutomatic(t *testing.T) {
	var reg registry.Store
	var mu sync.Mutex
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	window, err := controller.ParseWindow("03:00-05:00")
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, &fleet{}, t.TempDir(), func(o *control.Options) {
		o.Snapshot.Schedule = func() controller.Schedule { return controller.Schedule{Window: window, Retain: 1} }
		reg = o.Registry
		o.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
	})
	task, err := b.Create("mine")
	if err != nil || b.ends(task.ID).State != control.TaskDone {
		t.Fatal(task, err)
	}
	var names []string
	for _, day := range []int{0, 1, 2} {
		want := fmt.Sprintf("auto-2026120%d-0300", day)
		deadline := time.Now().Add(30 * time.Second)
		for {
			names = nil
			list, _, err := b.Snapshots(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
				names = append(names, s.Manifest.Name)
			}
			got := strings.Join(names, " ")
			_, err = reg.Get(t.Context(), "larder/clusters/main/snapshots/schedule") // it has begun
			if day == 0 && got == "mine" && err == nil || got == want+" mine" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("day %d: there are %s", day, got)
			}
			time.Sleep(10 * time.Millisecond)
		}
		mu.Lock()
		now = time.Date(2026, 12, day+1, 3, 0, 0, 0, time.UTC)
		mu.Unlock()
	}
}
