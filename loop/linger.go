package loop

import (
	"errors"
	"net/netip"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// half is a connection whose other side has ended its sending and waits for replies. gnet knows no such thing, it closes: so the socket lives on under
// another descriptor, is written directly, and is looked at by the loop's ticks while something is left to write.
type half struct {
	c    *Conn
	fd   int
	left []byte // what the kernel did not take
	dead bool
}

// linger keeps the connection for the replies that its owner still has for it. It is called before gnet closes its descriptor.
func (c *Conn) linger(gc gnet.Conn) bool {
	if c.ended || c.handler == nil || gc.OutboundBuffered() > 0 || !c.handler.Ended(c) || c.ended {
		return false
	}
	fd, err := gc.Dup()
	if err != nil {
		return false
	}
	c.settle()
	c.w = &half{c: c, fd: fd}
	return true
}

// Write takes all of p.
func (h *half) Write(p []byte) (int, error) {
	if len(h.left) > 0 {
		h.left = append(h.left, p...)
		return len(p), nil
	}
	n, err := h.send(p)
	if err != nil {
		h.end(err)
		return 0, err
	}
	h.left = append(h.left, p[n:]...)
	return len(p), nil
}

func (h *half) send(p []byte) (int, error) {
	n, err := unix.Write(h.fd, p)
	if errors.Is(err, unix.EAGAIN) {
		return 0, nil
	}
	return max(n, 0), err
}

// OutboundBuffered tries to get rid of what is left before it is counted: nobody else does.
func (h *half) OutboundBuffered() int {
	if len(h.left) > 0 && !h.dead {
		n, err := h.send(h.left)
		if err != nil {
			h.left, h.dead = nil, true // found out by the next write, or by Finish
			return 0
		}
		h.left = h.left[n:]
	}
	return len(h.left)
}

// Fd is the descriptor.
func (h *half) Fd() int { return h.fd }

func (h *half) local() netip.AddrPort { return localOf(h.fd) }

func (h *half) deaf() bool { return true }

// gather, delivered and arrived: the other side has ended its sending, nothing of it can be lost.
func (h *half) gather() {}

func (h *half) delivered() bool { return true }

func (h *half) arrived() int { return 0 }

func (h *half) shut() { h.end(nil) }

func (h *half) end(err error) {
	if h.c.ended {
		return
	}
	_ = unix.Close(h.fd)
	h.c.gone(h.c)
	h.c.end(err)
}
