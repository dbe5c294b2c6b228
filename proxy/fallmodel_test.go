package proxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/loop"
	"larder/protocol/resp"
	"larder/router"
)

// fallClient pushes elements of names that are its own to lists, reads them, and pops jobs.
type fallClient struct {
	m      *fallModel
	number int
	conn   *loop.MemConn
	asked  []*fallAsked
	done   int
	parse  resp.Replies
	in     []byte
	sent   int
	blocks bool
	gone   bool
}

// fallAsked is a command, and what has become of it.
type fallAsked struct {
	what   string // push, read, exec, multi, block, job
	key    string
	ids    []string
	length int    // of the list, as the reply says
	state  string // ok, unknown, unrun, or empty while there is no reply
	before int    // how many elements had been shown when it was sent
}

// fallModel judges what clients are told.
type fallModel struct {
	*fallWorld
	replicated bool
	clients    []*fallClient
	shown      []string                // elements that somebody was shown
	all        map[string]*fallAsked   // by element
	popped     map[string]int          // jobs
	told       map[string]int          // replies by kind
	asked      map[string][]*fallAsked // by client and list, in order
}

// TestFalls: whatever dies, stands still, loses its connections or hands its place over, each write runs at most once, in the order in which its client sent it, what is
// answered as refused has not run, a read shows what its client wrote before it and nothing that it wrote behind it, and every command has an answer. Under
// durability: replicated, what was shown is there.
func TestFalls(t *testing.T) {
	falls(t, 7)
}

// falls tries so many seeds.
func falls(t *testing.T, n uint64) {
	told := map[string]int{}
	falls, asked := 0, uint64(0)
	eachSeed(t, n, func(t *testing.T, seed uint64) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := testFalls(t, seed)
			falls += m.falls
			asked += m.p.count.lanesAsked
			for kind, n := range m.told {
				told[kind] += n
			}
		})
	})
	t.Logf("%d primaries were chosen, nodes were asked of %d lanes; clients were told %v", falls, asked, told)
	if falls < 10 || asked < 10 || told["ok"] < 1000 {
		t.Error("that proves nothing")
	}
}

func testFalls(t *testing.T, seed uint64) *fallModel {
	m := &fallModel{replicated: seed%3 != 2, all: map[string]*fallAsked{}, popped: map[string]int{}, told: map[string]int{}, asked: map[string][]*fallAsked{}}
	m.fallWorld = newFallWorld(t, seed, m.replicated)
	if !m.settle(m.whole) {
		t.Fatalf("the shards do not come up: %s", m.shards[0].record.Line())
	}
	m.calm = false
	for i := range 3 + int(seed%3) {
		m.clients = append(m.clients, &fallClient{m: m, number: i, conn: m.gate.Open(mixAdmin), blocks: i == 0})
	}
	for range 1500 {
		c := m.clients[m.rand.IntN(len(m.clients))]
		if !c.gone && len(c.asked)-c.done < 20 {
			c.act()
		}
		m.step()
		for _, c := range m.clients {
			c.read()
		}
		if t.Failed() {
			return m
		}
	}
	if !m.settle(m.quiet) {
		for _, c := range m.clients {
			if c.done < len(c.asked) {
				t.Errorf("client %d: %d of %d commands are answered; next %+v", c.number, c.done, len(c.asked), c.asked[c.done])
			}
		}
		return m
	}
	m.settle(m.whole)
	m.judge()
	if n := len(m.p.inquests) + len(m.p.retries) + len(m.p.waiting) + m.p.parkedBytes + m.p.waitBytes + m.p.retryBytes; n != 0 {
		t.Errorf("%d lanes are asked about, %d commands to be sent again, %d clients wait", len(m.p.inquests), len(m.p.retries), len(m.p.waiting))
	}
	return m
}

// whole says whether all nodes are members.
func (m *fallModel) whole() bool {
	for _, s := range m.shards {
		if s.record.State != router.Normal || len(s.record.Set) < fallNodes {
			return false
		}
	}
	return true
}

func (m *fallModel) quiet() bool {
	left := 0
	for _, c := range m.clients {
		c.read()
		left += len(c.asked) - c.done
	}
	return left == 0
}

func (c *fallClient) say(a *fallAsked, args ...string) {
	a.before = len(c.m.shown)
	c.asked = append(c.asked, a)
	for _, id := range a.ids {
		c.m.all[id] = a
	}
	if a.key != "" {
		of := fmt.Sprint(c.number, a.key)
		c.m.asked[of] = append(c.m.asked[of], a)
	}
	c.conn.Feed(resp.AppendCommandStrings(nil, args...))
}

