package image_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"larder/internal/peers"
)

// container is an image made ready to run.
type container struct {
	b    *builder
	name string
}

// command is what runs a command in the container, in the network of whoever runs it.
func (c container) command(env, command []string) []string {
	args := slices.Concat([]string{c.b.program}, c.b.storage, []string{"run", "--isolation", "chroot"})
	for _, e := range env {
		args = append(args, "--env", e)
	}
	return slices.Concat(args, []string{c.name, "--"}, command)
}

// inOwnNetwork is put before a command: nothing is there but a loopback with one more address.
var inOwnNetwork = []string{
	"unshare", "--net", "sh", "-c", "ip link set lo up && ip address add " + outside + "/32 dev lo && exec \"$@\"", "sh",
}

// run runs a command in the container to its end, in a network of its own.
func (c container) run(command ...string) ([]byte, error) {
	args := slices.Concat(inOwnNetwork, c.command(nil, command))
	return exec.CommandContext(c.b.ctx, args[0], args[1:]...).CombinedOutput()
}

// process is a command that runs in a container until it is stopped.
type process struct {
	t    *testing.T
	c    container
	cmd  *exec.Cmd
	out  *peers.Output
	stop func() // ends it as a container's end does, and wants it to end well
	done chan struct{}
	err  error // once done is closed
}

// start runs a command in the container, in a network of its own; it is stopped and waited for at the test's end at the latest.
func (c container) start(env []string, command ...string) *process {
	t := c.b.t
	t.Helper()
	args := slices.Concat(inOwnNetwork, c.command(env, command))
	p := &process{t: t, c: c, cmd: exec.CommandContext(c.b.ctx, args[0], args[1:]...), out: &peers.Output{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that all of it can be killed at once
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start the container: %v", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	p.stop = sync.OnceFunc(p.end)
	t.Cleanup(p.stop)
	return p
}

func (p *process) end() {
	// Only what runs in the container is told: buildah itself, told to end, would kill it.
	_ = syscall.Kill(p.innermost(), syscall.SIGTERM)
	select {
	case <-p.done:
		if p.err != nil {
			p.t.Errorf("the container ended with %v:\n%s", p.err, p.out)
		}
	case <-time.After(time.Minute):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
		p.t.Errorf("the container did not end within 10 s of SIGTERM:\n%s", p.out)
	}
}

// innermost is the process that buildah's processes have started in the end.
func (p *process) innermost() int {
	pid := p.cmd.Process.Pid
	for {
		child := childOf(pid)
		if child == 0 {
			return pid
		}
		pid = child
	}
}

// childOf is a child of a process, 0 if it has none.
func childOf(pid int) int {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range threads {
		text, _ := os.ReadFile(file) // a thread that is gone has no children
		if first, _, _ := strings.Cut(string(text), " "); first != "" {
			child, _ := strconv.Atoi(first)
			return child
		}
	}
	return 0
}

// inItsNetwork runs a program of this machine in the container's network.
func (p *process) inItsNetwork(command ...string) ([]byte, error) {
	args := append([]string{"--net", "--target", strconv.Itoa(p.cmd.Process.Pid)}, command...)
	return exec.CommandContext(p.c.b.ctx, "nsenter", args...).CombinedOutput()
}

// beside runs another command in the container, as a health check is run.
func (p *process) beside(command ...string) ([]byte, error) {
	return p.inItsNetwork(p.c.command(nil, command)...)
}

// redis says one command to the default port at an address of the container's and gives the answer, or what went wrong.
func (p *process) redis(host string, command ...string) string {
	out, err := p.inItsNetwork(append([]string{"timeout", "5", "redis-cli", "-h", host, "-p", "6379"}, command...)...)
	if err != nil && len(out) == 0 {
		return err.Error()
	}
	return strings.TrimSpace(string(out))
}

// serves waits until PING is answered at an address.
func (p *process) serves(host string) {
	p.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for p.redis(host, "PING") != "PONG" {
		select {
		case <-tick.C:
		case <-p.done:
			p.t.Fatalf("the container ended (%v):\n%s", p.err, p.out)
		case <-deadline:
			p.t.Fatalf("nothing answers PING at %s within 20 s:\n%s", host, p.out)
		}
	}
}
