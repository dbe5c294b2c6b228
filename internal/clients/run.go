package clients

import (
	"bufio"
	"fmt"
	"net"
	"time"
)

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
