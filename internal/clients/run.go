package clients

import (
	"bufio"
	"fmt"
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
