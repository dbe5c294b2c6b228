package controller

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/router"
)

// What operators ask for of primaries: a planned switch, where nothing is lost, and the forced failover of a shard that no rule can go on with.

// When a task ends whose shards could not all be given another primary. What is forced waits for longer, as a node may have much to load; but not for ever: what
// an operator was ready to lose then he may not be tomorrow.
const (
	switchGivenUp = 30 * time.Second
	forceGivenUp  = 10 * time.Minute
)

// lagMax is by how many bytes a node may be behind for a switch to it to begin: the primary is frozen until it has them.
const lagMax = 16 << 20

// FromReigns says in a Task which shards it is about, each with the reign that is to be followed by another: "0=7 2=3".
func FromReigns(reigns map[int]uint64) string {
	var words []string
	for _, shard := range slices.Sorted(maps.Keys(reigns)) {
		words = append(words, fmt.Sprintf("%d=%d", shard, reigns[shard]))
	}
	return strings.Join(words, " ")
}

// reigns reads what FromReigns wrote. What it cannot read is about no shard.
func (t *Task) reigns() map[int]uint64 {
	reigns := map[int]uint64{}
	for _, word := range strings.Fields(t.From) {
		name, reign, _ := strings.Cut(word, "=")
		shard, ok := number(name)
		of, err := strconv.ParseUint(reign, 10, 64)
		if ok && err == nil {
			reigns[shard] = of
		}
	}
	return reigns
}

// wished tells whether a task of that kind that is not over wants a shard's reign to be followed by another.
func (s *stepper) wished(kind, cluster string, shard int, reign uint64) bool {
	for _, t := range s.tasks {
		if t.value != nil && t.value.Kind == kind && t.value.Cluster == cluster && t.value.State == TaskRunning {
			if of, ok := t.value.reigns()[shard]; ok && of == reign {
				return true
			}
		}
	}
	return false
}

// mayBegin tells whether another shard may be switched: only some are at once, and what is being written may stand there by now.
func (s *stepper) mayBegin(c *cluster) bool {
	under := 0
	for _, other := range c.records {
		if other.value != nil && other.value.State == router.Switching {
			under++
		}
	}
	for _, w := range c.writing {
		if w.record != nil && w.record.State == router.Switching {
			under++
		}
	}
	return under < s.limits.Moves
}

// ready tells whether a member that stays could take its primary's place soon.
func (s *stepper) ready(c *cluster, shard int, r *router.Record) bool {
	f := c.followed[shard]
	return f.reign == r.Reign && slices.ContainsFunc(c.plan.value.staying(shard), func(n *Node) bool {
		run, ok := s.run(n)
		acked, follows := f.acks[run]
		return ok && follows && run != r.Primary && r.Member(run) && s.answers(c, run) && acked.lag <= lagMax
	})
}

// switchProgress says how many shards have another primary, which serves and which gateways can know.
func (s *stepper) switchProgress(c *cluster, t *Task) (over bool) {
	reigns := t.reigns()
	t.Total, t.Done, t.Waits = len(reigns), 0, ""
	for _, shard := range slices.Sorted(maps.Keys(reigns)) {
		switch text := s.unswitched(c, shard, reigns[shard]); {
		case text == "":
			t.Done++
		case t.Waits == "":
			t.Waits = subject(shard) + ": " + text
		}
	}
	patience := switchGivenUp
	if t.Kind == TaskForce {
		patience = forceGivenUp
	}
	if t.Done < t.Total && s.now.Sub(t.Began) > patience {
		t.State = TaskFailed
		return false
	}
	return t.Done == t.Total
}

// unswitched says why a shard has no other primary yet; empty: it has.
func (s *stepper) unswitched(c *cluster, shard int, reign uint64) string {
	r := c.records[shard].value
	switch {
	case r == nil:
		return "it has no primary"
	case r.Reign == reign && c.told[subject(shard)] != "":
		return c.told[subject(shard)]
	case r.Reign == reign:
		return "no other node that is a member has all that " + r.Primary.Node + " has"
	case r.State != router.Normal || c.said[r.Primary.Node].Epoch < r.Epoch:
		return r.Primary.Node + " is about to serve"
	case c.topology.value == nil || shard >= len(c.topology.value.Shards) || c.topology.value.Shards[shard].Primary.ID != r.Primary.Node:
		return "the topology does not say yet that " + r.Primary.Node + " is the primary"
	}
	return ""
}

