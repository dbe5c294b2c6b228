package controller_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/control/controller"
	"larder/engine/shard"
	"larder/router"
)

// world is a fleet in memory: a registry, machines with nodes that keep the protocol of their shard, and controllers. The scenarios let it go as it should; the
// simulator lets everything go wrong that can.
type world struct {
	now      time.Time
	dice     *rand.Rand // nil: nothing is left to chance
	entries  map[string]controller.Entry
	index    uint64
	versions uint64
	machines map[string]*machine
	leaders  []*leader
	lock     int // which leader has it
	limits   controller.Limits
	calm     bool   // nothing goes wrong any more
	gone     string // the machine that does not come back, once it is calm

	history map[string]string // record by cluster, shard and epoch: there is one
	shown   map[string][]int  // what was committed under replicated, by the record's key
	plans   map[string]parsedPlan
	writes  int
	elected int
	erased  int
	wrong   string
	trace   func(format string, args ...any)
	hold    func(controller.Effect) bool // a scenario keeps these from happening
	mail    []letter
	runs    int
	puts    int
}

type parsedPlan struct {
	version uint64
	plan    *controller.Plan
}

// letter is something on its way.
type letter struct {
	at   time.Time
	what func()
}

// leader is a controller, or one that was and does not know yet that it is not.
type leader struct {
	number int
	fleet  controller.Fleet
	dead   bool
	again  map[string]time.Time
}

// machine is a host.
type machine struct {
	controller.Host
	up        bool
	announced bool // its session lives
	silent    bool // controllers reach neither it nor its nodes
	number    uint64
	sessions  int
	obeyed    map[string]uint64
	procs     map[string]*proc // by node; they are on its disk
}

// proc is a node.
type proc struct {
	*shard.Node
	m        *machine
	cluster  string
	id       string
	shard    int
	up       bool
	exited   string // its run before
	addr     string
	data     []int  // the numbers of the writes that it has
	reign    uint64 // of the newest in data
	link     link
	frozen   time.Time // until then it does nothing, and answers nobody
	cut      time.Time // until then no controller reaches it
	skew     time.Duration
	memory   int64
	settings int
	failed   string
	acked    int64 // to whom it is linked
}

// link is what a follower has of its primary: it streams from that run in that reign.
type link struct {
	to    router.Run
	reign uint64
}

func (p *proc) executed() int64 { return int64(len(p.data)) }

// lives tells whether it does anything now.
func (p *proc) lives(w *world) bool { return p.up && p.m.up && !p.frozen.After(w.now) }

// reached tells whether controllers reach it.
func (p *proc) reached(w *world) bool { return p.lives(w) && !p.m.silent && !p.cut.After(w.now) }

var began = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func newWorld(dice *rand.Rand) *world {
	w := &world{
		now: began, dice: dice, entries: map[string]controller.Entry{}, machines: map[string]*machine{}, history: map[string]string{}, shown: map[string][]int{}, plans: map[string]parsedPlan{},
		trace: func(string, ...any) {},
	}
	w.takeOver()
	return w
}

func (w *world) chance(n int) bool { return w.dice != nil && !w.calm && w.dice.IntN(n) == 0 }

func (w *world) fail(format string, args ...any) {
	if w.wrong == "" {
		w.wrong = fmt.Sprintf(format, args...)
	}
}

// send has something happen: now, or when chance wants it, or twice, or never.
func (w *world) send(what func()) {
	if w.dice == nil {
		w.mail = append(w.mail, letter{w.now, what})
		return
	}
	late := func() time.Time {
		d := time.Duration(w.dice.Int64N(int64(20 * time.Millisecond)))
		if w.chance(8) {
			d = time.Duration(w.dice.Int64N(int64(6 * time.Second)))
		}
		return w.now.Add(d)
	}
	if w.chance(10) {
		return
	}
	w.mail = append(w.mail, letter{late(), what})
	if w.chance(10) {
		w.mail = append(w.mail, letter{late(), what})
	}
}

// deliver lets happen what is due.
func (w *world) deliver() {
	for {
		at := slices.IndexFunc(w.mail, func(l letter) bool { return !l.at.After(w.now) })
		if at < 0 {
			return
		}
		l := w.mail[at]
		w.mail = slices.Delete(w.mail, at, at+1)
		l.what()
	}
}

