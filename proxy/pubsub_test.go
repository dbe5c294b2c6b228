package proxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/protocol/resp"
)

// heardTopic is one subscription of a model's client, and what it must and may hear.
type heardTopic struct {
	kind topicKind
	name string

	askedAt, sureAt   int // when SUBSCRIBE was sent, and confirmed; 0 = not
	leavesAt, leftAt  int // the same of UNSUBSCRIBE
	messages          []string
	lastOf            map[string]int // by publisher and channel: the number heard last
	refused, finished bool
}

// hearer is a subscriber with at most one command under way.
type hearer struct {
	*listener
	number int
	topics []*heardTopic // also those that it has left
	asked  *heardTopic   // whose confirmation is to come
	leaves bool
}

// speaker publishes, one message after the other, or several before it has the first one's reply.
type speaker struct {
	*listener
	number int
	ahead  int // how many replies it waits for at most
	sent   int
	asked  []*published1
}

// published1 is a message of the model.
type published1 struct {
	shard         bool
	channel, text string
	sentAt        int
	saidAt        int // when its reply came
	count         int
	failed        bool
	means         string // by which it is published
}

// TestHearing: subscribers on several loops of two gateways, publishers on any, over real nodes; bytes travel in pieces. Each message comes to each
// subscription at most once and in the order in which its publisher published it, alone, by scripts or in transactions, on any shard; while connections are whole none is missing, and PUBLISH counts the clients. After
// nodes died, lost their connections and came back, all are subscribed again. When the clients have left nothing of it remains.
func TestHearing(t *testing.T) {
	eachSeed(t, 15, testHearing)
}

type hearingModel struct {
	*radio
	whole    bool // no connection is lost
	hearers  []*hearer
	speakers []*speaker
	said     []*published1
}

func testHearing(t *testing.T, seed uint64) {
	m := &hearingModel{radio: newRadio(t, seed, 1+int(seed%3), 2, 1), whole: seed%2 == 0}
	for i := range 2 + int(seed%5) {
		m.hearers = append(m.hearers, &hearer{listener: m.client(m.rand.IntN(3)), number: i})
	}
	for i := range 3 {
		m.speakers = append(m.speakers, &speaker{listener: m.client(m.rand.IntN(3)), number: i, ahead: 1 + i*i})
	}
	for range 1500 {
		m.act()
		m.step()
		m.listen()
	}
	for _, n := range m.nodes {
		if n.dead {
			m.start(n)
		}
	}
	m.settle(8 * time.Second)
	m.listen()
	if m.whole {
		m.checkWhole()
	}
	m.checkAgain()
	m.checkGone()
}

// act has a client say something, or something break.
func (m *hearingModel) act() {
	if !m.whole && m.rand.IntN(60) == 0 {
		m.breakSomething()
	}
	if m.rand.IntN(20) == 0 {
		most := 100
		if m.whole {
			most = 6 // in all less than messages wait for slower ones before them
		}
		for _, l := range m.loops {
			l.Advance(time.Duration(m.rand.IntN(most)) * time.Millisecond)
		}
	}
	if m.rand.IntN(2) == 0 {
		m.speakers[m.rand.IntN(len(m.speakers))].speak(m)
		return
	}
	h := m.hearers[m.rand.IntN(len(m.hearers))]
	if h.asked == nil && m.rand.IntN(4) == 0 {
		h.change(m)
	}
}

func (m *hearingModel) breakSomething() {
	n := m.nodes[m.rand.IntN(len(m.nodes))]
	switch {
	case n.dead:
		m.start(n)
	case m.rand.IntN(4) == 0:
		m.kill(n)
	case len(m.wires) > 0:
		m.wires[m.rand.IntN(len(m.wires))].cut()
	}
	m.tidy()
}

// change subscribes to something, or leaves it.
func (h *hearer) change(m *hearingModel) {
	kind := topicKind(m.rand.IntN(int(topicKinds)))
	name := fmt.Sprintf("c%d", m.rand.IntN(4))
	if kind == pattern {
		name = []string{"c*", "*1", "c[02]"}[m.rand.IntN(3)]
	}
	at := slices.IndexFunc(h.topics, func(x *heardTopic) bool { return x.kind == kind && x.name == name && !x.finished })
	if at < 0 {
		x := &heardTopic{kind: kind, name: name, askedAt: m.clock, lastOf: map[string]int{}}
		h.topics = append(h.topics, x)
		h.asked, h.leaves = x, false
		h.say(subscribeWords[kind], name)
		return
	}
	h.asked, h.leaves = h.topics[at], true
	h.asked.leavesAt = m.clock
	h.say(unsubscribeWords[kind], name)
}

