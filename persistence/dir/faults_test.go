package dir_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"larder/internal/buckettest"
	"larder/persistence"
	"larder/persistence/dir"
	"larder/persistence/files"
)

// byChance are the ends of temporary names.
var byChance = regexp.MustCompile(`\.[A-Z2-7]{26}`)

// TestOrder is the order of what is done to the disk: a name is given to a file that is safe, and is safe itself when Put returns.
func TestOrder(t *testing.T) {
	var trace files.Trace
	b := open(t, dir.Options{Path: t.TempDir(), Watch: trace.Watch})
	if _, err := b.Put(t.Context(), "s/1/shard", bytes.NewReader(buckettest.Content(3<<20)), nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), "s/1/shard"); err != nil {
		t.Fatal(err)
	}
	want := `make dir s
sync dir
make dir 1
sync dir
create new .put-shard.X
write .put-shard.X (3 times)
sync .put-shard.X
close .put-shard.X
link .put-shard.X to shard
remove .put-shard.X
sync dir
remove shard
sync dir
remove 1
sync dir
remove s
sync dir
`
	if got := byChance.ReplaceAllString(trace.String(), ".X"); got != want {
		t.Errorf("got\n%s", got)
	}
}

// TestFaults has each operation of a Put fail once: there is no object then, and what is left is at most what could not be removed, which is swept.
func TestFaults(t *testing.T) {
	data := buckettest.Content(2<<20 + 5)
	for _, cause := range []struct{ err, kind error }{
		{syscall.ENOSPC, persistence.ErrFull},
		{syscall.EDQUOT, persistence.ErrFull},
		{syscall.EACCES, persistence.ErrDenied},
		{syscall.EROFS, persistence.ErrDenied},
		{syscall.EIO, persistence.ErrUnavailable},
	} {
		for n := 1; ; n++ {
			var trace files.Trace
			path := t.TempDir()
			b := open(t, dir.Options{Path: path, Watch: trace.Watch})
			trace.Fail(n, cause.err, false)
			_, err := b.Put(t.Context(), "s/shard", bytes.NewReader(data), nil)
			if len(trace.Ops()) < n {
				if n < 9 || err != nil {
					t.Errorf("there were %d operations, %v", n-1, err)
				}
				break
			}
			op := trace.Ops()[n-1]
			if op.Kind == files.Remove { // it is whole, and has left a temporary
				if err != nil {
					t.Errorf("%v fails: %v", op, err)
				}
				buckettest.Holds(t, b, "s/shard", data)
				continue
			}
			buckettest.Want(t, fmt.Sprint(op), err, cause.kind)
			if !errors.Is(err, cause.err) || !strings.Contains(err.Error(), "s/shard") {
				t.Errorf("%v fails: %v", op, err)
			}
			_, err = b.Stat(t.Context(), "s/shard")
			buckettest.Want(t, "stat", err, persistence.ErrNotFound)
			if found := left(t, path); len(found) > 0 {
				t.Errorf("%v fails: there is left: %q", op, found)
			}
		}
	}
}

// TestDiskFull: the disk stays full, so nothing more works.
func TestDiskFull(t *testing.T) {
	var trace files.Trace
	path := t.TempDir()
	b := open(t, dir.Options{Path: path, Watch: trace.Watch})
	trace.Fail(3, syscall.ENOSPC, true)
	_, err := b.Put(t.Context(), "shard", bytes.NewReader(buckettest.Content(3<<20)), nil)
	buckettest.Want(t, "put", err, persistence.ErrFull)
	_, err = b.Stat(t.Context(), "shard")
	buckettest.Want(t, "stat", err, persistence.ErrNotFound)
	found, err := b.List(t.Context(), "")
	if err != nil || len(found) > 0 {
		t.Errorf("%v %v", found, err)
	}
	buckettest.Want(t, "check", b.Check(t.Context()), persistence.ErrFull)
}

