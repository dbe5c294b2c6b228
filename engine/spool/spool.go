// Package spool is a file without a name: bytes are put there to be read again, for as long as the process has it open, and nothing of it is left however
// that ends. What must hold: its work is done in order by one goroutine, which Close ends and Wait waits for; the callbacks run there. All methods are called
// by one goroutine, its owner's, which is never held up as long as at most JobsMax calls of it are not done yet.
package spool

import (
	"errors"
	"io"
	"os"
)

// JobsMax is how many calls can wait.
const JobsMax = 8

// File is the file.
type File struct {
	file  *os.File
	jobs  chan func()
	ended chan struct{}
	size  int64 // the goroutine's
	err   error // the goroutine's: the first one
}

// Open makes an empty file in a folder.
func Open(dir string) (*File, error) {
	file, err := os.CreateTemp(dir, ".spool-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	f := &File{file: file, jobs: make(chan func(), JobsMax), ended: make(chan struct{})}
	f.begin()
	return f, nil
}

// Write puts bytes behind the others and then calls done with the length so far. p must stay as it is until then.
func (f *File) Write(p []byte, done func(size int64, err error)) {
	f.jobs <- func() {
		if f.err == nil {
			var n int
			n, f.err = f.file.Write(p)
			f.size += int64(n)
		}
		done(f.size, f.err)
	}
}

// Read fills p from an offset on and then calls done with how many bytes there were.
func (f *File) Read(at int64, p []byte, done func(n int, err error)) {
	f.jobs <- func() {
		n, err := f.file.ReadAt(p, at)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		done(n, err)
	}
}

// Close lets the file go, behind what was asked of it before.
func (f *File) Close() { close(f.jobs) }

// Wait waits for that. It may be called by any goroutine.
func (f *File) Wait() { <-f.ended }

func (f *File) work() {
	defer close(f.ended)
	for job := range f.jobs {
		job()
	}
	_ = f.file.Close() // nothing of it is to be kept
}