// speak publishes the next message: alone, from a script, or in a transaction.
func (k *speaker) speak(m *hearingModel) {
	if len(k.asked) >= k.ahead {
		return
	}
	k.sent++
	x := &published1{shard: m.rand.IntN(3) == 0, channel: fmt.Sprintf("c%d", m.rand.IntN(4)), sentAt: m.clock}
	key := fmt.Sprintf("k%d", m.rand.IntN(6))
	if !x.shard {
		x.means = []string{"alone", "script " + key, "script " + key, "piece " + key}[m.rand.IntN(4)]
	}
	x.text = fmt.Sprintf("%d:%d:%s", k.number, k.sent, x.means)
	if m.rand.IntN(10) == 0 {
		x.text += ":" + strings.Repeat("x", m.rand.IntN(3000)) // some are not copied
	}
	k.asked = append(k.asked, x)
	m.said = append(m.said, x)
	switch {
	case x.shard:
		k.say("SPUBLISH", x.channel, x.text)
	case strings.HasPrefix(x.means, "script"):
		k.say("EVAL", "return redis.call('PUBLISH', ARGV[1], ARGV[2])", "1", key, x.channel, x.text)
	case strings.HasPrefix(x.means, "piece"):
		k.say("MULTI")
		k.say("SET", key, "v")
		k.say("PUBLISH", x.channel, x.text)
		k.say("EXEC")
	default:
		k.say("PUBLISH", x.channel, x.text)
	}
}

// answered takes a speaker's reply.
func (k *speaker) answered(m *hearingModel, reply []byte) {
	if string(reply) == "+OK\r\n" || string(reply) == "+QUEUED\r\n" {
		return
	}
	if len(k.asked) == 0 {
		m.t.Fatalf("speaker %d: a reply too many: %q", k.number, reply)
	}
	x := k.asked[0]
	k.asked = k.asked[1:]
	x.saidAt = m.clock
	if it := resp.Elements(reply); it.Left() == 2 {
		it.Next()
		reply, _ = it.Next()
	}
	n, ok := resp.ParseInt(reply)
	x.count, x.failed = int(n), !ok
	if !ok && m.whole {
		m.t.Errorf("PUBLISH: %q", reply)
	}
}

// listen reads what came to the clients.
func (m *hearingModel) listen() {
	for _, k := range m.speakers {
		for reply := k.next(); reply != nil; reply = k.next() {
			k.answered(m, reply)
		}
	}
	for _, h := range m.hearers {
		for reply := h.next(); reply != nil; reply = h.next() {
			h.heard(m, reply)
		}
	}
}

// heard takes a confirmation, an error or a message.
func (h *hearer) heard(m *hearingModel, reply []byte) {
	if reply[0] == '-' {
		if m.whole || h.asked == nil || h.leaves {
			m.t.Errorf("client %d: %q", h.number, reply)
		}
		h.asked.refused, h.asked.finished = true, true
		h.asked = nil
		return
	}
	var words []string
	it := resp.Elements(reply)
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		word, _ := resp.Value(e).Bytes()
		words = append(words, string(word))
	}
	if want := begin(h.proto); reply[0] != want || len(words) < 3 {
		m.t.Fatalf("client %d: %q", h.number, reply)
	}
	if x := h.asked; x != nil && words[1] == x.name && (words[0] == subscribeWords[x.kind] || words[0] == unsubscribeWords[x.kind]) {
		if h.leaves {
			x.leftAt, x.finished = m.clock, true
		} else {
			x.sureAt = m.clock
		}
		h.asked = nil
		return
	}
	kind := topicKind(slices.Index(messageWords[:], words[0]))
	channelName, text := words[len(words)-2], words[len(words)-1]
	at := slices.IndexFunc(h.topics, func(x *heardTopic) bool { return x.kind == kind && x.name == words[1] && !x.finished })
	if at < 0 || h.topics[at].sureAt == 0 {
		m.t.Errorf("client %d heard %.200q without a subscription", h.number, words)
		return
	}
	h.topics[at].take(m, h, channelName, text)
}

