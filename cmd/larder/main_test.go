package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// say runs the command in this process: exit code and both outputs.
func say(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestConfig(t *testing.T) {
	code, printed, _ := say(t, "config")
	sample, err := os.ReadFile("../../configs/larder.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if code != 0 || printed != string(sample) {
		t.Errorf("exit code %d, or not the sample file:\n%s", code, printed)
	}
	t.Setenv("LARDER_GATEWAY_LISTEN", "127.0.0.1:7000")
	_, printed, _ = say(t, "config", "--set", "log.level=debug")
	for _, want := range []string{"Set by LARDER_GATEWAY_LISTEN.\n  listen: 127.0.0.1:7000", "Set by --set.\n  level: debug"} {
		if !strings.Contains(printed, want) {
			t.Errorf("does not say %q", want)
		}
	}
	file := filepath.Join(t.TempDir(), "larder.yaml")
	if err := os.WriteFile(file, []byte(printed), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := say(t, "config", "--config", file); code != 0 {
		t.Errorf("what it printed is no good file: %s", stderr)
	}
	if _, explained, _ := say(t, "config", "--explain", "gateway.listen"); !strings.Contains(explained, "value     127.0.0.1:7000 (LARDER_GATEWAY_LISTEN)") {
		t.Error(explained)
	}
}

// Errors are plain lines: no usage, no stack.
func TestErrors(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"dev --replicas 6", "larder: --replicas: dev.replicas: 6 replicas: must be from 0 to 5\n"},
		{"dev --shards no", "larder: --shards: dev.shards \"no\": must be a whole number\n"},
		{"dev --shrads 1", "larder: unknown flag: --shrads; see 'larder dev --help'\n"},
		{"dev now", "larder: unknown command \"now\" for \"larder dev\"\n"},
		{"gateway", "larder: gateway.nodes: a gateway needs nodes: must be given with --nodes ADDR,..., --topology FILE or --consul URL\n"},
		{"serve", "larder: unknown command \"serve\" for \"larder\"\n"},
		{"config --explain x", "larder: x: unknown key\n"},
		{"healthcheck --url ftp://x", "larder: --url \"ftp://x\": must begin with http://, https:// or redis://\n"},
		{"engine --listen x --allow y", "larder: --listen: engine.listen \"x\": must be host:port with a port from 0 (any free one) to 65535\n" +
			"larder: --allow: access.allow \"y\": \"y\" must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32, or an address\n"},
	} {
		if code, stdout, stderr := say(t, strings.Fields(test.args)...); code != 1 || stdout != "" || stderr != test.want {
			t.Errorf("%s: exit code %d, stdout %q, stderr\n%swant\n%s", test.args, code, stdout, stderr, test.want)
		}
	}
}

// The flags that documents, scripts and the benchmark use.
func TestFlags(t *testing.T) {
	for name, flags := range map[string]string{
		"dev":         "listen shards replicas dir consul metrics allow config set pprof log-level log-format loops",
		"engine":      "listen maxmemory dir metrics allow config set pprof log-level log-format",
		"gateway":     "listen nodes topology metrics loops allow config set pprof log-level log-format",
		"config":      "config set explain secrets",
		"healthcheck": "url config set",
	} {
		command, _, err := command().Find([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range strings.Fields(flags) {
			if command.Flags().Lookup(flag) == nil {
				t.Errorf("%s has no --%s", name, flag)
			}
		}
	}
}

// Every command says what it does, in one style.
func TestHelp(t *testing.T) {
	for _, c := range command().Commands() {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") || c.Name() != strings.ToLower(c.Name()) {
			t.Errorf("%s: %q", c.Name(), c.Short)
		}
		if code, stdout, _ := say(t, c.Name(), "--help"); code != 0 || !strings.Contains(stdout, usageLine(c)) {
			t.Errorf("%s --help: exit code %d:\n%s", c.Name(), code, stdout)
		}
	}
}

func usageLine(c *cobra.Command) string { return "larder " + c.Name() }

func TestVersion(t *testing.T) {
	if code, stdout, _ := say(t, "version"); code != 0 || !regexp.MustCompile(`^larder \S+ \(go\S+ \w+/\w+\)\n$`).MatchString(stdout) {
		t.Errorf("%d %q", code, stdout)
	}
}

// binary is the program itself, built as make build does.
func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "larder")
	build := exec.Command("go", "build", "-trimpath", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// process is a started binary; the test ends with its end.
type process struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr string // file
}

