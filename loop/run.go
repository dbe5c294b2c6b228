package loop

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

const (
	readBytes = 256 << 10 // at most, from a socket at once: a pipeline that is cut is copied
	tickEvery = 100 * time.Millisecond
	tickSoon  = 10 * time.Millisecond // after Hurry
	tickRest  = time.Second           // after Rest
	drainLook = time.Millisecond      // while a connection waits for its output to leave
	keepAlive = 5 * time.Minute       // of silent clients, as Redis's tcp-keepalive
	bootMax   = 10 * time.Second
)

// Run listens and serves until ctx ends; then it returns nil. Everything it started has ended when it returns.
func Run(ctx context.Context, o Options, newPart func(*Loop) Part) error {
	most, err := clientsMax(o.ClientsMax)
	if err != nil {
		return err
	}
	if err := probe(o.Listen); err != nil {
		return err
	}
	o.Loops = shared.enter(o.Loops)
	defer shared.leave(o.Loops)
	ctx, cancel := context.WithCancel(ctx)
	e := &engine{
		ctx: ctx, opts: o, newPart: newPart, loops: map[gnet.EventLoop]*Loop{},
		up: make(chan struct{}), boots: make(chan struct{}, o.Loops), failed: make(chan error, 1),
		nudges: make(chan *Loop, o.Loops), hurries: make(chan struct{}, 1),
	}
	e.most.Store(int64(most))
	relayed := make(chan struct{})
	go func() {
		defer close(relayed)
		e.relay()
	}()
	defer func() {
		cancel()
		<-relayed
	}()
	ended := make(chan error, 1)
	go func() {
		ended <- gnet.Run(e, "tcp://"+o.Listen, gnet.WithNumEventLoop(o.Loops), gnet.WithReadBufferCap(readBytes), gnet.WithReuseAddr(true), gnet.WithTicker(true),
			gnet.WithLoadBalancing(gnet.LeastConnections), gnet.WithTCPKeepAlive(keepAlive), gnet.WithLogger(logger{o.Logger}))
	}()
	return e.wait(ended)
}

// relay wakes loops: for ticks, each of which comes as soon as the loop in the greatest hurry wants it, and for what is to run later. While a loop runs
// what was posted, this goroutine's post comes too late to be run with it.
func (e *engine) relay() {
	ticks := time.NewTimer(tickEvery)
	defer ticks.Stop()
	for {
		select {
		case l := <-e.nudges:
			_ = l.wake(l.runLater) // it fails when the loop is ending
		case <-e.hurries:
			ticks.Reset(e.untilTick())
		case <-ticks.C:
			e.tick()
			ticks.Reset(e.untilTick())
		case <-e.ctx.Done():
			return
		}
	}
}

// tick posts a tick to each loop that has run its last one: two in a row would be twice the pause for who waits.
func (e *engine) tick() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.loops {
		if !l.ticking.Swap(true) && l.wake(l.tick) != nil {
			l.ticking.Store(false) // it is ending
		}
	}
}

func (e *engine) untilTick() time.Duration {
	until := tickRest
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.loops {
		until = min(until, time.Duration(l.until.Load()))
	}
	return until
}

// probe listens once by Go's own means, whose errors say what is wrong; gnet's do not always.
func probe(addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return listenError(addr, err)
	}
	return listener.Close()
}

// wait returns when gnet has ended, because it was told to or by itself.
func (e *engine) wait(ended <-chan error) error {
	var failed error
	select {
	case err := <-ended:
		return listenError(e.opts.Listen, err)
	case failed = <-e.failed:
	case <-e.ctx.Done():
	}
	select {
	case err := <-ended:
		return errors.Join(failed, listenError(e.opts.Listen, err))
	case <-e.up:
	}
	e.stopParts()
	// Stop tells the loops to end and then looks every 500 ms whether they have; gnet.Run's return says it at once, so Stop is not to wait.
	told, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.running.Stop(told); err != nil && !errors.Is(err, context.Canceled) && failed == nil {
		failed = fmt.Errorf("stop the event loops: %w", err)
	}
	<-ended
	e.dials.Wait()
	return failed
}

var errSelfEnded = errors.New("the event loops have ended by themselves: too few descriptors to accept a client? raise the limit on open files (ulimit -n)")

// ListenError says why an address cannot be listened on, and what to do.
type ListenError struct {
	Addr   string
	Reason string
	err    error
}