func (x *heardTopic) take(m *hearingModel, h *hearer, channelName, text string) {
	var by, number int
	if _, err := fmt.Sscanf(text, "%d:%d", &by, &number); err != nil {
		m.t.Fatal(err)
	}
	from := fmt.Sprint(by, channelName)
	if !m.whole {
		from += strings.Split(text, ":")[2] // where connections are lost, nobody may be there to say how far a node is
	}
	if last := x.lastOf[from]; number <= last {
		m.t.Errorf("client %d, %s %s: message %.30q on %s came behind number %d; before: %.30q", h.number, subscribeWords[x.kind], x.name, text, channelName, last, x.messages[max(0, len(x.messages)-8):])
	}
	x.lastOf[from] = number
	x.messages = append(x.messages, text)
}

// concerns tells whether a message is for a subscription.
func (x *heardTopic) concerns(p *published1) bool {
	switch {
	case p.shard != (x.kind == shardChannel):
		return false
	case x.kind == pattern:
		return x.name == "c*" || x.name == "*1" && p.channel == "c1" || x.name == "c[02]" && (p.channel == "c0" || p.channel == "c2")
	default:
		return x.name == p.channel
	}
}

// checkWhole: who was subscribed for certain has heard, and was counted.
func (m *hearingModel) checkWhole() {
	for _, p := range m.said {
		if p.saidAt == 0 {
			m.t.Errorf("%s was not answered", p.text)
			continue
		}
		least, most := 0, 0
		for _, h := range m.hearers {
			for _, x := range h.topics {
				if !x.concerns(p) {
					continue
				}
				if x.askedAt <= p.saidAt && (x.leftAt == 0 || x.leftAt >= p.sentAt) {
					most++
				}
				if x.sureAt == 0 || x.sureAt >= p.sentAt || x.leavesAt != 0 && x.leavesAt <= p.saidAt {
					continue
				}
				least++
				if !slices.Contains(x.messages, p.text) {
					m.t.Errorf("client %d, %s %s (since %d): %.20q on %s at %d is missing", h.number, subscribeWords[x.kind], x.name, x.sureAt, p.text, p.channel, p.sentAt)
				}
			}
		}
		if p.count < least || p.count > most {
			m.t.Errorf("%.20q on %s was counted %d times, not %d to %d", p.text, p.channel, p.count, least, most)
		}
	}
}

// checkAgain: whatever has happened, everybody hears everything now, and is counted.
func (m *hearingModel) checkAgain() {
	for _, h := range m.hearers {
		for _, x := range h.topics {
			x.messages = nil
		}
	}
	var last []*published1
	for _, k := range m.speakers {
		if len(k.asked) > 0 {
			m.t.Errorf("speaker %d has no reply", k.number)
			return
		}
		for c := range 4 {
			for _, shard := range []bool{false, true} {
				k.sent++
				x := &published1{shard: shard, channel: fmt.Sprintf("c%d", c), text: fmt.Sprintf("%d:%d:", k.number, k.sent)}
				last = append(last, x)
				word := "PUBLISH"
				if shard {
					word = "SPUBLISH"
				}
				n, ok := resp.ParseInt([]byte(k.do(word, x.channel, x.text)))
				x.count, x.failed = int(n), !ok
			}
		}
	}
	m.listen()
	for _, p := range last {
		subscribed := 0
		for _, h := range m.hearers {
			for _, x := range h.topics {
				if x.finished || !x.concerns(p) {
					continue
				}
				subscribed++
				if got := strings.Count(strings.Join(x.messages, " ")+" ", p.text+" "); got != 1 {
					m.t.Errorf("at the end client %d, %s %s: %s on %s came %d times", h.number, subscribeWords[x.kind], x.name, p.text, p.channel, got)
				}
			}
		}
		if p.failed || p.count != subscribed {
			m.t.Errorf("at the end %s was counted %d times, not %d", p.text, p.count, subscribed)
		}
	}
}

// checkGone: of clients that have left nothing remains, in gateways and nodes.
func (m *hearingModel) checkGone() {
	for _, h := range m.hearers {
		h.c.Hangup(nil)
	}
	m.settle(time.Second)
	if got := m.speakers[0].do("PUBSUB", "CHANNELS"); got != "*0\r\n" {
		m.t.Errorf("channels at the end: %q", got)
	}
	m.settle(2 * time.Duration(earIdleMax))
	for _, p := range m.parts {
		h := &p.hearing
		if n := len(h.topics[channel]) + len(h.topics[pattern]) + len(h.topics[shardChannel]) + len(h.waiting) + len(h.changed) + h.sessions + int(h.bytes); n > 0 {
			m.t.Errorf("of what was heard %d things remain", n)
		}
		for _, u := range p.upstreams {
			if u.ear != nil || u.owned != 0 {
				m.t.Errorf("the connection to %s remains, %d shard channels", u.addr, u.owned)
			}
		}
	}
}
