package control_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"strings"
	"sync"
	"testing"

	"larder/control"
	"larder/persistence/rdb"
	"larder/protocol/encoding/crc64"
	form "larder/protocol/encoding/rdb"
	"larder/router"
)

// keep is two shards' keys, and what the next restore meets.
type keep struct {
	mu    sync.Mutex
	files [][]byte // of the original, as they are opened: one after the other, each pass anew
	has   [2]map[string]string
	calls []string
	room  int64
	libs  []string

	intakes chan struct{} // each Intake says that it has begun; nil: nobody asks
	fails   error         // of the next Intake
	opened  int
	second  []byte // what the file is at its second opening; nil: the same
}

func newKeep(files ...[]byte) *keep {
	return &keep{files: files, has: [2]map[string]string{{}, {}}}
}

func (k *keep) Original(context.Context, []string) (*control.Original, error) {
	o := &control.Original{Name: "dump", Apart: true}
	for i := range k.files {
		o.Files = append(o.Files, control.OriginalFile{Name: "file", Bytes: int64(len(k.files[i])), Open: func(context.Context) (io.ReadCloser, error) {
			k.mu.Lock()
			defer k.mu.Unlock()
			if k.opened++; k.opened == 2 && k.second != nil {
				return io.NopCloser(bytes.NewReader(k.second)), nil
			}
			return io.NopCloser(bytes.NewReader(k.files[i])), nil
		}})
	}
	return o, nil
}

func (k *keep) call(what string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, what)
}

func (k *keep) Survey(_ context.Context, shard int, of router.Selection, libraries []string) (control.Survey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.libs = libraries
	v := control.Survey{Keys: int64(len(k.has[shard])), Databases: 16, MaxMemory: k.room, Used: int64(10 * len(k.has[shard]))}
	for key := range k.has[shard] {
		if of.Has(0, []byte(key)) {
			v.Selected++
			v.Bytes += 10
		}
	}
	return v, nil
}

func (k *keep) Discard(_ context.Context, shard int, of router.Selection) (n int64, err error) {
	k.call("discard")
	maps.DeleteFunc(k.has[shard], func(key, _ string) bool {
		gone := of.Has(0, []byte(key))
		if gone {
			n++
		}
		return gone
	})
	return n, nil
}

func (k *keep) Intake(ctx context.Context, shard int, in *io.PipeReader, _ bool) (took control.Intake, err error) {
	defer in.Close()
	k.call("intake")
	if k.intakes != nil {
		k.intakes <- struct{}{}
		<-ctx.Done()
		return took, context.Cause(ctx)
	}
	file, err := io.ReadAll(in)
	if err = errors.Join(k.fails, err); err != nil {
		return took, err
	}
	var s rdb.Scanner
	s.Feed(file)
	for {
		e, found, err := s.Next()
		switch {
		case err != nil || found == rdb.More:
			return took, errors.Join(err, s.Ended())
		case found == rdb.End:
			return took, nil
		case found == rdb.Key:
			k.mu.Lock()
			k.has[shard][string(e.Key)] = string(e.Body)
			k.mu.Unlock()
			took.Taken++
		}
	}
}

// dumpOf is a file with keys of database 0 whose values are one byte.
func dumpOf(value byte, keys ...string) []byte {
	var w rdb.Frame
	w.BeginAs(10, false)
	w.Function("#!lua name=l\n")
	for _, key := range keys {
		w.Copy(&rdb.Entry{Value: form.Value{Key: []byte(key), Type: form.TypeString, Body: []byte{1, value}, IdleS: -1, Freq: -1}}, rdb.Key)
	}
	w.End()
	return rdb.AppendSum(w.Out, crc64.Update(0, w.Out))
}

func withKeep(t *testing.T, k *keep) *bed {
	t.Helper()
	return start(t, &fleet{}, t.TempDir(), func(o *control.Options) { o.Restorer = k })
}

func (b *bed) restores(want control.Restore) control.Task {
	b.t.Helper()
	task, err := b.Restore(b.t.Context(), want)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.ends(task.ID)
}

func all(replace bool) control.Restore {
	return control.Restore{From: []string{"dump"}, Replace: replace, Selected: router.Everything()}
}

