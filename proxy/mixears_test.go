package proxy

import (
	"regexp"
	"slices"
	"strings"

	"larder/loop"
	"larder/protocol/resp"
)

// mixEar is a second connection of a client, which is told for the first one what has changed.
type mixEar struct {
	c      *mixClient
	conn   *loop.MemConn
	in     []byte
	parser resp.Replies
	heard  int    // replies
	id     string // as CLIENT ID says; empty = not heard yet
}

// openEar begins one; it can be named when its number is known.
func (c *mixClient) openEar() {
	conn, _ := c.w.open()
	c.ear = &mixEar{c: c, conn: conn}
	conn.Feed(resp.AppendCommandStrings(resp.AppendCommandStrings(nil, "HELLO", "3"), "CLIENT", "ID"))
}

// read takes what the ear is told.
func (e *mixEar) read() {
	e.in = append(e.in, e.conn.Written()...)
	for {
		n, _, st := e.parser.Next(e.in)
		if st != resp.Done {
			return
		}
		reply := string(e.in[:n])
		e.in = slices.Clone(e.in[n:])
		e.parser.Reset()
		switch words := elements(reply); {
		case len(words) > 0 && words[0] == "invalidate":
			e.c.invalidate(words[1:])
		default:
			if e.heard++; e.heard == 2 {
				e.id = strings.Trim(reply, ":\r\n")
			}
		}
	}
}

// redirect has the ear told, once it is known by its number.
func (c *mixClient) redirect() {
	if c.ear == nil {
		c.openEar()
		return
	}
	if c.ear.id == "" || c.tracks != "" {
		return
	}
	c.tracks = "REDIRECT"
	c.expect("+OK\r\n", "CLIENT", "TRACKING", "ON", "REDIRECT", c.ear.id)
}

// mixMonitor is what a client sees of all others, from one moment on.
type mixMonitor struct {
	c        *mixClient
	from, to int // by the world's clock; to 0 = to the end
	left     bool
	seen     map[string]int // by id of a write
}

// monitor shows the client what all shards run.
func (c *mixClient) monitor() {
	if c.monitors != nil {
		return
	}
	m := &mixMonitor{c: c, seen: map[string]int{}}
	c.monitors = m
	c.ask(func(reply string) string {
		m.from = c.w.now
		c.w.monitors = append(c.w.monitors, m)
		if reply != "+OK\r\n" {
			return "want OK"
		}
		return ""
	}, "MONITOR").failed = func(bool) { c.monitors, c.waits = nil, false }
}

// endMonitor: the client sees no more, or need not.
func (c *mixClient) endMonitor(left bool) {
	if m := c.monitors; m != nil {
		c.monitors = nil
		m.to, m.left = c.w.now, left
	}
}

var (
	monitorLine  = regexp.MustCompile(`^\+\d+\.\d{6} \[\d+ [^\]]+\] "`)
	monitorWrite = regexp.MustCompile(`^\+[\d.]+ \[\d+ [\d.:]+\] "(?:RPUSH|EVAL|EVALSHA)" .*"(\d+\.\d+)(?:/x*)?"\r\n$`) // not those of scripts: they are told of twice
)

// line takes a line of MONITOR; it says false of what is none.
func (c *mixClient) line(reply string) bool {
	if !monitorLine.MatchString(reply) {
		return false
	}
	if c.monitors == nil || c.monitors.from == 0 {
		c.w.t.Errorf("client %d sees %.200q and does not monitor", c.number, reply)
		return true
	}
	if id := monitorWrite.FindStringSubmatch(reply); id != nil {
		c.monitors.seen[id[1]]++
	}
	return true
}

// judgeMonitors: in a world without losses every write that ran while somebody monitored was seen, once.
func (w *mixWorld) judgeMonitors() {
	if !w.whole {
		return
	}
	for _, m := range w.monitors {
		for _, x := range w.writes {
			n := m.seen[x.id]
			surely := x.length > 0 && x.sent > m.from && (m.to == 0 || x.done < m.to) && !m.left
			if n > 1 || surely && n == 0 {
				w.t.Errorf("client %d, which monitored from %d to %d, saw write %s, sent at %d and answered at %d, %d times", m.c.number, m.from, m.to, x.id, x.sent, x.done, n)
			}
		}
	}
}
