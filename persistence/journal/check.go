package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"larder/persistence/files"
)

// Finding is what Check found in a file.
type Finding struct {
	Part
	Whole    int64 // up to here it is whole
	Commands int64
	Err      error // nil: all of it is whole
}

// CheckBase reads an RDB file of size bytes from its beginning: what stands behind the RDB file in it begins at end.
type CheckBase func(from io.Reader, size int64) (end int64, err error)

// Check reads the journal at a path: its folder, its manifest, or one of its files alone. Nothing is changed. The error says that there is no journal.
func Check(path string, base CheckBase) ([]Finding, error) {
	parts, err := partsAt(path)
	if err != nil {
		return nil, err
	}
	var all []Finding
	for _, part := range parts {
		f := Finding{Part: part}
		f.Whole, f.Commands, f.Err = checkFile(part.Path, base)
		all = append(all, f)
	}
	return all, nil
}

func partsAt(path string) ([]Part, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	dir, name := filepath.Split(filepath.Clean(path))
	switch {
	case info.IsDir():
		found, err := filepath.Glob(filepath.Join(escapeGlob(path), "*"+manifestSuffix))
		if err != nil {
			return nil, err
		}
		found = withoutTemporaries(found)
		if len(found) != 1 {
			return nil, fmt.Errorf("%s has %d manifests (*%s): must have one", path, len(found), manifestSuffix)
		}
		return partsAt(found[0])
	case !strings.HasSuffix(name, manifestSuffix):
		return []Part{{Name: name, Path: path, Size: info.Size(), Last: true}}, nil
	}
	folder, err := Look(files.In(filepath.Clean(filepath.Join(dir, "..")), nil), filepath.Base(filepath.Clean(dir)), strings.TrimSuffix(name, manifestSuffix))
	if err != nil {
		return nil, err
	}
	return folder.Parts()
}

func withoutTemporaries(paths []string) (kept []string) {
	for _, path := range paths {
		if !strings.HasPrefix(filepath.Base(path), tempPrefix) {
			kept = append(kept, path)
		}
	}
	return kept
}

// escapeGlob has filepath.Glob take a path as it is.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

func checkFile(path string, base CheckBase) (whole, commands int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return 0, 0, err
	}
	at := int64(0)
	if isRDB(file) {
		if at, err = base(file, info.Size()); err != nil {
			return 0, 0, err
		}
		if _, err := file.Seek(at, io.SeekStart); err != nil {
			return 0, 0, err
		}
	}
	r := NewReader(file, at, info.Size())
	for {
		rec, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return r.Whole(), commands, nil
		case err != nil:
			return r.Whole(), commands, err
		case rec.Args != nil:
			commands++
		}
	}
}

func isRDB(file io.ReaderAt) bool {
	magic := make([]byte, len("VALKEY"))
	n, _ := file.ReadAt(magic, 0)
	return IsRDB(magic[:n])
}

// IsRDB tells by the first bytes of a base whether it begins with an RDB file.
func IsRDB(first []byte) bool {
	return strings.HasPrefix(string(first), "REDIS") || strings.HasPrefix(string(first), "VALKEY")
}

// Fix cuts a file off where it is whole. What is cut off is kept beside it, in the file whose path is given back.
func (f *Finding) Fix() (kept string, err error) {
	var torn *TornError
	var damaged *DamagedError
	switch {
	case f.Err == nil:
		return "", nil
	case !errors.As(f.Err, &torn) && !errors.As(f.Err, &damaged):
		return "", fmt.Errorf("%s cannot be cut: %w", f.Path, f.Err)
	case !f.Last:
		return "", fmt.Errorf("%s is not the last file of the data: what the later ones change would be missing what is cut off here. "+
			"Delete them and take their lines off the manifest first, if you want to go back to offset %d of this file", f.Path, f.Whole)
	}
	kept = fmt.Sprintf("%s.cut-at-%d", f.Path, f.Whole)
	return kept, f.cutTo(kept)
}

// cutTo keeps the end of the file under a name, safe, before it is cut off.
func (f *Finding) cutTo(kept string) error {
	if _, err := os.Lstat(kept); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("%s is there already: move it away", kept))
	}
	from, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // it was only read
	if _, err := from.Seek(f.Whole, io.SeekStart); err != nil {
		return err
	}
	dir := files.In(filepath.Dir(f.Path), nil)
	to, err := dir.Create(filepath.Base(kept))
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close(), dir.Sync()); err != nil {
		return err
	}
	file, err := dir.Append(filepath.Base(f.Path))
	if err != nil {
		return err
	}
	return errors.Join(file.Truncate(f.Whole), file.Sync(), file.Close())
}
