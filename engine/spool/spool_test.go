package spool_test

import (
	"bytes"
	"os"
	"testing"

	"go.uber.org/goleak"

	"larder/engine/spool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSpool: what was written is read again, from any place on, and the folder has nothing of it at any time.
func TestSpool(t *testing.T) {
	dir := t.TempDir()
	f, err := spool.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	sizes := make(chan int64, 2)
	for _, piece := range []string{"first,", "second"} {
		f.Write([]byte(piece), func(size int64, err error) {
			if err != nil {
				t.Error(err)
			}
			sizes <- size
		})
	}
	if a, b := <-sizes, <-sizes; a != 6 || b != 12 {
		t.Errorf("sizes %d, %d", a, b)
	}
	for _, c := range []struct {
		at, most int
		want     string
	}{{0, 12, "first,second"}, {3, 5, "st,se"}, {8, 100, "cond"}, {12, 4, ""}} {
		buf, done := make([]byte, c.most), make(chan int)
		f.Read(int64(c.at), buf, func(n int, err error) {
			if err != nil {
				t.Error(err)
			}
			done <- n
		})
		if got := buf[:<-done]; !bytes.Equal(got, []byte(c.want)) {
			t.Errorf("from %d: %q, want %q", c.at, got, c.want)
		}
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("the folder has %v, %v", names, err)
	}
	f.Close()
	f.Wait()
}

func TestNoFolder(t *testing.T) {
	if _, err := spool.Open(t.TempDir() + "/none"); err == nil {
		t.Error("a file in no folder")
	}
}
