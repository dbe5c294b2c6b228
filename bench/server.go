package main

import (
	"bufio"
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	readyMax = 10 * time.Second // for a server to answer PING after its start
	stopMax  = 5 * time.Second  // to end after SIGTERM, before SIGKILL

	tailLines = 40 // of what a server said that doesn't work
)

// Server is a process under test or behind one, on a core of its own choice.
type Server struct {
	Name    string
	Addr    string
	Metrics string        // host:port of /metrics, "" if it has none
	managed bool          // it serves nothing before it gets orders
	mute    bool          // it knows no commands: that it listens is enough
	within  time.Duration // for its start; 0: readyMax
	cmd     *exec.Cmd
	log     string
}

func (s *Server) pid() int { return s.cmd.Process.Pid }

// bed is where servers run: a temporary folder, the larder binary, the cores, and every process started.
type bed struct {
	dir                   string
	larder                string
	serverCore, otherCore int
	running               []*Server
}

// port asks the kernel for a free one. It could be taken before the server has it; then the server says so and the
// run ends.
func port() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// start runs a program pinned to a core and waits until it answers a read (a proxy from a
// backend). Main holds the thread that starts it, so that the
// kernel stops it if the bench dies.
func (b *bed) start(s *Server, core int, program string, args ...string) (*Server, error) {
	s.log = filepath.Join(b.dir, fmt.Sprintf("%s-%d.log", s.Name, len(b.running)))
	out, err := os.Create(s.log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	defer out.Close()
	s.cmd = exec.Command("taskset", append([]string{"-c", strconv.Itoa(core), program}, args...)...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = b.dir, out, out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	b.running = append(b.running, s)
	return s, s.ready()
}

func (s *Server) ready() error {
	for end := time.Now().Add(cmp.Or(s.within, readyMax)); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if s.mute && s.listens() {
			return nil
		}
		if reply, err := call(s.Addr, "GET", "bench:ready"); err == nil && (reply == "$-1" || s.managed && strings.HasPrefix(reply, "-CLUSTERDOWN")) {
			return nil
		}
		if s.ended() {
			break
		}
	}
	return fmt.Errorf("%s does not serve on %s; it said:\n%s", s.Name, s.Addr, s.tail())
}

// ended says whether the process ended by itself.
func (s *Server) ended() bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid()))
	if err != nil {
		return false
	}
	st, err := parsePIDStat(b)
	return err == nil && st.state == 'Z'
}

func (s *Server) tail() string {
	b, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) > tailLines { // the first lines of a crash say what, the last ones what it was doing
		lines = slices.Concat(lines[:tailLines/2], []string{"…"}, lines[len(lines)-tailLines/2:])
	}
	return strings.Join(lines, "\n")
}

// stop ends the servers started, last first.
func (b *bed) stop() {
	for i := len(b.running) - 1; i >= 0; i-- {
		b.running[i].stop()
	}
	b.running = nil
}

// end stops one server before the others.
func (b *bed) end(s *Server) {
	s.stop()
	b.running = slices.DeleteFunc(b.running, func(other *Server) bool { return other == s })
}

func (s *Server) stop() {
	if s.ended() {
		fmt.Fprintf(os.Stderr, "%s ended by itself; it said:\n%s\n", s.Name, s.tail())
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	for end := time.Now().Add(stopMax); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var status syscall.WaitStatus
		if pid, err := syscall.Wait4(s.pid(), &status, syscall.WNOHANG, nil); err != nil || pid == s.pid() {
			_ = s.cmd.Process.Release()
			return
		}
	}
	fmt.Fprintf(os.Stderr, "%s did not end within %s of SIGTERM: killed\n", s.Name, stopMax)
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// call says one command on a connection of its own and returns the first line of the reply.
func call(addr string, args ...string) (string, error) {
	c, err := net.DialTimeout("tcp4", addr, time.Second)
	if err != nil {
		return "", fmt.Errorf("%s: %w", args[0], err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(readyMax))
	req := append(strconv.AppendInt([]byte("*"), int64(len(args)), 10), "\r\n"...)
	for _, a := range args {
		req = appendBulk(req, []byte(a))
	}
	if _, err := c.Write(req); err != nil {
		return "", fmt.Errorf("%s: %w", args[0], err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s: %w", args[0], err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func (b *bed) redis(name string, core int) (*Server, error) {
	addr, err := port()
	if err != nil {
		return nil, err
	}
	_, p, _ := net.SplitHostPort(addr)
	return b.start(&Server{Name: name, Addr: addr}, core, "redis-server", "--port", p, "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--dir", b.dir)
}

func (b *bed) nutcracker(nodes []string) (*Server, error) {
	addr, err := port()
	if err != nil {
		return nil, err
	}
	stats, err := port()
	if err != nil {
		return nil, err
	}
	var y strings.Builder
	fmt.Fprintf(&y, "a:\n  listen: %s\n  hash: fnv1a_64\n  distribution: ketama\n  redis: true\n  servers:\n", addr)
	for _, n := range nodes {
		fmt.Fprintf(&y, "   - %s:1\n", n)
	}
	file := filepath.Join(b.dir, "nutcracker.yml")
	if err := os.WriteFile(file, []byte(y.String()), 0o600); err != nil {
		return nil, fmt.Errorf("write nutcracker's configuration: %w", err)
	}
	_, p, _ := net.SplitHostPort(stats)
	return b.start(&Server{Name: "nutcracker", Addr: addr}, b.serverCore, "nutcracker", "-c", file, "-a", "127.0.0.1", "-s", p, "-m", "16384")
}

// managedFlag has a node wait for orders.
const managedFlag = "--managed"

// role starts larder as a gateway or an engine, with its metrics (and profiles, which cost nothing unless asked for).
func (b *bed) role(core int, role string, args ...string) (*Server, error) {
	addr, err := port()
	if err != nil {
		return nil, err
	}
	metrics, err := port()
	if err != nil {
		return nil, err
	}
	args = append([]string{role, "--listen", addr, "--metrics", metrics, "--pprof"}, args...)
	s := &Server{Name: "larder-" + role, Addr: addr, Metrics: metrics, managed: slices.Contains(args, managedFlag)}
	return b.start(s, core, b.larder, args...)
}

func (b *bed) gateway(nodes []string) (*Server, error) { return b.gatewayOn(b.serverCore, nodes) }

func (b *bed) gatewayOn(core int, nodes []string) (*Server, error) {
	return b.role(core, "gateway", "--nodes", strings.Join(nodes, ","))
}

func (b *bed) engine() (*Server, error) { return b.engineNamed("engine", b.serverCore) }

// engineNamed is a node with a folder of its own.
func (b *bed) engineNamed(name string, core int, more ...string) (*Server, error) {
	dir, err := b.folder(name)
	if err != nil {
		return nil, err
	}
	return b.role(core, "engine", append([]string{"--dir", dir}, more...)...)
}

// redisNamed is a redis-server with a folder of its own.
func (b *bed) redisNamed(name string, core int, more ...string) (*Server, error) {
	dir, err := b.folder(name)
	if err != nil {
		return nil, err
	}
	return b.redisIn(dir, core, more...)
}

func (b *bed) folder(name string) (string, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make a server's folder: %w", err)
	}
	return dir, nil
}
