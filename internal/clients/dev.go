package clients

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"larder/internal/peers"
)

// Dev starts a larder dev on a folder, whose gateway is at Addr. A second Start is one on the same folder, as after a crash. It has no replicas unless args say so:
// they would cost each test as much again.
func (b Binary) Dev(t testing.TB, dir string, args ...string) *Process {
	t.Helper()
	addr, metrics := freeAddr(t), freeAddr(t)
	if !slices.Contains(args, "--replicas") {
		args = append([]string{"--replicas", "0"}, args...)
	}
	p := &Process{Addr: addr, Metrics: metrics, name: b.path, args: append([]string{"dev", "--listen", addr, "--metrics", metrics, "--dir", dir}, args...), api: true}
	return p.launch(t)
}

// Says finds what a process has said that fits the pattern, and gives the pattern's group as it was said last.
func (p *Process) Says(t testing.TB, pattern string) string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	text, _ := os.ReadFile(p.log)
	all := wanted.FindAllSubmatch(text, -1)
	if len(all) == 0 {
		t.Fatalf("%s does not say %s:\n%s", p.name, pattern, lastBytes(text))
	}
	return string(all[len(all)-1][1])
}

// Node is the address of a node of a larder dev.
func (p *Process) Node(t testing.TB, id string) string {
	t.Helper()
	return p.Says(t, `node serves"? node=`+id+` addr=(\S+)`)
}

// Command is one that is not run yet; it ends with the test program.
func (b Binary) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(b.path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Run runs a command to its end.
func (b Binary) Run(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*peers.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.path, args...)
	var out, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &wrong
	_ = cmd.Run()
	return out.String(), wrong.String(), cmd.ProcessState.ExitCode()
}

// Done is Run of what must succeed; it gives what that printed.
func (b Binary) Done(t testing.TB, args ...string) string {
	t.Helper()
	stdout, stderr, code := b.Run(t, args...)
	if code != 0 {
		t.Fatalf("larder %s: code %d:\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}
