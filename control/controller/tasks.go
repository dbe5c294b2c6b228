package controller

import (
	"fmt"
	"slices"
	"time"

	"larder/router"
)

// Task is something that a user has asked for and waits for. The management API begins it; the controller says how far it is and when it has ended.
type Task struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Cluster string    `json:"cluster,omitempty"`
	Subject string    `json:"subject,omitempty"` // the node, the host, or the shard
	From    string    `json:"from,omitempty"`    // of a failover: FromReigns
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
	TaskReplace = "node.replace"     // by another, wherever there is a place
	TaskAway    = "node.drain"       // by another on another host
	TaskDrain   = "host.drain"       // Subject's DrainKey must stand there as well
	TaskSwitch  = "cluster.failover" // planned: nothing is lost
	TaskForce   = "cluster.failover.force"

	TaskRunning = "running"
	TaskDone    = "done"
	TaskFailed  = "failed" // Waits says why
)

// asked tells whether somebody waits for that to be done with a node.
func (s *stepper) asked(kind, node string) bool {
	for _, t := range s.tasks {
		if t.value.Kind == kind && t.value.State == TaskRunning && t.value.Subject == node {
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
		case next.Kind == TaskCreate && c.spec.value.Seed != nil && c.spec.value.Seed.Failed != "":
			next.State, next.Waits = TaskFailed, "the cluster is there, but it is not filled: "+c.spec.value.Seed.Failed
		case next.Kind == TaskDelete && c != nil && c.spec.value != nil && !c.spec.value.Deleted && c.spec.value.Final == "":
			next.State, next.Waits = TaskFailed, "its last snapshot could not be taken, so the cluster stays: larder events says why"
		case (next.Kind == TaskReplace || next.Kind == TaskAway) && c.spec.value.External():
			next.State, next.Waits = TaskFailed, "the cluster's servers are not ours to replace: change its list of servers"
		case next.Kind == TaskDrain && s.hosts[next.Subject] != nil && !s.hosts[next.Subject].draining:
			next.State, next.Waits = TaskFailed, "somebody has the host used again"
		case (next.Kind == TaskSwitch || next.Kind == TaskForce) && c.spec.value.External():
			next.State, next.Waits = TaskFailed, "the cluster's servers are not ours: have them fail over themselves, and Larder follows"
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
		if spec := c.spec.value; spec != nil && !spec.Deleted {
			t.Waits = "snapshot " + spec.Final + " is taken before"
			return false
		}
		t.Waits = ""
		t.Total = max(t.Total, len(c.planned()))
		t.Done = t.Total - len(c.planned())
		return c.spec.value == nil
	}
	switch {
	case t.Kind == TaskSwitch || t.Kind == TaskForce:
		return c.plan.value != nil && s.switchProgress(c, t)
	case c.spec.value.External():
		t.Total, t.Done = c.stockProgress()
	case c.plan.value == nil:
		return false
	default:
		t.Total, t.Done = s.count(c)
	}
	t.Waits = ""
	if reasons := s.Reasons(c.name); len(reasons) > 0 {
		t.Waits = reasons[0]
	}
	if t.Kind == TaskReplace || t.Kind == TaskAway { // it goes when others have its place
		return c.plan.value.node(t.Subject) == nil
	}
	return s.Unsettled(c.name) == ""
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

// Unsettled says what of a cluster is not as it should be yet, as far as is known; empty: nothing is under way, and nothing is missing.
func (f Fleet) Unsettled(name string) string {
	c := f.clusters[name]
	if c == nil || c.spec.value == nil {
		if c != nil && len(c.planned()) > 0 {
			return "nodes are left"
		}
		return ""
	}
	switch {
	case c.spec.value.Deleted:
		return "it is being deleted"
	case c.spec.value.External():
		return c.unsettledServers()
	case c.plan.value == nil:
		return "nothing is planned yet"
	case c.topology.value == nil:
		return "it has no topology yet"
	}
	for key := range c.writing {
		return key + " is being written"
	}
	s := &stepper{Fleet: f}
	for shard := range c.spec.value.Shards {
		if text := s.unsettledShard(c, shard); text != "" {
			return subject(shard) + ": " + text
		}
	}
	if seed := c.spec.value.Seed; seed != nil && seed.Failed == "" {
		return "it is being filled from snapshot " + seed.From
	}
	if final := c.spec.value.Final; final != "" {
		return "snapshot " + final + " is taken before it is deleted"
	}
	if shards, ok := s.shards(c); !ok || !slices.EqualFunc(shards, c.topology.value.Shards, sameShard) {
		return "the topology is another"
	}
	return ""
}

func (s *stepper) unsettledShard(c *cluster, shard int) string {
	r, nodes := c.records[shard].value, c.plan.value.of(shard)
	switch {
	case r == nil:
		return "it has no primary yet"
	case len(nodes) != c.spec.value.wanted():
		return fmt.Sprintf("it has %d nodes", len(nodes))
	}
	for _, n := range nodes {
		run, ok := s.run(n)
		switch {
		case !ok:
			return "node " + n.ID + " does not run"
		case !r.Member(run):
			return "node " + n.ID + " is no member"
		case n.State != Stays:
			return "node " + n.ID + " leaves"
		case n.Memory != c.spec.value.Memory || n.Reserved != 0 || s.hosts[n.Host].runs(n.ID).Settings != n.Settings:
			return "node " + n.ID + " is being changed"
		}
	}
	if len(r.Set) != len(nodes) || len(r.Joining) > 0 || r.State != router.Normal {
		return "its record is " + r.Line()
	}
	return ""
}
