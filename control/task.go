package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"larder/backends/registry"
)

// Task is something under way, or over.
type Task struct {
	ID      string     `json:"id"`
	Kind    string     `json:"kind"`    // snapshot.create, snapshot.verify …
	Subject string     `json:"subject"` // the snapshot's name
	State   TaskState  `json:"state"`
	Began   time.Time  `json:"began"`
	Ended   *time.Time `json:"ended,omitempty"`
	Unit    string     `json:"unit,omitempty"` // of Done and Total: keys, bytes
	Done    int64      `json:"done"`
	Total   int64      `json:"total"` // 0: not known yet
	Error   string     `json:"error,omitempty"`
	Code    string     `json:"code,omitempty"`   // what Error is to programs
	Folder  string     `json:"folder,omitempty"` // in the store: what it has begun there and what is to be removed unless it ends well
	Result  any        `json:"result,omitempty"`
}

// TaskState says where a task is.
type TaskState string

// The states. All but TaskRunning are for good.
const (
	TaskRunning  TaskState = "running"
	TaskDone     TaskState = "done"
	TaskFailed   TaskState = "failed"
	TaskCanceled TaskState = "canceled"
)

// tasksMax is how many tasks that are over are remembered.
const tasksMax = 100

// tasks are those of a cluster. Its methods may be called from any goroutine.
type tasks struct {
	reg    registry.Store
	prefix string
	now    func() time.Time
	newID  func() string

	mu  sync.Mutex
	all map[string]*job
}

// job is a task in this process.
type job struct {
	task   Task
	cancel context.CancelCauseFunc // nil: it is over
	over   chan struct{}
}

// errCanceled is why a task's context ends when somebody cancels it.
var errCanceled = errors.New("canceled")

// load takes up what another process has left: what ran there is over.
func (t *tasks) load(ctx context.Context) error {
	entries, err := t.reg.List(ctx, t.prefix)
	if err != nil {
		return fmt.Errorf("read the tasks: %w", err)
	}
	for _, e := range entries {
		var task Task
		if err := json.Unmarshal(e.Value, &task); err != nil {
			return fmt.Errorf("read task %s: %w", e.Key, err)
		}
		j := &job{task: task, over: make(chan struct{})}
		close(j.over)
		t.all[task.ID] = j
		if task.State == TaskRunning {
			ended := t.now()
			j.task.State, j.task.Ended, j.task.Error = TaskFailed, &ended, "the process that did it ended"
			if task.Kind == kindRestore {
				j.task.Error += ": the cluster may have a part of what was to be restored; run it again with --replace"
			}
			j.task.Code = "failed"
			if err := t.keep(ctx, j.task); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tasks) keep(ctx context.Context, task Task) error {
	text, err := json.Marshal(task)
	if err == nil {
		err = t.reg.Put(ctx, t.prefix+task.ID, text)
	}
	if err != nil {
		return fmt.Errorf("keep task %s: %w", task.ID, err)
	}
	return nil
}

// begin makes a task, and its context.
func (t *tasks) begin(ctx context.Context, kind, subject, unit string) (*job, context.Context, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	j := &job{task: Task{ID: t.newID(), Kind: kind, Subject: subject, State: TaskRunning, Began: t.now(), Unit: unit}, cancel: cancel, over: make(chan struct{})}
	if err := t.keep(ctx, j.task); err != nil {
		cancel(err)
		return nil, nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all[j.task.ID] = j
	return j, ctx, nil
}

// progress notes how far a task is.
func (t *tasks) progress(j *job, done, total int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	j.task.Done, j.task.Total = done, total
}

// end notes how a task has ended, and forgets the oldest.
func (t *tasks) end(ctx context.Context, j *job, result any, err error) error {
	t.mu.Lock()
	ended := t.now()
	j.task.Ended, j.task.Result, j.task.State = &ended, result, TaskDone
	if err != nil {
		j.task.State, j.task.Error, j.task.Code = TaskFailed, err.Error(), Code(err)
		if errors.Is(err, errCanceled) {
			j.task.State = TaskCanceled
		}
	}
	j.cancel(nil)
	j.cancel = nil
	task := j.task
	old := t.tooMany()
	t.mu.Unlock()
	close(j.over)
	failed := []error{t.keep(ctx, task)}
	for _, id := range old {
		failed = append(failed, t.reg.Delete(ctx, t.prefix+id))
	}
	return errors.Join(failed...)
}

// tooMany takes the oldest that are over off the list.
func (t *tasks) tooMany() (ids []string) {
	var over []*job
	for _, j := range t.all {
		if j.cancel == nil && j.task.Folder == "" {
			over = append(over, j)
		}
	}
	slices.SortFunc(over, func(a, b *job) int {
		return cmp.Or(a.task.Began.Compare(b.task.Began), cmp.Compare(a.task.ID, b.task.ID))
	})
	for _, j := range over[:max(0, len(over)-tasksMax)] {
		delete(t.all, j.task.ID)
		ids = append(ids, j.task.ID)
	}
	return ids
}

// writes notes the folder that a task begins in the store: from then on, whatever becomes of this process, somebody knows of it.
func (t *tasks) writes(ctx context.Context, j *job, folder string) error {
	t.mu.Lock()
	j.task.Folder = folder
	task := j.task
	t.mu.Unlock()
	return t.keep(ctx, task)
}

// cleared notes that nothing of a task's folder is to be removed any more. Its end keeps that.
func (t *tasks) cleared(j *job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	j.task.Folder = ""
}

// left are the tasks that are over whose folders are still to be removed.
func (t *tasks) left() (list []Task) {
	for _, task := range t.list() {
		if task.State != TaskRunning && task.Folder != "" {
			list = append(list, task)
		}
	}
	return list
}

// writing are the folders of those that are not over.
func (t *tasks) writing() map[string]bool {
	folders := map[string]bool{}
	for _, task := range t.list() {
		if task.State == TaskRunning && task.Folder != "" {
			folders[task.Folder] = true
		}
	}
	return folders
}

// settle notes that a task's folder was removed; or that it is whole, so that the task was done when its process ended.
func (t *tasks) settle(ctx context.Context, id string, whole bool) error {
	t.mu.Lock()
	j := t.all[id]
	j.task.Folder = ""
	if whole {
		j.task.State, j.task.Error, j.task.Code = TaskDone, "", ""
	}
	task := j.task
	t.mu.Unlock()
	return t.keep(ctx, task)
}

// list gives all, the newest first.
func (t *tasks) list() []Task {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]Task, 0, len(t.all))
	for _, j := range t.all {
		list = append(list, j.task)
	}
	slices.SortFunc(list, func(a, b Task) int { return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(a.ID, b.ID)) })
	return list
}

// get gives one, after it has ended or when ctx has, whatever comes first. Errors: ErrUnknown.
func (t *tasks) get(ctx context.Context, id string) (Task, error) {
	t.mu.Lock()
	j := t.all[id]
	t.mu.Unlock()
	if j == nil {
		return Task{}, fmt.Errorf("task %s is %w", id, ErrUnknown)
	}
	select {
	case <-j.over:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return j.task, nil
}

// stop cancels one. Errors: ErrUnknown. One that is over stays what it is.
func (t *tasks) stop(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	j := t.all[id]
	if j == nil {
		return fmt.Errorf("task %s is %w", id, ErrUnknown)
	}
	if j.cancel != nil {
		j.cancel(errCanceled)
	}
	return nil
}
