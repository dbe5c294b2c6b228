package files_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"larder/persistence/files"
)

// saveOne writes a file as it is to be done, and gives the first error.
func saveOne(d *files.Dir, text string) error {
	f, err := d.Create("file.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(text))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.Rename("file.tmp", "file")
	}
	if err != nil {
		return errors.Join(err, d.Remove("file.tmp"))
	}
	return d.Sync()
}

const steps = "create file.tmp\nwrite file.tmp\nsync file.tmp\nclose file.tmp\nrename file.tmp to file\nsync dir\n"

func TestTrace(t *testing.T) {
	var trace files.Trace
	d := files.In(t.TempDir(), trace.Watch)
	if err := saveOne(d, "new"); err != nil {
		t.Fatal(err)
	}
	if got := trace.String(); got != steps {
		t.Errorf("got\n%s", got)
	}
	if text, err := os.ReadFile(d.Path("file")); string(text) != "new" || err != nil {
		t.Errorf("%q %v", text, err)
	}
}

// TestFaults: each operation can be made to fail, with the error that was asked for; what it would have done is not done, or half of it.
func TestFaults(t *testing.T) {
	full := errors.New("full")
	for n := 1; n <= 6; n++ {
		var trace files.Trace
		dir := t.TempDir()
		d := files.In(dir, trace.Watch)
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		trace.Fail(n, full, false)
		if err := saveOne(d, "newer"); !errors.Is(err, full) {
			t.Errorf("operation %d fails: %v", n, err)
		}
		text, _ := os.ReadFile(filepath.Join(dir, "file"))
		if want := map[bool]string{true: "newer", false: "old"}[n == 6]; string(text) != want {
			t.Errorf("operation %d fails: the file has %q", n, text)
		}
		if names, err := d.Names(); err != nil || len(names) != 1 {
			t.Errorf("operation %d fails: there are %v, %v", n, names, err)
		}
	}
}

func TestFaultsThatLast(t *testing.T) {
	var trace files.Trace
	full := errors.New("full")
	d := files.In(t.TempDir(), trace.Watch)
	trace.Fail(2, full, true)
	if err := saveOne(d, "text"); !errors.Is(err, full) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(d.Path("file.tmp"))
	if string(text) != "te" || err != nil {
		t.Errorf("half of it should be there: %q, %v", text, err)
	}
}

func TestLengthenAndCut(t *testing.T) {
	var trace files.Trace
	d, err := files.In(t.TempDir(), trace.Watch).Sub("sub")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		f, err := d.Append("log")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("abc")); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Truncate(4), f.Close()); err != nil && f.Name() == "log" {
			t.Fatal(err)
		}
	}
	if n, ok, err := d.Size("log"); n != 4 || !ok || err != nil {
		t.Errorf("%d bytes, %v, %v", n, ok, err)
	}
	if _, ok, err := d.Size("other"); ok || err != nil {
		t.Errorf("other: %v, %v", ok, err)
	}
	if err := d.Remove("other"); err != nil {
		t.Error(err)
	}
}

func TestRunning(t *testing.T) {
	if !files.Running(os.Getpid()) || files.Running(1<<22) || files.Running(0) || files.Running(-1) {
		t.Error("who runs is not known")
	}
}
