package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is the unit of /proc's CPU times: USER_HZ is 100 on every Linux Go runs on.
const tick = 10 * time.Millisecond

// cpuUse is what a process has used so far. The scheduler's own figure is exact to the nanosecond but only of threads
// that still live; the ticks include those that ended.
type cpuUse struct {
	user, sys time.Duration
	threads   map[int]time.Duration
}

// since is the CPU time between two looks at one process. Where a thread has ended in between, its exact figure is
// gone, and the ticks have to do.
func (u cpuUse) since(before cpuUse) time.Duration {
	var sum time.Duration
	for id := range before.threads {
		if _, alive := u.threads[id]; !alive {
			return u.user + u.sys - before.user - before.sys
		}
	}
	for id, ran := range u.threads {
		sum += ran - before.threads[id]
	}
	return sum
}

// userShare is the part of the time since before that was spent outside the kernel, by ticks.
func (u cpuUse) userShare(before cpuUse) float64 {
	all := u.user + u.sys - before.user - before.sys
	if all <= 0 {
		return 0
	}
	return float64(u.user-before.user) / float64(all)
}

func readCPU(pid int) (cpuUse, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	b, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return cpuUse{}, fmt.Errorf("read CPU time of process %d: %w", pid, err)
	}
	s, err := parsePIDStat(b)
	if err != nil {
		return cpuUse{}, fmt.Errorf("read CPU time of process %d: %w", pid, err)
	}
	u := cpuUse{user: s.user, sys: s.sys, threads: map[int]time.Duration{}}
	files, _ := filepath.Glob(dir + "/task/*/schedstat")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it ended between the two looks; since sees that
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		ran, err := parseSchedstat(b)
		if err != nil {
			return cpuUse{}, fmt.Errorf("read %s: %w", f, err)
		}
		u.threads[id] = ran
	}
	return u, nil
}

type pidStat struct {
	state     byte
	user, sys time.Duration
}

// parsePIDStat reads /proc/PID/stat (proc(5)). The name is in parentheses and may hold anything, so fields are
// counted from the last parenthesis.
func parsePIDStat(b []byte) (pidStat, error) {
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return pidStat{}, fmt.Errorf("no process name in %q", b)
	}
	f := bytes.Fields(b[end+1:])
	if len(f) < 13 {
		return pidStat{}, fmt.Errorf("%d fields after the name, want at least 13", len(f))
	}
	user, err1 := strconv.ParseInt(string(f[11]), 10, 64)
	sys, err2 := strconv.ParseInt(string(f[12]), 10, 64)
	if err1 != nil || err2 != nil {
		return pidStat{}, fmt.Errorf("times %q and %q are no numbers", f[11], f[12])
	}
	return pidStat{state: f[0][0], user: time.Duration(user) * tick, sys: time.Duration(sys) * tick}, nil
}

// parseSchedstat reads the first number of /proc/PID/task/TID/schedstat: nanoseconds on a CPU.
func parseSchedstat(b []byte) (time.Duration, error) {
	f := bytes.Fields(b)
	if len(f) < 1 {
		return 0, fmt.Errorf("empty schedstat")
	}
	ns, err := strconv.ParseInt(string(f[0]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("schedstat: %q is no number", f[0])
	}
	return time.Duration(ns), nil
}

// hostTicks is the machine's CPU time, all CPUs together: what there was, and what the hypervisor gave to others.
type hostTicks struct{ total, steal uint64 }

func (h hostTicks) stealSince(before hostTicks) float64 {
	if h.total <= before.total {
		return 0
	}
	return float64(h.steal-before.steal) / float64(h.total-before.total)
}

func readHost() (hostTicks, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return hostTicks{}, fmt.Errorf("read CPU steal: %w", err)
	}
	return parseHost(b)
}

// parseHost reads the first line of /proc/stat: user nice system idle iowait irq softirq steal guest guest_nice. The
// guests' times are part of the first two.
func parseHost(b []byte) (hostTicks, error) {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	f := bytes.Fields(line)
	if len(f) < 9 || string(f[0]) != "cpu" {
		return hostTicks{}, fmt.Errorf("/proc/stat begins with %q, want cpu and at least 8 numbers", line)
	}
	var h hostTicks
	for i, s := range f[1:9] {
		n, err := strconv.ParseUint(string(s), 10, 64)
		if err != nil {
			return hostTicks{}, fmt.Errorf("/proc/stat: %q is no number", s)
		}
		h.total += n
		if i == 7 {
			h.steal = n
		}
	}
	return h, nil
}

// readRSS is a process's resident memory in bytes. smaps_rollup counts pages; statm and status may lag behind by the
// kernel's per-CPU batches.
func readRSS(pid int) (int64, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
	if err != nil {
		return 0, fmt.Errorf("read memory of process %d: %w", pid, err)
	}
	return parseRSS(b)
}

// residentBytes is about the same and costs the process nothing: smaps_rollup looks at every page, which makes others wait.
func residentBytes(pid int) (int64, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0, fmt.Errorf("read memory of process %d: %w", pid, err)
	}
	f := bytes.Fields(b)
	if len(f) < 2 {
		return 0, fmt.Errorf("statm of process %d has %d fields, want at least 2", pid, len(f))
	}
	pages, err := strconv.ParseInt(string(f[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}

func parseRSS(b []byte) (int64, error) {
	for line := range bytes.Lines(b) {
		f := bytes.Fields(line)
		if len(f) == 3 && string(f[0]) == "Rss:" && string(f[2]) == "kB" {
			kb, err := strconv.ParseInt(string(f[1]), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("smaps_rollup: %q is no number", f[1])
			}
			return kb << 10, nil
		}
	}
	return 0, fmt.Errorf("smaps_rollup has no Rss line in kB")
}
