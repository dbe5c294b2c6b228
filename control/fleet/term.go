package fleet

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"larder/backends/registry"
	"larder/control"
	"larder/control/controller"
)

const (
	tickEvery = time.Second
	hasteFor  = 3 * time.Second  // after something has happened to a cluster its nodes and their hosts are asked often
	leftFor   = 10 * time.Minute // the nodes of a host that is not announced any more are asked
)

// term is the time in which this process leads. What it knows began with it.
type term struct {
	l       *Leader
	ctx     context.Context // of what it does; it ends with the term
	session registry.SessionID
	jobs    sync.WaitGroup
	news    chan controller.Event
	states  chan []controller.Entry // what stands in the registry, the newest
	woken   chan struct{}           // somebody is to be asked at once
	suspect chan struct{}           // somebody else may have the lock
	rooms   rooms

	fleet controller.Fleet     // the stepping goroutine's
	index uint64               // likewise
	again map[string]time.Time // likewise: when clusters are to be looked after

	plain map[string]controller.Entry // topologies, unpacked; the following goroutine's

	// What follows is under the leader's mu.
	hosts map[string]*hostView
	nodes map[string]map[string]controller.NodeSays
	haste map[string]time.Time // by cluster: until when
}

// hostView is what is known of an announced host.
type hostView struct {
	controller.Host
	heard bool
	says  controller.HostSays
	asked time.Time
	busy  bool      // it is being asked
	mute  bool      // it did not answer the last time
	left  time.Time // since when it is not announced any more: its nodes may be there all the same
}

func newTerm(ctx context.Context, l *Leader, id registry.SessionID) *term {
	return &term{
		l: l, ctx: ctx, session: id, news: make(chan controller.Event), states: make(chan []controller.Entry, 1), woken: make(chan struct{}, 1), suspect: make(chan struct{}, 1), rooms: newRooms(),
		plain: map[string]controller.Entry{}, hosts: map[string]*hostView{}, nodes: map[string]map[string]controller.NodeSays{}, again: map[string]time.Time{}, haste: map[string]time.Time{},
	}
}

// begin and end say to who looks that this process leads.
func (l *Leader) begin(t *term) {
	l.o.Log.Info("this process leads the fleet", "id", l.o.ID)
	l.o.Metrics.leads.Set(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.term, l.view = t, View{Leads: true, Leader: Holder{l.o.ID, l.o.Addr}}
}

func (l *Leader) end() {
	l.o.Metrics.leads.Set(0)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.term, l.view = nil, View{}
}

// read takes what stands in the registry.
func (t *term) read(entries []registry.Entry) {
	all := make([]controller.Entry, 0, len(entries))
	plain := map[string]controller.Entry{}
	for _, e := range entries {
		if e.Key == LockKey && e.Holder != t.session {
			t.suspects()
		}
		entry := controller.Entry{Key: e.Key, Value: e.Value, Version: e.Version}
		if isTopology(e.Key) {
			entry = t.unpacked(entry)
			plain[e.Key] = entry
		}
		all = append(all, entry)
	}
	t.plain = plain
	newest(t.states, all)
}

// isTopology tells whether what stands under a key is packed.
func isTopology(key string) bool { return strings.HasSuffix(key, "/topology") }

// unpacked gives a topology as the controller reads it. One that cannot be unpacked is for the controller to complain of.
func (t *term) unpacked(e controller.Entry) controller.Entry {
	if known, ok := t.plain[e.Key]; ok && known.Version == e.Version {
		return known
	}
	if text, err := registry.Unpack(e.Value); err == nil {
		e.Value = text
	}
	return e
}

func (t *term) lost(err error) {
	if err == nil {
		t.l.o.Log.Info("the registry answers again")
		return
	}
	t.l.o.Log.Warn("the registry does not answer: nothing is decided until it does", "error", err)
	t.l.doubts()
}

// suspects has it found out whether the session lives.
func (t *term) suspects() {
	select {
	case t.suspect <- struct{}{}:
	default:
	}
}

// tell hands an event to the steps.
func (t *term) tell(e controller.Event) {
	select {
	case t.news <- e:
	case <-t.ctx.Done():
	}
}

// steps takes the controller's steps, until the term ends.
func (t *term) steps() error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	due := time.NewTimer(tickEvery)
	defer due.Stop()
	for {
		t.rest(due)
		select {
		case <-t.ctx.Done():
			return nil
		case all := <-t.states:
			t.index++
			t.announced(all)
			t.step(controller.Registry{Index: t.index, Entries: all})
		case e := <-t.news:
			t.step(e)
		case <-tick.C:
			t.step(controller.Tick{})
		case <-due.C:
			t.looked()
		}
	}
}

