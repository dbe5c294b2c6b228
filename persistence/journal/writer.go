package journal

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Policy says when what was written is made safe.
type Policy uint8

const (
	Always      Policy = iota // before a task is reported
	EverySecond               // a second after it was written, at the latest
	Never                     // when the system sees fit
)

// policyNames are those of appendfsync.
var policyNames = [...]string{"always", "everysec", "no"}

func (p Policy) String() string { return policyNames[p] }

// Policies are the names that ParsePolicy knows.
func Policies() []string { return policyNames[:] }

// ParsePolicy reads a policy's name.
func ParsePolicy(name string) (Policy, bool) {
	for i, known := range policyNames {
		if name == known {
			return Policy(i), true
		}
	}
	return 0, false
}

const (
	syncEvery   = time.Second
	reportEvery = 2 * time.Millisecond // of lazy policies: the owner hands over what has gathered meanwhile
	delayedMin  = 2 * time.Second      // a sync that takes longer held the writing up (Redis 7.0 aof.c, flushAppendOnlyFile)
)

// Task is bytes of the stream to be appended, and what is to be done then.
type Task struct {
	From, End int64               // offsets: what is there must reach up to From, and reaches up to End afterwards
	Note      []byte              // a line that is no part of the stream, in front of Views
	Views     [][]byte            // End-From bytes, which nobody changes before the report
	Then      func(*Folder) error // nil: nothing
	Done      func(error)         // told of it by the writer's goroutine, before the report; nil: nobody
}

// Report is what there is after a task, or after a sync.
type Report struct {
	Number  uint64        // of the report: one with a lower number is of an earlier time
	Took    time.Duration // what the last sync took
	Tasks   int           // that ended since the last report
	Written int64         // offset up to which the stream is in the files
	Synced  int64         // up to which it is safe
	Bytes   int64         // of all files of the data
	Err     error         // why the last task or sync failed; what it brought has to come again, from Written
}

// errGap: what came before has failed, so it and all behind it has to come again.
var errGap = errors.New("an earlier write failed")

// Writer works on a folder on a goroutine of its own, or on its owner's by Do. At most TasksMax tasks may be without a report.
type Writer struct {
	folder *Folder
	mu     sync.Mutex // of folder and work: they are the goroutine's, but while Do works
	work   *work
	report func(Report)
	tasks  chan Task
	policy chan Policy
	ended  chan struct{}
	err    error // of the end

	rests   atomic.Bool   // nothing is synced for now, but under Always
	syncing atomic.Bool   // one is under way
	delayed atomic.Uint64 // syncs that took long
	slowest atomic.Int64  // the longest write or sync since it was asked for, ns
}

// TasksMax is how many tasks wait at most; another would make its giver wait.
const TasksMax = 8

// Append gives the writer a task.
func (w *Writer) Append(t Task) { w.tasks <- t }

// Do does a task at once, on the caller's goroutine, and gives the report. No other task may be without one.
func (w *Writer) Do(t Task) Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.work
	k.task(t)
	return k.take()
}

// SetPolicy sets when things are made safe.
func (w *Writer) SetPolicy(p Policy) { w.policy <- p }

// Rest says whether syncs are to wait, as no-appendfsync-on-rewrite has it. Under Always they do not: what was acknowledged is safe.
func (w *Writer) Rest(on bool) { w.rests.Store(on) }

// Syncing tells whether a sync is under way, and how many have taken long so far.
func (w *Writer) Syncing() (now bool, delayed uint64) { return w.syncing.Load(), w.delayed.Load() }

// Slowest takes the longest time that a write or a sync has taken since it was asked for last.
func (w *Writer) Slowest() time.Duration { return time.Duration(w.slowest.Swap(0)) }

// Stop ends the goroutine when the tasks it has are done, and makes all safe. The error says that it is not.
func (w *Writer) Stop() error {
	close(w.tasks)
	<-w.ended
	return w.err
}

