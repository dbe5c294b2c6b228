package loop

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// MemLoop is a loop without sockets and without goroutines, for tests of what a part does and in which order: connections are opened and fed by calls, a
// turn ends when EndTurn is called, and time stands still until Advance.
type MemLoop struct {
	Loop  *Loop
	Drift time.Duration // so much time passes with each look at the clock within a callback

	now   time.Time
	mu    sync.Mutex // posts come from any goroutine
	posts []func()
	dials []*MemDial
	conns []*MemConn
}

// MemDial is a dial under way.
type MemDial struct {
	Addr   string
	m      *MemLoop
	opened func(*Conn, error) Handler
}

// MemConn is the other end of a connection.
type MemConn struct {
	Conn   *Conn
	Full   bool // the other side reads nothing: what is written stays unsent
	Closed bool

	m       *MemLoop
	written []byte // and not yet looked at
	unsent  []byte
	peer    netip.AddrPort
}

// NewMemLoop makes a loop with its part. Its time begins at the given one.
func NewMemLoop(now time.Time, newPart func(*Loop) Part) *MemLoop {
	m := &MemLoop{now: now}
	m.Loop = &Loop{
		poll: poller{inMemory}, now: now, clock: func() time.Time { return m.now }, sleep: func(time.Duration) {}, hurry: func() {}, limit: func(int) {}, shut: func() error { return nil },
		wake: func(f func()) error { m.post(f); return nil },
		dial: func(addr string, _ time.Duration, opened func(*Conn, error) Handler) {
			m.dials = append(m.dials, &MemDial{Addr: addr, m: m, opened: opened})
		},
	}
	m.Loop.since = func(t time.Time) time.Duration {
		m.now = m.now.Add(m.Drift)
		return m.now.Sub(t)
	}
	m.Loop.alive = func() time.Duration { return m.now.Sub(now) + time.Hour }
	m.Loop.nudge = func() { m.post(m.Loop.runLater) }
	m.Loop.part = newPart(m.Loop)
	return m
}

func (m *MemLoop) callback(f func()) {
	m.Loop.begin()
	f()
	m.Loop.turn.after(m.Loop)
}

// Open brings a client. Nil: it was refused.
func (m *MemLoop) Open(peer netip.AddrPort) *MemConn {
	mc := m.conn(peer)
	m.callback(func() { mc.Conn.handler = m.Loop.part.Accept(mc.Conn) })
	if mc.Conn.handler == nil {
		return nil
	}
	return mc
}

func (m *MemLoop) conn(peer netip.AddrPort) *MemConn {
	mc := &MemConn{m: m, peer: peer}
	mc.Conn = &Conn{l: m.Loop, peer: peer, w: mc}
	m.conns = append(m.conns, mc)
	return mc
}

// Dials takes the dials that have begun and not been answered, oldest first.
func (m *MemLoop) Dials() []*MemDial {
	dials := m.dials
	m.dials = nil
	return dials
}

// Succeed ends a dial with a connection.
func (d *MemDial) Succeed() *MemConn {
	mc := d.m.conn(netip.MustParseAddrPort("127.0.0.1:1"))
	d.m.callback(func() { mc.Conn.handler = d.opened(mc.Conn, nil) })
	return mc
}

// Fail ends a dial with an error.
func (d *MemDial) Fail(err error) { d.m.callback(func() { d.opened(nil, err) }) }

// EndTurn runs what was posted, the end of the turn among it, until nothing is left.
func (m *MemLoop) EndTurn() {
	for posts := m.takePosts(); len(posts) > 0; posts = m.takePosts() {
		for _, f := range posts {
			f()
		}
	}
}

func (m *MemLoop) post(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.posts = append(m.posts, f)
}

func (m *MemLoop) takePosts() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	posts := m.posts
	m.posts = nil
	return posts
}

// Stop tells the part that its loop ends.
func (m *MemLoop) Stop() { m.callback(m.Loop.part.Stop) }

// Pass lets time pass within a callback: what calls it takes so long.
func (m *MemLoop) Pass(d time.Duration) { m.now = m.now.Add(d) }

// Advance lets time pass and ticks once.
func (m *MemLoop) Advance(d time.Duration) {
	m.now = m.now.Add(d)
	m.Loop.tick()
	m.EndTurn()
}

// Feed gives the part bytes from the other side, as one read. A paused connection keeps them, as the kernel would.
func (mc *MemConn) Feed(p []byte) {
	if mc.Closed {
		return
	}
	m, c := mc.m, mc.Conn
	m.Loop.begin()
	m.Loop.stats.Reads++
	if c.paused {
		c.keep(p)
	} else {
		c.receive(p)
		c.handler.Data(c)
		c.settle()
	}
	m.Loop.turn.after(m.Loop)
}

// Hangup ends the connection from the other side; with nil it has only ended its sending.
func (mc *MemConn) Hangup(err error) {
	if !mc.Closed {
		lingers := false
		if err == nil {
			mc.m.callback(func() { lingers = mc.Conn.handler.Ended(mc.Conn) })
		}
		if lingers {
			return
		}
		mc.Closed = true
		mc.m.callback(func() { mc.Conn.end(err) })
	}
}

// Written takes what was sent to the other side. It is valid until the part writes again.
func (mc *MemConn) Written() []byte {
	if !mc.Full && len(mc.unsent) > 0 {
		mc.written = append(mc.written, mc.unsent...)
		mc.unsent = mc.unsent[:0]
	}
	p := mc.written
	mc.written = mc.written[:0]
	return p
}

// Paused says whether the part does not want to read the connection.
func (mc *MemConn) Paused() bool { return mc.Conn.paused }

// Write, OutboundBuffered, Fd, local and shut make it a wire.
func (mc *MemConn) Write(p []byte) (int, error) {
	if mc.Full || len(mc.unsent) > 0 {
		mc.unsent = append(mc.unsent, p...)
	} else {
		mc.written = append(mc.written, p...)
	}
	return len(p), nil
}

// OutboundBuffered is what the other side has not taken.
func (mc *MemConn) OutboundBuffered() int {
	if !mc.Full {
		mc.written = append(mc.written, mc.unsent...)
		mc.unsent = mc.unsent[:0]
	}
	return len(mc.unsent)
}

// Fd is the connection's number.
func (mc *MemConn) Fd() int { return slices.Index(mc.m.conns, mc) }

func (mc *MemConn) deaf() bool { return false }

func (mc *MemConn) gather() {}

func (mc *MemConn) delivered() bool { return true }

func (mc *MemConn) arrived() int { return 0 }

func (mc *MemConn) local() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:6379") }

func (mc *MemConn) shut() {
	mc.Closed = true
	mc.m.Loop.begin()
	mc.Conn.end(nil)
	mc.m.Loop.turn.after(mc.m.Loop)
}
