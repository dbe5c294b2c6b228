package children

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"
)

// child is a node's process. Its fields are not changed once others know it, but for why, before ended is closed.
type child struct {
	node    string
	record  record
	process *os.Process
	own     bool  // this process has started it, and is told how it ended
	said    int64 // bytes of its log from before its start
	log     string
	ended   chan struct{}
	why     string
}

// Addr implements host.Process.
func (p *child) Addr() string { return p.record.Addr }

// Ended implements host.Process.
func (p *child) Ended() <-chan struct{} { return p.ended }

// Why implements host.Process.
func (p *child) Why() string { return p.why }

// Stop implements host.Process. That it has ended meanwhile is no error.
func (p *child) Stop() { _ = p.process.Signal(syscall.SIGTERM) }

// Kill implements host.Process.
func (p *child) Kill() { _ = p.process.Kill() }

// look notices that the process has ended. It is for one goroutine.
func (p *child) look() {
	how := "it has ended while no host was there to be told how"
	if p.own {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(p.record.PID, &status, syscall.WNOHANG, nil)
		if got == 0 || err == syscall.EINTR {
			return
		}
		if how = fmt.Sprintf("exit status %d", status.ExitStatus()); status.Signaled() {
			how = "signal: " + status.Signal().String()
		}
	} else if start, err := started(p.record.PID); err != nil || start == p.record.Start {
		return // what cannot be told is looked at again
	}
	p.why = how
	if line := p.last(); line != "" {
		p.why += ": " + line
	}
	_ = p.process.Release()
	close(p.ended)
}

// lastMax is how much of a log's end is looked at, in bytes, and of it how much is told.
const (
	lastMax = 4 << 10
	toldMax = 500
)

// telling is the line by which a process says why it ends, or else the last that it has said.
func telling(text string) (line string) {
	for l := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimSpace(l)
		for _, begins := range []string{"larder: ", "panic: ", "fatal error: "} {
			if strings.HasPrefix(line, begins) {
				return line
			}
		}
	}
	return line
}

// last is what the process has said last of why it ends.
func (p *child) last() string {
	in, err := os.Open(p.log)
	if err != nil {
		return ""
	}
	defer in.Close()
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	from := p.said
	if from > size { // the log has begun anew
		from = 0
	}
	from = max(from, size-lastMax)
	text := make([]byte, size-from)
	if _, err := in.ReadAt(text, from); err != nil {
		return ""
	}
	line := telling(string(text))
	if len(line) > toldMax {
		line = line[:toldMax]
	}
	if !utf8.ValidString(line) {
		line = strings.ToValidUTF8(line, "?")
	}
	return line
}
