// Package loop is the one door to gnet: event loops that accept and dial connections and hand their bytes to whoever owns them.
//
// What must hold: every callback of a Part or Handler comes on its loop's goroutine, one after the other, and so does every method of Conn and Loop but
// Post; a connection's output leaves in one write a turn (a turn is one round of the loop: what epoll reported is read, run and answered); input that was
// not taken stays, in order; a paused connection is not read, so its sender feels TCP's back pressure; Closed is the last call about a connection. Run
// may be called from anywhere and owns every goroutine it starts.
package loop

import (
	"log/slog"
	"net"
	"runtime"
	"sync/atomic"
	"time"
)

// Handler is a connection's owner.
type Handler interface {
	// Data says that bytes wait in c.In(): more came, or Resume was called.
	Data(c *Conn)
	// Flush comes at the end of a turn in which c was touched: the last chance to append to c.Out, which is written then.
	Flush(c *Conn)
	// Drained says that Unsent has fallen to what WhenDrained asked for.
	Drained(c *Conn)
	// Ended says that the other side has ended its sending, as `printf … | nc` does. True: replies are still to come, and the owner will Finish. False:
	// the connection is closed.
	Ended(c *Conn) bool
	// Closed is the last call. err is nil where this side ended the connection.
	Closed(c *Conn, err error)
}

// Part is what a program has on one loop. It is made before the loop's first client comes.
type Part interface {
	// Accept names the owner of a new client. Nil: a stranger; its connection ends and nothing of it was read.
	Accept(c *Conn) Handler
	// Tick comes about every 100 ms, and 10 ms after Hurry.
	Tick(now time.Time)
	// Stop says that the loop ends: connections that are still open are closed after it.
	Stop()
}

// Options say where and how to listen.
type Options struct {
	Listen     string         // host:port; port 0 takes a free one
	Loops      int            // event loops; 0 = one a processor
	ClientsMax int            // clients in all; 0 = as many as the limit on descriptors leaves room for
	Logger     *slog.Logger   // for what gnet has to say; not nil
	Refuse     []byte         // said to a client above ClientsMax before it is closed
	Ready      func(net.Addr) // called once, from any goroutine, when clients can connect
}

// Stats are a loop's counters.
type Stats struct {
	Turns  uint64 // rounds in which something was written or resumed
	Reads  uint64 // callbacks with bytes from a socket
	Writes uint64 // writes to sockets
}

// Loop is one event loop.
type Loop struct {
	index int
	part  Part
	wake  func(run func()) error // runs run on the loop, from any goroutine
	dial  func(addr string, timeout time.Duration, opened func(*Conn, error) Handler)
	sleep func(time.Duration)
	limit func(clients int)
	shut  func() error // ends the listening
	hurry func()       // has the ticker look at until again
	nudge func()       // has another goroutine wake the loop for later; called on the loop
	poll  poller
	clock func() time.Time
	since func(time.Time) time.Duration // until clock's time; it costs less than clock
	alive func() time.Duration          // since the machine's start

	now      time.Time
	yielded  time.Time // when other goroutines were given way last
	turn     turn
	nap      nap
	later    []func()     // what Later was given
	draining []*Conn      // those that wait for Drained
	drained  time.Time    // when they were looked at last
	until    atomic.Int64 // in what time the next tick is wanted, ns
	ticking  atomic.Bool  // a tick was posted and has not ended
	resting  bool         // the next tick is tickRest away, unless something comes
	leaving  []leaving    // those that are to end soon, by whatever has come until then
	fat      []*Conn      // those whose Out has grown large
	trimmed  time.Time    // when fat was last looked at
	stats    Stats
}

// Now is the time of the present callback.
func (l *Loop) Now() time.Time { return l.now }

// Since is how long ago a time was that Now gave: it looks at the clock.
func (l *Loop) Since(t time.Time) time.Duration { return l.since(t) }

// Uptime is the time since the machine's start, which runs on while the machine sleeps or a guest is paused (CLOCK_BOOTTIME): for promises that last for a
// time. It looks at the clock.
func (l *Loop) Uptime() time.Duration { return l.alive() }

// Index is the loop's number, from 0.
func (l *Loop) Index() int { return l.index }

// Stats are the loop's counters so far.
func (l *Loop) Stats() Stats { return l.stats }

// Post runs f on the loop, soon. Any goroutine may call it. After the loop has ended f is not run.
func (l *Loop) Post(f func()) {
	_ = l.wake(func() {
		l.begin()
		f()
		l.turn.after(l)
	})
}

// LimitClients is Options.ClientsMax from now on, for all loops. Clients that are in stay. Any goroutine.
func (l *Loop) LimitClients(most int) { l.limit(most) }

