package clients

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net"
	"testing"
	"time"

	"larder/protocol/resp"
)

// StartProbe begins; the command is answered without an error.
func StartProbe(t testing.TB, addr string, args ...string) *Probe {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &Probe{stop: make(chan struct{}), ended: make(chan struct{})}
	go p.run(conn, resp.AppendCommandStrings(nil, args...))
	return p
}

// run asks until it is stopped; what it asks is answered in one line.
func (p *Probe) run(conn net.Conn, command []byte) {
	defer close(p.ended)
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		select {
		case <-p.stop:
			return
		default:
		}
		begun := time.Now()
		if _, p.err = conn.Write(command); p.err != nil {
			return
		}
		line, err := in.ReadString('\n')
		if err != nil || line[0] == '-' {
			p.err = fmt.Errorf("%q: %w", line, err)
			return
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

// start accepts connections until the listener is closed.
func (c *Cable) start() {
	c.ends.Add(1)
	go func() {
		defer c.ends.Done()
		for {
			near, err := c.listener.Accept()
			if err != nil {
				return
			}
			c.ends.Add(1)
			go func() {
				defer c.ends.Done()
				c.join(near)
			}()
		}
	}()
}

// join carries bytes both ways until either side ends.
func (c *Cable) join(near net.Conn) {
	limit, ok := c.keep(near)
	if !ok {
		return
	}
	defer c.drop(near)
	far, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	if _, ok := c.keep(far); !ok {
		return
	}
	defer c.drop(far)
	if limit == 0 {
		limit = math.MaxInt64
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(far, near)
		_ = near.Close()
		_ = far.Close()
	}()
	_, _ = io.CopyN(near, far, limit)
	_ = near.Close()
	_ = far.Close()
	<-done
}
