// Package clients is where real client programs and libraries meet Larder, and where things go wrong: nodes that die or hang, clients that are too fast,
// too slow or not welcome. Its tests run the built binary as processes of their own, so that they can be killed, stopped and measured; this file and its
// neighbours are what the tests do that with.
//
// What must hold: every process ends with its test, and with the test program however that ends; nothing listens but on 127.0.0.1,
// and on machines of the test's own (peers.Network). All is called on the test's goroutine.
package clients

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"larder/internal/peers"
)

// Binary is a built larder.
type Binary struct {
	path    string
	machine *peers.Machine // on which it is run
}

// On is it on another machine.
func (b Binary) On(m *peers.Machine) Binary { return Binary{b.path, m} }

// Build builds larder into dir, as make build does: so what the compiler makes is there for all tests that build it, the image's too.
func Build(dir string) (Binary, error) {
	path := filepath.Join(dir, "larder")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "larder/cmd/larder")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return Binary{}, fmt.Errorf("build larder: %w: %s", err, out)
	}
	return Binary{path: path}, nil
}

// Process is a server that can be killed and started again at its address.
type Process struct {
	Addr    string // where it answers Redis clients; empty: nowhere
	Metrics string // where /metrics is; empty: nowhere

	name    string
	args    []string
	machine *peers.Machine
	api     bool // it has begun when its management API is served too, and not as soon as it answers clients
	log     string
	cmd     *exec.Cmd
	pid     atomic.Int64 // the process may be killed while it is started anew
}

// Engine starts a node on a free port.
func (b Binary) Engine(t testing.TB, args ...string) *Process {
	t.Helper()
	addr, metrics := b.freeAddr(t), b.freeAddr(t)
	p := b.launch(t, addr, append([]string{"engine", "--listen", addr, "--dir", t.TempDir(), "--metrics", metrics}, args...)...)
	p.Metrics = metrics
	return p
}

// Role starts what serves no clients, and waits until it says that it is ready.
func (b Binary) Role(t testing.TB, role string, args ...string) *Process {
	t.Helper()
	metrics := b.freeAddr(t)
	return (&Process{Metrics: metrics, name: b.path, machine: b.machine, args: append([]string{role, "--metrics", metrics}, args...)}).launch(t)
}

// Gateway starts a gateway over nodes on a free port.
func (b Binary) Gateway(t testing.TB, nodes []*Process, args ...string) *Process {
	t.Helper()
	addrs := make([]string, len(nodes))
	for i, n := range nodes {
		addrs[i] = n.Addr
	}
	if len(addrs) > 0 { // else the arguments say which they are
		args = append([]string{"--nodes", strings.Join(addrs, ",")}, args...)
	}
	addr, metrics := b.freeAddr(t), b.freeAddr(t)
	p := b.launch(t, addr, append([]string{"gateway", "--listen", addr, "--metrics", metrics}, args...)...)
	p.Metrics = metrics
	return p
}

// Redis starts a redis-server that can be killed.
func Redis(t testing.TB, args ...string) *Process {
	t.Helper()
	addr := freeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	return launch(t, addr, "redis-server", append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir()}, args...)...)
}

func (b Binary) launch(t testing.TB, addr string, args ...string) *Process {
	t.Helper()
	return (&Process{Addr: addr, name: b.path, args: args, machine: b.machine}).launch(t)
}

func (b Binary) freeAddr(t testing.TB) string { return b.machine.Addr(peers.FreePort(t)) }

func launch(t testing.TB, addr, name string, args ...string) *Process {
	t.Helper()
	return (&Process{Addr: addr, name: name, args: args}).launch(t)
}

// launch starts a process that ends with the test.
func (p *Process) launch(t testing.TB) *Process {
	t.Helper()
	p.log = filepath.Join(t.TempDir(), "log")
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			out, _ := os.ReadFile(p.log)
			t.Logf("%s %s %s said:\n%s", filepath.Base(p.name), p.args[0], p.Addr, lastBytes(out))
		}
	})
	p.Start(t)
	return p
}

