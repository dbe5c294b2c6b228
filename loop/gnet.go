package loop

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

var errEnded = errors.New("connection has ended")

// engine is gnet's event handler: it finds the loop of a connection, and the Conn. It owns the goroutines that run.go starts.
type engine struct {
	gnet.BuiltinEventEngine

	ctx     context.Context // ends when the loops are to end
	dials   sync.WaitGroup
	opts    Options
	newPart func(*Loop) Part
	clients atomic.Int64
	most    atomic.Int64

	running gnet.Engine
	up      chan struct{} // closed when running is set
	boots   chan struct{} // one for each loop that has been made
	nudges  chan *Loop    // loops that have something to run later
	hurries chan struct{} // a loop wants its next tick sooner
	failed  chan error    // a loop could not be made

	mu    sync.Mutex
	loops map[gnet.EventLoop]*Loop
}

// arrival is what a connection that did not come by accept brings with it.
type arrival struct {
	opened func(*Conn, error) Handler // of Dial; nil: the connection only makes its loop
}

func (e *engine) OnBoot(running gnet.Engine) gnet.Action {
	e.running = running
	close(e.up)
	return gnet.None
}

// OnOpen comes on the connection's loop.
func (e *engine) OnOpen(gc gnet.Conn) ([]byte, gnet.Action) {
	l, err := e.loopOf(gc)
	if err != nil {
		select {
		case e.failed <- err:
		default:
		}
		return nil, gnet.Close
	}
	l.begin()
	defer l.turn.after(l)
	from, dialled := gc.Context().(*arrival)
	if dialled && from.opened == nil {
		e.boots <- struct{}{}
		return nil, gnet.None
	}
	c := &Conn{l: l, peer: addrPort(gc.RemoteAddr())}
	c.w = socket{gc}
	c.gone = e.gone
	gc.SetContext(c)
	if dialled {
		c.handler = from.opened(c, nil)
	} else {
		c.client = true
		if e.clients.Add(1) > e.most.Load() {
			return e.opts.Refuse, gnet.Close
		}
		c.handler = l.part.Accept(c)
	}
	if c.handler == nil && !c.ended {
		return nil, gnet.Close
	}
	return nil, gnet.None
}

// loopOf makes a loop's Loop when the first connection comes to it.
func (e *engine) loopOf(gc gnet.Conn) (*Loop, error) {
	el := gc.EventLoop()
	e.mu.Lock()
	l := e.loops[el]
	e.mu.Unlock()
	if l != nil {
		return l, nil
	}
	poll, err := findPoller(gc.Fd())
	if err != nil {
		return nil, err
	}
	l = &Loop{poll: poll, now: time.Now(), clock: time.Now, since: time.Since, alive: uptime, sleep: sleep}
	l.wake = func(f func()) error { return el.Execute(nil, runnable(f)) } //nolint:staticcheck // gnet hands the context to the runnable, which takes none
	l.nudge = func() { e.nudges <- l }                                    // it has room for one of each loop
	l.until.Store(int64(tickEvery))
	l.hurry = func() {
		select {
		case e.hurries <- struct{}{}:
		default:
		}
	}
	l.dial = func(addr string, timeout time.Duration, opened func(*Conn, error) Handler) {
		e.dialFor(l, el, addr, timeout, opened)
	}
	l.limit, l.shut = e.limit, e.stopListening
	e.mu.Lock()
	l.index = len(e.loops)
	e.loops[el] = l
	e.mu.Unlock()
	l.part = e.newPart(l)
	return l, nil
}

// uptime cannot fail: Linux has had that clock for longer than Go asks for.
func uptime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t)
	return time.Duration(t.Nano())
}

// OnTraffic comes when a socket was read. gnet's buffer is taken whole and what is left of it kept here, since gnet's ring would be copied for each
// look at an incomplete command.
func (e *engine) OnTraffic(gc gnet.Conn) gnet.Action {
	c, ok := gc.Context().(*Conn)
	if !ok {
		return gnet.None
	}
	p, _ := gc.Next(-1)
	l := c.l
	l.begin()
	l.stats.Reads++
	l.nap.read(c, l.now)
	if c.paused {
		if len(p) > 0 {
			c.keep(p)
		}
		c.listen()
		l.turn.after(l)
		return gnet.None
	}
	c.receive(p)
	c.handler.Data(c)
	c.settle()
	l.turn.after(l)
	return gnet.None
}

// OnClose comes once a connection, from gnet or from within Close.
func (e *engine) OnClose(gc gnet.Conn, err error) gnet.Action {
	c, ok := gc.Context().(*Conn)
	if !ok {
		return gnet.None
	}
	l := c.l
	l.begin()
	defer l.turn.after(l)
	if errors.Is(err, io.EOF) {
		if c.linger(gc) {
			return gnet.None
		}
		err = nil
	}
	e.gone(c)
	c.end(err)
	return gnet.None
}

func (e *engine) gone(c *Conn) {
	if c.client {
		e.clients.Add(-1)
	}
}

// sleep sleeps as exactly as the kernel can: it would add 50 us of slack to spare itself an interrupt. The slack is the thread's, and the loop may have
// come to another one since.
func sleep(d time.Duration) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(time.Microsecond), 0, 0, 0)
	_ = unix.Nanosleep(&unix.Timespec{Nsec: int64(d)}, nil) // a signal may end it early
}

// runnable is a function as gnet wants it.
type runnable func()

// socket is a gnet connection as a wire.
type socket struct {
	gnet.Conn
}

func (s socket) shut() {
	_ = s.EventLoop().Close(s.Conn) // what can fail is the closing of the descriptor, and then it is gone too
}

func (s socket) deaf() bool { return false }

func (s socket) local() netip.AddrPort {
	return localOf(s.Fd())
}

func localOf(fd int) netip.AddrPort {
	name, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}
	}
	return sockAddr(name)
}

func sockAddr(name unix.Sockaddr) netip.AddrPort {
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	default:
		return netip.AddrPort{}
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	at := tcp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}
