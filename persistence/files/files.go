// Package files is what a node does with files whose content is to survive: the few operations that count, each of which a test can watch and let fail.
//
// What must hold: what was written is safe when Sync has returned, a new or renamed name when Dir.Sync has. Nothing here retries or hides an error; every
// error names the file. A Dir may be used by several goroutines, a File by one.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Kind is what an operation does.
type Kind uint8

// The operations that change something.
const (
	Create   Kind = iota // an empty file, in place of any other of that name
	Append               // a file is opened, or made, to be lengthened
	Write                // bytes behind what a file has
	Sync                 // what a file has is safe
	Truncate             // a file is cut off
	Close
	Rename // a file takes another's place
	Remove
	SyncDir // what names the folder has is safe
	MakeDir
	CreateNew // an empty file, if none has that name
	Link      // a file gets a second name, if none has that name
)

var kindNames = [...]string{"create", "append", "write", "sync", "truncate", "close", "rename", "remove", "sync dir", "make dir", "create new", "link"}

func (k Kind) String() string { return kindNames[k] }

// Op is an operation that is about to be done.
type Op struct {
	Kind  Kind
	Name  string // in its folder
	To    string // of Rename and Link
	Bytes int64  // of Write; the length of Truncate
}

func (o Op) String() string {
	switch o.Kind {
	case Rename, Link:
		return fmt.Sprintf("%s %s to %s", o.Kind, o.Name, o.To)
	case SyncDir:
		return o.Kind.String()
	case Truncate:
		return fmt.Sprintf("%s %s to %d", o.Kind, o.Name, o.Bytes)
	}
	return o.Kind.String() + " " + o.Name
}

// Dir is a folder that is there.
type Dir struct {
	path  string
	watch func(Op) error
}

// In gives a folder's files. watch, if not nil, is told of each operation before it is done; an error of it is the operation's, which then is not done, or
// half done where that can be.
func In(path string, watch func(Op) error) *Dir { return &Dir{path, watch} }

// Watcher is who is told of operations, as given to In.
func (d *Dir) Watcher() func(Op) error { return d.watch }

// Path is where a file of the folder is.
func (d *Dir) Path(name string) string { return filepath.Join(d.path, name) }

func (d *Dir) about(op Op) error {
	if d.watch == nil {
		return nil
	}
	return d.watch(op)
}

// fileMode is for the owner alone: the files have what users keep.
const (
	fileMode = 0o600
	dirMode  = 0o700
)

// Create makes an empty file to be written, in place of any other of that name.
func (d *Dir) Create(name string) (*File, error) {
	return d.open(Create, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
}

// CreateNew makes an empty file to be written; fs.ErrExist if there is one of that name.
func (d *Dir) CreateNew(name string) (*File, error) {
	return d.open(CreateNew, name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
}

// Append opens a file to be lengthened; it is made if there is none.
func (d *Dir) Append(name string) (*File, error) {
	return d.open(Append, name, os.O_WRONLY|os.O_CREATE|os.O_APPEND)
}

func (d *Dir) open(kind Kind, name string, flags int) (*File, error) {
	if err := d.about(Op{Kind: kind, Name: name}); err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, d.Path(name), err)
	}
	f, err := os.OpenFile(d.Path(name), flags, fileMode)
	if err != nil {
		return nil, err
	}
	return &File{d: d, f: f, name: name}, nil
}

// Read opens a file to be read.
func (d *Dir) Read(name string) (*os.File, error) { return os.Open(d.Path(name)) }

