package engine

import (
	"bytes"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"larder/loop"
	"larder/protocol/resp"
)

// introduction is what a node says of itself to its primary.
type introduction struct {
	user, password string // of masteruser and masterauth; no password: it logs in as nobody
	port           int    // where it listens
	ip             string // its address as others see it; "": as the primary sees it
	id             string // the history that it has; "": it has nothing to go on from
	after          int64  // up to where
	takeOver       bool   // the primary is a replica that is to take this node's place

	// Of a managed node: the newest record that it knows, itself, and whom it takes the other side for (shard.md).
	record, run, primary, reign string
}

// question is what the node has said and waits to be answered.
type question uint8

const (
	askPing question = iota
	askLogin
	askPort
	askIP
	askAbilities
	askVersion
	askRecord
	askRun
	askHistory
)

// outcome is what an answer comes to.
type outcome uint8

const (
	outcomeMore    outcome = iota // the talk goes on
	outcomeAll                    // all data follows, and then the stream of that id from that offset on
	outcomeOn                     // the stream follows, from where this node is
	outcomeLater                  // nothing comes of it now
	outcomeRefused                // nothing comes of it as things are set
	outcomeNewer                  // the other side knows a newer record, which is the reason
)

// greeting is the talk of both sides before any data (Redis 7.0 replication.c, syncWithMaster and slaveTryPartialResynchronization).
type greeting struct {
	says   introduction
	asked  []question // the answers that are to come, oldest first
	id     string     // of the stream: FULLRESYNC tells it, and CONTINUE where it has changed
	offset int64
	old    bool // the primary knows no PSYNC
}

// formatsRead is the version of the server whose file formats this node reads, its own and Valkey's: a primary of that kind chooses by it what it sends.
const formatsRead = "9.0.0"

// begin is the first word. What a primary of another version does not know of the later ones, it says, and the talk goes on.
func (g *greeting) begin() []byte {
	g.asked = []question{askPing}
	return resp.AppendCommandStrings(nil, "PING")
}

// answer takes in a line that the primary has said. say is what is to be said then; reason is why nothing comes of it.
func (g *greeting) answer(line string) (say []byte, is outcome, reason string) {
	asked := g.asked[0]
	if asked == askHistory {
		return g.judge(line)
	}
	g.asked = g.asked[1:]
	wrong := strings.HasPrefix(line, "-")
	switch {
	case asked == askPing && wrong && !strings.HasPrefix(line, "-NOAUTH") && !strings.HasPrefix(line, "-NOPERM") && !strings.HasPrefix(line, "-ERR operation not permitted"):
		return nil, outcomeLater, "it answers PING with " + line
	case asked == askPing && !wrong && line != "+PONG":
		return nil, outcomeRefused, fmt.Sprintf("it answers PING with %.100q: is it a Redis server?", line)
	case asked == askPing:
		return g.introduce(), outcomeMore, ""
	case asked == askLogin && wrong:
		return nil, outcomeRefused, "it refuses masteruser and masterauth: " + line
	case asked == askRecord && strings.HasPrefix(line, "-"+staleRecord):
		return nil, outcomeNewer, line[len("-"+staleRecord):]
	case asked == askRecord && wrong:
		return nil, outcomeRefused, "it does not obey the record of the shard: " + line
	case asked == askRun && wrong:
		return nil, outcomeLater, "it is not the primary of the record: " + line
	}
	if len(g.asked) > 0 {
		return nil, outcomeMore, ""
	}
	g.asked = []question{askHistory}
	return g.history(), outcomeMore, ""
}

// introduce is what is said of the node, all at once.
func (g *greeting) introduce() (say []byte) {
	put := func(q question, words ...string) {
		say = resp.AppendCommandStrings(say, words...)
		g.asked = append(g.asked, q)
	}
	n := &g.says
	switch {
	case n.password == "":
	case n.user == "":
		put(askLogin, "AUTH", n.password)
	default:
		put(askLogin, "AUTH", n.user, n.password)
	}
	put(askPort, "REPLCONF", "listening-port", strconv.Itoa(n.port))
	if n.ip != "" {
		put(askIP, "REPLCONF", "ip-address", n.ip)
	}
	put(askAbilities, "REPLCONF", "capa", "eof", "capa", "psync2")
	put(askVersion, "REPLCONF", "version", formatsRead)
	if n.record != "" {
		put(askRecord, "LARDER", "RECORD", n.record)
		put(askRun, "REPLCONF", "larder-run", n.run, "larder-primary", n.primary, "larder-reign", n.reign)
	}
	return say
}

// history asks for what this node lacks.
func (g *greeting) history() []byte {
	words := []string{"PSYNC", "?", "-1"}
	if g.says.id != "" {
		words = []string{"PSYNC", g.says.id, strconv.FormatInt(g.says.after+1, 10)}
	}
	if g.says.takeOver {
		words = append(words, "FAILOVER")
	}
	return resp.AppendCommandStrings(nil, words...)
}