// TestFullFileSystem is a disk that is full indeed, until there is room again.
func TestFullFileSystem(t *testing.T) {
	path := t.TempDir()
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatalf("mount a file system of the test's own (the tests run as root): %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) })
	b := open(t, dir.Options{Path: path})
	data := buckettest.Content(5 << 20)
	for range 2 {
		_, err := b.Put(t.Context(), "s/shard", bytes.NewReader(data), nil)
		buckettest.Want(t, "put", err, persistence.ErrFull)
		if found := left(t, path); len(found) > 0 {
			t.Errorf("there is left: %q", found)
		}
	}
	if err := syscall.Mount("tmpfs", path, "tmpfs", syscall.MS_REMOUNT, "size=16m"); err != nil {
		t.Fatal(err)
	}
	_, err := b.Put(t.Context(), "s/shard", bytes.NewReader(data), nil)
	buckettest.Want(t, "put when there is room", err, nil)
	buckettest.Holds(t, b, "s/shard", data)
}

// TestNoLinks: a file system without second names.
func TestNoLinks(t *testing.T) {
	buckettest.Run(t, buckettest.Form{PartBytes: 1 << 20, Open: func(t *testing.T) buckettest.Place {
		p := place(t)
		p.Bucket = open(t, dir.Options{Path: p.Bucket.Place(), Watch: func(op files.Op) error {
			if op.Kind == files.Link {
				return syscall.EPERM
			}
			return nil
		}})
		return p
	}})
}

func TestPlaces(t *testing.T) {
	above := t.TempDir()
	file := filepath.Join(above, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := open(t, dir.Options{Path: filepath.Join(above, "a", "b")})
	buckettest.Want(t, "a folder whose parent is missing", missing.Check(t.Context()), persistence.ErrNoBucket)
	_, err := missing.Put(t.Context(), "x", bytes.NewReader(nil), nil)
	buckettest.Want(t, "put into it", err, persistence.ErrNoBucket)
	_, err = missing.List(t.Context(), "")
	buckettest.Want(t, "list it", err, persistence.ErrNoBucket)
	_, err = missing.Stat(t.Context(), "x")
	buckettest.Want(t, "stat in it", err, persistence.ErrNoBucket)
	buckettest.Want(t, "a file", open(t, dir.Options{Path: file}).Check(t.Context()), persistence.ErrNoBucket)

	fresh := open(t, dir.Options{Path: filepath.Join(above, "fresh")})
	o, err := fresh.Put(t.Context(), "s/x", strings.NewReader("text"), nil)
	buckettest.Want(t, "put into a folder to be made", err, nil)
	for at, mode := range map[string]fs.FileMode{"fresh": 0o700 | fs.ModeDir, "fresh/s": 0o700 | fs.ModeDir, "fresh/s/x": 0o600} {
		if info, err := os.Stat(filepath.Join(above, at)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v %v", at, info, err)
		}
	}
	_, err = fresh.Put(t.Context(), "s/x/y", bytes.NewReader(nil), nil)
	buckettest.Want(t, "put below an object", err, persistence.ErrInvalid)
	if o.Bytes != 4 {
		t.Errorf("%+v", o)
	}
}

// TestDeletedWhileRead: who reads goes on reading.
func TestDeletedWhileRead(t *testing.T) {
	b := open(t, dir.Options{Path: t.TempDir()})
	data := buckettest.Content(100_000)
	if _, err := b.Put(t.Context(), "x", bytes.NewReader(data), nil); err != nil {
		t.Fatal(err)
	}
	r, err := b.Get(t.Context(), "x", 10)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := b.Delete(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data[10:]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestSettings(t *testing.T) {
	o, err := dir.FromSettings(persistence.Settings{"place": "file:///a/b", "encrypt-to": "age1", "region": ""})
	if err != nil || o.Path != "/a/b" {
		t.Errorf("%+v %v", o, err)
	}
	for _, s := range []persistence.Settings{{}, {"place": "s3://bucket"}, {"place": "/a", "region": "eu-1"}} {
		if _, err := dir.FromSettings(s); !errors.Is(err, persistence.ErrInvalid) {
			t.Errorf("%v: %v", s, err)
		}
	}
	if _, err := dir.Open(dir.Options{}); !errors.Is(err, persistence.ErrInvalid) {
		t.Error(err)
	}
}