// takeOver makes another controller the leader. The one before does not know of it.
func (w *world) takeOver() {
	w.lock++
	w.leaders = append(w.leaders, &leader{number: w.lock, again: map[string]time.Time{}})
	w.leaders = w.leaders[max(0, len(w.leaders)-3):]
	w.tell(w.leaders[len(w.leaders)-1], w.registry())
}

func (w *world) registry() controller.Registry {
	r := controller.Registry{Index: w.index}
	for _, key := range slices.Sorted(maps.Keys(w.entries)) {
		r.Entries = append(r.Entries, w.entries[key])
	}
	return r
}

// tell has a controller take a step, and carries out what it wants. In between it may die.
func (w *world) tell(l *leader, e controller.Event) {
	if l.dead {
		return
	}
	var effects []controller.Effect
	l.fleet, effects = l.fleet.Step(w.now, w.limits, e)
	for _, effect := range effects {
		if w.chance(150) {
			l.dead = true
			if l.number == w.lock {
				w.takeOver()
			}
			return
		}
		w.carryOut(l, effect)
	}
}

func (w *world) carryOut(l *leader, effect controller.Effect) {
	if w.hold != nil && w.hold(effect) {
		return
	}
	switch e := effect.(type) {
	case controller.Put:
		w.trace("put %s", w.show(e.Key, e.Value))
		w.send(func() { w.put(l, e) })
	case controller.Order:
		w.trace("order %s", showOrder(e))
		w.send(func() { w.obey(e) })
	case controller.Tell:
		asks := ""
		if e.Promise {
			asks = fmt.Sprint("? ", e.Exited)
		}
		w.trace("tell %s %s%s", e.Node, e.Record.Line(), asks)
		w.send(func() { w.told(l, e) })
	case controller.Again:
		if !e.At.After(w.now) {
			w.fail("%s is to be looked after at once again, and again", e.Cluster)
		}
		if at, ok := l.again[e.Cluster]; !w.chance(4) && (!ok || e.At.Before(at)) { // a Tick does the same
			l.again[e.Cluster] = e.At
		}
	case controller.Report:
		if e.Kind == "elected" {
			w.elected++
		}
		w.trace("%s: %s", e.Kind, e.Text)
	}
}

// put is the registry's compare-and-set, fenced by the lock.
func (w *world) put(l *leader, e controller.Put) {
	if w.chance(12) {
		return // it cannot be reached
	}
	if l.number != w.lock || w.entries[e.Key].Version != e.Version {
		return
	}
	w.puts++
	w.set(e.Key, e.Value)
}

// set writes, and tells whoever watches.
func (w *world) set(key string, value []byte) {
	w.versions++
	w.index = w.versions
	w.entries[key] = controller.Entry{Key: key, Value: value, Version: w.versions}
	w.check(key)
	w.changed()
}

func (w *world) unset(key string) {
	w.versions++
	w.index = w.versions
	delete(w.entries, key)
	w.changed()
}

func (w *world) changed() {
	r := w.registry()
	for _, l := range w.leaders {
		w.send(func() { w.tell(l, r) })
	}
}

func (w *world) setJSON(key string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	w.set(key, text)
}

func (w *world) spec(cluster string) *controller.Spec {
	s := &controller.Spec{}
	if e := w.entries[controller.SpecKey(cluster)]; len(e.Value) == 0 || json.Unmarshal(e.Value, s) != nil {
		return nil
	}
	return s
}

func (w *world) plan(cluster string) *controller.Plan {
	e := w.entries[controller.PlanKey(cluster)]
	if known := w.plans[cluster]; known.plan != nil && known.version == e.Version {
		return known.plan
	}
	p := &controller.Plan{}
	w.plans[cluster] = parsedPlan{e.Version, p}
	if len(e.Value) > 0 {
		if err := json.Unmarshal(e.Value, p); err != nil {
			w.fail("plan of %s: %v", cluster, err)
		}
	}
	return p
}

func (w *world) record(cluster string, shard int) *router.Record {
	e := w.entries[controller.RecordKey(cluster, shard)]
	if len(e.Value) == 0 {
		return nil
	}
	r, err := router.ParseRecord(string(e.Value))
	if err != nil {
		w.fail("record of %s %d: %v", cluster, shard, err)
		return nil
	}
	return r
}

func (w *world) clusters() (names []string) {
	for _, key := range slices.Sorted(maps.Keys(w.entries)) {
		if name, ok := strings.CutSuffix(strings.TrimPrefix(key, "larder/clusters/"), "/spec"); ok {
			names = append(names, name)
		}
	}
	return names
}

