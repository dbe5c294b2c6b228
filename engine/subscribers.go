package engine

import "larder/protocol/resp"

// crowds are the clients behind gateways' lanes beyond the one that each subscription counts as anyway, by kind and name. A gateway subscribes once for
// all its clients and says how many they are, so that PUBLISH and PUBSUB count clients, not gateways.
type crowds [topicKinds]map[string]int

func newCrowds() (c crowds) {
	for kind := range c {
		c[kind] = map[string]int{}
	}
	return c
}

// stand adds more clients to those behind lanes, or takes some away.
func (p *part) stand(kind topicKind, name string, more int) {
	if more == 0 {
		return
	}
	if n := p.behind[kind][name] + more; n != 0 {
		p.behind[kind][name] = n
	} else {
		delete(p.behind[kind], name)
	}
}

// hearers counts the clients that are subscribed to something.
func (p *part) hearers(kind topicKind, name string) int {
	return len(p.topics[kind][name]) + p.behind[kind][name]
}

// subscribersMax bounds what a lane may say of one topic: more clients than a process can have.
const subscribersMax = 1 << 24

// larderSubscribers takes groups of a kind, a name and the number of clients that stand behind the lane's subscription. Of a topic that the lane does not
// have nothing is kept: its counts end with its subscription.
func larderSubscribers(s *session, args [][]byte) {
	groups := args[2:]
	if len(groups)%3 != 0 {
		s.fail(errSyntax)
		return
	}
	for ; len(groups) > 0; groups = groups[3:] {
		kind, known := topicKindOf(lower(groups[0]))
		n, isNumber := resp.ParseNumber(groups[2])
		switch {
		case !known:
			s.fail(errSyntax)
			return
		case !isNumber || n < 1 || n > subscribersMax:
			s.fail(errNotInt)
			return
		}
		name := string(groups[1])
		if have, in := s.topics[kind][name]; in {
			s.p.stand(kind, name, int(n)-have)
			s.topics[kind][name] = int(n)
		}
	}
	s.ok()
}

func topicKindOf(word string) (kind topicKind, known bool) {
	switch word {
	case "channel":
		return channel, true
	case "pattern":
		return pattern, true
	case "shard":
		return shardChannel, true
	default:
		return 0, false
	}
}
