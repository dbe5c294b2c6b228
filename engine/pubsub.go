package engine

import (
	"maps"
	"slices"

	"larder/engine/lanes"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// topicKind tells channels, patterns and shard channels apart.
type topicKind uint8

const (
	channel topicKind = iota
	pattern
	shardChannel
	topicKinds
)

// The words of messages and replies, by kind.
var (
	subscribeWords   = [topicKinds]string{"subscribe", "psubscribe", "ssubscribe"}
	unsubscribeWords = [topicKinds]string{"unsubscribe", "punsubscribe", "sunsubscribe"}
)

// topics are who is subscribed to what, by kind and name, in the order in which they came.
type topics [topicKinds]map[string][]*session

func newTopics() (t topics) {
	for kind := range t {
		t[kind] = map[string][]*session{}
	}
	return t
}

// glob is a pattern that somebody is subscribed to.
type glob struct {
	name string
	text []byte
}

// subscriptions are a session's, by kind, with the number of clients that stand behind each: 1, but of a gateway's lane as many as it says.
type subscriptions [topicKinds]map[string]int

// of counts those that a reply about this kind tells of: shard channels apart (Redis 7.2 pubsub.c).
func (s *subscriptions) of(kind topicKind) int {
	if kind == shardChannel {
		return len(s[shardChannel])
	}
	return len(s[channel]) + len(s[pattern])
}

func subscribe(s *session, args [][]byte)  { s.subscribe(channel, args[1:]) }
func pSubscribe(s *session, args [][]byte) { s.subscribe(pattern, args[1:]) }

// sSubscribe is refused in a transaction, as Redis 7.0 does (pubsub.c, ssubscribeCommand); the others are not, for old clients.
func sSubscribe(s *session, args [][]byte) {
	if s.state&inMulti != 0 {
		s.fail(client.NotInMulti(command.CmdSSubscribe))
		return
	}
	s.subscribe(shardChannel, args[1:])
}

func (s *session) subscribe(kind topicKind, names [][]byte) {
	p := s.p
	s.state |= subscribed
	for _, arg := range names {
		name := string(arg)
		if s.topics[kind] == nil {
			s.topics[kind] = map[string]int{}
		}
		if _, already := s.topics[kind][name]; !already {
			s.topics[kind][name] = 1
			if kind == pattern && p.topics[kind][name] == nil {
				p.globs = append(p.globs, glob{name, []byte(name)})
			}
			p.topics[kind][name] = append(p.topics[kind][name], s)
		}
		s.tellSubscription(subscribeWords[kind], arg, kind)
	}
	p.listen()
}

func unsubscribe(s *session, args [][]byte)  { s.unsubscribe(channel, args[1:]) }
func pUnsubscribe(s *session, args [][]byte) { s.unsubscribe(pattern, args[1:]) }
func sUnsubscribe(s *session, args [][]byte) { s.unsubscribe(shardChannel, args[1:]) }

func (s *session) unsubscribe(kind topicKind, names [][]byte) {
	if len(names) == 0 {
		for _, name := range slices.Sorted(maps.Keys(s.topics[kind])) {
			names = append(names, []byte(name))
		}
		if len(names) == 0 {
			names = [][]byte{nil} // the reply names none
		}
	}
	for _, name := range names {
		s.leave(kind, string(name))
		s.tellSubscription(unsubscribeWords[kind], name, kind)
	}
	s.leftSome()
}

// leave takes the session out of a topic.
func (s *session) leave(kind topicKind, name string) {
	clients, in := s.topics[kind][name]
	if !in {
		return
	}
	s.p.stand(kind, name, 1-clients)
	delete(s.topics[kind], name)
	who := s.p.topics[kind][name]
	at := slices.Index(who, s)
	if who = slices.Delete(who, at, at+1); len(who) == 0 {
		delete(s.p.topics[kind], name)
		if kind == pattern {
			s.p.globs = slices.DeleteFunc(s.p.globs, func(g glob) bool { return g.name == name })
		}
	} else {
		s.p.topics[kind][name] = who
	}
}

// leaveAll ends all subscriptions without a word.
func (s *session) leaveAll() {
	if s.state&subscribed == 0 {
		return
	}
	for kind := range topicKinds {
		for name := range s.topics[kind] {
			s.leave(kind, name)
		}
	}
	s.leftSome()
}

func (s *session) leftSome() {
	if s.topics.of(channel)+s.topics.of(shardChannel) == 0 {
		s.state &^= subscribed
		s.softSinceNS = 0
	}
	s.p.listen()
}

// tellSubscription is a reply that is a message: CLIENT REPLY does not hold it back.
func (s *session) tellSubscription(word string, name []byte, kind topicKind) {
	w := &s.p.w
	from := len(w.Out)
	w.Push(3)
	w.Bulk(word)
	if name == nil {
		w.Null()
	} else {
		w.BulkBytes(name)
	}
	w.Int(int64(s.topics.of(kind)))
	if s.hushed {
		s.late = append(s.late, w.Out[from:]...)
		w.Out = w.Out[:from]
	}
}

func publish(s *session, args [][]byte) {
	if string(args[1]) == lanes.Channel {
		s.fail("ERR this channel is for what nodes tell each other of lanes")
		return
	}
	s.tell(args)
	s.p.w.Int(int64(s.p.publishMessage(args[1], args[2])))
}

func sPublish(s *session, args [][]byte) {
	s.tell(args)
	s.p.w.Int(int64(s.p.tellTopic(shardChannel, "smessage", args[1], args[2])))
}

// publishMessage sends a message to those who hear a channel, by its name or by a pattern, and counts the copies.
func (p *part) publishMessage(name, text []byte) int {
	if p.keepsToItself() {
		return 0
	}
	n := p.tellTopic(channel, "message", name, text)
	for _, g := range p.globs {
		if !command.Match(g.text, name) {
			continue
		}
		who := p.topics[pattern][g.name]
		var m message
		for _, s := range who {
			p.deliver(s, m.of(s.proto, func(w *resp.Writer) {
				w.Push(4)
				w.Bulk("pmessage")
				w.BulkBytes(g.text)
				w.BulkBytes(name)
				w.BulkBytes(text)
			}))
		}
		n += p.hearers(pattern, g.name)
	}
	return n
}

func (p *part) tellTopic(kind topicKind, word string, name, text []byte) int {
	if p.keepsToItself() {
		return 0
	}
	who := p.topics[kind][string(name)]
	var m message
	for _, s := range who {
		p.deliver(s, m.of(s.proto, func(w *resp.Writer) {
			w.Push(3)
			w.Bulk(word)
			w.BulkBytes(name)
			w.BulkBytes(text)
		}))
	}
	return p.hearers(kind, string(name))
}

// message is one that goes to many: it is written once for each version of the protocol.
type message [2][]byte

func (m *message) of(proto int, write func(*resp.Writer)) []byte {
	form := &m[0]
	if proto == 3 {
		form = &m[1]
	}
	if *form == nil {
		w := resp.Writer{Proto: proto}
		write(&w)
		*form = w.Out
	}
	return *form
}

// deliver sends a message that is no reply. It never stands within a reply: whoever is having one gets it behind that.
func (p *part) deliver(s *session, text []byte) {
	if p.state&gated != 0 {
		s.needs = p.stream.past.End() + 1 // whatever was done until the end of this turn may be what it is about
		s.showsData()
	}
	switch {
	case s.closing || s.gone:
	case s.writing || s.shared != nil:
		s.late = append(s.late, text...)
	default:
		s.c.Out = append(s.c.Out, text...)
		s.c.Touch()
	}
	s.limitOutput(0)
}

// flushLate puts the messages that had to wait behind the reply that was written.
func (s *session) flushLate() {
	if s.shared == nil {
		s.p.w.Out = append(s.p.w.Out, s.late...)
		s.late = nil
	}
}

func ping(s *session, args [][]byte) {
	if len(args) > 2 {
		s.fail(command.ArityError(command.ByID(command.CmdPing)))
		return
	}
	client.Pong(&s.p.w, args, s.state&subscribed != 0 && s.proto == 2)
}

func pubsubChannels(s *session, args [][]byte)      { s.listTopics(channel, args) }
func pubsubShardChannels(s *session, args [][]byte) { s.listTopics(shardChannel, args) }

func (s *session) listTopics(kind topicKind, args [][]byte) {
	if len(args) > 3 {
		s.fail(command.SubArgumentsError(args))
		return
	}
	var names []string
	for name := range s.p.topics[kind] {
		if len(args) < 3 || command.Match(args[2], []byte(name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	s.p.w.Array(len(names))
	for _, name := range names {
		s.p.w.Bulk(name)
	}
}

func pubsubNumSub(s *session, args [][]byte)      { s.countTopics(channel, args[2:]) }
func pubsubShardNumSub(s *session, args [][]byte) { s.countTopics(shardChannel, args[2:]) }

func (s *session) countTopics(kind topicKind, names [][]byte) {
	s.p.w.Array(2 * len(names))
	for _, name := range names {
		s.p.w.BulkBytes(name)
		s.p.w.Int(int64(s.p.hearers(kind, string(name))))
	}
}

func pubsubNumPat(s *session, _ [][]byte) { s.p.w.Int(int64(len(s.p.topics[pattern]))) }