// start makes a machine, or has one that was gone come back with its nodes, each as another run.
func (w *world) start(id, zone string, memory int64) *machine {
	m := w.machines[id]
	if m == nil {
		m = &machine{Host: controller.Host{ID: id, Zone: zone, Addr: id + ":1", Memory: memory}, obeyed: map[string]uint64{}, procs: map[string]*proc{}}
		w.machines[id] = m
	}
	m.silent = false
	if !m.up {
		m.up = true
		m.sessions++
		m.Session, m.number = fmt.Sprintf("%s.%d", id, m.sessions), 0
		for _, name := range slices.Sorted(maps.Keys(m.procs)) {
			w.run(m.procs[name])
		}
	}
	w.announce(m)
	return m
}

func (w *world) announce(m *machine) {
	m.announced = true
	w.setJSON(controller.HostKey(m.ID), m.Host)
}

// loses ends a host's session; its nodes may go on.
func (w *world) loses(m *machine) {
	m.announced = false
	w.unset(controller.HostKey(m.ID))
}

// stop is a machine that dies with all that runs on it.
func (w *world) stop(m *machine) {
	m.up = false
	for _, p := range m.procs {
		if p.up {
			p.up, p.exited = false, p.Me().ID
		}
	}
}

// run starts a node's process.
func (w *world) run(p *proc) {
	w.runs++
	if p.Node != nil && p.up {
		p.exited = p.Me().ID
	}
	p.Node = shard.New(router.Run{Node: p.id, ID: strconv.Itoa(w.runs)}, true)
	p.data, p.reign, p.link, p.frozen = nil, 0, link{}, time.Time{} // nothing was saved
	p.up, p.addr = true, fmt.Sprintf("%s:%d", p.m.ID, 7000+w.runs)
}

// report has a host say what it runs.
func (w *world) report(m *machine) {
	if !m.up || m.silent {
		return
	}
	m.number++
	says := controller.HostSays{Host: m.ID, Session: m.Session, At: w.now, Number: m.number, Obeyed: maps.Clone(m.obeyed)}
	for _, name := range slices.Sorted(maps.Keys(m.procs)) {
		p := m.procs[name]
		r := controller.Running{Cluster: p.cluster, Node: p.id, Exited: p.exited, Memory: p.memory, Settings: p.settings, Failed: p.failed}
		if p.up {
			r.Run, r.Addr = p.Me().ID, p.addr
		}
		says.Nodes = append(says.Nodes, r)
	}
	for _, l := range w.leaders {
		w.send(func() { w.tell(l, says) })
	}
}

// obey has a host do what it is ordered.
func (w *world) obey(o controller.Order) {
	m := w.machines[o.Host]
	if m == nil || !m.up || m.silent || o.Version < m.obeyed[o.Cluster] {
		return
	}
	m.obeyed[o.Cluster] = o.Version
	ordered := map[string]controller.Assignment{}
	for _, a := range o.Nodes {
		ordered[a.Node] = a
	}
	for _, name := range slices.Sorted(maps.Keys(m.procs)) {
		if a, ok := ordered[name]; m.procs[name].cluster == o.Cluster && (!ok || a.Stop) {
			w.erase(m.procs[name])
		}
	}
	for _, a := range o.Nodes {
		p, used := m.procs[a.Node], m.used(a.Node)
		switch {
		case a.Stop:
			continue
		case used+a.Memory > m.Memory:
			if o.Version == w.entries[controller.PlanKey(o.Cluster)].Version {
				w.fail("host %s has no room for %s, and the controller should have known", m.ID, a.Node)
			}
			continue
		case p == nil:
			p = &proc{m: m, cluster: o.Cluster, id: a.Node, shard: a.Shard}
			m.procs[a.Node] = p
			w.run(p)
		}
		p.memory, p.settings = a.Memory, a.Settings
	}
	w.report(m)
}

func (m *machine) used(but string) (sum int64) {
	for _, p := range m.procs {
		if p.id != but {
			sum += p.memory
		}
	}
	return sum
}

// erase stops a node and removes its data. Nobody may count on it.
func (w *world) erase(p *proc) {
	w.erased++
	if r, s := w.record(p.cluster, p.shard), w.spec(p.cluster); r != nil && s != nil && !s.Deleted && p.Node != nil && r.Member(p.Me()) {
		w.fail("node %s is erased, and it is a member: %s", p.id, r.Line())
	}
	delete(p.m.procs, p.id)
}