// TestRestore: each shard gets the keys of its slots, and only what is selected; what is there is overwritten only if that is said.
func TestRestore(t *testing.T) {
	k := newKeep(dumpOf('x', "a", "b", "foo"), dumpOf('y', "bar", "hello")) // of the upper half are a (15495) and foo (12182)
	b := withKeep(t, k)
	task := b.restores(all(false))
	r, ok := task.Result.(control.Restored)
	if !ok || r.Keys != 5 || r.Shards != 2 || task.Done != task.Total || len(k.has[0]) != 3 || k.has[1]["foo"] != "\x01x" || k.has[0]["bar"] != "\x01y" || len(k.libs) != 1 {
		t.Fatal(task, k.has, k.libs)
	}
	if task = b.restores(all(false)); task.State != control.TaskFailed || task.Code != "not-empty" || !strings.Contains(task.Error, "it has 5 keys") || !strings.Contains(task.Error, "nothing was changed") {
		t.Error(task)
	}
	k.has[0]["other"], k.has[1]["foo"], k.has[1]["foul"] = "o", "changed", "o"
	k.calls = nil
	task = b.restores(control.Restore{Replace: true, Selected: router.Selection{DB: 0, Prefix: []byte("fo")}})
	if task.State != control.TaskDone || k.has[1]["foo"] != "\x01x" || k.has[1]["foul"] != "" || k.has[0]["other"] != "o" || len(k.libs) != 0 {
		t.Error(task, k.has, k.libs)
	}
	if n := strings.Count(strings.Join(k.calls, " "), "intake"); n != 1 {
		t.Errorf("%d shards were given something: %v", n, k.calls)
	}
}

// TestRestoreChangesNothing: whatever is wrong is found before the first key changes.
func TestRestoreChangesNothing(t *testing.T) {
	damaged := dumpOf('x', "a", "b")
	damaged[len(damaged)-10] ^= 1
	for name, c := range map[string]struct {
		files [][]byte
		room  int64
		says  string
	}{
		"damaged":    {[][]byte{dumpOf('x', "a"), damaged}, 0, "checksum"},
		"cut off":    {[][]byte{damaged[:20]}, 0, "rest of it is missing"},
		"no room":    {[][]byte{dumpOf('x', "a", "foo")}, 8, "there is no room"},
		"no RDB":     {[][]byte{[]byte("something else")}, 0, "no RDB file"},
		"half a key": {[][]byte{damaged[:len(damaged)-12]}, 0, "missing"},
	} {
		k := newKeep(c.files...)
		k.has[1]["a"], k.room = "mine", c.room
		task := withKeep(t, k).restores(all(true))
		if task.State != control.TaskFailed || !strings.Contains(task.Error, c.says) || !strings.Contains(task.Error, "nothing was changed") || len(k.calls) > 0 || k.has[1]["a"] != "mine" {
			t.Errorf("%s: %+v, calls %v", name, task, k.calls)
		}
	}
}

// TestRestoreMidway: a shard that fails, a file that changes between the passes and a cancellation end it with what is to be done, and that helps.
func TestRestoreMidway(t *testing.T) {
	k := newKeep(dumpOf('x', "a", "b", "foo"))
	k.fails = errors.New("the node is gone")
	b := withKeep(t, k)
	failed := func(task control.Task, state control.TaskState, says string) {
		t.Helper()
		if task.State != state || !strings.Contains(task.Error, says) || !strings.Contains(task.Error, "Run it again with --replace") {
			t.Error(task)
		}
	}
	failed(b.restores(all(false)), control.TaskFailed, "the node is gone")
	k.fails, k.opened, k.second = nil, 0, dumpOf('x', "a", "b", "foo")[:30]
	failed(b.restores(all(true)), control.TaskFailed, "rest of it is missing")
	k.second, k.intakes = nil, make(chan struct{})
	task, err := b.Restore(t.Context(), all(true))
	if err != nil {
		t.Fatal(err)
	}
	<-k.intakes
	<-k.intakes
	if _, err := b.Restore(t.Context(), all(true)); !errors.Is(err, control.ErrBusy) {
		t.Error(err)
	}
	if _, err := b.Create("one"); !errors.Is(err, control.ErrBusy) || !strings.Contains(err.Error(), "restore of dump") {
		t.Error(err)
	}
	if err := b.Cancel(task.ID); err != nil {
		t.Fatal(err)
	}
	failed(b.ends(task.ID), control.TaskCanceled, "canceled")
	k.intakes = nil
	if task := b.restores(all(true)); task.State != control.TaskDone || len(k.has[0]) != 1 || len(k.has[1]) != 2 {
		t.Error(task, k.has)
	}
}
