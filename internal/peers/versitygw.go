package peers

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
)

// What a Versitygw takes as keys, and its region.
const (
	VersitygwAccessKey = "larder-tests"
	VersitygwSecretKey = "a secret of the tests"
	VersitygwRegion    = "us-east-1"
)

// Versitygw is an S3 server that keeps its buckets in a folder. It checks signatures.
type Versitygw struct {
	Addr string // host:port
	Dir  string // a folder a bucket

	t       testing.TB
	port    int
	options []string
	program string
	p       *process
}

// StartVersitygw runs versitygw until the test ends, on an empty folder. It is built if that was never done on this machine (`make test` does it first).
func StartVersitygw(t testing.TB, options ...string) *Versitygw {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	v := &Versitygw{t: t, Dir: filepath.Join(t.TempDir(), "buckets"), options: options}
	v.program = filepath.Join(filepath.Dir(here), "..", "..", "tools", "versitygw", "versitygw.sh")
	if out, err := exec.CommandContext(t.Context(), v.program, "--version").CombinedOutput(); err != nil {
		t.Fatalf("build versitygw: %v: %s", err, out)
	}
	for range tries {
		v.port = FreePort(t)
		v.Addr = addrOf(v.port)
		if v.start() {
			t.Cleanup(func() { v.p.stop() })
			return v
		}
		v.p.stop()
	}
	v.p.fail(t)
	return nil
}

func (v *Versitygw) start() bool {
	sidecar := filepath.Join(filepath.Dir(v.Dir), "attributes") // not every file system of a test's folder keeps attributes of files
	users := filepath.Join(filepath.Dir(v.Dir), "users")        // with them it tells a key that it does not know from other faults, as services do
	for _, dir := range []string{v.Dir, sidecar, users} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			v.t.Fatal(err)
		}
	}
	args := append([]string{"--port", "127.0.0.1:" + strconv.Itoa(v.port), "--region", VersitygwRegion, "--quiet", "--iam-dir", users}, v.options...)
	args = append(args, "posix", "--sidecar", sidecar, v.Dir)
	env := []string{"ROOT_ACCESS_KEY=" + VersitygwAccessKey, "ROOT_SECRET_KEY=" + VersitygwSecretKey}
	v.p = start(v.t, v.t.TempDir(), env, v.program, args...)
	return v.p.ready(func() bool { return answers(v.Addr) })
}

// Kill ends the server at once.
func (v *Versitygw) Kill() { v.p.stop() }

// Again starts it after Kill, at the same address, with what it had.
func (v *Versitygw) Again(options ...string) {
	v.t.Helper()
	v.options = append(v.options, options...)
	if !v.start() {
		v.p.fail(v.t)
	}
}

// Freeze is SIGSTOP: it keeps its connections and says nothing more.
func (v *Versitygw) Freeze() { v.signal(syscall.SIGSTOP) }

// Thaw is SIGCONT.
func (v *Versitygw) Thaw() { v.signal(syscall.SIGCONT) }

func (v *Versitygw) signal(s syscall.Signal) {
	v.t.Helper()
	if err := v.p.cmd.Process.Signal(s); err != nil {
		v.t.Fatal(err)
	}
}
