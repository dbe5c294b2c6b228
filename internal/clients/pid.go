package clients

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"larder/internal/peers"
)

// PID is a process, perhaps another one's child.
type PID int

// Kill is kill -9. One that is gone already stays so.
func (p PID) Kill() { _ = syscall.Kill(int(p), syscall.SIGKILL) }

// Freeze is SIGSTOP. The signal only begins to stop a process, so Freeze waits until each of its threads stands.
func (p PID) Freeze(t testing.TB) {
	t.Helper()
	if err := syscall.Kill(int(p), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(peers.Patience); !p.stands(t); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d: not stopped %v after SIGSTOP", p, peers.Patience)
		}
	}
}

// Thaw is SIGCONT.
func (p PID) Thaw(t testing.TB) {
	t.Helper()
	if err := syscall.Kill(int(p), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// stands tells whether all threads of the process are stopped: proc_pid_stat(5), the letter behind the name in parentheses.
func (p PID) stands(t testing.TB) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p))
	if err != nil || len(threads) == 0 {
		t.Fatalf("the threads of process %d: %v", p, err)
	}
	for _, path := range threads {
		stat, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // the thread has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, state, _ := strings.Cut(string(stat), ") "); !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}
