package proxy

import (
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// subscribeHere runs SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and the words that take them back. It says false when the command has to wait: its reply must not
// wait behind that of another command, since messages come from then on.
func (s *session) subscribeHere(row *command.Row, args [][]byte) bool {
	if s.ears == nil {
		s.ears = &ears{}
	}
	if s.q.len() > s.ears.promised && !s.executing {
		return s.stall(stallEmpty)
	}
	switch row.ID {
	case command.CmdSubscribe:
		return s.subscribe(row, channel, args[1:])
	case command.CmdPSubscribe:
		return s.subscribe(row, pattern, args[1:])
	case command.CmdSSubscribe:
		return s.subscribe(row, shardChannel, args[1:])
	case command.CmdUnsubscribe:
		return s.unsubscribe(row, channel, args[1:])
	case command.CmdPUnsubscribe:
		return s.unsubscribe(row, pattern, args[1:])
	default:
		return s.unsubscribe(row, shardChannel, args[1:])
	}
}

func (s *session) subscribe(row *command.Row, kind topicKind, names [][]byte) bool {
	if text := s.unfit(kind, names); text != "" {
		s.refuse(row, text)
		return true
	}
	pr := promise{untilNS: s.p.nowNS + int64(s.p.opts.Upstream.ReplyTimeout)}
	for _, name := range names {
		if m := s.join(kind, string(name)); m != nil {
			pr.joins = true
			pr.members = append(pr.members, m)
			if kind == shardChannel {
				pr.shards = append(pr.shards, m.t)
			}
		}
		pr.reply = s.appendSubscription(pr.reply, kind, subscribeWords[kind], name)
	}
	return s.told(row, pr, true)
}

// unfit says why a session may not subscribe to these.
func (s *session) unfit(kind topicKind, names [][]byte) string {
	bytes := s.ears.bytes
	for _, name := range names {
		bytes += int64(len(name)) + memberBytes
		if kind == shardChannel && s.p.topo.ShardOf(name) < 0 {
			return "CLUSTERDOWN Hash slot not served"
		}
	}
	if bytes > s.p.opts.SubsMaxBytes {
		return "ERR too many subscriptions: the limit is gateway.subscribed-max"
	}
	return ""
}

func (s *session) unsubscribe(row *command.Row, kind topicKind, names [][]byte) bool {
	if len(names) == 0 {
		for _, name := range s.ears.names(kind) {
			names = append(names, []byte(name))
		}
		if len(names) == 0 {
			names = [][]byte{nil} // the reply names none
		}
	}
	pr := promise{untilNS: s.p.nowNS + pingMax}
	await := s.hears()
	for _, name := range names {
		if m := s.ears.topics[kind][string(name)]; m != nil {
			pr.untilNS = s.p.nowNS + int64(s.p.opts.Upstream.ReplyTimeout)
			pr.leaves = append(pr.leaves, m)
			m.leave()
			if kind == shardChannel {
				pr.shards = append(pr.shards, m.t)
			}
		}
		pr.reply = s.appendSubscription(pr.reply, kind, unsubscribeWords[kind], name)
	}
	return s.told(row, pr, await)
}

// told answers when the nodes know, or now if there is nothing to know. The reply is a message: CLIENT REPLY does not hold it back.
func (s *session) told(row *command.Row, pr promise, await bool) bool {
	pr.seq = s.push(row)
	s.q.at(pr.seq).mute = false
	if !await {
		s.settleMail()
		s.complete(pr.seq, pr.reply)
		return true
	}
	s.await(pr)
	return true
}

func (s *session) appendSubscription(dst []byte, kind topicKind, word string, name []byte) []byte {
	w := resp.Writer{Out: dst, Proto: s.proto}
	w.Push(3)
	w.Bulk(word)
	if name == nil {
		w.Null()
	} else {
		w.BulkBytes(name)
	}
	w.Int(int64(s.ears.of(kind)))
	return w.Out
}

// pingNodes answers a subscriber's PING when all that was published before it has been passed on, as it is by one server. Nodes that do not answer soon
// are not waited for.
func (s *session) pingNodes(row *command.Row, args [][]byte) {
	w := resp.Writer{Proto: s.proto}
	client.Pong(&w, args, s.proto == 2)
	seq := s.push(row)
	s.await(promise{seq: seq, reply: w.Out, untilNS: s.p.nowNS + pingMax})
}

// resetEars ends all subscriptions before RESET runs. It says false when RESET has to wait for the nodes to know.
func (s *session) resetEars() bool {
	left := s.leaveAll()
	if left == nil {
		return true
	}
	s.stall(stallHear)
	s.await(promise{leaves: left, untilNS: s.p.nowNS + int64(s.p.opts.Upstream.ReplyTimeout)})
	return false
}

// kind is what CLIENT LIST TYPE and CLIENT KILL TYPE ask for.
func (s *session) kind() string {
	if s.hears() {
		return client.KindPubSub
	}
	return client.KindNormal
}

// hearsOnly is the error of a command that a subscriber that speaks RESP2 may not say, "" if it may.
func (s *session) hearsOnly(row *command.Row) string {
	if s.mode&modeHears == 0 || s.proto != 2 || client.WhileSubscribed(row.ID) {
		return ""
	}
	return client.NotWhileSubscribed(row)
}
