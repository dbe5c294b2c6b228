package main

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine is where and with what a run was made. What can't be found out reads "unknown": it changes no figure.
type Machine struct {
	Date, Commit, CPU, System, Kernel, Go, Redis, Nutcracker string
	CPUs, MemoryMiB                                          int
}

func describe(now time.Time, cpus int) Machine {
	m := Machine{
		Date: now.UTC().Format(time.DateOnly), CPUs: cpus, Go: runtime.Version(),
		Commit: firstLine(exec.Command("git", "describe", "--always", "--dirty")),
		Redis:  firstLine(exec.Command("redis-server", "--version")), Nutcracker: firstLine(exec.Command("nutcracker", "--version")),
		Kernel: oneLine(fileOrNothing("/proc/sys/kernel/osrelease")),
		CPU:    orUnknown(field(fileOrNothing("/proc/cpuinfo"), "model name", ":")),
		System: orUnknown(strings.Trim(field(fileOrNothing("/etc/os-release"), "PRETTY_NAME", "="), `"`)),
	}
	m.Redis, _, _ = strings.Cut(m.Redis, " sha=")
	m.Nutcracker = strings.TrimPrefix(m.Nutcracker, "This is ")
	kb, _, _ := strings.Cut(field(fileOrNothing("/proc/meminfo"), "MemTotal", ":"), " ")
	n, _ := strconv.Atoi(kb)
	m.MemoryMiB = n >> 10
	return m
}

func fileOrNothing(name string) []byte {
	b, _ := os.ReadFile(name)
	return b
}

// field finds "name <sep> value" in lines of a file.
func field(b []byte, name, sep string) string {
	for line := range bytes.Lines(b) {
		k, v, ok := strings.Cut(string(line), sep)
		if ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// firstLine of what a command says, on either output: nutcracker tells its version on stderr.
func firstLine(c *exec.Cmd) string {
	out, _ := c.CombinedOutput()
	return oneLine(out)
}

func oneLine(b []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	return orUnknown(line)
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
