package journal_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"larder/persistence/journal"
)

func noBase(io.Reader, int64) (int64, error) { return 0, errors.New("an RDB file") }

// TestCheck finds what is torn or damaged, and cuts it off without losing it.
func TestCheck(t *testing.T) {
	whole := command("SET", "a", "1") + command("INCR", "a")
	for _, c := range []struct {
		name, end, wrong string
	}{
		{"whole", "", ""},
		{"torn", "*1\r\n$4\r\nPI", "ends amid a command"},
		{"a transaction", command("MULTI") + command("INCR", "a"), "ends amid a transaction"},
		{"damaged", "*1\r\n$4\r\nPING\r\nwhat is this\r\n", "damaged at offset"},
	} {
		dir := filepath.Join(t.TempDir(), "a [dir]")
		write(t, filepath.Join(dir, "x.manifest"), "file x.1.incr.aof seq 1 type i\n")
		path := filepath.Join(dir, "x.1.incr.aof")
		write(t, path, whole+c.end)
		found, err := journal.Check(dir, noBase)
		if err != nil || len(found) != 1 || found[0].Path != path {
			t.Fatalf("%s: %+v, %v", c.name, found, err)
		}
		f := &found[0]
		if (f.Err == nil) != (c.wrong == "") || f.Err != nil && !strings.Contains(f.Err.Error(), c.wrong) {
			t.Errorf("%s: %v, want %q", c.name, f.Err, c.wrong)
		}
		kept, err := f.Fix()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if kept == "" {
			continue
		}
		rest, err := os.ReadFile(kept)
		left, err2 := os.ReadFile(path)
		if err != nil || err2 != nil || string(left)+string(rest) != whole+c.end || int64(len(left)) != f.Whole {
			t.Errorf("%s: %q is left, %q is kept", c.name, left, rest)
		}
		if again, err := journal.Check(path, noBase); err != nil || again[0].Err != nil || again[0].Commands > f.Commands {
			t.Errorf("%s: after it was cut: %+v, %v", c.name, again, err)
		}
	}
}

// TestFixRefuses: a file that others build on is not cut.
func TestFixRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x.manifest"), "file x.1.incr.aof seq 1 type i\nfile x.2.incr.aof seq 2 type i\n")
	write(t, filepath.Join(dir, "x.1.incr.aof"), command("PING")+"*1")
	write(t, filepath.Join(dir, "x.2.incr.aof"), command("PING"))
	found, err := journal.Check(filepath.Join(dir, "x.manifest"), noBase)
	if err != nil || len(found) != 2 || found[0].Err == nil || found[1].Err != nil {
		t.Fatalf("%+v, %v", found, err)
	}
	if _, err := found[0].Fix(); err == nil || !strings.Contains(err.Error(), "is not the last file") {
		t.Error(err)
	}
	if _, err := journal.Check(t.TempDir(), noBase); err == nil || !strings.Contains(err.Error(), "has 0 manifests") {
		t.Error(err)
	}
}
