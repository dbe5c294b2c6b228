package clients_test

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"larder/internal/clients"
)

// program runs a client program against addr and gives what it printed on both outputs.
func program(t *testing.T, stdin []byte, name, addr string, args ...string) string {
	t.Helper()
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.CommandContext(within(t, 5*time.Minute), name, append([]string{"-h", host, "-p", port}, args...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v: %.2000s", name, args, err, out)
	}
	return string(out)
}

func TestRedisCLI(t *testing.T) {
	for _, s := range served {
		t.Run(s.name, func(t *testing.T) {
			addr := s.start(t)
			cli := func(args ...string) string { return program(t, nil, "redis-cli", addr, args...) }
			for _, x := range []struct{ want, command string }{
				{"OK", "SET k v"},
				{"v", "GET k"},
				{"v", "-3 GET k"},
				{"OK", "MSET a 1 b 2 c 3"},
				{"1\n2\n\n3", "MGET a b none c"},
				{"OK", "-n 5 SET k five"},
				{"five", "-n 5 GET k"},
				{"v", "-n 0 GET k"},
				{"\"v\"", "--no-raw GET k"},
				{"v", "--user default --pass x GET k"},
				{"PONG", "-2 PING"},
				{"4", "DBSIZE"},
				{"1", "--raw DEL k"},
				{"v\nv", "-r 2 ECHO v"},
				{`"v"`, "--csv ECHO v"},
				{`"v"`, "--json ECHO v"},
			} {
				got := strings.TrimSpace(strings.ReplaceAll(cli(strings.Fields(x.command)...), "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n", ""))
				if got = strings.TrimPrefix(got, "AUTH failed: WRONGPASS invalid username-password pair or user is disabled.\n"); got != x.want {
					t.Errorf("redis-cli %s: %q, want %q", x.command, got, x.want)
				}
			}
			if got := cli("NOPE", "x"); !strings.HasPrefix(got, "ERR unknown command 'NOPE', with args beginning with: 'x'") {
				t.Errorf("NOPE: %q", got)
			}
			if got := cli("INFO"); !strings.Contains(got, "redis_version:7.2.4") || !strings.Contains(got, "db0:keys=3") {
				t.Errorf("INFO: %s", got)
			}
			piped := program(t, []byte("SET x 'a b'\nGET x\nNOPE\nGET x\nSELECT 3\nGET x\n"), "redis-cli", addr)
			if want := "OK\na b\nERR unknown command 'NOPE', with args beginning with: \n\na b\nOK\n\n"; piped != want {
				t.Errorf("commands on standard input: %q, want %q", piped, want)
			}
		})
	}
}

// TestRedisCLIWalks: its tools that go over the whole keyspace.
func TestRedisCLIWalks(t *testing.T) {
	for _, s := range served {
		t.Run(s.name, func(t *testing.T) {
			addr := s.start(t)
			var all bytes.Buffer
			for i := range 3000 {
				fmt.Fprintf(&all, "SET key:%d %s\r\n", i, strings.Repeat("v", i+1))
			}
			program(t, all.Bytes(), "redis-cli", addr, "--pipe")
			for _, args := range [][]string{{"--scan"}, {"-3", "--scan"}, {"--scan", "--pattern", "key:*"}} {
				keys := map[string]bool{}
				for k := range strings.FieldsSeq(program(t, nil, "redis-cli", addr, args...)) {
					keys[k] = true
				}
				if len(keys) != 3000 {
					t.Errorf("redis-cli %q: %d keys, want 3000", args, len(keys))
				}
			}
			if n := len(strings.Fields(program(t, nil, "redis-cli", addr, "--scan", "--pattern", "key:1?"))); n != 10 {
				t.Errorf("--pattern key:1?: %d keys, want 10", n)
			}
			got := program(t, nil, "redis-cli", addr, "--bigkeys")
			if !strings.Contains(got, "Sampled 3000 keys in the keyspace!") || !strings.Contains(got, `Biggest string found '"key:2999"' has 3000 bytes`) {
				t.Errorf("--bigkeys: %s", got)
			}
		})
	}
}

// TestRedisCLIAtTerminal: at a terminal it asks COMMAND DOCS for its hints before the first prompt. script(1) gives it one.
func TestRedisCLIAtTerminal(t *testing.T) {
	for _, s := range served {
		t.Run(s.name, func(t *testing.T) {
			host, port, _ := net.SplitHostPort(s.start(t))
			cmd := exec.CommandContext(within(t, time.Minute), "script", "-qec", fmt.Sprintf("redis-cli -h %s -p %s", host, port), "/dev/null")
			cmd.Env = append(cmd.Environ(), "TERM=dumb", "HOME="+t.TempDir())
			cmd.Stdin = strings.NewReader("SET k v\nGET k\nHELLO 3\nGET none\nCLIENT NO-EVICT on\nexit\n")
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), `"v"`) || !strings.Contains(string(out), "(nil)") || strings.Contains(string(out), "rror") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// TestRedisBenchmark runs all its string tests. An error reply ends it with exit code 1.
func TestRedisBenchmark(t *testing.T) {
	for _, s := range served {
		t.Run(s.name, func(t *testing.T) {
			addr := s.start(t)
			for _, more := range [][]string{nil, {"-3"}} {
				args := append([]string{"-q", "-n", "5000", "-P", "16", "-r", "10000", "-t", "ping_inline,ping_mbulk,set,get,incr,mset"}, more...)
				got := program(t, nil, "redis-benchmark", addr, args...)
				for _, test := range []string{"PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"} {
					if !strings.Contains(got, test+": ") || strings.Contains(got, "rror") || strings.Contains(got, "WARNING") {
						t.Errorf("redis-benchmark %q, %s: %.2000s", more, test, got)
					}
				}
			}
		})
	}
}

// TestPipe: a million commands from redis-cli --pipe, which writes as fast as it can, pass in bounded memory.
func TestPipe(t *testing.T) {
	pipe(t, 1_000_000)
}

// gatewayMax is what a gateway may take, whatever clients do. It has 25 MB when idle.
const gatewayMax = 200 << 20

func pipe(t *testing.T, commands int) {
	t.Helper()
	nodes := []*clients.Process{larder.Engine(t), larder.Engine(t), larder.Engine(t)}
	gateway := larder.Gateway(t, nodes)
	host, port, _ := net.SplitHostPort(gateway.Addr)
	cmd := exec.CommandContext(within(t, 10*time.Minute), "redis-cli", "-h", host, "-p", port, "--pipe")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gateway.ResetPeak(t)
	var piece []byte
	for i := range commands {
		piece = fmt.Appendf(piece, "*3\r\n$3\r\nSET\r\n$10\r\nk%09d\r\n$8\r\nvalue123\r\n", i%300_000)
		if len(piece) > 1<<16 || i == commands-1 {
			if _, err := stdin.Write(piece); err != nil {
				t.Fatalf("%v: %s", err, &out)
			}
			piece = piece[:0]
		}
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), fmt.Sprintf("errors: 0, replies: %d", commands)) {
		t.Errorf("%v: %.2000s", err, &out)
	}
	if peak := gateway.PeakRSS(t); peak > gatewayMax {
		t.Errorf("the gateway took %d MB at most, want up to %d", peak>>20, gatewayMax>>20)
	} else {
		t.Logf("the gateway took %d MB at most", peak>>20)
	}
	if got := program(t, nil, "redis-cli", gateway.Addr, "DBSIZE"); strings.TrimSpace(got) != fmt.Sprint(min(commands, 300_000)) {
		t.Errorf("DBSIZE: %s", got)
	}
}
