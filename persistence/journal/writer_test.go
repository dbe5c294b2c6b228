package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"larder/persistence/files"
	"larder/persistence/journal"
)

// owner is who runs a writer: it gives it a stream of commands, and keeps what it reports.
type owner struct {
	t       testing.TB
	dir     string
	trace   *files.Trace
	w       *journal.Writer
	reports chan journal.Report
	last    journal.Report
	stream  string
	sent    int64
}

func newOwner(t testing.TB, p journal.Policy) *owner {
	o := &owner{t: t, dir: memoryDir(t), trace: &files.Trace{}, reports: make(chan journal.Report, 100)}
	f, err := journal.Look(files.In(o.dir, o.trace.Watch), dirName, fileName)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Start(journal.Cut{}, head); err != nil {
		t.Fatal(err)
	}
	o.w = journal.Run(f, p, 0, func(r journal.Report) { o.reports <- r })
	return o
}

// say adds to the stream and hands it over, from a place on.
func (o *owner) say(from int64, text string) {
	if text != "" {
		o.stream += text
	}
	o.sent = int64(len(o.stream))
	o.w.Append(journal.Task{From: from, End: o.sent, Views: [][]byte{[]byte(o.stream[from:])}})
}

// hears waits for a report.
func (o *owner) hears() journal.Report {
	o.t.Helper()
	select {
	case o.last = <-o.reports:
		return o.last
	case <-time.After(time.Minute):
		o.t.Fatal("no report")
		return journal.Report{}
	}
}

func (o *owner) stop() {
	o.t.Helper()
	if err := o.w.Stop(); err != nil {
		o.t.Error(err)
	}
	text, err := os.ReadFile(filepath.Join(o.dir, dirName, fileName+".1.incr.aof"))
	if err != nil {
		o.t.Fatal(err)
	}
	if got := strings.TrimPrefix(string(text), string(head)); got != o.stream {
		o.t.Errorf("the file has %q, want %q", got, o.stream)
	}
}

func (o *owner) syncs() (n int) {
	for _, op := range o.trace.Ops() {
		if op.Kind == files.Sync {
			n++
		}
	}
	return n
}

// TestAlways: what is reported is safe, and one sync is enough for all that a task has.
func TestAlways(t *testing.T) {
	o := newOwner(t, journal.Always)
	before := o.syncs()
	o.say(0, command("SET", "a", "1")+command("SET", "b", "1"))
	if r := o.hears(); r.Err != nil || r.Written != o.sent || r.Synced != o.sent || r.Tasks != 1 {
		t.Errorf("%+v", r)
	}
	if n := o.syncs() - before; n != 1 {
		t.Errorf("%d syncs", n)
	}
	o.stop()
}

// TestDo: a task that the owner does itself is done when it is reported, the goroutine goes on behind it, and reports are numbered in the order of what they
// tell. What fails is told too, and comes again.
func TestDo(t *testing.T) {
	o := newOwner(t, journal.Always)
	do := func(from int64, text string) journal.Report {
		o.stream += text
		o.sent = int64(len(o.stream))
		return o.w.Do(journal.Task{From: from, End: o.sent, Views: [][]byte{[]byte(o.stream[from:])}})
	}
	first := do(0, command("SET", "a", "1"))
	if first.Err != nil || first.Synced != o.sent || first.Tasks != 1 {
		t.Errorf("%+v", first)
	}
	o.say(o.sent, command("SET", "b", "1"))
	second := o.hears()
	if second.Synced != o.sent || second.Tasks != 1 || second.Number <= first.Number {
		t.Errorf("%+v after %+v", second, first)
	}
	o.trace.Fail(2, syscall.ENOSPC, false)
	whole := o.sent
	if r := do(whole, command("SET", "c", "1")); r.Written != whole || !errors.Is(r.Err, syscall.ENOSPC) || r.Number <= second.Number {
		t.Errorf("%+v", r)
	}
	if r := do(whole, ""); r.Err != nil || r.Synced != o.sent {
		t.Errorf("%+v", r)
	}
	o.stop()
}

