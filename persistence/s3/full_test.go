package s3_test

import (
	"bytes"
	"io"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"larder/internal/buckettest"
	"larder/internal/peers"
	"larder/persistence"
)

// TestServiceFull: a real service whose disk is full, until there is room again.
func TestServiceFull(t *testing.T) {
	v := peers.StartVersitygw(t)
	p := newPlace(t, v)
	disk := filepath.Join(v.Dir, p.bucket)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8m"); err != nil {
		t.Fatalf("mount a file system of the test's own (the tests run as root): %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	o := p.options("http://" + v.Addr)
	o.RetryFor = 300 * time.Millisecond
	b := open(t, o)
	data := buckettest.Content(2*partBytes + 5)
	for range 2 { // what the first has left does not stand in the way of the second
		_, err := b.Put(t.Context(), "a", io.MultiReader(bytes.NewReader(data)), nil)
		buckettest.Want(t, "put", err, persistence.ErrFull)
		p.kit(b).Nothing(t)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	_, err := b.Put(t.Context(), "a", io.MultiReader(bytes.NewReader(data)), nil)
	buckettest.Want(t, "put when there is room", err, nil)
	buckettest.Holds(t, b, "a", data)
}
