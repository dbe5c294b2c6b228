package clients

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/failures"
	"larder/protocol/resp"
)

// StartProbe begins; the command is answered without an error.
func StartProbe(t testing.TB, addr string, args ...string) *Probe {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := conn.(*net.TCPConn).File() // which blocks
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	p := &Probe{stop: make(chan struct{}), ended: make(chan struct{})}
	go p.run(socket, resp.AppendCommandStrings(nil, args...))
	return p
}

// run asks until it is stopped; what it asks is answered in one line. It keeps a thread to itself and blocks in the kernel, so that what it measures is the
// server and the machine, not how Go finds out that a socket can be read.
func (p *Probe) run(socket *os.File, command []byte) {
	defer close(p.ended)
	defer socket.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fd, in := int(socket.Fd()), make([]byte, 1024)
	for {
		select {
		case <-p.stop:
			return
		default:
		}
		begun := time.Now()
		if _, p.err = syscall.Write(fd, command); p.err != nil {
			return
		}
		for n := 0; n == 0 || in[n-1] != '\n'; {
			more, err := syscall.Read(fd, in[n:])
			if n += more; err != nil || more == 0 || in[0] == '-' {
				p.err = fmt.Errorf("%q: %w", in[:n], cmp.Or(err, io.ErrUnexpectedEOF))
				return
			}
		}
		p.longest = max(p.longest, time.Since(begun))
	}
}

// Stop ends it and gives the longest wait.
func (p *Probe) Stop() (time.Duration, error) {
	close(p.stop)
	<-p.ended
	return p.longest, p.err
}

// RunWriter starts a writer, which ends with the test. A reply that does not come within its patience is a failure.
func RunWriter(t testing.TB, name, addr string, patience time.Duration) *Writer {
	t.Helper()
	w := &Writer{name: name, addr: addr, patience: patience, keys: make([]written, writerKeys), stop: make(chan struct{})}
	w.ended.Go(w.run)
	t.Cleanup(w.Stop)
	return w
}

// SteadyGo starts one with go-redis. open makes a client for the address that has its turn: the next one's comes when a connection is lost.
func SteadyGo(t testing.TB, name string, addrs, lanes []string, open func(addr string) redis.UniversalClient) *Steady {
	t.Helper()
	s := newSteady(t, name)
	for _, lane := range lanes {
		w := &steadyLane{s: s, lane: lane, addrs: addrs, open: open, values: map[failures.Kind]int{}}
		s.ended.Go(w.run)
	}
	return s
}
