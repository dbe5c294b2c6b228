// Package peers runs the servers that we are measured against, for tests: redis-server, memcached, nutcracker, versitygw, Consul, and toxiproxy, through
// which links go that are to fail; each a process of the test's own on a free port of 127.0.0.1. Consul may also run on machines of a Network, whose links can be cut.
//
// What must hold: a starter gives an address that answers, or fails the test, also when the program is missing (`make test` installs it); the process ends
// with the test, and with the test program however that ends. It is called on the test's goroutine, and has a thread for each process (run.go). Conn speaks to a server in raw replies.
package peers

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Patience is how long tests wait for what must come, and servers are given to start: far above what anything takes, however busy the machine is, so that
// only what never comes meets it. What is to come soon is measured, not waited for with a shorter deadline.
const Patience = time.Minute

const (
	pollEvery = 2 * time.Millisecond
	tries     = 5 // somebody else may take a port between our probing and the server's binding
)

// process is a running server with what it printed.
type process struct {
	cmd *exec.Cmd
	log string // file of both outputs
}

// start runs a program whose outputs go to a file in dir.
func start(t testing.TB, dir string, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), log: filepath.Join(dir, "log")}
	out, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p.cmd.Dir, p.cmd.Env = dir, append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := Start(p.cmd); err != nil {
		t.Fatalf("%s must be installed (make test does it): %v", name, err)
	}
	return p
}

// ready waits until ok says so; false: the process ended first, or took too long.
func (p *process) ready(ok func() bool) bool {
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); time.Sleep(pollEvery) {
		if p.ended() {
			return false
		}
		if ok() {
			return true
		}
	}
	return false
}

// ended reports whether the process is a zombie or gone. It is not waited for: stop does that.
func (p *process) ended() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return true
	}
	_, state, _ := bytes.Cut(stat, []byte(") "))
	return len(state) == 0 || state[0] == 'Z' || state[0] == 'X'
}

// printed reports whether the text is in what the process has printed.
func (p *process) printed(text string) bool {
	out, err := os.ReadFile(p.log)
	return err == nil && bytes.Contains(out, []byte(text))
}

// stop kills the process and waits for its end.
func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// fail ends the test with what the process printed.
func (p *process) fail(t testing.TB) {
	t.Helper()
	out, _ := os.ReadFile(p.log)
	t.Fatalf("%s did not come up: %s", p.cmd.Path, out)
}

func answers(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
