package rdb

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"larder/persistence/files"
	"larder/protocol/encoding/crc64"
	"larder/protocol/encoding/lzf"
	form "larder/protocol/encoding/rdb"
)

// syncBytes is how much is written between two syncs (Redis's REDIS_AUTOSYNC_BYTES): so that the disk is not flooded at the end.
const syncBytes = 32 << 20

// FileOptions say what becomes of the bytes of a file.
type FileOptions struct {
	Compress bool // texts are compressed where that gains
	Checksum bool // the file ends with the checksum of all before it
}

// File is a file on its way to the disk, under another name until it is whole. It must end with Commit or Abandon.
type File struct {
	dir      *files.Dir
	name     string
	options  FileOptions
	f        *files.File
	sum      uint64
	bytes    int64
	unsynced int64
	lzf      *lzf.Compressor
	out      []byte
}

// temporary is the name that a file has until it is whole: that of the process is in it, so that two in one folder do not write the same.
func temporary(name string) string { return fmt.Sprintf("%s.%d%s", name, os.Getpid(), temporarySuffix) }

const temporarySuffix = ".tmp"

// Sweep removes what processes left that were killed while they wrote a file of that name. It is to be called before this process writes one.
func Sweep(dir *files.Dir, name string) error {
	names, err := dir.Names()
	if err != nil {
		return err
	}
	var failed []error
	for _, other := range names {
		middle, fits := strings.CutPrefix(other, name+".")
		middle, ends := strings.CutSuffix(middle, temporarySuffix)
		pid, wrong := strconv.Atoi(middle)
		if fits && ends && wrong == nil && (pid == os.Getpid() || !files.Running(pid)) {
			failed = append(failed, dir.Remove(other))
		}
	}
	return errors.Join(failed...)
}

// Create begins a file that is to be called name.
func Create(dir *files.Dir, name string, o FileOptions) (*File, error) {
	f, err := dir.Create(temporary(name))
	if err != nil {
		return nil, fmt.Errorf("save %s: %w", name, err)
	}
	w := &File{dir: dir, name: name, options: o, f: f}
	if o.Compress {
		w.lzf = new(lzf.Compressor)
	}
	return w, nil
}

// Write writes bytes in which texts may be compressed.
func (w *File) Write(p []byte, texts []form.Span) error {
	if w.options.Compress && len(texts) > 0 {
		w.out = form.AppendCompressed(w.out[:0], p, texts, w.lzf)
		p = w.out
	}
	if w.options.Checksum {
		w.sum = crc64.Update(w.sum, p)
	}
	return w.put(p)
}

func (w *File) put(p []byte) error {
	n, err := w.f.Write(p)
	w.bytes += int64(n)
	if err != nil {
		return fmt.Errorf("save %s: %w", w.name, err)
	}
	if w.unsynced += int64(n); w.unsynced < syncBytes {
		return nil
	}
	w.unsynced = 0
	if err := w.f.Sync(); err != nil {
		return fmt.Errorf("save %s: %w", w.name, err)
	}
	return nil
}

// Bytes is how long the file is so far.
func (w *File) Bytes() int64 { return w.bytes }

// Commit ends the file, whose last byte OpEnd was, and gives it its name. If it answers an error the file that had the name is still there, or the new
// one is and may be gone after a crash; and no temporary stays.
func (w *File) Commit() error {
	err := w.put(AppendSum(nil, w.sum))
	if err == nil {
		err = w.f.Sync()
	}
	if err = errors.Join(err, w.f.Close()); err == nil {
		err = w.dir.Rename(temporary(w.name), w.name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("save %s: %w", w.name, err), w.dir.Remove(temporary(w.name)))
	}
	if err := w.dir.Sync(); err != nil {
		return fmt.Errorf("save %s: %w", w.name, err)
	}
	return nil
}

// Abandon gives the file up and removes it.
func (w *File) Abandon() error { return errors.Join(w.f.Close(), w.dir.Remove(temporary(w.name))) }
