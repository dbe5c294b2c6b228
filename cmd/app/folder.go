package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"larder/persistence/files"
)

const (
	lockName   = "larder.lock" // in every data folder; says which process has it
	folderMode = 0o700         // of a folder that we make: others have no business there

	lockWithin = 5 * time.Second // for the lock of a process that has just ended
	lockAgain  = 10 * time.Millisecond
)

// folder is a data folder that this process alone uses.
type folder struct {
	path string
	lock *os.File
}

// DevFolder is where dev keeps its data if nothing is said: where the XDG base directory specification wants it.
func DevFolder() (string, error) {
	if base := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(base) { // a relative one is to be ignored, says the specification
		return filepath.Join(base, "larder"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a folder for data: %w; say --dir", err)
	}
	return filepath.Join(home, ".local", "share", "larder"), nil
}

// takeFolder makes the folder if need be and locks it until release. The lock ends with the process, however that ends.
func takeFolder(path string) (*folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(path, folderMode); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := takeLock(lock); err != nil {
		defer lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("data folder %s is in use by another larder%s; stop it, or say --dir with another folder", path, holder(lock))
		}
		return nil, fmt.Errorf("lock data folder %s: %w", path, err)
	}
	if err := writePID(lock); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("lock data folder %s: %w", path, err)
	}
	return &folder{path: path, lock: lock}, nil
}

// takeLock locks the file. A host that was killed just as it started a node leaves the lock to what was to become the node, for the moment until that is one; so
// what a process has that runs no more is waited for.
func takeLock(lock *os.File) error {
	for end := time.Now().Add(lockWithin); ; time.Sleep(lockAgain) {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(end) {
			return err
		}
		if pid, err := strconv.Atoi(holderID(lock)); err != nil || files.Running(pid) {
			return unix.EWOULDBLOCK
		}
	}
}

func writePID(lock *os.File) error {
	if err := lock.Truncate(0); err != nil {
		return err
	}
	_, err := lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// holder is the process that has the lock, for people.
func holder(lock *os.File) string {
	pid := holderID(lock)
	if pid == "" {
		return ""
	}
	return " (process " + pid + ")"
}

// holderID is its number, as it has written it.
func holderID(lock *os.File) string {
	var buf [32]byte
	n, _ := lock.ReadAt(buf[:], 0)
	return strings.TrimSpace(string(buf[:n]))
}

// sub makes a folder below.
func (f *folder) sub(names ...string) (string, error) {
	path := filepath.Join(append([]string{f.path}, names...)...)
	if err := os.MkdirAll(path, folderMode); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	return path, nil
}

// release gives the folder up. The lock's file stays: removing it could take it from under the next process.
func (f *folder) release() { _ = f.lock.Close() }
