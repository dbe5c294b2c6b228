package manage

import (
	"context"
	"fmt"
	"slices"

	"larder/control/api"
	"larder/control/controller"
)

// begin writes a task, when what it is about is written already.
func (m *Manager) begin(ctx context.Context, kind, cluster, subject string) (controller.Task, error) {
	return m.start(ctx, controller.Task{Kind: kind, Cluster: cluster, Subject: subject})
}

// start writes a task that says already what it is about.
func (m *Manager) start(ctx context.Context, t controller.Task) (controller.Task, error) {
	t.Began, t.State = m.o.Now().UTC(), controller.TaskRunning
	t.ID = fmt.Sprintf("%s-%08x", t.Began.Format("20060102t150405"), m.o.Chance.Uint32())
	if err := m.write(ctx, controller.TaskKey(t.ID), t, 0); err != nil {
		return controller.Task{}, err
	}
	m.forget(ctx)
	return t, nil
}

// forget lets go of the oldest tasks that are over. That it could not is no harm: the next one does.
func (m *Manager) forget(ctx context.Context) {
	f, err := m.fleet()
	if err != nil {
		return
	}
	over := slices.DeleteFunc(f.Tasks(), func(t controller.Task) bool { return t.State == controller.TaskRunning })
	for _, t := range over[:max(0, len(over)-tasksMax)] {
		_ = m.o.Registry.Delete(ctx, controller.TaskKey(t.ID))
	}
}

// Tasks implements api.Manager.
func (m *Manager) Tasks(context.Context) ([]controller.Task, error) {
	f, err := m.fleet()
	if err != nil {
		return nil, err
	}
	tasks := f.Tasks()
	slices.SortStableFunc(tasks, func(a, b controller.Task) int { return b.Began.Compare(a.Began) })
	return tasks, nil
}

// Task implements api.Manager.
func (m *Manager) Task(ctx context.Context, id string) (controller.Task, error) {
	for {
		t, err := m.task(id)
		if err != nil || t.State != controller.TaskRunning || ctx.Err() != nil {
			return t, err
		}
		_ = m.o.Sleep(ctx, taskEvery) // when it ends it is told as it is then
	}
}

func (m *Manager) task(id string) (controller.Task, error) {
	f, err := m.fleet()
	if err != nil {
		return controller.Task{}, err
	}
	tasks := f.Tasks()
	at := slices.IndexFunc(tasks, func(t controller.Task) bool { return t.ID == id })
	if at < 0 {
		return controller.Task{}, api.Refuse(api.CodeUnknown, "task %s is not known", id)
	}
	return tasks[at], nil
}

// running tells whether a task of those kinds is not over.
func running(f controller.Fleet, subject string, kinds ...string) bool {
	return slices.ContainsFunc(f.Tasks(), func(t controller.Task) bool {
		return t.State == controller.TaskRunning && t.Subject == subject && slices.Contains(kinds, t.Kind)
	})
}
