package persistence

import (
	"errors"
	"fmt"
	"io"
)

// SourceError is that reading what was to be put failed: not the store's fault.
type SourceError struct{ Err error }

func (e SourceError) Error() string { return "read what is to be put: " + e.Err.Error() }

// Unwrap gives the source's error.
func (e SourceError) Unwrap() error { return e.Err }

// errNoProgress: a reader gives neither bytes nor an error.
var errNoProgress = errors.New("it gives nothing")

const emptyReadsMax = 100

// Fill is Full for forms of a Bucket. Errors: SourceError.
func Fill(r io.Reader, p []byte) (n int, ended bool, err error) {
	if n, ended, err = Full(r, p); err != nil {
		err = SourceError{err}
	}
	return n, ended, err
}

// Full reads until p is full or the reader has ended. Unlike io.ReadFull it never takes an error of the reader for its end: only a bare io.EOF is one, as what
// reads a broken stream says io.ErrUnexpectedEOF. Errors: the reader's.
func Full(r io.Reader, p []byte) (n int, ended bool, err error) {
	empty := 0
	for n < len(p) {
		got, err := r.Read(p[n:])
		if got < 0 || got > len(p)-n {
			return n, false, fmt.Errorf("it says that it gave %d bytes where %d had room", got, len(p)-n)
		}
		n += got
		if err == io.EOF { // by the contract of io.Reader the end is bare
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
		if got > 0 {
			empty = 0
		} else if empty++; empty == emptyReadsMax {
			return n, false, errNoProgress
		}
	}
	return n, false, nil
}
