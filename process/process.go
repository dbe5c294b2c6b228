// Package process says what the system knows of the process, memory and processor time, and tells it which threads can wait. What must hold: nothing fails;
// what the system does not tell is 0. Any goroutine may call it; a call costs microseconds.
package process

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// ResidentBytes is the process's resident memory, 0 where /proc does not tell.
func ResidentBytes() int64 {
	stat, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// CPUSeconds is the processor time that the process has used.
func CPUSeconds() (user, system float64) {
	var use syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &use) != nil {
		return 0, 0
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(use.Utime), seconds(use.Stime)
}

// SystemMemory is how much memory the machine has, in bytes.
func SystemMemory() int64 {
	var info syscall.Sysinfo_t
	if syscall.Sysinfo(&info) != nil {
		return 0
	}
	return int64(info.Totalram) * int64(info.Unit)
}
