package clients_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Clients in other languages, as applications use them, against one node and through a gateway over three: connecting, transactions, pub/sub, blocking,
// scripts, streams; BullMQ is a queue whose every step is a script.
func TestNodeJS(t *testing.T) {
	t.Parallel()
	dir := nodeJS(t)
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

// nodeJS is a folder with the scripts and the packages that they need.
func nodeJS(t *testing.T) string {
	t.Helper()
	dir, err := nodeFolder()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// nodeFolder makes it, once for all tests.
var nodeFolder = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "node")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "node"))); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%.4000s", err, out)
	}
	return dir, nil
})

func TestPython(t *testing.T) {
	t.Parallel()
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
