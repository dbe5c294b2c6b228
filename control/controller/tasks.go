package controller

import (
	"slices"
	"time"
)

// Task is something that a user has asked for and waits for. The management API begins it; the controller says how far it is and when it has ended.
type Task struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Cluster string    `json:"cluster,omitempty"`
	Subject string    `json:"subject,omitempty"` // the node, or the host
	State   string    `json:"state"`
	Began   time.Time `json:"began"`
	Done    int       `json:"done"` // nodes that are as they should be
	Total   int       `json:"total"`
	Waits   string    `json:"waits,omitempty"` // for what, if it does not go on
}

// The kinds of tasks, and their states.
const (
	TaskCreate  = "cluster.create"
	TaskModify  = "cluster.modify"
	TaskDelete  = "cluster.delete"
	TaskReplace = "node.replace" // by another, wherever there is a place
	TaskDrain   = "host.drain"   // Subject's DrainKey must stand there as well

	TaskRunning = "running"
	TaskDone    = "done"
	TaskFailed  = "failed" // Waits says why
)

// replaced tells whether somebody waits for a node to be replaced.
func (s *stepper) replaced(node string) bool {
	for _, t := range s.tasks {
		if t.value.Kind == TaskReplace && t.value.State == TaskRunning && t.value.Subject == node {
			return true
		}
	}
	return false
}

// endTasks notes how far tasks are. It is no harm if that is lost or comes twice.
func (s *stepper) endTasks() {
	for _, id := range sortedKeys(s.tasks) {
		held := s.tasks[id]
		if held.value.State != TaskRunning {
			continue
		}
		next := *held.value
		switch c := s.clusters[next.Cluster]; {
		case next.Kind != TaskDrain && next.Kind != TaskDelete && (c == nil || c.spec.value == nil || c.spec.value.Deleted):
			next.State, next.Waits = TaskFailed, "the cluster is deleted"
		case s.progress(&next):
			next.State, next.Done, next.Waits = TaskDone, next.Total, ""
		}
		if next != *held.value {
			s.effects = append(s.effects, Put{TaskKey(id), encode(&next), held.version})
		}
	}
}

// progress says how far a task is, and whether it is over.
func (s *stepper) progress(t *Task) bool {
	if t.Kind == TaskDrain {
		return s.drainProgress(t)
	}
	c := s.clusters[t.Cluster]
	if c == nil {
		return t.Kind == TaskDelete
	}
	if t.Kind == TaskDelete {
		t.Total = max(t.Total, len(c.planned()))
		t.Done = t.Total - len(c.planned())
		return c.spec.value == nil
	}
	if c.plan.value == nil {
		return false
	}
	t.Total, t.Done = s.count(c)
	t.Waits = ""
	if reasons := s.Reasons(c.name); len(reasons) > 0 {
		t.Waits = reasons[0]
	}
	return t.Done == t.Total && s.Settled(c.name) && (t.Kind != TaskReplace || c.plan.value.node(t.Subject) == nil)
}

func (s *stepper) drainProgress(t *Task) bool {
	left := 0
	for _, name := range sortedKeys(s.clusters) {
		for _, n := range s.clusters[name].planned() {
			if n.Host == t.Subject {
				left++
			}
		}
		if reasons := s.Reasons(name); left > 0 && len(reasons) > 0 {
			t.Waits = name + ": " + reasons[0]
		}
	}
	t.Total = max(t.Total, left)
	t.Done = t.Total - left
	h := s.hosts[t.Subject]
	return left == 0 && (h == nil || h.draining)
}

// count is how many nodes a cluster has to have, and how many of them are members of their shards.
func (s *stepper) count(c *cluster) (total, members int) {
	spec := c.spec.value
	for shard := range spec.Shards {
		total += spec.wanted()
		r := c.records[shard].value
		for _, n := range c.plan.value.staying(shard) {
			if run, ok := s.run(n); ok && r != nil && r.Member(run) {
				members++
			}
		}
	}
	return total, min(members, total)
}

// Settled tells whether a cluster is as it should be, as far as is known: nothing of it is under way, and nothing is missing.
func (f Fleet) Settled(name string) bool {
	c := f.clusters[name]
	if c == nil || c.spec.value == nil {
		return c == nil || len(c.planned()) == 0
	}
	spec := c.spec.value
	if spec.Deleted || c.plan.value == nil || c.topology.value == nil || len(c.writing) > 0 {
		return false
	}
	s := &stepper{Fleet: f}
	for shard := range spec.Shards {
		if !s.settledShard(c, shard) {
			return false
		}
	}
	shards, ok := s.shards(c)
	return ok && slices.EqualFunc(shards, c.topology.value.Shards, sameShard)
}

func (s *stepper) settledShard(c *cluster, shard int) bool {
	r, nodes := c.records[shard].value, c.plan.value.of(shard)
	if r == nil || len(nodes) != c.spec.value.wanted() || len(r.Set) != len(nodes) || len(r.Joining) > 0 {
		return false
	}
	for _, n := range nodes {
		run, ok := s.run(n)
		running := s.hosts[n.Host].runs(n.ID)
		if !ok || !r.Member(run) || n.State != Stays || n.Memory != c.spec.value.Memory || n.Reserved != 0 || running.Settings != n.Settings {
			return false
		}
	}
	return true
}
