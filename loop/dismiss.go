package loop

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// Dismiss ends a connection of whose other side nothing is owed, so that nothing is lost. What is to be sent leaves in one packet with the end of the sending,
// where that fits: who waits for that reply learns of both at once and does not begin anything more on the connection. It is closed when the other side has
// all of it, has closed too, or after 10 s: closed at once it would take back what is on its way as soon as anything more came. What comes meanwhile is the
// owner's to throw away.
func (c *Conn) Dismiss() {
	if c.ended || c.finishing {
		return
	}
	c.w.gather()
	c.writeOut()
	if c.ended {
		return
	}
	c.finishing, c.dismissed = true, true
	c.l.leaving = append(c.l.leaving, leaving{c, c.l.now.Add(finishMax)})
	if c.drainLow = 0; !c.drainWait {
		c.drainWait = true
		c.l.draining = append(c.l.draining, c)
	}
	c.delivered()
	c.l.HurryIn(drainLook)
}

// delivered says whether the other side has everything, the end of the sending too.
func (c *Conn) delivered() bool { return c.Unsent() == 0 && c.w.delivered() }

// Arrived is how many bytes have come that were not read from the socket yet.
func (c *Conn) Arrived() int {
	if c.ended {
		return 0
	}
	return c.w.arrived()
}

// gather has the kernel keep what does not fill a packet, until the end of the sending goes with it.
func (s socket) gather() {
	_ = unix.SetsockoptInt(s.Fd(), unix.IPPROTO_TCP, unix.TCP_CORK, 1) // it saves a packet; without it the end comes right behind
}

func (s socket) delivered() bool {
	_ = unix.Shutdown(s.Fd(), unix.SHUT_WR) // once more is nothing
	unacknowledged, err := unix.IoctlGetInt(s.Fd(), unix.SIOCOUTQ)
	return err != nil || unacknowledged == 0
}

func (s socket) arrived() int {
	n, err := unix.IoctlGetInt(s.Fd(), unix.SIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// StopListening has all loops take no more clients: who connects is refused by the kernel, as if nobody listened. Who has connected by then is taken. Any
// goroutine.
func (l *Loop) StopListening() error { return l.shut() }

// stopListening does behind gnet's back what it has no call for: its epoll forgets the listener, which then is shut. Were it shut first gnet would end all.
func (e *engine) stopListening() error {
	own, err := e.running.Dup()
	if err != nil {
		return fmt.Errorf("stop listening: %w", err)
	}
	defer unix.Close(own)
	fd, err := sameSocket(own)
	if err != nil {
		return fmt.Errorf("stop listening: %w", err)
	}
	poll, err := findPoller(fd)
	if err != nil {
		return fmt.Errorf("stop listening: %w", err)
	}
	if err := unix.EpollCtl(poll.fd, unix.EPOLL_CTL_DEL, fd, nil); err != nil {
		return fmt.Errorf("stop listening: %w", err)
	}
	if err := e.takeLast(own); err != nil {
		return fmt.Errorf("stop listening: %w", err)
	}
	if err := unix.Shutdown(own, unix.SHUT_RD); err != nil {
		return fmt.Errorf("stop listening: %w", err)
	}
	return nil
}

// takeLast accepts those who have connected and wait for it.
func (e *engine) takeLast(listener int) error {
	for {
		fd, _, err := unix.Accept4(listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ECONNABORTED), errors.Is(err, unix.ECONNRESET):
			continue
		case err != nil:
			return err
		}
		file := os.NewFile(uintptr(fd), "client")
		conn, err := net.FileConn(file)
		file.Close()
		if err != nil {
			return err
		}
		if _, err := e.running.Register(gnet.NewNetConnContext(e.ctx, conn)); err != nil {
			return err
		}
	}
}

// sameSocket finds this process's other descriptor of a socket.
func sameSocket(own int) (int, error) {
	var want, have syscall.Stat_t
	if err := syscall.Fstat(own, &want); err != nil {
		return 0, err
	}
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		return 0, err
	}
	for _, link := range links {
		fd, err := strconv.Atoi(filepath.Base(link))
		if err == nil && fd != own && syscall.Fstat(fd, &have) == nil && have.Dev == want.Dev && have.Ino == want.Ino {
			return fd, nil
		}
	}
	return 0, errors.New("the listener is not among the descriptors in /proc/self/fd; is /proc mounted?")
}
