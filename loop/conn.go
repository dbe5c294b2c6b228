package loop

import (
	"net/netip"
	"time"
)

// wire is the connection below a Conn: gnet's, or memory.
type wire interface {
	Write(p []byte) (int, error) // takes all of p; what the kernel does not take is kept
	OutboundBuffered() int
	Fd() int
	local() netip.AddrPort
	shut()           // ends the connection; Conn.end is called before it returns
	gather()         // what is written next waits for the end of the sending, if it does not fill a packet
	delivered() bool // ends the sending; whether the other side has all of it, that end too
	arrived() int    // bytes that wait to be read
	deaf() bool      // nothing more can come, and it is no longer epoll's
}

// Conn is one connection, a client's or one that was dialled.
type Conn struct {
	Out []byte // output: append to it, then Touch

	l       *Loop
	w       wire
	handler Handler
	gone    func(*Conn) // told once, when a connection that lingered has ended
	peer    netip.AddrPort
	client  bool // it was accepted, and counts as a client

	fresh []byte // what has just come: gnet's buffer, dead when the callback returns
	rest  []byte // what was not taken before; nil: all was
	from  int    // rest[:from] was taken
	spare []byte // a buffer for rest; nil: there is none

	drainLow  int
	touchedBy uint32 // the serial of the callback that touched it last
	window    uint32 // the window of nap in which it brought bytes last
	peak      int    // the longest Out since the last trim
	restPeak  int    // and the longest rest
	touched   bool
	resuming  bool
	anyway    bool // Data is called then even without input
	paused    bool
	deaf      bool // epoll does not report its input
	drainWait bool
	finishing bool
	dismissed bool
	ended     bool
	fat       bool
}

// In is the input that was received and not taken. It is dead when the callback returns, and with the next call of Took.
func (c *Conn) In() []byte {
	if c.rest == nil {
		return c.fresh
	}
	return c.rest[c.from:]
}

// Took says that the first n bytes of In are done with.
func (c *Conn) Took(n int) {
	if c.rest == nil {
		c.fresh = c.fresh[n:]
		return
	}
	if c.from += n; c.from == len(c.rest) {
		c.restPeak = max(c.restPeak, len(c.rest))
		c.spare, c.rest, c.from = c.rest[:0], nil, 0
		c.l.fatten(c)
	}
}

// restMin is the least capacity of a buffer for input that was not taken.
const restMin = 4 << 10

// receive takes over what the socket gave; it is valid until settle.
func (c *Conn) receive(p []byte) {
	if c.rest == nil {
		c.fresh = p
		return
	}
	c.keep(p)
}

// keep appends to rest, whose taken front is overwritten before it grows: each byte is moved a bounded number of times.
func (c *Conn) keep(p []byte) {
	if c.from > 0 && len(c.rest)+len(p) > cap(c.rest) && c.from >= len(c.rest)/2 {
		c.rest = c.rest[:copy(c.rest, c.rest[c.from:])]
		c.from = 0
	}
	if c.rest == nil {
		if c.rest, c.spare = c.spare, nil; cap(c.rest) < len(p) {
			c.rest = make([]byte, 0, max(restMin, len(p)))
		}
	}
	c.rest = append(c.rest, p...)
}

// settle copies what a callback left of gnet's buffer, which is used again for the next connection.
func (c *Conn) settle() {
	left := c.fresh
	c.fresh = nil
	if len(left) > 0 && !c.ended {
		c.keep(left)
	}
}

// Touch has Out written at the end of the turn.
func (c *Conn) Touch() {
	t := &c.l.turn
	if c.touched {
		if c.touchedBy != t.serial {
			c.touchedBy = t.serial
			t.saved++
		}
		return
	}
	if c.ended {
		return
	}
	c.touched, c.touchedBy = true, t.serial
	t.touched = append(t.touched, c)
}

func (c *Conn) flush() {
	c.touched = false
	if c.ended {
		return
	}
	c.handler.Flush(c)
	c.writeOut()
}

func (c *Conn) writeOut() {
	n := len(c.Out)
	if n == 0 || c.ended {
		return
	}
	out := c.Out
	c.Out = c.Out[:0] // before the write: if it fails, Closed is called
	c.peak = max(c.peak, n)
	c.put(out)
	if cap(out) > outKeepMax {
		c.l.fatten(c)
	}
}

// put hands bytes to the socket.
func (c *Conn) put(p []byte) {
	c.l.stats.Writes++
	before := c.w.OutboundBuffered()
	if _, err := c.w.Write(p); err != nil || c.ended {
		return
	}
	if c.deaf && (before == 0) != (c.w.OutboundBuffered() == 0) {
		c.listen() // gnet has asked epoll for input again
	}
}

