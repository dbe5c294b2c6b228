package fleet_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"larder/backends/registry"
	"larder/control/controller"
	"larder/control/fleet"
)

var update = flag.Bool("update", false, "write the golden traces anew, to be reviewed")

// tracer is a registry that writes down each write, in words, and takes its time for it: each key another one, so that the order is the same in each run.
type tracer struct {
	registry.Registry

	mu    sync.Mutex // of what follows
	plans map[string]controller.Plan
	trace strings.Builder
}

// What stands before the words of a write that must not be.
const (
	notWritten = "refused: "
	unfenced   = "without a fence: "
)

// takes is how long a call about somebody takes: a millisecond or two, each another time.
func takes(who string) {
	time.Sleep(time.Millisecond + time.Duration(crc32.ChecksumIEEE([]byte(who)))%time.Millisecond)
}

func (r *tracer) CompareAndSet(ctx context.Context, key string, value []byte, version uint64, fences ...registry.Fence) (uint64, error) {
	takes(key)
	written, err := r.Registry.CompareAndSet(ctx, key, value, version, fences...)
	what := r.words(key, value)
	switch {
	case err != nil:
		what = notWritten + what
	case len(fences) == 0:
		what = unfenced + what
	}
	r.note("leader", key, what)
	return written, err
}

func (r *tracer) Put(ctx context.Context, key string, value []byte) error {
	r.note("test", key, r.words(key, value))
	return r.Registry.Put(ctx, key, value)
}

func (r *tracer) Delete(ctx context.Context, key string) error {
	r.note("test", key, "deleted")
	return r.Registry.Delete(ctx, key)
}

func (r *tracer) Acquire(ctx context.Context, key string, value []byte, id registry.SessionID) error {
	err := r.Registry.Acquire(ctx, key, value, id)
	r.note("leader", key, "acquired")
	return err
}

func (r *tracer) note(who, key, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.trace, "%-6s %-34s %s\n", who, strings.TrimPrefix(key, controller.Prefix), what)
}

// taken gives the trace since it was taken last.
func (r *tracer) taken() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.trace.Reset()
	return r.trace.String()
}

// slow are the world's hosts and nodes, each of which takes a time of its own to answer.
type slow struct{ *world }

func (s slow) Says(ctx context.Context, h controller.Host) (controller.HostSays, error) {
	takes(h.ID)
	return s.world.Says(ctx, h)
}

func (s slow) Obey(ctx context.Context, h controller.Host, o controller.Order) error {
	takes(h.ID + o.Cluster)
	return s.order(ctx, h, o)
}

// slowNodes is slow as fleet.Nodes.
type slowNodes struct{ slow }

func (s slowNodes) State(ctx context.Context, cluster, node, addr string) (controller.NodeSays, error) {
	takes(node)
	return s.world.State(ctx, cluster, node, addr)
}

func (s slowNodes) Obey(_ context.Context, t controller.Tell) error {
	takes("to " + t.Node)
	return s.show(t)
}

// life is what happens to a cluster of a fleet that a trace is of.
type life struct {
	*world
	r *tracer
}

// TestTraces: what is written into the registry, key by key, while a cluster is created, changed, has a node replaced, a host drained, and is deleted
// (testdata/*.txt). All of it is written with the lock as a fence, and nothing twice.
func TestTraces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		l := life{w, &tracer{Registry: w.reg, plans: map[string]controller.Plan{}}}
		w.reg = l.r
		ctx, cancel := context.WithCancel(context.Background())
		leader := fleet.New(fleet.Options{
			ID: "one", Registry: l.r, Hosts: slow{w}, Nodes: slowNodes{slow{w}},
			Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Chance: rand.New(rand.NewPCG(1, 2)),
		})
		w.run(ctx, cancel, leader)
		w.eventually("it leads, and knows the hosts", func() bool { v := leader.View(); return v.Leads && len(v.Hosts) == 3 })
		l.trace("lead", func() {})
		l.trace("create", func() { l.wants(controller.TaskCreate, spec(2, 1)) })
		l.trace("modify", func() {
			bigger := spec(2, 2)
			bigger.Memory = 96 << 20
			l.wants(controller.TaskModify, bigger)
		})
		l.trace("shrink", func() { l.wants(controller.TaskModify, spec(2, 1)) })
		l.trace("replace", func() { l.task(controller.TaskReplace, "orders-0001-001") })
		l.trace("drain", func() {
			w.put(controller.DrainKey("h1"), struct{}{})
			l.task(controller.TaskDrain, "h1")
		})
		l.trace("delete", func() {
			gone := spec(2, 1)
			gone.Deleted = true
			l.wants(controller.TaskDelete, gone)
		})
	})
}

// wants has somebody want something of the cluster.
func (l life) wants(kind string, s *controller.Spec) {
	l.t.Helper()
	l.put(controller.SpecKey("orders"), s)
	l.task(kind, "")
}

// task waits for something to be done.
func (l life) task(kind, subject string) {
	l.t.Helper()
	key := controller.TaskKey(kind)
	l.put(key, controller.Task{ID: kind, Kind: kind, Cluster: "orders", Subject: subject, State: controller.TaskRunning})
	l.eventually(kind+" is done", func() bool {
		e, err := l.reg.Get(l.t.Context(), key)
		return err == nil && bytes.Contains(e.Value, []byte(`"done","`))
	})
}

// trace compares what is written while something happens, and in the minute after, with the golden file.
func (l life) trace(name string, happens func()) {
	l.t.Helper()
	happens()
	time.Sleep(time.Minute)
	got := l.r.taken()
	for line := range strings.Lines(got) {
		if strings.Contains(line, notWritten) || strings.HasPrefix(line, "leader") && strings.Contains(line, unfenced) {
			l.t.Errorf("%s: %s", name, line)
		}
	}
	golden(l.t, filepath.Join("testdata", name+".txt"), got)
}

// golden compares a trace with testdata's.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, []byte(got)) {
		t.Errorf("%s: what is written now (-update writes it down, to be reviewed):\n%s\nand was:\n%s", path, got, want)
	}
}