// lastBytes is the end of a log, as much as a message may show.
func lastBytes(out []byte) []byte {
	const most = 4000
	return out[max(0, len(out)-most):]
}

// Start runs the process and waits until it answers.
func (p *Process) Start(t testing.TB) {
	t.Helper()
	out, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	program, args := p.machine.Command(p.name, p.args)
	p.cmd = exec.Command(program, args...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := peers.Start(p.cmd); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	p.pid.Store(int64(p.cmd.Process.Pid))
	for deadline := time.Now().Add(peers.Patience); ; time.Sleep(2 * time.Millisecond) {
		if p.answers() {
			return
		}
		if p.isOver(t) || time.Now().After(deadline) {
			said, _ := os.ReadFile(p.log)
			t.Fatalf("%s at %s does not answer: %s", p.name, p.Addr, lastBytes(said))
		}
	}
}

func (p *Process) answers() bool {
	switch {
	case p.Addr == "":
		return readiness(p.Metrics) == "ready\n"
	case !answersPing(p.Addr):
		return false
	case p.api:
		state := readiness(p.Metrics)
		return state != "" && !strings.Contains(state, "starting")
	}
	return true
}

// Ready tells whether the process says that it can serve.
func (p *Process) Ready() bool { return readiness(p.Metrics) == "ready\n" }

// readiness is what a process says of itself; empty: nothing.
func readiness(metrics string) string {
	once := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: peers.Patience}
	reply, err := once.Get("http://" + metrics + "/readyz")
	if err != nil {
		return ""
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

func answersPing(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	got := make([]byte, 7)
	n, _ := conn.Read(got)
	return bytes.HasPrefix(got[:n], []byte("+PONG"))
}

// PID is the process's.
func (p *Process) PID() int { return int(p.pid.Load()) }

// Kill is kill -9, and waits for the end. Doing it again does nothing.
func (p *Process) Kill() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// Freeze is SIGSTOP: the process keeps its connections and says nothing more.
func (p *Process) Freeze(t testing.TB) {
	t.Helper()
	PID(p.cmd.Process.Pid).Freeze(t)
}

// Thaw is SIGCONT.
func (p *Process) Thaw(t testing.TB) {
	t.Helper()
	PID(p.cmd.Process.Pid).Thaw(t)
}

// ResetPeak begins a new measurement of PeakRSS.
func (p *Process) ResetPeak(t testing.TB) {
	t.Helper()
	// proc(5): writing 5 resets the peak resident set size.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.PID()), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

// PeakRSS is the most memory that was resident since ResetPeak, in bytes.
func (p *Process) PeakRSS(t testing.TB) int64 { return p.memory(t, "VmHWM:") }

// RSS is the resident memory, in bytes.
func (p *Process) RSS(t testing.TB) int64 { return p.memory(t, "VmRSS:") }

func (p *Process) memory(t testing.TB, field string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(status), field)
	words := strings.Fields(rest)
	if !ok || len(words) == 0 {
		t.Fatalf("no %s in /proc", field)
	}
	kilobytes, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

func freeAddr(t testing.TB) string { return fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t)) }

// Terminate is SIGTERM.
func (p *Process) Terminate() error { return p.cmd.Process.Signal(syscall.SIGTERM) }

// Wait waits until the process has ended by itself, and gives its exit code.
func (p *Process) Wait(t testing.TB) int {
	t.Helper()
	for deadline := time.Now().Add(peers.Patience); !p.isOver(t); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the process does not end")
		}
	}
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// isOver tells whether the process has ended and only waits to be waited for: proc_pid_stat(5), state Z.
func (p *Process) isOver(t testing.TB) bool {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}

// EngineFails starts a node that is to end by itself with an error, and gives what it said and its exit code.
func (b Binary) EngineFails(t testing.TB, args ...string) (said string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), peers.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.path, append([]string{"engine", "--listen", freeAddr(t), "--metrics", "off"}, args...)...)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}
