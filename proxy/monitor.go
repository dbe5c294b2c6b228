package proxy

import (
	"bytes"

	"larder/protocol/command"
)

// monitoring is a client that sees what all shards run: a lane of each is lent to it, and the lines go on as they come. The lines name the gateway as who
// asked, and do not show what the gateway answers itself. What gateway and node say to each other is left out.
type monitoring struct {
	lanes   []*lane
	held    []byte // lines that came in the middle of a large reply
	seq     uint32
	waiting int // shards that have not begun; the client's OK comes when all have
}

// monitor begins it. A shard that is out of reach now is no part of it until it is back.
func (s *session) monitor(row *command.Row) bool {
	if s.monitors != nil {
		s.ok(row, nil)
		return true
	}
	if s.q.len() > 0 {
		return s.stall(stallEmpty)
	}
	for _, u := range s.p.shards {
		if wrong := u.unlendable(s); wrong != "" {
			s.refuse(row, wrong)
			return true
		}
	}
	s.monitors = &monitoring{}
	s.p.watchers++
	s.monitors.seq = s.push(row)
	s.monitorAll()
	s.monitors.waiting = len(s.monitors.lanes)
	s.stall(stallEmpty)
	return true
}

// monitorAll borrows a lane of each shard that has none.
func (s *session) monitorAll() {
	m := s.monitors
	for _, ln := range append([]*lane(nil), m.lanes...) {
		if ln.u.left {
			s.monitorLost(ln)
			ln.discard()
		}
	}
	for _, u := range s.p.shards {
		if m.has(u) || u.unlendable(s) != "" {
			continue
		}
		ln, _ := u.lend(s, useMonitor)
		m.lanes = append(m.lanes, ln)
		ln.query(func(reply []byte) { s.monitorBegan(ln, reply) }, wordMonitor)
	}
}

var wordMonitor = []byte("MONITOR")

func (m *monitoring) has(u *upstream) bool {
	for _, ln := range m.lanes {
		if ln.u == u {
			return true
		}
	}
	return false
}

// unlendable is the reason why the node's lanes cannot be lent now, "" if they can.
func (u *upstream) unlendable(s *session) string {
	for _, ln := range u.idle {
		if ln.proto == s.proto {
			return ""
		}
	}
	switch {
	case u.lent >= u.p.opts.Upstream.BorrowMax:
		return u.allLent()
	case u.p.nowNS < u.retryNS:
		return u.err
	}
	return ""
}

// monitorBegan takes a node's answer to MONITOR, nil = its lane is lost.
func (s *session) monitorBegan(ln *lane, reply []byte) {
	m := s.monitors
	if m == nil {
		return
	}
	if len(reply) > 0 && reply[0] != '-' {
		ln.relays = true
	}
	if m.waiting == 0 {
		return
	}
	if len(reply) == 0 || reply[0] == '-' {
		if len(reply) == 0 {
			reply = appendError(nil, downText(ln.u.addr, errLaneLost))
		}
		m.waiting = 0
		reply = bytes.Clone(reply)
		s.endMonitor()
		s.complete(m.seq, reply)
		return
	}
	if m.waiting--; m.waiting == 0 {
		s.complete(m.seq, []byte("+OK\r\n"))
	}
}

// monitorLost: the shard is asked anew at a tick.
func (s *session) monitorLost(ln *lane) {
	if s.monitors != nil {
		s.monitors.lanes = without(s.monitors.lanes, ln)
	}
}

// endMonitor closes the lanes: a node has no other way to end it.
func (s *session) endMonitor() {
	m := s.monitors
	if m == nil {
		return
	}
	s.monitors = nil
	s.p.watchers--
	for _, ln := range m.lanes {
		ln.discard()
	}
}

// relay hands a line on. Between two pieces of a large reply it waits. A shard that has begun before the others tells nothing yet: the client's OK comes first.
func (s *session) relay(line []byte) {
	m := s.monitors
	if s.gone || ofGateway(line) || m.waiting > 0 {
		return
	}
	if s.partial {
		m.held = append(m.held, line...)
		s.reserve(int64(len(m.held)))
		return
	}
	s.c.Out = append(s.c.Out, line...)
	s.c.Touch()
}

// relayHeld hands on what came in the middle of a reply that has ended.
func (s *session) relayHeld() {
	if m := s.monitors; m != nil && len(m.held) > 0 && !s.gone {
		s.c.Out = append(s.c.Out, m.held...)
		m.held = nil
		s.c.Touch()
	}
}

// ofGateway tells whether a line shows what a gateway says in its own name, of which a client knows nothing.
func ofGateway(line []byte) bool {
	_, said, ok := bytes.Cut(line, []byte(`] "`))
	if !ok {
		return false
	}
	name, rest, _ := bytes.Cut(said, []byte(`"`))
	switch string(bytes.ToUpper(name)) {
	case "LARDER", "SELECT", "HELLO", "AUTH", "UNWATCH", "PING":
		return true
	case "SPUBLISH":
		return bytes.HasPrefix(rest, []byte(` "larder:wait"`))
	case "CLIENT":
		return bytes.HasPrefix(rest, []byte(` "ID"`)) || bytes.HasPrefix(rest, []byte(` "UNBLOCK"`))
	}
	return false
}

// tickMonitors brings shards back into view that were lost, or are new.
func (p *part) tickMonitors() {
	if p.watchers == 0 {
		return
	}
	for _, s := range p.sessions {
		if s.monitors != nil && s.monitors.waiting == 0 && !s.gone {
			s.monitorAll()
		}
	}
}
