package controller

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"larder/router"
)

// Fleet is what a controller knows of hosts and clusters. The empty one knows nothing and does nothing until it has been told Registry. A Fleet is never
// changed: Step makes another.
type Fleet struct {
	index    uint64
	known    bool // it has been told Registry
	entries  map[string]entry
	clusters map[string]*cluster // never changed once Step has ended
	hosts    map[string]*host    // likewise
	groups   map[string]*Group
	tasks    map[string]stored[*Task]
}

// stored is what stands in the registry under some key. version 0: there is no such key.
type stored[T any] struct {
	value   T // nil: nothing is there
	version uint64
}

// cluster is one.
type cluster struct {
	name     string
	spec     stored[*Spec]
	plan     stored[*Plan]
	records  map[int]stored[*router.Record]
	topology stored[*router.Topology]

	said     map[string]NodeSays // by node
	mute     map[string]muted    // by node
	followed map[int]followed    // by shard; never changed in place
	failed   map[int]failures    // by shard
	servers  map[string]server   // of an external cluster, by address
	writing  map[string]writing  // by key: what was put and has not come about yet
	asked    map[string]time.Time
	told     map[string]string // reasons that stand, by subject
	since    map[string]time.Time
}

// writing is a Put that has not come about. It goes out again, the same, until the registry shows that it has, or that something else has: for all that time it
// must be reckoned with. That one was refused says nothing: it may be the second of two.
type writing struct {
	Put
	plan   *Plan          // if it is one
	record *router.Record // likewise
	sent   time.Time
}

// Registry says what stands under Prefix. Index grows with each change.
type Registry struct {
	Index   uint64
	Entries []Entry
}

func (Registry) event() {}

// What can be to do about a fleet.
type (
	// Put writes to the registry if the key is at that version (0: it is not there); an empty value says that nothing is there any more.
	Put struct {
		Key     string
		Value   []byte
		Version uint64
	}
	// Order says to a host all that it is to have of a cluster. Version is the plan's: a host that has obeyed a newer order of that cluster refuses.
	Order struct {
		Host, Cluster string
		Version       uint64
		Nodes         []Assignment
		Parameters    map[string]string
	}
	// Tell shows a node its shard's record, with the addresses of those in it (LARDER RECORD); it answers NodeSays (LARDER STATE).
	Tell struct {
		Cluster, Node, Addr string
		Record              *router.Record
		Places              []string     // node=host:port
		Promise             bool         // the record is an election, and the node is asked to promise it (LARDER PROMISE)
		Exited              []router.Run // then: who is known to have ended
		Repeated            bool         // it is not told this for the first time
	}
	// Again wants Due for a cluster at a time, before the next Tick if that is sooner.
	Again struct {
		Cluster string
		At      time.Time
	}
)

func (Put) effect()   {}
func (Order) effect() {}
func (Tell) effect()  {}
func (Again) effect() {}

// Due says that the time of an Again has come. It may be late, or never come: a Tick does the same.
type Due struct{ Cluster string }

func (Due) event() {}

// NodeSays is what a node says of itself. What is older than what was heard counts for nothing.
type NodeSays struct {
	Cluster, Node string
	At            time.Time // when it was asked
	Run           router.Run
	Epoch         uint64 // of the record that it obeys
	Frozen        bool
	Loaded        bool          // its data is whole
	Promised      uint64        // the epoch of the last election that it has promised
	Reign         uint64        // of its data; 0: not known
	Executed      int64         // up to where its data goes
	Committed     int64         // of a primary: up to where every member's does
	Followers     []Follower    // who acknowledges to it
	Confirmed     []router.Run  // who of those that join has all
	Skew          time.Duration // by how much its clock is ahead of the asker's
	Doubt         time.Duration // by how much that may be wrong
}

func (NodeSays) event() {}

// Follower is a run that acknowledges, and up to where it has.
type Follower struct {
	Run   router.Run
	Acked int64
}

func sameRun(a, b Follower) bool { return a.Run == b.Run }

// askAgain is after which time something is asked for again that has not come about.
const askAgain = 2 * time.Second

// stepper is a step under way. It owns its Fleet's maps, and the clusters and hosts that it has put there.
type stepper struct {
	Fleet
	limits  Limits
	now     time.Time
	effects []Effect
}

// Step says what follows.
func (f Fleet) Step(now time.Time, limits Limits, e Event) (Fleet, []Effect) {
	f.clusters, f.hosts = cloned(f.clusters), cloned(f.hosts)
	s := &stepper{Fleet: f, limits: limits.filled(), now: now}
	touched := s.happened(e)
	if !s.known {
		return s.Fleet, s.effects
	}
	for _, name := range touched {
		if c := s.clusters[name]; c != nil {
			s.lookAfter(c.clone())
		}
	}
	if _, tick := e.(Tick); tick {
		s.endTasks()
	}
	return s.Fleet, s.effects
}

