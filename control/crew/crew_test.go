package crew_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"larder/backends"
	"larder/control"
	"larder/control/crew"
	"larder/engine"
	"larder/internal/peers"
	"larder/persistence"
	"larder/persistence/dir"
	"larder/persistence/snapshot"
	"larder/router"
)

const password = "of the nodes"

func open(s persistence.Settings) (persistence.Bucket, error) {
	o, err := dir.FromSettings(s)
	if err != nil {
		return nil, err
	}
	return dir.Open(o)
}

// start runs a node until the test ends, or stop.
func start(t *testing.T) (n *engine.Node, stop func()) {
	t.Helper()
	o := engine.DefaultOptions()
	o.Dir, o.Listen, o.Password, o.OpenStore = t.TempDir(), "127.0.0.1:0", password, open
	n, err := engine.New(o, slog.New(slog.NewTextHandler(io.Discard, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	<-n.Ready()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return n, stop
}

// bench is a cluster of one shard whose nodes are asked.
type bench struct {
	*crew.Crew
	store  snapshot.Store
	beside []string
	place  string // that nodes are told
}

func newBench(t *testing.T, primary router.Node) *bench {
	t.Helper()
	topology, err := router.EvenShards("one", 1, []router.Shard{{Primary: primary}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{place: filepath.Join(t.TempDir(), "store")}
	bucket, err := open(persistence.Settings{persistence.KeyPlace: b.place})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bucket.Close() })
	b.store = snapshot.Store{Bucket: bucket}
	b.Crew = crew.New(crew.Options{
		Newest: func() *router.Topology { return topology }, Beside: func(int) []string { return b.beside }, Auth: backends.Auth{Password: password},
		Store: func() (persistence.Settings, error) { return persistence.Settings{persistence.KeyPlace: b.place}, nil },
	})
	if _, err := bucket.Put(t.Context(), "s/begun", strings.NewReader("x"), nil); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) take(ctx context.Context, name string, rate int64, told func(control.Progress)) (control.Taken, error) {
	return b.Snapshot(ctx, 0, control.Object{Begun: "s/begun", Folder: "s", Name: name, Level: 1, BytesPerSec: rate}, told)
}

// TestCrew: a node that is not there is passed over, what was taken is told as it is, and each failure as what it is to an Agent.
func TestCrew(t *testing.T) {
	n, stop := start(t)
	b := newBench(t, router.Node{ID: "n0", Addr: n.Addr()})
	b.beside = []string{fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t))}
	c := peers.Dial(t, n.Addr(), 0)
	c.Do("AUTH", password)
	c.Do("SET", "a", strings.Repeat("larder ", 100_000))
	nobody := func(control.Progress) {}
	var last control.Progress
	taken, err := b.take(t.Context(), "first", 0, func(p control.Progress) { last = p })
	if err != nil || taken.Keys != 1 || taken.RawBytes == 0 || last.Raw != taken.RawBytes-8 || last.Bytes != taken.Bytes {
		t.Errorf("%+v, told %+v: %v", taken, last, err)
	}
	if v, err := b.Survey(t.Context(), 0, router.Everything(), []string{"#!lua name=l\nredis.register_function('f', function() end)"}); err != nil || v.Keys != 1 {
		t.Error(v, err)
	}
	if _, err := b.Survey(t.Context(), 0, router.Everything(), []string{"no library"}); err == nil || errors.Is(err, control.ErrLost) {
		t.Error(err)
	}
	if removed, err := b.Discard(t.Context(), 0, router.Selection{DB: 0}); err != nil || removed != 1 {
		t.Error(removed, err)
	}
	in, err := b.store.Open(t.Context(), &snapshot.Found{Folder: "s"}, snapshot.Shard{Object: "first", RawBytes: taken.RawBytes, Bytes: taken.Bytes, SHA256: taken.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Intake(t.Context(), 0, piped(in, nil), true); err != nil || got.Taken != 1 {
		t.Error(got, err)
	}
	broken := errors.New("the source broke off")
	if _, err := b.Intake(t.Context(), 0, piped(strings.NewReader("REDIS"), broken), true); !errors.Is(err, broken) {
		t.Error(err)
	}
	c.Do("SET", "a", strings.Repeat("larder ", 100_000))
	if _, err := b.take(t.Context(), "first", 0, nobody); !errors.Is(err, persistence.ErrExists) && err == nil {
		t.Error("a name was used twice")
	}
	b.place = filepath.Join(t.TempDir(), "another")
	if _, err := b.take(t.Context(), "second", 0, nobody); !errors.Is(err, persistence.ErrNoBucket) || !strings.Contains(err.Error(), "all machines") {
		t.Error(err)
	}
	b.place = b.store.Bucket.Place()
	canceled, cancel := context.WithCancelCause(t.Context())
	why := errors.New("a client wants it no more")
	if _, err := b.take(canceled, "third", 1, func(control.Progress) { cancel(why) }); !errors.Is(err, why) {
		t.Error(err)
	}
	var once atomic.Bool
	if _, err := b.take(t.Context(), "fourth", 1000, func(control.Progress) {
		if !once.Swap(true) {
			go stop()
		}
	}); err == nil {
		t.Error("the node has ended, and nobody noticed")
	}
	if _, err := b.take(t.Context(), "fifth", 0, nobody); !errors.Is(err, control.ErrLost) {
		t.Error(err)
	}
	if _, _, err := newBench(t, router.Node{ID: "s", Addr: n.Addr(), External: true}).Settings(t.Context()); !errors.Is(err, crew.ErrStock) {
		t.Error(err)
	}
}

// piped gives what a reader has, and ends with an error.
func piped(in io.Reader, last error) *io.PipeReader {
	out, to := io.Pipe()
	go func() {
		_, err := io.Copy(to, in)
		_ = to.CloseWithError(errors.Join(err, last))
	}()
	return out
}
