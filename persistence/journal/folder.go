package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"larder/persistence/files"
)

// Folder is a journal on disk. Look finds what there is and changes nothing; Start, or Begin and Replace, make it one that is written.
type Folder struct {
	above   *files.Dir // the node's folder
	dir     *files.Dir // the journal's own; nil before it is written
	dirName string
	name    string // what its files begin with
	man     Manifest
	old     bool // the data is one file of a Redis before 7, beside the folder

	last    *files.File // what is appended to; nil before it is written
	waits   bool        // last is no part of the journal yet: Replace makes it one
	size    int64       // of last, as far as it counts
	synced  int64       // as far as it is safe
	spoiled bool        // there are bytes behind size that could not be cut off
	before  int64       // bytes of all other files of the data
	seq     [2]int64    // the highest numbers of base and incremental files that were seen, on the manifest or not
}

// Part is a file of the data.
type Part struct {
	Name string // as the manifest has it
	Path string
	Kind Kind
	Size int64
	Last bool // no command comes after it: it may be torn
}

// manifestMax is more than the manifest of any journal takes, bytes.
const manifestMax = 16 << 20

// Look reads the manifest of the journal whose files are named name… in the folder dirName of above, and looks whether they are there.
func Look(above *files.Dir, dirName, name string) (*Folder, error) {
	f := &Folder{above: above, dirName: dirName, name: name}
	text, found, err := f.read(f.name + manifestSuffix)
	if err != nil {
		return nil, err
	}
	if found {
		if f.man, err = ParseManifest(text); err != nil {
			return nil, fmt.Errorf("manifest %s: %w", f.path(f.name+manifestSuffix), err)
		}
	}
	if err := f.lookForOld(); err != nil {
		return nil, err
	}
	if !found && !f.old {
		return f, f.lookForLost()
	}
	for _, part := range f.man.Data() {
		if _, ok, err := above.Size(f.in(part.Name)); err != nil {
			return nil, err
		} else if !ok && !f.old {
			return nil, fmt.Errorf("manifest %s names %s, which is not there: put it back, or move the folder away to start without its data",
				f.path(f.name+manifestSuffix), part.Name)
		}
	}
	return f, nil
}

func (f *Folder) in(name string) string   { return filepath.Join(f.dirName, name) }
func (f *Folder) path(name string) string { return f.above.Path(f.in(name)) }

// Path is where a file of the journal is, for messages.
func (f *Folder) Path(name string) string {
	if f.old && name == f.name {
		return f.above.Path(name)
	}
	return f.path(name)
}