// rest has a timer run out when the first cluster is to be looked after.
func (t *term) rest(due *time.Timer) {
	wait := tickEvery
	now := t.l.o.Now()
	for _, at := range t.again {
		wait = min(wait, at.Sub(now))
	}
	due.Reset(max(wait, 0))
}

// looked has clusters looked after whose time has come.
func (t *term) looked() {
	now := t.l.o.Now()
	for cluster, at := range t.again {
		if !at.After(now) {
			delete(t.again, cluster)
			t.step(controller.Due{Cluster: cluster})
		}
	}
}

// guard looks who has the lock when that is doubtful, and ends the term if it is somebody else.
func (t *term) guard() error {
	for {
		select {
		case <-t.ctx.Done():
			return nil
		case <-t.suspect:
		}
		ctx, cancel := context.WithTimeout(t.ctx, registryTime)
		e, err := t.l.o.Registry.Get(ctx, LockKey)
		cancel()
		if errors.Is(err, registry.ErrNotFound) || err == nil && e.Holder != t.session {
			return errDeposed
		}
		pause(t.ctx, retryPause)
	}
}

func (t *term) step(e controller.Event) {
	var effects []controller.Effect
	t.fleet, effects = t.fleet.Step(t.l.o.Now(), t.l.o.Limits, e)
	t.l.o.Metrics.steps.Inc()
	t.l.mu.Lock()
	t.l.view.Fleet = t.fleet
	t.l.mu.Unlock()
	for _, effect := range effects {
		t.carryOut(effect)
	}
}

// announced takes over which hosts there are.
func (t *term) announced(all []controller.Entry) {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	t.l.view.Entries = all
	there := map[string]bool{}
	for _, e := range all {
		h, ok := controller.ReadHost(e)
		if !ok {
			continue
		}
		there[h.ID] = true
		if known := t.hosts[h.ID]; known == nil || known.Host != h {
			t.hosts[h.ID] = &hostView{Host: h}
			t.wake()
		}
	}
	now := t.l.o.Now()
	maps.DeleteFunc(t.hosts, func(id string, h *hostView) bool {
		switch {
		case there[id]:
			h.left = time.Time{}
		case h.left.IsZero():
			h.left = now
		}
		return !there[id] && (!h.heard || now.Sub(h.left) > leftFor)
	})
	t.l.o.Metrics.hosts.Set(float64(len(there)))
}

// hasten has the nodes of a cluster and their hosts asked often for a while.
func (t *term) hasten(cluster string) {
	if cluster == "" {
		return
	}
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	if t.haste[cluster].IsZero() {
		t.wake()
	}
	t.haste[cluster] = t.l.o.Now().Add(hasteFor)
}

// hostSays takes in what a host has said.
func (t *term) hostSays(h controller.Host, says controller.HostSays) {
	says.At = t.l.o.Now()
	t.l.mu.Lock()
	if known := t.hosts[h.ID]; known != nil && known.Host == h && says.Session == h.Session && (!known.heard || says.Number > known.says.Number) {
		known.heard, known.says = true, says
	}
	t.l.mu.Unlock()
	for i := range says.Nodes { // one that is being started is there any moment
		if r := &says.Nodes[i]; r.Run == "" && r.Failed == "" {
			t.hasten(r.Cluster)
		}
	}
	t.tell(says)
}

// nodeSays takes in what a node has said.
func (t *term) nodeSays(says controller.NodeSays) {
	t.l.mu.Lock()
	of := t.nodes[says.Cluster]
	if of == nil {
		of = map[string]controller.NodeSays{}
		t.nodes[says.Cluster] = of
	}
	if !says.At.Before(of[says.Node].At) {
		of[says.Node] = says
	}
	t.l.mu.Unlock()
	t.tell(says)
}

// Report tells people of something. It stays in the registry if this process leads.
func (l *Leader) Report(kind, text string) { l.ReportOf("", kind, text) }

// ReportOf tells people of something about a cluster.
func (l *Leader) ReportOf(cluster, kind, text string) {
	l.o.Log.Info(text, "event", kind)
	l.o.Metrics.events.WithLabelValues(kind).Inc()
	select {
	case l.told <- control.Event{At: l.o.Now(), Kind: kind, Cluster: cluster, Text: text}:
	default: // the registry has not answered for long: the log has it
	}
}