// told shows a node a record; it answers how it is.
func (w *world) told(l *leader, t controller.Tell) {
	for _, m := range w.machines {
		p := m.procs[t.Node]
		if p == nil || !p.reached(w) || p.addr != t.Addr {
			continue
		}
		_ = p.Obey(t.Record, p.executed())
		if t.Promise {
			for _, run := range append(t.Exited, router.Run{}) {
				if wait, ok := p.Promise(t.Record.Epoch, run, w.nowNS()); ok && wait == 0 {
					break
				}
			}
		}
		says := w.says(p)
		w.send(func() { w.tell(l, says) })
	}
}

func (w *world) nowNS() int64 { return w.now.Sub(began).Nanoseconds() + 1e12 }

func (w *world) says(p *proc) controller.NodeSays {
	n := controller.NodeSays{
		Cluster: p.cluster, Node: p.id, At: w.now, Run: p.Me(), Epoch: p.Record().Epoch, Frozen: p.Role() == shard.Frozen, Executed: p.executed(),
		Loaded: true, Promised: p.Promised(), Reign: p.reign, Committed: p.Committed(), Confirmed: p.Confirmed(), Skew: p.skew,
	}
	if !p.Record().Replicated && p.Role() == shard.Primary { // it waits for nobody, and says so
		n.Committed = n.Executed
	}
	for _, f := range w.followers(p) {
		n.Followers = append(n.Followers, controller.Follower{Run: f.Me(), Acked: f.acked})
	}
	return n
}

// followers are the nodes that follow another one now.
func (w *world) followers(p *proc) (list []*proc) {
	if p.Role() != shard.Primary && p.Role() != shard.Frozen {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(w.machines)) {
		m := w.machines[id]
		for _, name := range slices.Sorted(maps.Keys(m.procs)) {
			f := m.procs[name]
			if m.up && f.up && f.link == (link{p.Me(), p.Record().Reign}) {
				list = append(list, f)
			}
		}
	}
	return list
}

// procs are all nodes that run.
func (w *world) procs() (list []*proc) {
	for _, id := range slices.Sorted(maps.Keys(w.machines)) {
		if m := w.machines[id]; m.up {
			for _, name := range slices.Sorted(maps.Keys(m.procs)) {
				if m.procs[name].up {
					list = append(list, m.procs[name])
				}
			}
		}
	}
	return list
}

// turn lets nodes live: primaries write and send, followers follow and acknowledge.
func (w *world) turn() {
	primaries, serving := map[string]router.Run{}, map[string]router.Run{}
	for _, p := range w.procs() {
		if p.Role() != shard.Primary || !p.lives(w) {
			continue
		}
		at := fmt.Sprintf("%s %d", p.cluster, p.shard)
		key := fmt.Sprintf("%s reign %d", at, p.Record().Reign)
		if other, ok := primaries[key]; ok {
			w.fail("%s: %v and %v are both the primary", key, other, p.Me())
		}
		primaries[key] = p.Me()
		if serves := p.Serves(w.nowNS()); serves && p.TakesWrites() {
			if other, ok := serving[at]; ok && p.Record().Replicated && !w.orphan(p) {
				w.fail("%s: %v and %v both answer", at, other, p.Me())
			}
			if !w.orphan(p) {
				serving[at] = p.Me()
			}
			w.writes++
			p.data = append(p.data, w.writes)
		} else {
			p.data = append(p.data, 0) // what keeps leases alive
		}
		p.reign = p.Record().Reign
		p.Own(p.executed())
		p.Sent(p.executed(), w.nowNS())
	}
	for _, p := range w.procs() {
		w.follow(p)
	}
	for _, p := range w.procs() {
		if !p.lives(w) || p.Role() != shard.Primary && p.Role() != shard.Frozen {
			continue
		}
		for _, f := range w.followers(p) {
			if !f.lives(w) || w.chance(3) {
				continue
			}
			f.data, f.reign = p.data[:len(p.data):len(p.data)], p.reign
			if f.MayAcknowledge(p.Me(), p.Record().Reign, w.nowNS()) {
				f.acked = f.executed()
				p.Acknowledged(f.Me(), p.Record().Reign, f.acked)
			}
		}
		w.commits(p)
	}
}

