package controller

import (
	"time"

	"larder/router"
)

// Who does not answer. Only what was asked and not answered counts, never that time has passed: a controller that was paused, or has only just begun, has heard
// nothing of anybody and knows nothing by that.

// NodeMute says that a node was asked at At and had not answered by Until.
type NodeMute struct {
	Cluster, Node string
	At, Until     time.Time
	Refused       bool // nobody listens there, or the connection was reset
}

// HostMute says likewise of a host.
type HostMute struct {
	Host, Session string
	At, Until     time.Time
}

func (NodeMute) event() {}
func (HostMute) event() {}

// muted is a time in which somebody was asked again and again and did not answer. The empty one: it has.
type muted struct {
	since, until time.Time
	refused      bool // all the time
}

// longer is how it goes on with another question that was not answered. Between the two nobody may have asked for a while, as when the controller was paused:
// then it begins anew.
func (m muted) longer(at, until time.Time, refused bool, patience time.Duration) muted {
	if m.since.IsZero() || at.Sub(m.until) > patience {
		return muted{at, until, refused}
	}
	if until.After(m.until) {
		m.until = until
	}
	m.refused = m.refused && refused
	return m
}

// is tells whether it has lasted for long enough to count as down. Where nobody listens the process has ended, or is only just beginning.
func (m muted) is(patience time.Duration) bool {
	if m.refused {
		patience /= 3
	}
	return !m.since.IsZero() && m.until.Sub(m.since) >= patience
}

// nodeMute takes in that a node has not answered.
func (s *stepper) nodeMute(e NodeMute) (touched []string) {
	c := s.clusters[e.Cluster]
	if c == nil || c.plan.value == nil || c.plan.value.node(e.Node) == nil || e.At.Before(c.said[e.Node].At) {
		return nil
	}
	was := c.mute[e.Node]
	next := was.longer(e.At, e.Until, e.Refused, s.limits.DownAfter)
	c = c.clone()
	c.mute = cloned(c.mute)
	c.mute[e.Node] = next
	s.clusters[e.Cluster] = c
	if next.is(s.limits.DownAfter) {
		return []string{e.Cluster}
	}
	return nil
}

// hostMute takes in that a host has not answered.
func (s *stepper) hostMute(e HostMute) (touched []string) {
	h := s.hosts[e.Host]
	if h == nil || !h.there || h.Session != e.Session || e.At.Before(h.says.At) {
		return nil
	}
	next := *h
	next.mute = h.mute.longer(e.At, e.Until, false, s.limits.DownAfter)
	s.hosts[e.Host] = &next
	if h.heard || !next.mute.is(s.limits.DownAfter) {
		return nil
	}
	return s.having(e.Host)
}

// having are the clusters that have nodes planned on a host.
func (s *stepper) having(host string) (names []string) {
	for _, name := range sortedKeys(s.clusters) {
		for _, n := range s.clusters[name].planned() {
			if n.Host == host {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// down tells whether a node does not answer, be it that it hangs or cannot be reached. Of a node whose host has never said where it is only the host can tell; and
// if that is not even there, time.
func (s *stepper) down(c *cluster, n *Node) bool {
	if c.mute[n.ID].is(s.limits.DownAfter) {
		return true
	}
	h := s.hosts[n.Host]
	switch {
	case h == nil:
		return false
	case !h.there:
		return c.said[n.ID].At.IsZero() && s.now.Sub(h.lost) >= missingAfter
	}
	return !h.heard && h.mute.is(s.limits.DownAfter)
}

// gone tells whether a run does not do its work any more: it has ended, or its node is down.
func (s *stepper) gone(c *cluster, run router.Run) bool {
	n := c.plan.value.node(run.Node)
	return n == nil || s.ended(c, run) || s.down(c, n)
}

// answers tells whether that very run is heard, as of now.
func (s *stepper) answers(c *cluster, run router.Run) bool {
	n, said := c.plan.value.node(run.Node), c.said[run.Node]
	return n != nil && said.Run == run && c.mute[run.Node].since.IsZero() && !s.ended(c, run) && !s.lost(n)
}

// cutOff tells whether most of all nodes look dead: it is rather this controller that is cut off. A node whose host has answered since is dead for sure, and one
// whose host has lost its session in the registry is known to be away; neither counts.
func (s *stepper) cutOff() bool {
	var all, dead int
	for _, c := range s.clusters {
		for i := range c.planned() {
			n := &c.plan.value.Nodes[i]
			h := s.hosts[n.Host]
			if h == nil || !h.there || n.State == Stops {
				continue
			}
			all++
			mute := c.mute[n.ID]
			looks := mute.is(s.limits.DownAfter/2) || s.down(c, n) // not all are found out at the same moment
			if looks && !(h.heard && h.says.At.After(mute.since)) {
				dead++
			}
		}
	}
	return 2*dead > all
}
