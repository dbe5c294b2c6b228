package dir_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"larder/internal/buckettest"
	"larder/persistence/dir"
)

// left are the files beside objects.
func left(t *testing.T, path string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		if err == nil && at != path && strings.HasPrefix(d.Name(), ".") {
			out = append(out, at)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return out
}

func open(t *testing.T, o dir.Options) *dir.Bucket {
	t.Helper()
	b, err := dir.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func place(t *testing.T) buckettest.Place {
	path := filepath.Join(t.TempDir(), "store")
	b := open(t, dir.Options{Path: path})
	if err := b.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	return buckettest.Place{
		Bucket: b,
		Left:   func() []string { return left(t, path) },
		Abandon: func(name string) { // as put.go names them
			at := filepath.Join(path, filepath.Dir(name))
			if err := os.MkdirAll(at, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(at, ".put-"+filepath.Base(name)+".ABC"), []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func TestSuite(t *testing.T) {
	buckettest.Run(t, buckettest.Form{Open: place, PartBytes: 1 << 20})
}