// judge takes in the answer to PSYNC.
func (g *greeting) judge(line string) (say []byte, is outcome, reason string) {
	words := strings.Fields(line)
	switch {
	case len(words) == 0: // it has work to do first, and says that it lives
		return nil, outcomeMore, ""
	case words[0] == "+FULLRESYNC":
		if len(words) == 3 {
			offset, err := strconv.ParseInt(words[2], 10, 64)
			if validID(words[1]) && err == nil && offset >= 0 {
				g.id, g.offset = words[1], offset
				return nil, outcomeAll, ""
			}
		}
		return nil, outcomeLater, fmt.Sprintf("it answers PSYNC with %.100q: an id of 40 characters and an offset should follow", line)
	case words[0] == "+CONTINUE":
		if g.says.id == "" || len(words) > 2 || len(words) == 2 && !validID(words[1]) {
			return nil, outcomeLater, fmt.Sprintf("it answers PSYNC with %.100q, which was not asked for", line)
		}
		g.id = g.says.id
		if len(words) == 2 {
			g.id = words[1]
		}
		return nil, outcomeOn, ""
	case words[0] == "-NOMASTERLINK", words[0] == "-LOADING", words[0] == "-BUSY":
		return nil, outcomeLater, "it is not ready: " + line
	case words[0] == "-NOAUTH", words[0] == "-NOPERM":
		return nil, outcomeRefused, "masteruser and masterauth do not suffice: " + line
	case strings.HasPrefix(line, "-ERR unknown command"), strings.HasPrefix(line, "-ERR Unknown command"):
		if g.says.takeOver {
			return nil, outcomeRefused, "it does not know PSYNC"
		}
		g.old = true
		return resp.AppendCommandStrings(nil, "SYNC"), outcomeAll, ""
	case line[0] == '-':
		return nil, outcomeLater, "it refuses PSYNC: " + line
	}
	return nil, outcomeLater, fmt.Sprintf("it answers PSYNC with %.100q", line)
}

// validID tells whether a word may be the name of a history.
func validID(word string) bool {
	const length = 40
	if len(word) != length {
		return false
	}
	for i := range len(word) {
		if c := word[i]; c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// introduction is what this node is to say.
func (k *link) introduction() introduction {
	p := k.p
	set := &p.set.link
	n := introduction{user: set.user, password: set.password, ip: set.ip, port: int(set.port), takeOver: k.takeOver}
	if n.port == 0 {
		n.port = k.p.n.port()
	}
	if p.reign != nil {
		p.reign.introduces(&n)
		k.obeys = p.reign.node.Record().Epoch
	}
	switch past := p.stream.past; {
	case p.restored && past.Shared == past.End():
		n.id, n.after = past.OldID, past.End()
	case p.joined:
		n.id, n.after = past.ID, past.End()
	}
	return n
}

// lineMax bounds a line of the talk, bytes.
const lineMax = 4 << 10

// line cuts the next line from the input; false: it is not all there.
func (k *link) line(c *loop.Conn) (line string, ok bool) {
	in := c.In()
	end := bytes.IndexByte(in, '\n')
	switch {
	case end > lineMax, end < 0 && len(in) > lineMax:
		k.failed("the primary does not speak its part", fmt.Sprintf("a line of more than %d bytes: %.100q", lineMax, in))
		return "", false
	case end < 0:
		return "", false
	}
	line = string(bytes.TrimSuffix(in[:end], []byte{'\r'}))
	c.Took(end + 1)
	return line, true
}

// hear takes in a line of the talk.
func (k *link) hear(c *loop.Conn) bool {
	line, ok := k.line(c)
	if !ok {
		return false
	}
	asked := k.greeting.asked[0]
	say, is, reason := k.greeting.answer(line)
	if len(say) > 0 {
		c.Out = append(c.Out, say...)
		c.Touch()
	}
	if k.takeOver && asked == askHistory && is != outcomeMore {
		k.takeOver = false
		if is != outcomeAll && is != outcomeOn {
			k.p.abortFailover("the replica does not take over: " + reason)
			return false
		}
		k.p.failedOver()
	}
	switch is {
	case outcomeAll:
		if !k.p.mayDrop(k) {
			k.mayNotDrop()
			return false
		}
		k.expectAll()
	case outcomeOn:
		k.goOn()
	case outcomeLater, outcomeRefused:
		k.failed("the primary does not let this node follow it", reason)
		return false
	case outcomeNewer:
		k.failed("the primary knows a newer record of the shard", reason)
		k.p.reign.learn(reason)
		return false
	}
	return true
}

// mayNotDrop: the primary would send all its data, and others count on what this node has: its shard's record has to leave it out first.
func (k *link) mayNotDrop() {
	k.failed("the primary would send all its data, and the record counts on what this node has", "it waits until a record leaves it out and the primary obeys that")
	k.retryNS = k.p.nowNS + int64(retryMax)
}

// goOn follows the stream from where this node is.
func (k *link) goOn() {
	p, g := k.p, &k.greeting
	if past := p.stream.past; past.ID != g.id {
		k.log(slog.LevelInfo, "replication: the stream has a new id", "old", past.ID, "new", g.id, "offset", past.End())
		past.Adopt(g.id)
		p.partReplicas()
	}
	k.begin("replication: following the primary from where this node was")
}

// begin is what follows the data, or stands in its place: the stream.
func (k *link) begin(text string, more ...any) {
	p := k.p
	k.phase, k.downNS, k.followNS, k.reason = linkFollowing, 0, p.nowNS, ""
	k.mute = k.greeting.old
	k.requests.Reset(resp.Limits{BulkMax: 1 << 50}) // what a primary has, it sends
	k.again.Reset(resp.Limits{BulkMax: 1 << 50})
	k.passed, k.searched = 0, 0
	p.joined, p.restored = !k.mute, false
	if p.reign != nil {
		p.reign.data = p.reign.follows.reign
	}
	p.stream.listen()
	p.noteLink()
	k.log(slog.LevelInfo, text, append([]any{"id", p.stream.past.ID, "offset", p.stream.past.End()}, more...)...)
	k.acknowledge()
}