func (f *Folder) read(name string) (text []byte, found bool, err error) {
	file, err := f.above.Read(f.in(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	text, err = io.ReadAll(io.LimitReader(file, manifestMax))
	return text, true, errors.Join(err, file.Close())
}

// lookForOld finds the one file that Redis before 7 keeps beside the folder, or what is left of an unfinished move of it into the folder.
func (f *Folder) lookForOld() error {
	_, beside, err := f.above.Size(f.name)
	if err != nil || !beside {
		return err
	}
	moving := f.man.Base.Name == f.name && len(f.man.Incr)+len(f.man.History) == 0
	if !f.man.Empty() && !moving {
		return nil
	}
	_, inside, err := f.above.Size(f.in(f.name))
	if f.old = !inside; f.old {
		f.man = Manifest{Base: File{Name: f.name, Seq: 1, Kind: Base}}
	}
	return err
}

// lookForLost refuses a folder that has data and no manifest, unless it is what a first rewrite left that was killed at its last step: the manifest to be.
func (f *Folder) lookForLost() error {
	if _, unfinished, err := f.above.Size(f.in(tempPrefix + f.name + manifestSuffix)); unfinished || err != nil {
		return err
	}
	names, err := files.In(f.above.Path(f.dirName), nil).Names()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range names {
		if kind, _ := f.parseName(name); kind == Base {
			return fmt.Errorf("%s has no manifest, but there is %s: put %s back, or move the folder away to start without its data",
				f.above.Path(f.dirName), name, f.name+manifestSuffix)
		}
	}
	return nil
}

// parseName tells what a file is by its name: kind 0 is no file of the journal.
func (f *Folder) parseName(name string) (kind Kind, seq int64) {
	rest, ok := strings.CutPrefix(name, f.name+".")
	if !ok {
		return 0, 0
	}
	number, suffix, _ := strings.Cut(rest, ".")
	seq, err := strconv.ParseInt(number, 10, 64)
	switch suffix = "." + suffix; {
	case err != nil || seq < 1:
		return 0, 0
	case suffix == baseSuffix, suffix == oldBaseSuffix:
		return Base, seq
	case suffix == incrSuffix:
		return Incr, seq
	}
	return 0, 0
}

// Parts are the files to be loaded, in their order; none: there is no journal.
func (f *Folder) Parts() ([]Part, error) {
	var parts []Part
	for _, file := range f.man.Data() {
		name := f.in(file.Name)
		if f.old {
			name = file.Name
		}
		size, _, err := f.above.Size(name)
		if err != nil {
			return nil, err
		}
		parts = append(parts, Part{Name: file.Name, Path: f.above.Path(name), Kind: file.Kind, Size: size})
	}
	for i := len(parts) - 1; i >= 0; i-- {
		parts[i].Last = true
		if empty, err := parts[i].empty(); err != nil || !empty {
			return parts, err
		}
	}
	return parts, nil
}

// headBytesMax is more than the head of a file takes, bytes.
const headBytesMax = 512

// empty tells whether a file has a head at most: it was begun, and perhaps named on a manifest that was not confirmed, and nothing was written to it.
func (p *Part) empty() (bool, error) {
	if p.Kind != Incr || p.Size > headBytesMax {
		return false, nil
	}
	text, err := os.ReadFile(p.Path)
	if err != nil {
		return false, err
	}
	r := NewReader(bytes.NewReader(text), 0, int64(len(text)))
	rec, err := r.Next()
	for err == nil && (rec.Args == nil || strings.EqualFold(string(rec.Args[0]), "SELECT")) {
		rec, err = r.Next()
	}
	return errors.Is(err, io.EOF), nil
}

// Bytes is what the files of the data have, and what of it counts as base.
func (f *Folder) Bytes() int64 { return f.before + f.size }

// Synced says whether all that was appended is safe.
func (f *Folder) Synced() bool { return f.last == nil || f.synced == f.size }

// enter makes the folder, if there is none, and clears what a process left that was killed: temporary files, and a base that the manifest never named.
func (f *Folder) enter() error {
	if f.dir != nil {
		return nil
	}
	dir, err := f.above.Sub(f.dirName)
	if err != nil {
		return err
	}
	if err := f.above.Sync(); err != nil {
		return err
	}
	names, err := dir.Names()
	if err != nil {
		return err
	}
	f.seq = [2]int64{f.man.Base.Seq, f.man.lastIncr()}
	for _, name := range names {
		if strings.HasPrefix(name, tempPrefix) {
			if err := dir.Remove(name); err != nil {
				return err
			}
			continue
		}
		switch kind, seq := f.parseName(name); {
		case kind == Base && seq > f.man.Base.Seq && !f.man.names(name):
			if err := dir.Remove(name); err != nil {
				return err
			}
		case kind == Base:
			f.seq[0] = max(f.seq[0], seq)
		case kind == Incr:
			f.seq[1] = max(f.seq[1], seq)
		}
	}
	f.dir = dir
	return nil
}

// names tells whether a file is named.
func (m *Manifest) names(name string) bool {
	is := func(f File) bool { return f.Name == name }
	return m.Base.Name == name || slices.ContainsFunc(m.Incr, is) || slices.ContainsFunc(m.History, is)
}

// newIncr is the next incremental file's line.
func (f *Folder) newIncr() File {
	f.seq[1]++
	return File{Name: f.name + "." + strconv.FormatInt(f.seq[1], 10) + incrSuffix, Seq: f.seq[1], Kind: Incr}
}

func (f *Folder) newBase() File {
	f.seq[0]++
	return File{Name: f.name + "." + strconv.FormatInt(f.seq[0], 10) + baseSuffix, Seq: f.seq[0], Kind: Base}
}