// work is the state of the goroutine.
type work struct {
	w        *Writer
	policy   Policy
	state    Report
	taskErr  error
	syncErr  error
	syncedAt time.Time // when all was safe last
	reported time.Time
	owes     bool // state is to be reported
}

// task does one task.
func (k *work) task(t Task) {
	err := k.append(t)
	if !errors.Is(err, errGap) {
		k.taskErr = err // a gap is there because of what is in taskErr already
	}
	if err == nil && t.Then != nil {
		err = t.Then(k.w.folder)
		k.look(t.End)
	}
	if t.Done != nil {
		t.Done(err)
	}
	k.state.Bytes = k.w.folder.Bytes()
	k.state.Tasks++
	k.owes = true
}

func (k *work) append(t Task) error {
	f := k.w.folder
	if t.From != k.state.Written {
		return errGap
	}
	if t.End == t.From {
		return nil
	}
	began, before := time.Now(), f.Size()
	if f.Synced() {
		k.syncedAt = began
	}
	err := f.Append(append([][]byte{t.Note}, t.Views...))
	k.took(began)
	if err != nil {
		return err
	}
	if k.policy == Always {
		if err := k.sync(); err != nil {
			f.Back(before)
			return err
		}
	}
	k.state.Written = t.End
	k.look(t.End)
	return nil
}

// look notes what is safe.
func (k *work) look(end int64) {
	if k.w.folder.Synced() {
		k.state.Synced = end
	}
}

// sync makes the files safe.
func (k *work) sync() error {
	began := time.Now()
	k.w.syncing.Store(true)
	err := k.w.folder.Sync()
	k.syncErr = err
	k.w.syncing.Store(false)
	k.syncedAt = time.Now()
	if k.state.Took = k.took(began); k.state.Took > delayedMin {
		k.w.delayed.Add(1)
	}
	return err
}

func (k *work) took(began time.Time) time.Duration {
	d := time.Since(began)
	if int64(d) > k.w.slowest.Load() {
		k.w.slowest.Store(int64(d))
	}
	return d
}

// failure is why something is not done that should be.
func (k *work) failure() error {
	if k.taskErr != nil {
		return k.taskErr
	}
	return k.syncErr
}

// due is in what time something is to be done without a task; ok is false if nothing is.
func (k *work) due() (d time.Duration, ok bool) {
	if k.owes {
		d, ok = k.reportIn(), true
	}
	if !k.w.folder.Synced() && k.policy != Never {
		if in := time.Until(k.syncedAt.Add(syncEvery)); !ok || in < d {
			d, ok = in, true
		}
	}
	return max(d, 0), ok
}

// reportIn is when the state is to be reported: at once where somebody waits for it, or for an error.
func (k *work) reportIn() time.Duration {
	if k.policy == Always || k.failure() != nil {
		return 0
	}
	return time.Until(k.reported.Add(reportEvery))
}

// timely does what is due.
func (k *work) timely() {
	if !k.w.folder.Synced() && k.policy != Never && time.Since(k.syncedAt) >= syncEvery {
		if k.w.rests.Load() {
			k.syncedAt = time.Now()
		} else {
			k.syncNow()
		}
	}
	if k.owes && k.reportIn() <= 0 {
		k.reported = time.Now()
		k.w.report(k.take())
	}
}

// take makes a report of the state.
func (k *work) take() Report {
	k.state.Number++
	r := k.state
	r.Err = k.failure()
	k.state.Tasks, k.owes = 0, false
	return r
}

// choose takes over another policy. Who asks for Always is told when all that was written is safe.
func (k *work) choose(p Policy) {
	k.policy = p
	if p == Always && !k.w.folder.Synced() {
		k.syncNow()
	}
}

// syncNow makes safe what was reported as written.
func (k *work) syncNow() {
	_ = k.sync() // it is in syncErr
	k.look(k.state.Written)
	k.owes = true
}
