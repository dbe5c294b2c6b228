package clients

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Host starts a host on a folder. Its nodes are processes of their own that outlive it: they end with the test.
func (b Binary) Host(t testing.TB, dir string, args ...string) *Process {
	t.Helper()
	t.Cleanup(func() {
		for _, pid := range Running(t, dir) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return b.Role(t, "host", append([]string{"--dir", dir}, args...)...)
}

// Running are the processes whose command line names a folder.
func Running(t testing.TB, dir string) (pids []int) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte(dir)) {
			continue // it has ended, or is another's
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