func launch(t *testing.T, program string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...), stderr: filepath.Join(t.TempDir(), "stderr")}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := os.Create(p.stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	p.cmd.Stderr = stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	return p
}

// endpoint waits until it is printed.
func (p *process) endpoint(t *testing.T) string {
	t.Helper()
	for {
		line, err := p.out.ReadString('\n')
		if at := regexp.MustCompile(`serves .* at (\S+)`).FindStringSubmatch(line); at != nil {
			return at[1]
		}
		if err != nil {
			t.Fatalf("it ended:\n%s", p.said(t))
		}
	}
}

func (p *process) said(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.stderr)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// code waits for the end.
func (p *process) code() int {
	_, _ = io.Copy(io.Discard, p.out)
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return -1
	}
	return p.cmd.ProcessState.ExitCode()
}

func speak(t *testing.T, addr, command string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(conn, "%s\r\n", command)
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func TestProcess(t *testing.T) {
	larder := binary(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		dir := t.TempDir()
		begun := time.Now()
		p := launch(t, larder, "dev", "--listen", "127.0.0.1:0", "--metrics", "off", "--dir", dir)
		addr := p.endpoint(t)
		t.Logf("ready after %s", time.Since(begun))
		if got := speak(t, addr, "SET k v"); got != "+OK" {
			t.Errorf("SET answers %q", got)
		}
		if limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.cmd.Process.Pid)); err != nil || !regexp.MustCompile(`Max open files +(\d+) +(\d+) `).Match(limits) {
			t.Error(err)
		} else if l := regexp.MustCompile(`Max open files +(\d+) +(\d+) `).FindSubmatch(limits); !bytes.Equal(l[1], l[2]) {
			t.Errorf("the limit on open files is %s of %s", l[1], l[2])
		}
		// A second one on the same port and one on the same folder are told so, in one line.
		for _, test := range []struct{ listen, dir, want string }{
			{addr, t.TempDir(), "larder: gateway: listen on " + addr + ": the address is taken by another process; stop it or choose another address (--listen)"},
			{"127.0.0.1:0", dir, fmt.Sprintf("larder: data folder %s is in use by another larder (process %d); stop it, or say --dir with another folder", dir, p.cmd.Process.Pid)},
		} {
			other := launch(t, larder, "dev", "--listen", test.listen, "--metrics", "off", "--dir", test.dir, "--log-level", "error")
			if code, said := other.code(), strings.TrimSpace(other.said(t)); code != 1 || said != test.want {
				t.Errorf("exit code %d, said\n%s\nwant\n%s", code, said, test.want)
			}
		}
		took := ends(t, p, sig)
		for range 2 { // the machine may have been busy
			if took <= time.Second {
				break
			}
			t.Logf("%s: it took %s to end", sig, took)
			p = launch(t, larder, "dev", "--listen", "127.0.0.1:0", "--metrics", "off", "--dir", dir)
			p.endpoint(t)
			took = ends(t, p, sig)
		}
		if took > time.Second {
			t.Errorf("%s: it took %s to end", sig, took)
		}
	}
}

// ends ends a process by a signal and gives how long that took.
func ends(t *testing.T, p *process, sig syscall.Signal) time.Duration {
	t.Helper()
	asked := time.Now()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if code := p.code(); code != 0 {
		t.Errorf("%s: exit code %d:\n%s", sig, code, p.said(t))
	}
	return time.Since(asked)
}

// While it stops (here: a profile is under way, which is waited for a moment), a second signal ends it at once.
func TestSecondSignal(t *testing.T) {
	larder := binary(t)
	const attempts = 5 // the moment may be over before the second signal comes
	for range attempts {
		p := launch(t, larder, "dev", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--pprof", "--dir", t.TempDir())
		p.endpoint(t)
		conn, err := net.Dial("tcp", p.find(t, `msg="metrics are served" addr=(\S+)`))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /debug/pprof/trace?seconds=60 HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := conn.Read(make([]byte, 1)); err != nil { // the trace has begun
			t.Fatal(err)
		}
		for _, wait := range []string{`(serves)`, `(stopping)`} {
			p.find(t, wait)
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				break // it has ended
			}
		}
		p.code()
		if status := p.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() && status.Signal() == syscall.SIGTERM {
			return
		}
	}
	t.Errorf("a second signal never ended it, in %d attempts", attempts)
}

// find waits until its log has what the pattern's group wants.
func (p *process) find(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if found := re.FindStringSubmatch(p.said(t)); found != nil {
			return found[1]
		}
	}
	t.Fatalf("it does not say %s:\n%s", pattern, p.said(t))
	return ""
}
