package embedded

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"larder/backends/registry"
)

// faulty fails the call with that name, and may leave half a file.
type faulty struct {
	system
	fail string
}

var errFault = errors.New("no space left on device")

func (f *faulty) write(path string, content []byte) error {
	if f.fail == "write" {
		if err := f.system.write(path, content[:len(content)/2]); err != nil {
			return err
		}
		return errFault
	}
	return f.system.write(path, content)
}

func (f *faulty) rename(from, to string) error {
	if f.fail == "rename" {
		return errFault
	}
	return f.system.rename(from, to)
}

func (f *faulty) syncFolder(folder string) error {
	if f.fail == "sync folder" {
		return errFault
	}
	return f.system.syncFolder(folder)
}

func (f *faulty) read(path string) ([]byte, error) {
	if f.fail == "read" {
		return nil, errFault
	}
	return f.system.read(path)
}

func value(t *testing.T, r *Registry, key string) string {
	t.Helper()
	e, err := r.Get(context.Background(), key)
	if errors.Is(err, registry.ErrNotFound) {
		return "nothing"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(e.Value)
}

func reopen(t *testing.T, folder string) *Registry {
	t.Helper()
	r, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// Whatever fails, memory and a process that opens the folder afterwards agree, and the registry goes on once the disk does.
func TestDiskFails(t *testing.T) {
	for _, test := range []struct{ fail, then string }{{"write", "old"}, {"rename", "old"}, {"sync folder", "new"}} {
		t.Run(test.fail, func(t *testing.T) {
			ctx, folder, disk := context.Background(), t.TempDir(), &faulty{}
			r, err := open(folder, disk)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if err := r.Put(ctx, "k", []byte("old")); err != nil {
				t.Fatal(err)
			}
			disk.fail = test.fail
			if err := r.Put(ctx, "k", []byte("new")); !errors.Is(err, registry.ErrUnavailable) || !errors.Is(err, errFault) {
				t.Errorf("put: %v", err)
			}
			if got := value(t, r, "k"); got != test.then {
				t.Errorf("in memory: %q, want %q", got, test.then)
			}
			if got := value(t, reopen(t, folder), "k"); got != test.then {
				t.Errorf("opened again: %q, want %q", got, test.then)
			}
			disk.fail = ""
			if err := r.Put(ctx, "k", []byte("newer")); err != nil {
				t.Fatal(err)
			}
			if got := value(t, reopen(t, folder), "k"); got != "newer" {
				t.Errorf("after the disk is well: %q", got)
			}
		})
	}
}

func TestOpenAgain(t *testing.T) {
	ctx, folder := context.Background(), t.TempDir()
	r := reopen(t, folder)
	binary := string([]byte{0xff, 0, 1})
	for key, value := range map[string]string{"text": "é\n<a>", "empty": "", "binary": binary, "gone": "x"} {
		if err := r.Put(ctx, key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Delete(ctx, "gone"); err != nil {
		t.Fatal(err)
	}
	for key, ephemeral := range map[string]bool{"lock": false, "host": true} {
		id, err := r.OpenSession(ctx, registry.Session{Name: key, TTL: registry.TTLMin, Ephemeral: ephemeral})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Acquire(ctx, key, []byte("held"), id); err != nil {
			t.Fatal(err)
		}
	}
	before, err := r.Get(ctx, "host")
	if err != nil {
		t.Fatal(err)
	}
	again := reopen(t, folder)
	for key, want := range map[string]string{"text": "é\n<a>", "empty": "", "binary": binary, "gone": "nothing", "lock": "held", "host": "nothing"} {
		if got := value(t, again, key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	if e, err := again.Get(ctx, "lock"); err != nil || e.Holder != "" {
		t.Errorf("lock of a process that ended: %+v %v", e, err)
	}
	version, err := again.CompareAndSet(ctx, "host", nil, 0)
	if err != nil || version <= before.Version {
		t.Errorf("version %d after %d: %v", version, before.Version, err)
	}
}

// A crash while the new file was written leaves it half written beside the old one.
func TestHalfWritten(t *testing.T) {
	folder := t.TempDir()
	if err := reopen(t, folder).Put(context.Background(), "k", []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, nextName), []byte(`{"format":1,"ind`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := reopen(t, folder)
	if got := value(t, r, "k"); got != "old" {
		t.Errorf("got %q", got)
	}
	if err := r.Put(context.Background(), "k", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if got := value(t, reopen(t, folder), "k"); got != "new" {
		t.Errorf("got %q", got)
	}
}

func TestDamagedFile(t *testing.T) {
	for content, want := range map[string]string{
		"":                                     "EOF",
		`{"format":1,"index":3,"entr`:          "unexpected EOF",
		`{"format":2,"index":3,"entries":[]}`:  "its format is 2, this version reads 1",
		`{"format":1,"indx":3,"entries":[]}`:   `unknown field "indx"`,
		`{"format":1,"index":3,"entries":[]}x`: "something stands behind its end",
		`{"format":1,"index":3,"entries":[{"key":"","version":1}]}`:                          "key is empty",
		`{"format":1,"index":3,"entries":[{"key":"a","version":4}]}`:                         "entry a",
		`{"format":1,"index":3,"entries":[{"key":"a","version":1},{"key":"a","version":2}]}`: "entry a: given twice",
	} {
		folder := t.TempDir()
		path := filepath.Join(folder, fileName)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path+" is damaged") {
			t.Errorf("%s: got %v, want %s", content, err, want)
		}
	}
	if _, err := open(t.TempDir(), &faulty{fail: "read"}); !errors.Is(err, errFault) {
		t.Errorf("got %v", err)
	}
}

// The file belongs to its owner: values may be secrets.
func TestFileMode(t *testing.T) {
	folder := t.TempDir()
	if err := reopen(t, folder).Put(context.Background(), "k", nil); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(folder, fileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}
