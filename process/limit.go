package process

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// MemoryLimit is how many bytes this process and those that it starts may have together: what the machine has, or what its control group may take if that is less.
func MemoryLimit() int64 { return memoryLimit("/", SystemMemory()) }

// memoryLimit looks below root for what limits this process. A group's limit holds for all within it, so each on the way up counts.
func memoryLimit(root string, most int64) int64 {
	groups, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return most
	}
	for line := range bytes.Lines(groups) { // cgroups(7): ID:CONTROLLERS:PATH, with no controllers in version 2
		parts := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(parts) != 3 {
			continue
		}
		mount, file := "sys/fs/cgroup", "memory.max"
		switch {
		case parts[1] == "memory":
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		case parts[1] != "":
			continue
		}
		for path := filepath.Clean("/" + parts[2]); ; path = filepath.Dir(path) {
			if n := limitIn(filepath.Join(root, mount, path, file)); n > 0 {
				most = min(most, n)
			}
			if path == "/" {
				break
			}
		}
	}
	return most
}

// limitIn is what a file says, 0 if it says no limit.
func limitIn(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // without a limit version 2 says "max"
	if err != nil {
		return 0
	}
	return n
}
