package app

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLeftLock: a lock that a process has left to another, which is about to let go of it, is waited for; one of a process that runs is not.
func TestLeftLock(t *testing.T) {
	dir := t.TempDir()
	hold := func(pid string) *os.File {
		t.Helper()
		lock, err := os.Create(filepath.Join(dir, lockName))
		if err == nil {
			_, err = lock.WriteString(pid + "\n")
		}
		if err == nil {
			err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
		}
		if err != nil {
			t.Fatal(err)
		}
		return lock
	}
	running := hold("1")
	begun := time.Now()
	if _, err := takeFolder(dir); err == nil || !strings.Contains(err.Error(), "process 1") || time.Since(begun) >= lockWithin {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
	_ = running.Close()
	left := hold("2147483646") // no process has that number
	time.AfterFunc(5*lockAgain, func() { _ = left.Close() })
	data, err := takeFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	data.release()
}