func (e *ListenError) Error() string { return "listen on " + e.Addr + ": " + e.Reason }

// Unwrap is what the system said.
func (e *ListenError) Unwrap() error { return e.err }

func listenError(addr string, err error) error {
	switch {
	case err == nil:
		return errSelfEnded
	case errors.Is(err, syscall.EADDRINUSE):
		return &ListenError{addr, "the address is taken by another process; stop it or choose another address", err}
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return &ListenError{addr, "this machine does not have that address", err}
	case errors.Is(err, syscall.EACCES):
		return &ListenError{addr, "not allowed; ports below 1024 need a privilege", err}
	default:
		return &ListenError{addr, err.Error(), err}
	}
}

// stopParts tells every part, on its loop, and waits.
func (e *engine) stopParts() {
	e.mu.Lock()
	loops := make([]*Loop, 0, len(e.loops))
	for _, l := range e.loops {
		loops = append(loops, l)
	}
	e.mu.Unlock()
	var stopped sync.WaitGroup
	for _, l := range loops {
		stopped.Add(1)
		if l.wake(func() { l.begin(); l.part.Stop(); l.turn.after(l); stopped.Done() }) != nil {
			stopped.Done()
		}
	}
	stopped.Wait()
}

// OnTick comes on a goroutine of gnet's, and is the sign that the loops exist: before it gnet may not be asked for them. It is not wanted again.
func (e *engine) OnTick() (time.Duration, gnet.Action) {
	if err := e.boot(); err != nil {
		select {
		case e.failed <- err:
		default:
		}
	}
	return math.MaxInt64, gnet.None
}

// boot makes gnet register a connection with each loop, which is how the loops are found, and tells that clients can come. gnet gives a connection to
// the loop that has fewest, so they come one after the other and stay until all loops have one.
func (e *engine) boot() error {
	late := time.NewTimer(bootMax)
	defer late.Stop()
	for range e.opts.Loops {
		near, far, err := socketPair()
		if err != nil {
			return err
		}
		defer far.Close() //nolint:revive // they stay until every loop has one
		if _, err := e.running.Register(gnet.NewNetConnContext(gnet.NewContext(e.ctx, &arrival{}), near)); err != nil {
			return fmt.Errorf("register with the event loops: %w", err)
		}
		select {
		case <-e.boots:
		case <-e.ctx.Done():
			return nil
		case <-late.C:
			return errors.New("the event loops do not start")
		}
	}
	addr, err := e.listening()
	if err != nil {
		return err
	}
	e.opts.Ready(addr)
	return nil
}

// listening asks the kernel for the address of the listener, which may have been given as port 0.
func (e *engine) listening() (net.Addr, error) {
	fd, err := e.running.Dup()
	if err != nil {
		return nil, fmt.Errorf("find the listener: %w", err)
	}
	defer unix.Close(fd)
	name, err := unix.Getsockname(fd)
	if err != nil {
		return nil, fmt.Errorf("find the listener's address: %w", err)
	}
	return net.TCPAddrFromAddrPort(sockAddr(name)), nil
}

func socketPair() (near, far net.Conn, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "loop")
		ends[i], err = net.FileConn(file)
		file.Close()
		if err != nil {
			return nil, nil, fmt.Errorf("make a socket pair: %w", err)
		}
	}
	return ends[0], ends[1], nil
}

// dialFor connects on a goroutine of its own, since gnet's dialling knows no time-out.
func (e *engine) dialFor(l *Loop, el gnet.EventLoop, addr string, timeout time.Duration, opened func(*Conn, error) Handler) {
	e.dials.Add(1)
	go func() {
		defer e.dials.Done()
		dialler, network := net.Dialer{Timeout: timeout}, "tcp"
		if strings.HasPrefix(addr, "/") {
			network = "unix"
		}
		conn, err := dialler.DialContext(e.ctx, network, addr)
		if err != nil {
			l.Post(func() { opened(nil, err) })
			return
		}
		if _, err := el.Enroll(gnet.NewContext(e.ctx, &arrival{opened: opened}), conn); err != nil {
			conn.Close()
			l.Post(func() { opened(nil, err) })
		}
	}()
}

// Run is called by gnet on the loop.
func (f runnable) Run(context.Context) error {
	f()
	return nil
}
