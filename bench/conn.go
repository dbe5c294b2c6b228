package main

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// readMin is a connection's read buffer; a longer reply gets twice its length.
const readMin = 64 << 10

// pendingMax bounds the commands a connection of the open loop waits for: beyond it the server does not keep up with
// the rate at all, and its latency is a matter of the run's length.
const pendingMax = 1 << 11

// conn is one of the generator's connections. What it waits for stands in two rings: the keys asked for, and (in the
// open loop) when each command was due.
type conn struct {
	fd      int
	in      []byte
	have    int // bytes of in that hold replies not yet consumed
	out     []byte
	sent    int  // bytes of out the kernel took
	waiting bool // epoll was asked to say when out can go on

	keys    []uint32
	due     []time.Duration
	open    bool // each command has its own moment, from which its latency counts
	head    int  // commands answered
	tail    int  // commands sent
	started time.Duration
}

func (c *conn) pending() int { return c.tail - c.head }

// dial opens a non-blocking connection without Nagle's delay.
func dial(addr string) (int, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil || !ap.Addr().Is4() {
		return 0, fmt.Errorf("connect to %q: want an IPv4 address and port", addr)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("connect to %s: %w", addr, err)
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()})
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		_ = unix.Close(fd)
		return 0, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return fd, nil
}

// ask appends one command with keys chosen by g.
func (c *conn) ask(g *generator, due time.Duration) {
	at := len(c.out)
	c.out = append(c.out, g.shape.command...)
	slot := c.tail % len(c.due)
	c.due[slot] = due
	var key uint32
	for i, spots := range g.shape.spots {
		key = g.pick()
		c.keys[slot*len(g.shape.spots)+i] = key
		for _, s := range spots {
			putDigits(c.out[at+s:], key)
		}
	}
	if v := g.shape.fresh; v != nil {
		g.values.fill(c.out[at+v[0] : at+v[1]])
	}
	if g.shape.when > 0 {
		putWhen(c.out[at+g.shape.when:], g.expiry.of(key-g.first))
	}
	c.tail++
}

// flush writes what is there to write, and has epoll call again if the kernel does not take it all.
func (c *conn) flush(g *generator) error {
	for c.sent < len(c.out) {
		n, err := unix.Write(c.fd, c.out[c.sent:])
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return c.interest(g, true)
		case err != nil:
			return fmt.Errorf("send requests: %w", err)
		default:
			c.sent += n
		}
	}
	c.out, c.sent = c.out[:0], 0
	return c.interest(g, false)
}

func (c *conn) interest(g *generator, write bool) error {
	if write == c.waiting {
		return nil
	}
	c.waiting = write
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(g.index(c))}
	if write {
		ev.Events |= unix.EPOLLOUT
	}
	if err := unix.EpollCtl(g.poll, unix.EPOLL_CTL_MOD, c.fd, &ev); err != nil {
		return fmt.Errorf("watch connection: %w", err)
	}
	return nil
}

// receive reads once and consumes the complete replies; it returns how many there were.
func (c *conn) receive(g *generator) (int, error) {
	n, err := unix.Read(c.fd, c.in[c.have:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read replies: %w", err)
	case n == 0:
		return 0, fmt.Errorf("read replies: closed by the server while %d were awaited", c.pending())
	}
	c.have += n
	return c.consume(g)
}

// consume checks every complete reply against the command it belongs to. A wrong one is counted and passed over; what
// is no reply at all ends the run.
func (c *conn) consume(g *generator) (int, error) {
	pos, answered, size, per := 0, 0, len(g.shape.reply), len(g.shape.spots)
	for c.pending() > 0 && pos < c.have {
		rest, slot := c.in[pos:c.have], c.head%len(c.due)
		if len(rest) >= size && g.shape.right(rest[:size], c.keys[slot*per:slot*per+per]) {
			pos += size
		} else {
			l := replyLen(rest)
			if l == 0 && len(rest) < len(c.in) {
				break
			}
			if l <= 0 {
				return answered, fmt.Errorf("malformed reply %.80q", rest)
			}
			g.wrong(rest[:l])
			pos += l
		}
		if c.open {
			record(g.hist, g.now()-c.due[slot])
		}
		c.head++
		answered++
	}
	if c.pending() == 0 && pos < c.have {
		return answered, fmt.Errorf("a reply nobody asked for: %.80q", c.in[pos:c.have])
	}
	c.have = copy(c.in, c.in[pos:c.have])
	return answered, nil
}