// Write sends p at once, behind Out. When it fails the connection has ended, and Closed was called before Write returns.
func (c *Conn) Write(p []byte) error {
	c.writeOut()
	if c.ended {
		return errEnded
	}
	c.put(p)
	if c.ended {
		return errEnded
	}
	return nil
}

// Unsent is how many bytes wait in Out or for the kernel to take them.
func (c *Conn) Unsent() int {
	if c.ended {
		return 0
	}
	return len(c.Out) + c.w.OutboundBuffered()
}

// WhenDrained calls Drained once, when Unsent is at most low; never from inside this call.
func (c *Conn) WhenDrained(low int) {
	if c.finishing || c.ended {
		return
	}
	c.drainLow = low
	if c.drainWait {
		return
	}
	c.drainWait = true
	c.l.draining = append(c.l.draining, c)
	c.l.HurryIn(drainLook)
}

// Pause stops the reading of the connection; what was received stays in In.
func (c *Conn) Pause() {
	c.paused = true
	if !c.deaf && !c.ended {
		c.deaf = true
		c.listen()
	}
}

// Resume reads the connection again. If bytes wait, Data is called soon; never from inside this call.
func (c *Conn) Resume() {
	if c.ended {
		return
	}
	c.paused = false
	if c.deaf {
		c.deaf = false
		c.listen()
	}
	if !c.resuming {
		c.resuming = true
		c.l.turn.resumed = append(c.l.turn.resumed, c)
	}
}

// ResumeAnyway is Resume for an owner that has something to do outside the connection's buffer: Data is called even if that is empty.
func (c *Conn) ResumeAnyway() {
	c.anyway = true
	c.Resume()
}

// listen tells epoll what to report.
func (c *Conn) listen() {
	if c.w.deaf() {
		return
	}
	c.l.poll.report(c.w.Fd(), !c.deaf, c.w.OutboundBuffered() > 0)
}

// Close ends the connection. Out is written as far as the kernel takes it; Closed is called before Close returns.
func (c *Conn) Close() {
	if c.ended {
		return
	}
	c.writeOut()
	if !c.ended {
		c.w.shut()
	}
}

// finishMax is how long a connection that is to end may take to read what is left for it.
const finishMax = 10 * time.Second

// Finish ends the connection when everything is sent, or after 10 s; nothing more is read.
func (c *Conn) Finish() {
	if c.ended || c.finishing {
		return
	}
	c.writeOut()
	if c.Unsent() == 0 {
		c.Close()
		return
	}
	c.Pause()
	c.WhenDrained(0)
	c.finishing = true
	c.l.leaving = append(c.l.leaving, leaving{c, c.l.now.Add(finishMax)})
}

// end is told by the wire that the connection is gone.
func (c *Conn) end(err error) {
	if c.ended {
		return
	}
	c.ended = true
	c.fresh, c.rest, c.spare, c.Out = nil, nil, nil, nil
	if c.handler != nil {
		c.handler.Closed(c, err)
	}
}

// Peer is the other side's address.
func (c *Conn) Peer() netip.AddrPort { return c.peer }

// Local is this side's address.
func (c *Conn) Local() netip.AddrPort { return c.w.local() }

// Fd is the socket's descriptor.
func (c *Conn) Fd() int { return c.w.Fd() }

const (
	outKeepMax = 16 << 10 // an Out of up to this capacity is kept for good
	trimEvery  = time.Second
)

// fatten has trim look at a connection.
func (l *Loop) fatten(c *Conn) {
	if !c.fat {
		c.fat = true
		l.fat = append(l.fat, c)
	}
}

// trim lets buffers go that a burst made large: those of which the last second did not use a quarter. Who sends or is sent much all the time keeps them: made
// anew each time they would cost more than what they are for.
func (l *Loop) trim() {
	if len(l.fat) == 0 || l.now.Sub(l.trimmed) < trimEvery {
		return
	}
	l.trimmed = l.now
	kept := l.fat[:0]
	for _, c := range l.fat {
		if c.fat = !c.ended && c.trim(); c.fat {
			kept = append(kept, c)
		}
	}
	clear(l.fat[len(kept):])
	l.fat = kept
}

// trim says whether the connection still has something to be let go.
func (c *Conn) trim() (fat bool) {
	switch {
	case cap(c.Out) <= outKeepMax:
	case len(c.Out) > 0 || c.peak > cap(c.Out)/4:
		fat = true
	default:
		c.Out = nil
	}
	switch {
	case c.spare == nil:
	case c.restPeak > cap(c.spare)/4:
		fat = true
	default:
		c.spare = nil
	}
	c.peak, c.restPeak = 0, 0
	return fat
}
