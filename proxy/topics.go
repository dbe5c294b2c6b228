package proxy

import (
	"maps"
	"slices"
)

// topicKind tells channels, patterns and shard channels apart.
type topicKind uint8

const (
	channel topicKind = iota
	pattern
	shardChannel
	topicKinds
)

// The words of messages, replies and commands, by kind.
var (
	messageWords      = [topicKinds]string{"message", "pmessage", "smessage"}
	subscribeWords    = [topicKinds]string{"subscribe", "psubscribe", "ssubscribe"}
	unsubscribeWords  = [topicKinds]string{"unsubscribe", "punsubscribe", "sunsubscribe"}
	subscribersWords  = [topicKinds][]byte{[]byte("channel"), []byte("pattern"), []byte("shard")}
	subscribeOrders   = [topicKinds][]byte{[]byte("SUBSCRIBE"), []byte("PSUBSCRIBE"), []byte("SSUBSCRIBE")}
	unsubscribeOrders = [topicKinds][]byte{[]byte("UNSUBSCRIBE"), []byte("PUNSUBSCRIBE"), []byte("SUNSUBSCRIBE")}
)

// topic is a channel or pattern that clients of this loop are subscribed to.
type topic struct {
	kind    topicKind
	name    string
	who     []*member
	leaving int        // of them: those that hear on until the nodes know
	owner   *upstream  // of a shard channel: the node of its slot; nil = none serves it
	changed bool       // it is in hearing.changed
	shared  [2]*bundle // by protocol: what all who hear it have as the last that waits for them
	heard   int        // how many they are
}

// member is one client's subscription to one topic.
type member struct {
	s     *session
	t     *topic
	at    int  // in t.who; only while it is in
	in    bool // not unsubscribed yet
	hears bool // it was confirmed: messages are passed on
}

// ears are what a session has once it has subscribed to anything: its subscriptions by kind and name, and messages that wait to be written.
type ears struct {
	topics   [topicKinds]map[string]*member
	bytes    int64 // of the names, and what each costs beside
	promised int   // commands of the session's queue that wait for nodes to know of them
	mail     mail
}

// memberBytes is about what a subscription costs beside its name.
const memberBytes = 200

// of counts those that a reply about this kind tells of: shard channels apart (Redis 7.2 pubsub.c).
func (e *ears) of(kind topicKind) int {
	if kind == shardChannel {
		return len(e.topics[shardChannel])
	}
	return len(e.topics[channel]) + len(e.topics[pattern])
}

// count is how many subscriptions of a kind a session has.
func (e *ears) count(kind topicKind) int {
	if e == nil {
		return 0
	}
	return len(e.topics[kind])
}

// hears tells whether the session is subscribed to anything.
func (s *session) hears() bool { return s.mode&modeHears != 0 }

// join subscribes the session to a topic; m is nil if it is already.
func (s *session) join(kind topicKind, name string) (m *member) {
	if s.ears.topics[kind] == nil {
		s.ears.topics[kind] = map[string]*member{}
	}
	mine := s.ears.topics[kind]
	if mine[name] != nil {
		return nil
	}
	h := &s.p.hearing
	t := h.topics[kind][name]
	if t == nil {
		t = s.p.newTopic(kind, name)
	}
	m = &member{s: s, t: t, at: len(t.who), in: true}
	t.who = append(t.who, m)
	mine[t.name] = m
	s.ears.bytes += int64(len(name)) + memberBytes
	h.change(t)
	if s.mode&modeHears == 0 {
		s.mode |= modeHears
		h.sessions++
	}
	return m
}

// leave ends a member's subscription. It hears on until it is out: what was published before the nodes knew is still for it, as with one server.
func (m *member) leave() {
	s, t := m.s, m.t
	m.in = false
	t.leaving++
	delete(s.ears.topics[t.kind], t.name)
	s.ears.bytes -= int64(len(t.name)) + memberBytes
	s.p.hearing.change(t)
	if s.ears.of(channel)+s.ears.of(shardChannel) == 0 {
		s.mode &^= modeHears
		s.p.hearing.sessions--
	}
}

// out takes a member that has left out of its topic.
func (m *member) out() {
	t := m.t
	t.seal()
	m.hears = false
	t.leaving--
	last := t.who[len(t.who)-1]
	t.who[m.at], last.at = last, m.at
	t.who[len(t.who)-1] = nil
	t.who = t.who[:len(t.who)-1]
	if len(t.who) == 0 && !t.changed {
		m.s.p.endTopic(t)
	}
}

// names are those of a session's subscriptions of a kind, in order.
func (e *ears) names(kind topicKind) []string { return slices.Sorted(maps.Keys(e.topics[kind])) }

// leaveAll ends all of a session's subscriptions without a word.
func (s *session) leaveAll() (left []*member) {
	if !s.hears() {
		return nil
	}
	for kind := range topicKinds {
		for _, m := range s.ears.topics[kind] {
			m.leave()
			left = append(left, m)
		}
	}
	return left
}

// closeEars: the client is gone, and hears nothing more.
func (s *session) closeEars() {
	for _, m := range s.leaveAll() {
		m.out()
	}
	s.p.tellNodes()
}

// newTopic begins a topic that no client of this loop has.
func (p *part) newTopic(kind topicKind, name string) *topic {
	h := &p.hearing
	t := &topic{kind: kind, name: name}
	if h.topics[kind] == nil {
		h.topics[kind] = map[string]*topic{}
	}
	h.topics[kind][name] = t
	h.bytes += int64(len(name))
	if kind == shardChannel {
		p.own(t)
	}
	p.g.heard.count(kind, name, 1)
	return t
}

// endTopic forgets one that nobody has any more; every node has been told.
func (p *part) endTopic(t *topic) {
	h := &p.hearing
	delete(h.topics[t.kind], t.name)
	h.bytes -= int64(len(t.name))
	if t.owner != nil {
		t.owner.owned--
	}
	p.g.heard.count(t.kind, t.name, -1)
}

// own finds the node of a shard channel by the present topology. It says whether that is another than before.
func (p *part) own(t *topic) bool {
	var owner *upstream
	if shard := p.topo.ShardOf([]byte(t.name)); shard >= 0 {
		owner = p.shards[shard]
	}
	if owner == t.owner {
		return false
	}
	if t.owner != nil {
		t.owner.owned--
	}
	if t.owner = owner; owner != nil {
		owner.owned++
	}
	return true
}
