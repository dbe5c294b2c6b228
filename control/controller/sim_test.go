package controller_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/control/controller"
	"larder/router"
)

var (
	simSeeds = flag.Int("seeds", 0, "how many fleets are simulated; 0: as many as are usual")
	simSeed  = flag.Uint64("seed", 0, "simulate this one only")
)

const (
	gib      = int64(1) << 30
	nodeSize = gib / 2
)

// TestSimulated plays fleets from seeds: users and operators want this and that, machines die and come back, are cut off or answer nobody, messages are lost,
// late and doubled, the registry refuses, nodes crash, freeze and are cut off, and controllers die between any two effects, or do not know that they are the
// leader no more. When all that has ended the fleet is as was wanted within two minutes; and never was more planned on a host than it has, had a record's
// epoch two contents, were there two primaries of a reign, was a node erased that somebody counted on; nor, where it was promised, did two answer at once or
// a primary lack a write that was committed.
func TestSimulated(t *testing.T) {
	if *simSeed != 0 {
		w := simulate(*simSeed, func(format string, args ...any) { t.Logf(format, args...) })
		if w.wrong != "" {
			t.Fatal(w.wrong)
		}
		return
	}
	seeds := *simSeeds
	if seeds == 0 {
		if seeds = 80; testing.Short() {
			seeds = 30
		}
	}
	var puts, erased, led, elected int
	for seed := 1; seed <= seeds; seed++ {
		w := simulate(uint64(seed), nil)
		if w.wrong != "" {
			t.Fatalf("seed %d: %s (-seed %d tells all)", seed, w.wrong, seed)
		}
		puts, erased, led, elected = puts+w.puts, erased+w.erased, led+w.lock, elected+w.elected
	}
	t.Logf("%d fleets: %d writes, %d nodes erased, %d leaders, %d elections", seeds, puts, erased, led, elected)
	if elected < 2*seeds || puts < 40*seeds || erased < 2*seeds || led < 3*seeds {
		t.Error("too little happened for anything to be proved")
	}
}

// simulate plays one fleet.
func simulate(seed uint64, trace func(string, ...any)) *world {
	w := newWorld(rand.New(rand.NewPCG(seed, 7)))
	if trace != nil {
		w.trace = func(format string, args ...any) { trace("%s "+format, append([]any{w.now.Sub(began)}, args...)...) }
	}
	for i := range 3 + w.dice.IntN(4) {
		w.start(string(rune('a'+i)), strconv.Itoa(i%(1+w.dice.IntN(3))), 2*gib+nodeSize*int64(w.dice.IntN(5)))
	}
	for range 400 + w.dice.IntN(800) {
		w.step()
		if w.dice.IntN(12) == 0 {
			w.happen()
		}
		w.operate()
		if w.wrong != "" {
			return w
		}
	}
	w.calmDown()
	for range 1800 {
		w.step()
		w.operate()
		if second := w.now.Sub(began)%time.Second == 0; w.wrong != "" || second && w.amiss() == "" {
			return w
		}
	}
	w.fail("it is not as wanted: %s", w.amiss())
	for _, c := range w.planned() {
		w.wrong += "; " + c + ": " + w.leaders[len(w.leaders)-1].fleet.Unsettled(c)
	}
	return w
}

// happen is something that users, operators and the world do.
func (w *world) happen() {
	names := slices.Sorted(maps.Keys(w.machines))
	m := w.machines[names[w.dice.IntN(len(names))]]
	switch w.dice.IntN(16) {
	case 0, 1:
		w.want()
	case 2:
		if c := w.any(w.clusters()); c != "" && w.spec(c) != nil && w.dice.IntN(3) == 0 {
			s := w.spec(c)
			s.Deleted = true
			w.trace("# delete %s", c)
			w.setJSON(controller.SpecKey(c), s)
		}
	case 3:
		w.replaceAny()
	case 4:
		w.drainOr(m)
	case 5, 6:
		if m.announced && m.up {
			w.trace("# %s dies", m.ID)
			w.stop(m)
			w.loses(m)
		}
	case 7:
		if m.announced && m.up && w.dice.IntN(2) == 0 {
			w.trace("# %s answers no controller, and its session lives", m.ID)
			m.silent = true
		} else if m.announced && m.up {
			w.trace("# %s is cut", m.ID)
			w.loses(m)
		}
	case 8, 9, 10, 11:
		if !m.announced {
			w.trace("# %s returns", m.ID)
			w.start(m.ID, m.Zone, m.Memory)
		} else if m.silent {
			w.trace("# %s answers again", m.ID)
			m.silent = false
		}
	case 12, 13:
		if procs := w.procs(); len(procs) > 0 {
			w.troubles(procs[w.dice.IntN(len(procs))])
		}
	case 14:
		w.trace("# another controller")
		w.takeOver()
	case 15:
		if c := w.any(w.planned()); c != "" && w.dice.IntN(2) == 0 {
			w.trace("# failover of %s", c)
			w.failover(c, "", false)
		}
		if w.dice.IntN(3) == 0 {
			w.setJSON(controller.ParametersKey("g"), controller.Group{Engine: controller.Redis, Values: map[string]string{"timeout": strconv.Itoa(w.dice.IntN(9))}})
		}
	}
}

