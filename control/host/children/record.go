package children

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"larder/process/files"
)

// record is what is kept of a node's process in its folder.
type record struct {
	Addr  string `json:"addr"`            // where it is reached
	PID   int    `json:"pid,omitempty"`   // 0: it was about to be started
	Start string `json:"start,omitempty"` // when it began, of which boot: a number is used again
}

func readRecord(name string) (r record, err error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if !json.Valid(text) { // a machine that fell may leave it empty; the lock tells what runs
		return r, nil
	}
	return r, json.Unmarshal(text, &r)
}

func (r record) write(name string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return files.Replace(name, string(text)+"\n")
}

// started says when a process that runs began, as nothing else did with its number; empty: none of that number runs.
func started(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	// proc(5): behind the name, which may have blanks and brackets, comes the state, and 19 fields later the start in ticks since the boot.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const start = 19
	if len(fields) <= start {
		return "", fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	if state := fields[0]; state == "Z" || state == "X" { // it has ended, and nobody has asked how
		return "", nil
	}
	id, err := bootID()
	if err != nil {
		return "", err
	}
	return id + "/" + fields[start], nil
}

// boot is what bootID has read: it stays as long as this process lives.
var boot atomic.Pointer[string]

// bootID names the boot of the machine. Nodes are looked at many times a second; what could not be read is tried again.
func bootID() (string, error) {
	if id := boot.Load(); id != nil {
		return *id, nil
	}
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(text))
	boot.Store(&id)
	return id, nil
}

// listens is the port that a process was told to listen on; empty: it was not told, or there is none of that number.
func listens(pid int) (port string, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	words := strings.Split(string(text), "\x00")
	if at := slices.Index(words, "--listen"); at >= 0 && at+1 < len(words) {
		_, port, err = net.SplitHostPort(words[at+1])
	}
	return port, err
}

// holder is the process that has a lock; 0: none has.
func holder(name string) (pid int, err error) {
	lock, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer lock.Close() // and with it ours, if we have got it
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return 0, nil
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return 0, fmt.Errorf("lock %s: %w", name, err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil || pid < 1 {
		return 0, fmt.Errorf("somebody has the lock %s, and it does not say who", name)
	}
	return pid, nil
}