// Later runs f on the loop once the connections that are ready have been served. It is for work in slices, each of which asks for the next: gnet runs
// all that is posted before it looks at a connection, what is posted meanwhile too. It is called on the loop.
func (l *Loop) Later(f func()) {
	l.later = append(l.later, f)
	if len(l.later) == 1 {
		l.nudge()
	}
}

func (l *Loop) runLater() {
	l.begin()
	due := l.later
	l.later = nil
	for _, f := range due {
		f()
	}
	l.turn.after(l)
}

// Hurry asks for a tick within about 10 ms. It is called on the loop, in each tick anew while there is need: an idle loop is to cost nothing.
func (l *Loop) Hurry() { l.HurryIn(tickSoon) }

// HurryIn is Hurry for another time.
func (l *Loop) HurryIn(d time.Duration) {
	if int64(d) < l.until.Load() {
		l.until.Store(int64(d))
		l.hurry()
	}
}

// Rest says that nothing of the part's waits for time: as long as nothing comes, ticks are to come once a second. It is called in a tick. A wake-up costs
// little by itself, but Go's monitor looks around every 20 µs for 10 ms after it: ten ticks a second are 2 % of a processor.
func (l *Loop) Rest() {
	if len(l.leaving)+len(l.fat)+len(l.draining) == 0 {
		l.resting = true
		l.until.Store(int64(tickRest))
	}
}

// Dial connects to addr and calls opened with the connection or the reason why there is none; opened names the connection's owner. timeout bounds the
// connecting. opened is not called after Stop.
func (l *Loop) Dial(addr string, timeout time.Duration, opened func(*Conn, error) Handler) {
	l.dial(addr, timeout, opened)
}

// begin opens a callback; turn.after closes it. Callbacks nest: closing a connection from within one calls its owner.
func (l *Loop) begin() {
	l.turn.depth++
	if l.turn.depth == 1 {
		l.now = l.clock()
		if l.resting {
			l.resting = false
			l.HurryIn(tickEvery)
		}
	}
}

// yieldEvery is less than the 10 ms after which Go's monitor interrupts a goroutine. It would then take away the loop's place, even out of a system call,
// and go on looking every 20 µs, which costs a tenth of a processor.
const yieldEvery = 4 * time.Millisecond

// yield gives way to other goroutines now and then.
func (l *Loop) yield() {
	if l.now.Sub(l.yielded) >= yieldEvery {
		l.yielded = l.now
		runtime.Gosched()
	}
}

// tick is the loop's own work by the clock, and its part's.
func (l *Loop) tick() {
	l.resting = false
	l.begin()
	l.until.Store(int64(tickEvery))
	l.drain()
	l.trim()
	l.leave()
	l.part.Tick(l.now)
	l.turn.after(l)
	l.ticking.Store(false)
}

// leaving is a connection with the time at which it is closed in any case.
type leaving struct {
	c  *Conn
	at time.Time
}

// leave closes the connections whose time is up. They are in the order of their times.
func (l *Loop) leave() {
	for len(l.leaving) > 0 && (l.leaving[0].c.ended || l.now.After(l.leaving[0].at)) {
		c := l.leaving[0].c
		l.leaving = l.leaving[1:]
		c.Close()
	}
}

// drainMany is how many may wait for their output to leave and be looked at each time; the more there are beyond that, the more rarely they are, so that
// the looking does not take the loop's time from the writing. drainLookMax is the longest time between two looks.
const (
	drainMany    = 256
	drainLookMax = 20 * time.Millisecond
)

func (l *Loop) drainEvery() time.Duration {
	return min(drainLook*time.Duration(1+len(l.draining)/drainMany), drainLookMax)
}

// drain calls those whose output has left. There is no word from gnet when a socket takes bytes again, so it is looked at: at each tick, which comes
// every millisecond while anybody waits, and at the end of each turn.
func (l *Loop) drain() {
	if len(l.draining) == 0 {
		return
	}
	if every := l.drainEvery(); len(l.draining) > drainMany && l.now.Sub(l.drained) < every {
		l.HurryIn(every)
		return
	}
	l.drained = l.now
	waiting := l.draining
	l.draining = nil
	for _, c := range waiting {
		switch {
		case c.ended:
		case c.Unsent() > c.drainLow, c.dismissed && !c.delivered():
			l.draining = append(l.draining, c)
		default:
			c.drainWait = false
			if c.finishing {
				c.Close()
				continue
			}
			c.handler.Drained(c)
		}
	}
	if len(l.draining) > 0 {
		l.HurryIn(l.drainEvery())
	}
}