// troubles has something happen to a node.
func (w *world) troubles(p *proc) {
	long := time.Duration(w.dice.Int64N(int64(4 * time.Second)))
	switch w.dice.IntN(4) {
	case 0, 1:
		w.trace("# %s crashes", p.id)
		w.run(p)
	case 2:
		w.trace("# %s is frozen for %s", p.id, long)
		p.frozen = w.now.Add(long)
	case 3:
		w.trace("# %s is cut off for %s", p.id, long)
		p.cut = w.now.Add(long)
	}
	if w.dice.IntN(4) == 0 {
		p.skew = time.Duration(w.dice.Int64N(int64(time.Second))) - 500*time.Millisecond
	}
}

func (w *world) any(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[w.dice.IntN(len(list))]
}

// want makes or changes a cluster.
func (w *world) want() {
	c := w.any([]string{"one", "two", "three"})
	s := w.spec(c)
	switch {
	case s == nil:
		s = &controller.Spec{Engine: controller.Redis, Memory: nodeSize, Shards: 1 + w.dice.IntN(3), Replicas: w.dice.IntN(3), Durability: controller.Async}
		if w.dice.IntN(2) == 0 {
			s.Durability = controller.Replicated
		}
	case s.Deleted:
		return
	default:
		s.Replicas = w.dice.IntN(3)
		s.Memory = nodeSize/2 + nodeSize/4*int64(w.dice.IntN(4))
		s.Parameters = w.any([]string{"", "g"})
		s.Durability = w.any([]string{controller.Async, controller.Replicated, s.Durability})
	}
	w.trace("# want %s: %d shards, %d replicas, %s, %s", c, s.Shards, s.Replicas, controller.Bytes(s.Memory), s.Durability)
	w.setJSON(controller.SpecKey(c), s)
}

func (w *world) replaceAny() {
	c := w.any(w.planned())
	if c == "" || len(w.plan(c).Nodes) == 0 {
		return
	}
	nodes := w.plan(c).Nodes
	n := nodes[w.dice.IntN(len(nodes))]
	w.trace("# replace %s", n.ID)
	w.setJSON(controller.TaskKey(n.ID), controller.Task{ID: n.ID, Kind: controller.TaskReplace, Cluster: c, Subject: n.ID, State: controller.TaskRunning})
}

func (w *world) drainOr(m *machine) {
	key := controller.DrainKey(m.ID)
	if _, ok := w.entries[key]; ok {
		w.trace("# %s is drained no more", m.ID)
		w.unset(key)
		return
	}
	for other := range w.machines {
		if _, ok := w.entries[controller.DrainKey(other)]; ok {
			return // one at a time
		}
	}
	w.trace("# %s is drained", m.ID)
	w.set(key, []byte("{}"))
}

// operate is an operator who has a shard begin anew whose members have all ended though it was promised that nothing is lost.
func (w *world) operate() {
	if w.dice.IntN(20) != 0 {
		return
	}
	running := map[router.Run]*proc{}
	for _, p := range w.procs() {
		running[p.Me()] = p
	}
	for _, c := range w.clusters() {
		for shard := range router.ShardsMax {
			r := w.record(c, shard)
			if r == nil {
				break
			}
			if !r.Replicated || slices.ContainsFunc(r.Set, func(run router.Run) bool { return running[run] != nil }) {
				continue
			}
			if heir := w.anew(r); heir != nil {
				w.trace("# an operator forces a failover of %s %d", c, shard)
				w.failover(c, strconv.Itoa(shard), true)
			}
		}
	}
}

