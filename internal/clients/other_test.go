package clients_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Clients in other languages, as applications use them, against one node and through a gateway over three: connecting, transactions, pub/sub, blocking,
// scripts, streams; BullMQ is a queue whose every step is a script.
func TestNodeJS(t *testing.T) {
	dir := nodeJS(t, "clients.js")
	for _, s := range served {
		host, port, _ := net.SplitHostPort(s.start(t))
		for _, part := range []string{"ioredis", "nodeRedis", "bullmq"} {
			t.Run(s.name+" "+part, func(t *testing.T) {
				if out := others(t, dir, "node", "clients.js", host, port, part); !strings.Contains(out, part+": ok") {
					t.Errorf("%s", out)
				}
			})
		}
	}
}

// nodeJS is a folder with a script and the packages that it needs.
func nodeJS(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", script} {
		b, err := os.ReadFile(filepath.Join("testdata", "node", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	others(t, dir, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	return dir
}

func TestPython(t *testing.T) {
	for _, s := range served {
		t.Run(s.name, func(t *testing.T) {
			host, port, _ := net.SplitHostPort(s.start(t))
			// Debian's interpreter has Debian's modules.
			if out := others(t, ".", "/usr/bin/python3", "testdata/redis_py.py", host, port); !strings.Contains(out, "redis-py: ok") {
				t.Errorf("%s", out)
			}
		})
	}
}

func others(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(within(t, 3*time.Minute), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v\n%.4000s", name, args, err, out)
	}
	return string(out)
}