// TestEverySecond: reports come in a rhythm, a sync comes a second after the write, and none where nothing was written.
func TestEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(t, journal.EverySecond)
		before, began := o.syncs(), time.Now()
		o.say(0, command("PING"))
		if r := o.hears(); r.Written != o.sent || r.Synced == o.sent {
			t.Errorf("%+v", r)
		}
		o.say(o.sent, command("PING"))
		if r := o.hears(); r.Written != o.sent || r.Tasks != 1 {
			t.Errorf("%+v", r)
		}
		if since := time.Since(began); since < time.Millisecond || since > 10*time.Millisecond {
			t.Errorf("the second report came after %v", since)
		}
		if r := o.hears(); r.Synced != o.sent || r.Tasks != 0 {
			t.Errorf("%+v", r)
		}
		if since := time.Since(began); since < 900*time.Millisecond || since > 1100*time.Millisecond {
			t.Errorf("the sync came after %v", since)
		}
		time.Sleep(10 * time.Second)
		if n := o.syncs() - before; n != 1 {
			t.Errorf("%d syncs", n)
		}
		o.w.Rest(true)
		o.say(o.sent, command("PING"))
		o.hears()
		time.Sleep(10 * time.Second)
		if n := o.syncs() - before; n != 1 {
			t.Errorf("%d syncs while they are to wait", n)
		}
		o.w.SetPolicy(journal.Always)
		if r := o.hears(); r.Synced != o.sent {
			t.Errorf("%+v", r)
		}
		o.stop()
	})
}

// TestWriterRecovers: a write and a sync that fail are reported, what came behind them is not written, and all comes again.
func TestWriterRecovers(t *testing.T) {
	for _, c := range []struct {
		policy journal.Policy
		fails  int // the operation: 1 the write, 2 the sync
	}{{journal.Always, 1}, {journal.Always, 2}, {journal.EverySecond, 1}, {journal.Never, 1}} {
		o := newOwner(t, c.policy)
		o.say(0, command("SET", "a", "1"))
		for o.last.Written != o.sent {
			o.hears()
		}
		whole := o.sent
		o.trace.Fail(c.fails, syscall.ENOSPC, false)
		o.say(o.sent, command("SET", "b", "1"))
		o.say(o.sent, command("SET", "c", "1"))
		tasks := 0
		for tasks < 2 {
			r := o.hears()
			tasks += r.Tasks
			if r.Written != whole || !errors.Is(r.Err, syscall.ENOSPC) {
				t.Errorf("%v: %+v", c, r)
			}
		}
		o.say(whole, "")
		for o.last.Written != o.sent {
			if r := o.hears(); r.Written == o.sent && r.Err != nil {
				t.Errorf("%v: %+v", c, r)
			}
		}
		o.stop()
	}
}

// TestThen: what is to be done behind bytes is done behind them, and not if they are missing.
func TestThen(t *testing.T) {
	o := newOwner(t, journal.Never)
	var told []error
	task := func(from int64) journal.Task {
		return journal.Task{
			From: from, End: o.sent,
			Then: func(f *journal.Folder) error { return f.Turn(head) },
			Done: func(err error) { told = append(told, err) },
		}
	}
	o.say(0, command("PING"))
	o.hears()
	o.w.Append(task(o.sent))
	if r := o.hears(); r.Synced != o.sent {
		t.Errorf("%+v: what was before is safe when there is a new file", r)
	}
	o.w.Append(task(o.sent - 1))
	o.hears()
	if len(told) != 2 || told[0] != nil || told[1] == nil {
		t.Errorf("told %v", told)
	}
	if _, err := os.Stat(filepath.Join(o.dir, dirName, fileName+".2.incr.aof")); err != nil {
		t.Error(err)
	}
	o.stop()
}