// follow has a node connect to its primary; where its data is no beginning of that one's it takes a copy, once it may let go of its own.
func (w *world) follow(f *proc) {
	r := f.Record()
	if f.Role() != shard.Follower || r.Epoch == 0 {
		f.link = link{}
		return
	}
	want := link{r.Primary, r.Reign}
	if !f.lives(w) || f.link == want || w.chance(3) {
		return
	}
	f.link = link{}
	p := w.proc(r.Primary.Node)
	if p == nil || !p.lives(w) || p.Me() != r.Primary || p.Record().Reign != r.Reign {
		return
	}
	if len(f.data) > len(p.data) || !slices.Equal(f.data, p.data[:len(f.data)]) {
		if !f.MayDrop(p.Record().Epoch) {
			return
		}
		w.runs++
		f.exited = f.Me().ID
		f.Drop(strconv.Itoa(w.runs))
		f.data = p.data[:len(p.data):len(p.data)]
	}
	f.link, f.acked = want, 0
}

// orphan tells whether a node is of a cluster that was deleted while its host was away.
func (w *world) orphan(p *proc) bool {
	return w.record(p.cluster, p.shard) == nil || p.Record().Epoch <= w.plan(p.cluster).Past
}

// commits takes in what a primary has committed: all of it stays.
func (w *world) commits(p *proc) {
	if !p.Record().Replicated || p.Role() != shard.Primary || !p.Serves(w.nowNS()) {
		return
	}
	if r := w.record(p.cluster, p.shard); w.orphan(p) || !r.Replicated { // it does not know yet
		return
	}
	key := controller.RecordKey(p.cluster, p.shard)
	was, is := w.shown[key], p.data[:p.Committed()]
	if n := len(was); n > len(is) && n <= len(p.data) {
		is = p.data[:n] // of an earlier reign
	}
	if n := len(was); n > len(is) || n > 0 && was[n-1] != is[n-1] {
		w.fail("%s: %v lacks of what was committed before: it has %d of %d", key, p.Me(), len(is), n)
	}
	w.shown[key] = is
}

// step lets a tenth of a second pass.
func (w *world) step() {
	w.now = w.now.Add(100 * time.Millisecond)
	w.turn()
	w.deliver()
	tenth := w.now.Sub(began) / (100 * time.Millisecond)
	if tenth%5 == 0 {
		for _, id := range slices.Sorted(maps.Keys(w.machines)) {
			w.report(w.machines[id])
		}
	}
	if tenth%2 == 0 {
		w.ask(200 * time.Millisecond)
	}
	w.deliver()
	for _, l := range w.leaders {
		for _, cluster := range slices.Sorted(maps.Keys(l.again)) {
			if !l.again[cluster].After(w.now) {
				delete(l.again, cluster)
				w.tell(l, controller.Due{Cluster: cluster})
			}
		}
	}
	w.deliver()
	if tenth%10 == 0 {
		for _, l := range w.leaders {
			w.tell(l, controller.Tick{})
		}
	}
	w.deliver()
}

// ask has controllers ask all nodes that they know of.
func (w *world) ask(within time.Duration) {
	for _, id := range slices.Sorted(maps.Keys(w.machines)) {
		m := w.machines[id]
		for _, name := range slices.Sorted(maps.Keys(m.procs)) {
			p := m.procs[name]
			var e controller.Event = controller.NodeMute{Cluster: p.cluster, Node: p.id, At: w.now.Add(-within), Until: w.now, Refused: m.up && !p.up}
			if p.reached(w) {
				e = w.says(p)
			}
			for _, l := range w.leaders {
				w.send(func() { w.tell(l, e) })
			}
		}
		if (!m.up || m.silent) && m.announced {
			e := controller.HostMute{Host: m.ID, Session: m.Session, At: w.now.Add(-within), Until: w.now}
			for _, l := range w.leaders {
				w.send(func() { w.tell(l, e) })
			}
		}
	}
}

