package proxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"larder/loop"
	"larder/protocol/resp"
)

// mixClient is a client that does a bit of everything. What it believes of its own state is what will be true when the server has read all it sent.
type mixClient struct {
	w      *mixWorld
	number int
	conn   *loop.MemConn
	id     string // as CLIENT ID says; empty = not heard yet
	deeds  []*deed
	heard  int // of these are answered
	in     []byte
	out    []byte // not yet sent
	parser resp.Replies
	waits  bool // for a reply before it goes on
	gone   bool // it has left, or was closed
	killed bool // somebody said that it be closed

	sent    int // writes, for their names
	proto   int
	db      int
	subs    map[string]*subscription // by "subscribe news"
	watches bool                     // keys, when it has no transaction yet
	tracks  string                   // how it tracks; empty = not
	cache   map[string]string        // what it believes of tracked keys
	doubts  map[string]bool          // keys that it wrote, perhaps, and will, perhaps: nobody tells it of its own writes
	told    int                      // times that it was told of changed keys

	ear      *mixEar     // what it was told of keys, instead of itself; nil = it has none
	monitors *mixMonitor // nil = it does not
}

// deed is a command that was sent, and what its reply must be.
type deed struct {
	text   string
	check  func(reply string) string // says what is wrong with the reply; empty = nothing
	failed func(ran bool)            // an error that lost nodes explain: ran = it may have run
}

// newMixClient connects and asks who it is.
func (w *mixWorld) newMixClient() *mixClient {
	conn, _ := w.open()
	c := &mixClient{w: w, number: len(w.clients), conn: conn, proto: 2, subs: map[string]*subscription{}, cache: map[string]string{}, doubts: map[string]bool{}}
	w.clients = append(w.clients, c)
	c.say(func(reply string) string {
		c.id = strings.Trim(reply, ":\r\n")
		return ""
	}, "CLIENT", "ID")
	if w.rand.IntN(2) == 0 {
		c.hello()
		if w.rand.IntN(2) == 0 {
			c.startTracking()
		}
	}
	return c
}

// say sends a command whose reply is judged by check.
func (c *mixClient) say(check func(reply string) string, args ...string) *deed {
	d := &deed{text: fmt.Sprintf("%.80q", args), check: check}
	c.deeds = append(c.deeds, d)
	c.out = resp.AppendCommandStrings(c.out, args...)
	return d
}

// expect sends a command whose reply is known.
func (c *mixClient) expect(want string, args ...string) *deed {
	return c.say(func(reply string) string {
		if reply != want {
			return fmt.Sprintf("want %.200q", want)
		}
		return ""
	}, args...)
}

// ask sends a command and does nothing more until its reply is there; then goes on, whatever it is.
func (c *mixClient) ask(then func(reply string) string, args ...string) *deed {
	c.waits = true
	d := c.say(func(reply string) string {
		c.waits = false
		return then(reply)
	}, args...)
	d.failed = func(bool) { c.waits = false }
	return d
}

// push hands a random part of what is to be said to the gateway.
func (c *mixClient) push(all bool) {
	n := len(c.out)
	if n == 0 || c.gone {
		return
	}
	if !all {
		n = c.w.rand.IntN(n + 1)
	}
	c.w.now++
	p := slices.Clone(c.out[:n])
	c.out = slices.Clone(c.out[n:])
	if len(p) > 0 {
		c.conn.Feed(p)
	}
}

// read takes what has come.
func (c *mixClient) read() {
	if c.gone {
		return
	}
	c.w.now++
	if c.ear != nil {
		c.ear.read()
	}
	c.in = append(c.in, c.conn.Written()...)
	for {
		n, _, st := c.parser.Next(c.in)
		if st == resp.More {
			break
		}
		if st == resp.Failed {
			c.w.t.Fatalf("client %d: %s in %.200q", c.number, c.parser.Err(), c.in)
		}
		reply := string(c.in[:n])
		c.in = slices.Clone(c.in[n:])
		c.parser.Reset()
		c.take(reply)
	}
	if c.conn.Closed {
		if !c.killed && (c.w.whole || len(c.in) == 0) {
			c.w.t.Errorf("client %d was closed; it waits for %s", c.number, c.next())
		}
		c.leave()
	}
}

func (c *mixClient) next() string {
	if c.heard == len(c.deeds) {
		return "nothing"
	}
	return c.deeds[c.heard].text
}

// leave is the end of the client: what is not answered may have run.
func (c *mixClient) leave() {
	c.gone = true
	if c.ear != nil {
		c.ear.conn.Hangup(errMixReset)
	}
	c.endMonitor(true)
	for _, d := range c.deeds[c.heard:] {
		if d.failed != nil {
			d.failed(true)
		}
	}
	c.endSubscriptions()
}

// take is one reply, or something that comes unasked.
func (c *mixClient) take(reply string) {
	t := c.w.t
	if words := elements(reply); len(words) > 0 && c.unasked(words) || c.line(reply) {
		return
	}
	if c.heard == len(c.deeds) {
		t.Errorf("client %d: one reply too many: %.200q", c.number, reply)
		return
	}
	d := c.deeds[c.heard]
	c.heard++
	if ran, lost := lostReply(reply); lost {
		if c.w.whole {
			t.Errorf("client %d: %s is answered %.200q though nothing failed", c.number, d.text, reply)
		}
		if d.failed != nil {
			d.failed(ran)
		}
		return
	}
	if wrong := d.check(reply); wrong != "" {
		t.Errorf("client %d: %s is answered %.200q: %s", c.number, d.text, reply, wrong)
	}
}

// lostReply tells the errors that a lost node explains, and whether the command may have run.
func lostReply(reply string) (ran, lost bool) {
	if strings.HasPrefix(reply, "-UNKNOWN ") {
		return true, true
	}
	return false, strings.HasPrefix(reply, "-CLUSTERDOWN ") || strings.HasPrefix(reply, "-LOADING ")
}

// unasked takes messages and invalidations. It says false for the reply to a command.
func (c *mixClient) unasked(words []string) bool {
	switch words[0] {
	case "message", "smessage":
		c.message(strings.TrimSuffix(words[0], "message")+"subscribe "+words[1], words[1], words[2])
	case "pmessage":
		c.message("psubscribe "+words[1], words[2], words[3])
	case "invalidate":
		c.invalidate(words[1:])
	default:
		return false
	}
	return true
}

// invalidate forgets keys; without keys all of them.
func (c *mixClient) invalidate(keys []string) {
	c.told++
	if len(keys) == 0 {
		clear(c.cache)
	}
	for _, key := range keys {
		delete(c.cache, key)
	}
}

// elements are the strings and numbers of an array, those of arrays within it too.
func elements(reply string) []string {
	if reply[0] != '*' && reply[0] != '>' {
		return nil
	}
	var words []string
	it := resp.Elements([]byte(reply))
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		if e[0] == '*' || e[0] == '>' {
			words = append(words, elements(string(e))...)
		} else if text, ok := resp.BulkOf(e); ok {
			words = append(words, string(text))
		} else if e[0] == ':' || e[0] == '+' || e[0] == '-' {
			words = append(words, strings.TrimRight(string(e[1:]), "\r\n"))
		}
	}
	return words
}

func bulk(text string) string { return "$" + strconv.Itoa(len(text)) + "\r\n" + text + "\r\n" }

func array(texts ...string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "*%d\r\n", len(texts))
	for _, text := range texts {
		out.WriteString(bulk(text))
	}
	return out.String()
}