func (w *world) anew(r *router.Record) *proc {
	for _, run := range r.Set {
		for _, p := range w.procs() {
			if p.id == run.Node {
				return p
			}
		}
	}
	return nil
}

// calmDown ends all trouble: every machine is there, nothing is lost any more.
func (w *world) calmDown() {
	w.trace("# calm")
	w.calm = true
	if names := slices.Sorted(maps.Keys(w.machines)); w.dice.IntN(2) == 0 {
		m := w.machines[names[w.dice.IntN(len(names))]]
		w.trace("# %s dies for good", m.ID)
		w.stop(m)
		if m.announced {
			w.loses(m)
		}
		w.gone = m.ID
	}
	for _, id := range slices.Sorted(maps.Keys(w.machines)) {
		if id != w.gone {
			w.start(id, w.machines[id].Zone, w.machines[id].Memory)
		}
	}
}

// amiss says in what a fleet is not as was wanted; empty: in nothing.
func (w *world) amiss() string {
	for _, c := range w.planned() {
		if text := w.amissIn(c); text != "" {
			return c + ": " + text
		}
	}
	for _, c := range w.clusters() {
		if s := w.spec(c); s != nil && len(w.entries[controller.PlanKey(c)].Value) == 0 && w.room(s.Memory, "") != "" {
			return c + " has no plan"
		}
	}
	for _, p := range w.procs() {
		if w.plan(p.cluster).Nodes == nil || !slices.ContainsFunc(w.plan(p.cluster).Nodes, func(n controller.Node) bool { return n.ID == p.id && n.Host == p.m.ID }) {
			return p.id + " runs and is in no plan"
		}
	}
	for key, e := range w.entries {
		if id, ok := strings.CutPrefix(key, "larder/fleet-tasks/"); ok && strings.Contains(string(e.Value), `"running"`) && !w.stuck("") && w.gone == "" {
			return "task " + id + " has not ended"
		}
	}
	return ""
}

func (w *world) amissIn(c string) string {
	s, plan := w.spec(c), w.plan(c)
	if s == nil || s.Deleted {
		for _, key := range []string{controller.SpecKey(c), controller.TopologyKey(c), controller.RecordKey(c, 0)} {
			if len(w.entries[key].Value) > 0 {
				return key + " is still there"
			}
		}
		if len(plan.Nodes) > 0 {
			return "it is deleted and has nodes"
		}
		return ""
	}
	for shard := range s.Shards {
		if text := w.amissInShard(s, plan, c, shard); text != "" {
			return fmt.Sprintf("shard %d: %s", shard, text)
		}
	}
	for shard := range s.Shards {
		if r := w.record(c, shard); r == nil || w.hasGone(r) {
			return "" // there is no room for one node of it, or it is lost
		}
	}
	t, err := router.Parse(w.entries[controller.TopologyKey(c)].Value)
	if err != nil {
		return err.Error()
	}
	for shard, have := range t.Shards {
		r := w.record(c, shard)
		if have.Primary.ID != r.Primary.Node || len(have.Replicas) != len(r.Set)-1 || have.Primary.Addr != w.proc(have.Primary.ID).addr {
			return fmt.Sprintf("the topology has %+v for %s", have, r.Line())
		}
	}
	return ""
}

