package main

import (
	"fmt"
	"runtime"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// silenceMax ends a run in which nothing is answered any more.
const silenceMax = 10 * time.Second

// generator drives one workload over its connections, on the calling goroutine alone: one epoll, one read and one
// write a batch. Goroutines would cost a second read (the one that finds nothing) and a hand-over for each, on the
// core that the backends need. Nothing is allocated while a run is measured.
type generator struct {
	shape shape
	depth int
	poll  int
	timer int // the open loop's alarm
	conns []*conn
	base  time.Time

	dice       dice
	first      uint32 // keys are chosen from here on,
	keys       uint32 // so many
	sequential bool   // one after the other instead of at random
	next       uint32
	expiry     expiry // of commands that set one
	values     *values

	writers int            // the last connections: in an open loop they go on in a closed one
	written int            // what those were answered
	hist    *hdr.Histogram // latency of each command
	late    *hdr.Histogram // open loop: how late the generator itself was
	errors  int
	sample  string // the first wrong reply
	events  []unix.EpollEvent
}

// newGenerator connects n connections, spread over addrs in turn.
func newGenerator(addrs []string, n int, w Workload, keys int) (*generator, error) {
	g := &generator{
		shape: w.shape(), depth: w.Depth, base: time.Now(), dice: 0x9E3779B97F4A7C15, keys: uint32(keys),
		hist: newHistogram(), late: newHistogram(), events: make([]unix.EpollEvent, n+1), poll: -1, timer: -1,
	}
	if w.Fresh != "" {
		g.values = newValues(w.Fresh, w.Seed)
	}
	var err error
	if g.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	if g.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		g.close()
		return nil, fmt.Errorf("create timer: %w", err)
	}
	if err := g.watch(g.timer, n); err != nil {
		g.close()
		return nil, err
	}
	for i := range n {
		fd, err := dial(addrs[i%len(addrs)])
		if err != nil {
			g.close()
			return nil, err
		}
		g.conns = append(g.conns, &conn{
			fd: fd, in: make([]byte, max(readMin, 2*len(g.shape.reply))),
			keys: make([]uint32, w.Depth*w.Keys), due: make([]time.Duration, w.Depth),
			out: make([]byte, 0, w.Depth*len(g.shape.command)),
		})
		if err := g.watch(fd, i); err != nil {
			g.close()
			return nil, err
		}
	}
	runtime.GC() // so that none falls into the run
	return g, nil
}

func (g *generator) watch(fd, index int) error {
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(index)}
	if err := unix.EpollCtl(g.poll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("watch descriptor: %w", err)
	}
	return nil
}

func (g *generator) close() {
	for _, c := range g.conns {
		_ = unix.Close(c.fd)
	}
	for _, fd := range []int{g.timer, g.poll} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

func (g *generator) now() time.Duration { return time.Since(g.base) }

// index is only asked when a write was refused.
func (g *generator) index(c *conn) int {
	for i := range g.conns {
		if g.conns[i] == c {
			return i
		}
	}
	return -1
}

func (g *generator) pick() uint32 {
	if g.sequential {
		g.next = (g.next + 1) % g.keys
		return g.first + g.next
	}
	return g.first + g.dice.below(g.keys)
}

func (g *generator) wrong(reply []byte) {
	if g.errors == 0 {
		g.sample = fmt.Sprintf("%.80q", reply)
	}
	g.errors++
}

func (g *generator) reset() {
	g.hist.Reset()
	g.late.Reset()
	g.errors, g.written = 0, 0
}

// wait blocks until a descriptor is ready or silenceMax has passed.
func (g *generator) wait() ([]unix.EpollEvent, error) {
	for {
		n, err := unix.EpollWait(g.poll, g.events, int(silenceMax/time.Millisecond))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("wait for replies: %w", err)
		}
		if n == 0 {
			return nil, fmt.Errorf("no reply for %s", silenceMax)
		}
		return g.events[:n], nil
	}
}

// closed sends batches of depth commands on every connection, the next when the last is answered, until requests are
// sent or limit has passed, and waits for all replies. It returns how many were answered.
func (g *generator) closed(requests int, limit time.Duration) (int, error) {
	left, end, active, total := requests, g.now()+limit, 0, 0
	for _, c := range g.conns {
		c.open = false
		n, err := g.batch(c, left)
		if err != nil {
			return 0, err
		}
		if n > 0 {
			left -= n
			active++
		}
	}
	for active > 0 {
		events, err := g.wait()
		if err != nil {
			return total, err
		}
		for _, ev := range events {
			c := g.conns[ev.Fd]
			n, err := g.serve(c, ev.Events)
			if err != nil {
				return total, err
			}
			total += n
			now := g.now()
			if n > 0 {
				_ = g.hist.RecordValues(min(int64(now-c.started), latencyMaxNS), int64(n))
			}
			if c.pending() > 0 {
				continue
			}
			if now >= end {
				left = 0
			}
			sent, err := g.batch(c, left)
			if err != nil {
				return total, err
			}
			if left -= sent; sent == 0 {
				active--
			}
		}
	}
	return total, nil
}

// batch sends the next commands of a connection, at most left of them.
func (g *generator) batch(c *conn, left int) (int, error) {
	n := min(g.depth, left)
	if n == 0 {
		return 0, nil
	}
	c.started = g.now()
	for range n {
		c.ask(g, c.started)
	}
	return n, c.flush(g)
}

func (g *generator) serve(c *conn, events uint32) (int, error) {
	if events&unix.EPOLLOUT != 0 {
		if err := c.flush(g); err != nil {
			return 0, err
		}
	}
	if events&^unix.EPOLLOUT == 0 {
		return 0, nil
	}
	return c.receive(g)
}
