package files_test

import (
	"bytes"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"larder/persistence/files"
)

// TestForgotten holds that what is safe does not stay in the system's memory, and is all there nevertheless.
func TestForgotten(t *testing.T) {
	dir := files.In(t.TempDir(), nil)
	var system unix.Statfs_t
	if err := unix.Statfs(dir.Path(""), &system); err != nil {
		t.Fatal(err)
	}
	if system.Type == unix.TMPFS_MAGIC {
		t.Fatalf("%s lies in memory: this is tested on a disk; set TMPDIR to a folder on one", dir.Path(""))
	}
	f, err := dir.Append("file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	piece := bytes.Repeat([]byte("0123456789abcdef"), 1<<12)
	var want []byte
	for range 3 {
		for range 40 {
			want = append(want, piece...)
			if _, err := f.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		want = append(want, "behind"...)
		if _, err := f.Write([]byte("behind")); err != nil {
			t.Fatal(err)
		}
		before := resident(t, dir.Path("file"))
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		if after := resident(t, dir.Path("file")); before < 100 || after > before/10 {
			t.Errorf("%d pages in memory before the sync, %d behind it", before, after)
		}
	}
	if got, err := os.ReadFile(dir.Path("file")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d; %v", len(got), len(want), err)
	}
}

// resident is how many pages of a file are in the system's memory.
func resident(t *testing.T, path string) (n int) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	view, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Munmap(view); err != nil {
			t.Error(err)
		}
	}()
	there := make([]byte, (len(view)+os.Getpagesize()-1)/os.Getpagesize())
	if _, _, no := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&view[0])), uintptr(len(view)), uintptr(unsafe.Pointer(&there[0]))); no != 0 {
		t.Fatal(no)
	}
	for _, page := range there {
		n += int(page & 1)
	}
	return n
}