// check looks at what has just been written: whether a record's epoch has been there before, and whether more is planned on a host than it has.
func (w *world) check(key string) {
	switch {
	case strings.HasSuffix(key, "/plan"):
		planned := map[string]int64{}
		for _, name := range w.planned() {
			for _, n := range w.plan(name).Nodes {
				planned[n.Host] += max(n.Memory, n.Reserved)
			}
		}
		for id, sum := range planned {
			if m := w.machines[id]; m != nil && sum > m.Memory {
				w.fail("host %s has %d and is given %d", id, m.Memory, sum)
			}
		}
	case strings.Contains(key, "/shards/"):
		r, err := router.ParseRecord(string(w.entries[key].Value))
		if err != nil {
			delete(w.shown, key)
			return // it was taken away
		}
		epoch := fmt.Sprintf("%s %d", key, r.Epoch)
		if was, ok := w.history[epoch]; ok && was != r.Line() {
			w.fail("%s: %s, and %s before", epoch, r.Line(), was)
		}
		w.history[epoch] = r.Line()
		w.checkSwitching(key)
		if !r.Replicated {
			delete(w.shown, key) // from now on it may be lost
		}
		if last := w.history[key]; last != "" {
			if before, err := router.ParseRecord(last); err == nil && before.Epoch >= r.Epoch {
				w.fail("%s: %s follows %s", key, r.Line(), last)
			} else if err == nil && before.State == router.Switching && r.Returned {
				w.checkSwitch(before.Primary, r.Primary)
			}
		}
		w.history[key] = r.Line()
		if r.State != router.Electing {
			w.checkPrimary(key, r)
		}
	}
}

// checkSwitching wants that only some shards of a cluster are switched at once.
func (w *world) checkSwitching(key string) {
	const most = 4 // Limits.Moves, the usual
	under, shards := 0, key[:strings.LastIndexByte(key, '/')+1]
	for other, e := range w.entries {
		if r, err := router.ParseRecord(string(e.Value)); strings.HasPrefix(other, shards) && err == nil && r.State == router.Switching {
			under++
		}
	}
	if under > most {
		w.fail("%d shards of %s are switched at once", under, shards)
	}
}

// checkPrimary wants that a primary has all that was committed.
func (w *world) checkPrimary(key string, r *router.Record) {
	p, was := w.proc(r.Primary.Node), w.shown[key]
	if n := len(was); r.Replicated && n > 0 && p != nil && p.Me() == r.Primary && p.up && (len(p.data) < n || p.data[n-1] != was[n-1]) {
		w.fail("%s: %s: %v lacks of %d writes that were committed", key, r.Line(), r.Primary, n)
	}
}

// checkSwitch wants that who takes over has all that the frozen primary has.
func (w *world) checkSwitch(old, next router.Run) {
	was, is := w.proc(old.Node), w.proc(next.Node)
	if was != nil && is != nil && was.Me() == old && is.Me() == next && is.executed() < was.executed() {
		w.fail("%v takes over with %d of %d", next, is.executed(), was.executed())
	}
}

// planned are the clusters that have a plan.
func (w *world) planned() (names []string) {
	for _, key := range slices.Sorted(maps.Keys(w.entries)) {
		if name, ok := strings.CutSuffix(strings.TrimPrefix(key, "larder/clusters/"), "/plan"); ok {
			names = append(names, name)
		}
	}
	return names
}

// show is a value of the registry on one line.
func (w *world) show(key string, value []byte) string {
	name := strings.TrimPrefix(key, "larder/")
	switch {
	case len(value) == 0:
		return name + " nothing"
	case strings.HasSuffix(key, "/plan"):
		p := &controller.Plan{}
		_ = json.Unmarshal(value, p)
		return name + showPlan(p)
	case strings.HasSuffix(key, "/topology"):
		t, err := router.Parse(value)
		if err != nil {
			return name + " " + err.Error()
		}
		line := fmt.Sprintf("%s epoch %d:", name, t.Epoch)
		for _, s := range t.Shards {
			line += " " + s.Primary.ID
			for _, r := range s.Replicas {
				line += "+" + r.ID
			}
		}
		return line
	}
	return name + " " + string(value)
}

func showPlan(p *controller.Plan) (line string) {
	for _, n := range p.Nodes {
		line += fmt.Sprintf(" %s@%s", n.ID, n.Host)
		if n.State != controller.Stays {
			line += "(" + string(n.State) + ": " + string(n.Why) + ")"
		}
		if n.Reserved > 0 {
			line += fmt.Sprintf("(keeps %s)", controller.Bytes(n.Reserved))
		}
	}
	if line == "" {
		line = " no nodes"
	}
	return line
}

func showOrder(o controller.Order) string {
	line := fmt.Sprintf("%s %s:", o.Host, o.Cluster)
	for _, a := range o.Nodes {
		line += " " + a.Node
		if a.Stop {
			line += " stops"
		} else {
			line += " " + controller.Bytes(a.Memory)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Parameters)) {
		line += " " + name + "=" + o.Parameters[name]
	}
	if len(o.Nodes) == 0 {
		line += " nothing"
	}
	return line
}