// forced is the record that an operator wants of a shard that no rule can go on with: who has most of those that answer is the primary, alone.
func (s *stepper) forced(c *cluster, shard int, r *router.Record, waits string) *router.Record {
	if !s.wished(TaskForce, c.name, shard, r.Reign) || !s.stuck(c, shard, r, waits) {
		return nil
	}
	heir, ok := s.forcedHeir(c, shard, r)
	if !ok {
		return nil
	}
	s.reportOf(c.name, "failover-forced", "cluster %s: shard %d: an operator has %s be the primary, with what it has up to offset %d; what %s had beside may be lost",
		c.name, shard, heir.Node, heir.Executed, r.Primary.Node)
	return reignOf(r, heir.Run)
}

// stuck tells whether no rule goes on with a shard that needs another primary: its election waits for what may never come, nobody is there to promise, or its
// primary is away.
func (s *stepper) stuck(c *cluster, shard int, r *router.Record, waits string) bool {
	able := func(run router.Run) bool { return s.answers(c, run) && c.said[run.Node].Loaded }
	if r.State != router.Electing && !s.gone(c, r.Primary) {
		return !able(r.Primary)
	}
	begun, asked := c.since["electing "+subject(shard)]
	return waits != "" || !slices.ContainsFunc(r.Set, able) || asked && s.now.Sub(begun) >= patientFor
}

// forcedHeir is who has most of a shard's nodes that answer.
func (s *stepper) forcedHeir(c *cluster, shard int, r *router.Record) (best NodeSays, ok bool) {
	for _, n := range c.plan.value.of(shard) {
		run, runs := s.run(n)
		said := c.said[n.ID]
		if !runs || n.State == Stops || said.Run != run || !said.Loaded || !c.mute[n.ID].since.IsZero() {
			continue
		}
		if !ok || slices.Compare(worth(r, said), worth(r, best)) > 0 {
			best, ok = said, true
		}
	}
	return best, ok
}

// worth ranks what a node has where no rule can say: data of the last reign; then that of a member, which was whole, though a node does not know the reign of
// what it has loaded at a start; then of the newest reign, and most of it. Whoever left the set long ago knows its old reign, and has less.
func worth(r *router.Record, said NodeSays) []int64 {
	is := func(yes bool) int64 {
		if yes {
			return 1
		}
		return 0
	}
	named := said.Executed > 0 && slices.ContainsFunc(r.Set, func(run router.Run) bool { return run.Node == said.Node })
	return []int64{is(said.Reign == r.Reign), is(named), int64(said.Reign), said.Executed}
}

// SeenShard is a shard as who asks for another primary has to know it.
type SeenShard struct {
	Reign   uint64
	Primary string
	Answers bool   // the primary does
	Ready   bool   // another member is there
	Heir    string // who a forced failover would make the primary; empty: nobody answers
}

// Shards tells of a cluster's shards.
func (f Fleet) Shards(cluster string) (shards []SeenShard) {
	c := f.clusters[cluster]
	if c == nil || c.spec.value == nil || c.plan.value == nil || c.spec.value.External() {
		return nil
	}
	s := &stepper{Fleet: f, limits: Limits{}.filled()}
	for shard := range c.spec.value.Shards {
		var seen SeenShard
		if r := c.records[shard].value; r != nil {
			seen = SeenShard{Reign: r.Reign, Primary: r.Primary.Node, Answers: s.answers(c, r.Primary) && r.State == router.Normal}
			seen.Ready = slices.ContainsFunc(r.Set, func(run router.Run) bool { return run != r.Primary && s.answers(c, run) })
			heir, _ := s.forcedHeir(c, shard, r)
			seen.Heir = heir.Node
		}
		shards = append(shards, seen)
	}
	return shards
}