// Size is a file's length in bytes; ok is false if there is no such file.
func (d *Dir) Size(name string) (n int64, ok bool, err error) {
	info, err := os.Stat(d.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	return info.Size(), true, nil
}

// Names are those of all that is in the folder, in order.
func (d *Dir) Names() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// Rename gives a file another name, in place of any file that has it.
func (d *Dir) Rename(from, to string) error {
	if err := d.about(Op{Kind: Rename, Name: from, To: to}); err != nil {
		return fmt.Errorf("%s %s to %s: %w", Rename, d.Path(from), to, err)
	}
	return os.Rename(d.Path(from), d.Path(to))
}

// Link gives a file a second name; fs.ErrExist if there is a file that has it. Not every file system has second names.
func (d *Dir) Link(from, to string) error {
	if err := d.about(Op{Kind: Link, Name: from, To: to}); err != nil {
		return fmt.Errorf("%s %s to %s: %w", Link, d.Path(from), to, err)
	}
	return os.Link(d.Path(from), d.Path(to))
}

// Remove removes a file, or an empty folder. That there is none is no error.
func (d *Dir) Remove(name string) error {
	if err := d.about(Op{Kind: Remove, Name: name}); err != nil {
		return fmt.Errorf("%s %s: %w", Remove, d.Path(name), err)
	}
	if err := os.Remove(d.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Sync makes the folder's names safe.
func (d *Dir) Sync() error {
	if err := d.about(Op{Kind: SyncDir}); err != nil {
		return fmt.Errorf("%s %s: %w", SyncDir, d.path, err)
	}
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Sub gives a folder in the folder, which is made if there is none.
func (d *Dir) Sub(name string) (*Dir, error) {
	if err := d.about(Op{Kind: MakeDir, Name: name}); err != nil {
		return nil, fmt.Errorf("%s %s: %w", MakeDir, d.Path(name), err)
	}
	if err := os.Mkdir(d.Path(name), dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return &Dir{d.Path(name), d.watch}, nil
}

// Running tells whether there is a process of that number.
func Running(pid int) bool { return pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// File is a file that is written.
type File struct {
	d      *Dir
	f      *os.File
	name   string
	cached int64 // bytes that were written since the system was last told to forget them
}

// Name is the file's name in its folder.
func (f *File) Name() string { return f.name }

// Write writes behind what the file has. After an error a part of the bytes may be there.
func (f *File) Write(p []byte) (int, error) {
	if err := f.d.about(Op{Kind: Write, Name: f.name, Bytes: int64(len(p))}); err != nil {
		n, _ := f.f.Write(p[:len(p)/2])
		return n, fmt.Errorf("%s %s: %w", Write, f.d.Path(f.name), err)
	}
	n, err := f.f.Write(p)
	f.cached += int64(n)
	return n, err
}

// Sync makes what the file has safe.
func (f *File) Sync() error {
	if err := f.d.about(Op{Kind: Sync, Name: f.name}); err != nil {
		return fmt.Errorf("%s %s: %w", Sync, f.d.Path(f.name), err)
	}
	if err := f.f.Sync(); err != nil {
		return err
	}
	if f.cached >= forgetBytes {
		f.cached = 0
		f.forget()
	}
	return nil
}

// forgetBytes is how much is written before the system is told again that nobody will read it.
const forgetBytes = 1 << 20

// forget gives the memory back in which the system keeps what was written and is safe: nobody reads it before the next start. What is written next takes that
// memory again, which is warm; else each page is a new one, and writing it costs several times as much. The last page stays, which is not full. Where the
// system refuses, all is right, and slower.
func (f *File) forget() {
	end, err := f.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return
	}
	end -= end % int64(os.Getpagesize())
	if end > 0 { // 0 would be all
		_ = unix.Fadvise(int(f.f.Fd()), 0, end, unix.FADV_DONTNEED)
	}
}

// Truncate cuts the file off at a length.
func (f *File) Truncate(n int64) error {
	if err := f.d.about(Op{Kind: Truncate, Name: f.name, Bytes: n}); err != nil {
		return fmt.Errorf("%s %s: %w", Truncate, f.d.Path(f.name), err)
	}
	return f.f.Truncate(n)
}

// Close closes the file, also if it answers an error.
func (f *File) Close() error {
	err := f.d.about(Op{Kind: Close, Name: f.name})
	if err != nil {
		err = fmt.Errorf("%s %s: %w", Close, f.d.Path(f.name), err)
	}
	return errors.Join(err, f.f.Close())
}