func (c *fallClient) name() string {
	c.sent++
	return fmt.Sprintf("%d.%d", c.number, c.sent)
}

func (c *fallClient) act() {
	r := c.m.rand
	key := fmt.Sprintf("log:%d", r.IntN(4))
	for range 1 + r.IntN(3) {
		switch what := r.IntN(12); {
		case c.blocks && what < 4:
			c.say(&fallAsked{what: "block"}, "BLPOP", fmt.Sprint("queue:", r.IntN(2)), "0.3")
		case what < 5:
			id := c.name()
			c.say(&fallAsked{what: "push", key: key, ids: []string{id}}, "RPUSH", key, id)
		case what < 6:
			id := "job" + c.name()
			c.say(&fallAsked{what: "job", ids: []string{id}}, "RPUSH", fmt.Sprint("queue:", r.IntN(2)), id)
		case what < 8:
			one, two := c.name(), c.name()
			c.say(&fallAsked{what: "multi"}, "MULTI")
			c.say(&fallAsked{what: "multi"}, "RPUSH", key, one)
			c.say(&fallAsked{what: "multi"}, "RPUSH", key, two)
			c.say(&fallAsked{what: "exec", key: key, ids: []string{one, two}}, "EXEC")
		case what < 9 && r.IntN(3) == 0:
			id := c.name()
			c.say(&fallAsked{what: "watch"}, "WATCH", key)
			c.say(&fallAsked{what: "multi"}, "MULTI")
			c.say(&fallAsked{what: "multi"}, "RPUSH", key, id)
			c.say(&fallAsked{what: "watched", key: key, ids: []string{id}}, "EXEC")
		case what < 9 && r.IntN(10) == 0: // passed on in pieces, on a lane of its own
			id := c.name()
			c.say(&fallAsked{what: "push", key: key, ids: []string{id}}, "RPUSH", key, id+"/"+strings.Repeat("x", 70<<10))
		case what < 9:
			c.say(&fallAsked{what: "count"}, "EXISTS", "log:0", "log:1", "log:2", "log:3")
		default:
			c.say(&fallAsked{what: "read", key: key}, "LRANGE", key, "0", "-1")
		}
	}
}

func (c *fallClient) read() {
	c.in = append(c.in, c.conn.Written()...)
	for {
		n, _, st := c.parse.Next(c.in)
		if st != resp.Done {
			c.closed()
			return
		}
		reply := string(c.in[:n])
		c.in = c.in[n:]
		if c.done == len(c.asked) {
			c.m.t.Errorf("client %d: %q was not asked for", c.number, reply)
			return
		}
		a := c.asked[c.done]
		c.done++
		a.take(c, reply)
		c.m.told[a.state]++
	}
}

// closed: a client is closed only if the node was lost from which it has half of a large reply. It leaves, and knows nothing of what it has under way.
func (c *fallClient) closed() {
	if !c.conn.Closed || c.gone {
		return
	}
	if c.gone = true; len(c.in) == 0 || c.done == len(c.asked) || c.asked[c.done].what != "read" {
		c.m.t.Errorf("client %d was closed, with %q unread", c.number, c.in)
	}
	for ; c.done < len(c.asked); c.done++ {
		c.asked[c.done].state = "unknown"
	}
}

// take is the reply to a command.
func (a *fallAsked) take(c *fallClient, reply string) {
	m := c.m
	switch {
	case strings.HasPrefix(reply, "-UNKNOWN "):
		a.state = "unknown"
		return
	case strings.HasPrefix(reply, "-CLUSTERDOWN "), strings.HasPrefix(reply, "-NOREPLICAS "):
		a.state = "unrun"
		return
	case reply[0] == '-':
		m.t.Errorf("client %d: %+v is answered %q", c.number, *a, reply)
		return
	}
	a.state = "ok"
	switch a.what {
	case "push", "job":
		a.length, _ = strconv.Atoi(strings.Trim(reply, ":\r\n"))
		m.show(a.ids...)
	case "exec":
		words := elements(reply)
		if len(words) != 2 {
			m.t.Errorf("client %d: EXEC is answered %q", c.number, reply)
			return
		}
		a.length, _ = strconv.Atoi(words[0])
		m.show(a.ids...)
	case "watched":
		if words := elements(reply); len(words) == 1 {
			a.length, _ = strconv.Atoi(words[0])
			m.show(a.ids...)
		} else {
			a.state = "unrun" // somebody has changed the key, or may have
		}
	case "read":
		c.judgeRead(a, named(elements(reply)))
	case "block":
		if words := elements(reply); len(words) == 2 {
			m.popped[words[1]]++
		}
	}
}

