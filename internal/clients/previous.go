package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// Previous is the release before this one, built of its source, which the repository keeps: that the two work together is not to go untested because a copy of
// the repository has no history.
func Previous(t testing.TB) Binary {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	script := exec.Command(filepath.Join(filepath.Dir(here), "..", "..", "tools", "previous", "previous.sh"))
	var said strings.Builder
	script.Stderr = &said
	path, err := script.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	return Binary{path: strings.TrimSpace(string(path))}
}

// Become has a process be of another release from its next start on.
func (p *Process) Become(b Binary) { p.name = b.path }

// Of tells whether a running process is of a release.
func (b Binary) Of(t testing.TB, pid int) bool {
	t.Helper()
	program, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
	if err != nil {
		t.Fatal(err)
	}
	return program == b.path
}