// happened takes an event in, and gives the clusters that it may mean something to.
func (s *stepper) happened(e Event) (touched []string) {
	switch e := e.(type) {
	case Registry:
		if e.Index < s.index {
			return nil
		}
		s.read(e)
	case HostSays:
		return s.hostSays(e)
	case ServerSays:
		return s.serverSays(e)
	case NodeSays:
		return s.nodeSays(e)
	case NodeMute:
		return s.nodeMute(e)
	case HostMute:
		return s.hostMute(e)
	case Due:
		return []string{e.Cluster}
	}
	return sortedKeys(s.clusters)
}

func (s *stepper) nodeSays(e NodeSays) (touched []string) {
	c := s.clusters[e.Cluster]
	if c == nil || c.plan.value == nil || c.plan.value.node(e.Node) == nil || e.At.Before(c.said[e.Node].At) {
		return nil
	}
	news := c.isNews(e)
	c = c.clone()
	c.said, c.mute = cloned(c.said), cloned(c.mute)
	c.said[e.Node] = e
	delete(c.mute, e.Node)
	c.follows(e)
	s.clusters[e.Cluster] = c
	if news {
		return []string{e.Cluster}
	}
	return nil
}

// isNews tells whether a node says something from which anything can follow: most of the time it is the same again, a little further.
func (c *cluster) isNews(e NodeSays) bool {
	was := c.said[e.Node]
	r := c.records[c.plan.value.node(e.Node).Shard].value
	further := was.Executed != e.Executed && r != nil && r.State != router.Normal
	_, muted := c.mute[e.Node]
	return muted || further || was.Promised != e.Promised || was.Run != e.Run || was.Epoch != e.Epoch || was.Frozen != e.Frozen ||
		!slices.EqualFunc(was.Followers, e.Followers, sameRun) || !slices.Equal(was.Confirmed, e.Confirmed)
}

func (s *stepper) hostSays(e HostSays) (touched []string) {
	h := s.hosts[e.Host]
	if h == nil || !h.there || h.Session != e.Session || h.heard && e.Number <= h.says.Number {
		return nil
	}
	next := *h
	next.heard, next.says, next.mute = true, e, muted{}
	s.hosts[e.Host] = &next
	switch {
	case !h.heard:
		return sortedKeys(s.clusters) // it takes nodes from now on
	case maps.Equal(h.says.Obeyed, e.Obeyed) && slices.Equal(h.says.Nodes, e.Nodes):
		return nil
	}
	touched = s.having(e.Host)
	for _, r := range slices.Concat(e.Nodes, h.says.Nodes) {
		if !slices.Contains(touched, r.Cluster) && s.clusters[r.Cluster] != nil {
			touched = append(touched, r.Cluster)
		}
	}
	slices.Sort(touched)
	return touched
}

func (c *cluster) clone() *cluster {
	next := *c
	next.writing, next.told, next.since, next.failed = cloned(c.writing), cloned(c.told), cloned(c.since), cloned(c.failed)
	return &next
}

func (s *stepper) report(kind, format string, args ...any) {
	s.reportOf("", kind, format, args...)
}

// reportOf reports what is about a cluster.
func (s *stepper) reportOf(cluster, kind, format string, args ...any) {
	s.effects = append(s.effects, Report{Kind: kind, Text: fmt.Sprintf(format, args...), Cluster: cluster})
}

// put writes, unless something is being written there.
func (s *stepper) put(c *cluster, key string, value any, version uint64) {
	w := writing{Put: Put{key, encode(value), version}, sent: s.now}
	w.plan, _ = value.(*Plan)
	w.record, _ = value.(*router.Record)
	c.writing[key] = w
	s.effects = append(s.effects, w.Put)
}

// again has a cluster looked after at a time that is to come: where one is past already, what has not come of it does not come of time.
func (s *stepper) again(c *cluster, at time.Time) {
	if at.After(s.now) {
		s.effects = append(s.effects, Again{c.name, at})
	}
}

// busy tells whether something is being written under a key: nothing else may be decided about it. It is sent again now and then.
func (s *stepper) busy(c *cluster, key string) bool {
	w, ok := c.writing[key]
	if ok && s.now.Sub(w.sent) >= askAgain {
		w.sent = s.now
		c.writing[key] = w
		s.effects = append(s.effects, w.Put)
	}
	return ok
}

// why tells people once why something does not go on, and again when the reason is another. An empty text takes it back.
func (s *stepper) why(c *cluster, subject, text string) {
	switch {
	case text == "":
		delete(c.told, subject)
	case c.told[subject] != text:
		c.told[subject] = text
		s.reportOf(c.name, "waiting", "cluster %s: %s: %s", c.name, subject, text)
	}
}

// Reasons are why something about a cluster does not go on, in order.
func (f Fleet) Reasons(name string) (reasons []string) {
	c := f.clusters[name]
	if c == nil {
		return nil
	}
	for _, subject := range sortedKeys(c.told) {
		reasons = append(reasons, subject+": "+c.told[subject])
	}
	return reasons
}