// named are the names of elements, which may be long.
func named(elements []string) []string {
	for i, e := range elements {
		elements[i], _, _ = strings.Cut(e, "/")
	}
	return elements
}

func (m *fallModel) show(ids ...string) {
	for _, id := range ids {
		if !slices.Contains(m.shown, id) {
			m.shown = append(m.shown, id)
		}
	}
}

// judgeRead holds a read against what its client did before and behind it.
func (c *fallClient) judgeRead(a *fallAsked, got []string) {
	m := c.m
	before := true
	for _, other := range m.asked[fmt.Sprint(c.number, a.key)] {
		switch {
		case other == a:
			before = false
		case len(other.ids) == 0:
		case !before && slices.Contains(got, other.ids[0]):
			m.t.Errorf("client %d: a read shows %s, which it wrote behind it", c.number, other.ids[0])
		case before && other.state == "ok" && m.replicated && !slices.Contains(got, other.ids[0]):
			m.t.Errorf("client %d: a read of %s lacks %s, which it wrote before", c.number, a.key, other.ids[0])
		}
	}
	if !m.replicated {
		return
	}
	for _, id := range m.shown[:a.before] {
		if m.all[id].key == a.key && !slices.Contains(got, id) {
			m.t.Errorf("client %d: a read of %s lacks %s, which somebody was shown before it was sent", c.number, a.key, id)
		}
	}
	m.show(got...)
}

// judge holds what clients were told against what is there.
func (m *fallModel) judge() {
	places := map[string][]place{}
	for _, s := range m.shards {
		primary := s.named(s.record.Primary.Node)
		for _, key := range elements(m.ask(primary, "KEYS", "*")) {
			for i, id := range named(elements(m.ask(primary, "LRANGE", key, "0", "-1"))) {
				places[id] = append(places[id], place{key, i})
			}
		}
	}
	for id, a := range m.all {
		ran, job := places[id], a.what == "job"
		if n := len(ran) + m.popped[id]; n > 1 && (m.replicated || !job) { // without that, a job is back whose pop was lost
			m.t.Errorf("%s (%s) ran %d times: %v, popped %d times", id, a.what, n, ran, m.popped[id])
		}
		switch {
		case a.state == "unrun" && len(ran)+m.popped[id] > 0:
			m.t.Errorf("%s (%s) was refused, and ran: %v", id, a.what, ran)
		case a.state == "ok" && m.replicated && !job && len(ran) == 0:
			m.t.Errorf("%s (%s) was acknowledged and is nowhere", id, a.what)
		case a.what == "exec" && len(places[a.ids[0]]) != len(places[a.ids[1]]):
			m.t.Errorf("half of a transaction ran: %v", a.ids)
		case a.state == "ok" && m.replicated && !job && id == a.ids[0] && ran[0].at != a.length-1:
			m.t.Errorf("%s was told length %d and lies at %d", id, a.length, ran[0].at)
		}
	}
	for of, all := range m.asked {
		last, lastID := -1, ""
		for _, a := range all {
			for _, id := range a.ids {
				if ran := places[id]; len(ran) == 1 {
					if ran[0].at < last && a.state == "ok" {
						m.t.Errorf("client and list %s: %s lies at %d, before %s", of, id, ran[0].at, lastID)
					}
					last, lastID = ran[0].at, id
				}
			}
		}
	}
}

// TestWaitOutlivesPrimary: WAIT goes to the primary that there is, for what was written at an earlier one.
func TestWaitOutlivesPrimary(t *testing.T) {
	m := &fallModel{}
	m.fallWorld = newFallWorld(t, 2, false)
	c := m.gate.Open(mixAdmin)
	says := func(want string, args ...string) {
		t.Helper()
		c.Feed(resp.AppendCommandStrings(nil, args...))
		got := ""
		m.settle(func() bool {
			got += string(c.Written())
			return got != ""
		})
		if got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
	m.settle(m.whole)
	s := m.shards[0]
	says(":1\r\n", "RPUSH", "l", "a")
	for range 2 {
		says(":2\r\n", "WAIT", "2", "20000")
		reign := s.record.Reign
		s.named(s.record.Primary.Node).kill(1)
		m.settle(func() bool { return s.record.Reign > reign && m.whole() })
	}
	says(":2\r\n", "WAIT", "2", "20000")
}