func (w *world) amissInShard(s *controller.Spec, plan *controller.Plan, c string, shard int) string {
	r := w.record(c, shard)
	if r != nil && w.hasGone(r) {
		return "" // with its only data
	}
	var nodes []controller.Node
	for _, n := range plan.Nodes {
		if n.Shard == shard {
			nodes = append(nodes, n)
		}
	}
	here := slices.DeleteFunc(slices.Clone(nodes), func(n controller.Node) bool { return n.Host == w.gone })
	if len(here) < len(nodes) && w.roomBeside(s.Memory, here) == "" {
		return "" // no other host can take what was on the one that is gone
	}
	if len(nodes) < 1+s.Replicas && w.room(s.Memory, "") == "" {
		if r == nil && len(nodes) > 0 {
			return "no record"
		}
		if len(nodes) == 0 {
			return ""
		}
	} else if len(nodes) != 1+s.Replicas {
		return fmt.Sprintf("%d nodes", len(nodes))
	}
	if r == nil {
		return "no record"
	}
	if r.State != router.Normal || len(r.Set) != len(nodes) || len(r.Joining) > 0 || r.Replicated != (s.Durability == controller.Replicated) {
		return r.Line()
	}
	hosts := map[string]bool{}
	for _, n := range nodes {
		p := w.proc(n.ID)
		switch {
		case p == nil || !p.up || p.m.ID != n.Host:
			return n.ID + " does not run"
		case !r.Member(p.Me()):
			return n.ID + " is no member"
		case p.Record().Epoch != r.Epoch:
			return n.ID + " does not know the record"
		case n.State != controller.Stays:
			return n.ID + " leaves"
		case n.Memory != s.Memory && !w.stuck(n.Host) || p.memory != n.Memory || p.settings != n.Settings || n.Reserved != 0:
			return fmt.Sprintf("%+v has %d", n, p.memory)
		case w.drains(n.Host) && !w.stuck(n.Host):
			return n.ID + " is on a drained host"
		case hosts[n.Host] && w.roomBeside(s.Memory, nodes) != "":
			return n.ID + " shares its host, and there is another"
		}
		hosts[n.Host] = true
	}
	return ""
}

// hasGone tells whether a shard's primary was on the machine that does not come back, and no other member's run has lived on.
func (w *world) hasGone(r *router.Record) bool {
	for _, run := range r.Set {
		p := w.proc(run.Node)
		if p != nil && p.up && p.m.up && p.Me() == run || run == r.Primary && (p == nil || p.m.ID != w.gone) {
			return false
		}
	}
	return w.gone != ""
}

func (w *world) proc(id string) *proc {
	for _, m := range w.machines {
		if p := m.procs[id]; p != nil {
			return p
		}
	}
	return nil
}

func (w *world) drains(id string) bool {
	_, ok := w.entries[controller.DrainKey(id)]
	return ok
}

// room is a host that has so much free and is not drained, or that one.
func (w *world) room(memory int64, not string) string {
	for _, id := range slices.Sorted(maps.Keys(w.machines)) {
		if id != not && id != w.gone && !w.drains(id) && w.freeOn(id) >= memory {
			return id
		}
	}
	return ""
}

// freeOn is what the plans leave of a host.
func (w *world) freeOn(id string) int64 {
	free := w.machines[id].Memory
	for _, c := range w.planned() {
		for _, n := range w.plan(c).Nodes {
			if n.Host == id {
				free -= max(n.Memory, n.Reserved)
			}
		}
	}
	return free
}

// roomBeside is a host with room that has none of these nodes.
func (w *world) roomBeside(memory int64, nodes []controller.Node) string {
	for _, id := range slices.Sorted(maps.Keys(w.machines)) {
		has := slices.ContainsFunc(nodes, func(n controller.Node) bool { return n.Host == id })
		if !has && id != w.gone && !w.drains(id) && w.freeOn(id) >= memory {
			return id
		}
	}
	return ""
}

// stuck tells whether there is no room anywhere but on a host for the largest node that is wanted: what should move cannot.
func (w *world) stuck(host string) bool {
	var most int64
	for _, c := range w.clusters() {
		if s := w.spec(c); s != nil && !s.Deleted {
			most = max(most, s.Memory)
		}
	}
	return w.room(most, host) == ""
}

// TestRestsWhenSettled: of a fleet that is as it should be nothing is wanted, and a controller that takes over only shows records again.
func TestRestsWhenSettled(t *testing.T) {
	w := newWorld(nil)
	for _, line := range []string{"host a zone=1", "host b zone=2", "host c zone=1", "create one shards=5 replicas=2", "create two replicas=1", "tick 30s"} {
		if err := w.do(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
		w.deliver()
	}
	w.trace = func(format string, args ...any) { t.Errorf(format, args...) }
	for range 600 {
		w.step()
	}
	if w.amiss() != "" || w.wrong != "" {
		t.Error(w.amiss(), w.wrong)
	}
	w.takeOver() // says nothing but what nodes may have missed
	w.trace = func(format string, args ...any) {
		if !strings.HasPrefix(format, "tell ") {
			t.Errorf(format, args...)
		}
	}
	for range 600 {
		w.step()
	}
}
