package rdb

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"larder/protocol/encoding/crc64"
)

const (
	mergePiece = 256 << 10 // read at a time, and given at a time, about, bytes
	mergeLarge = 256 << 10 // a longer text is passed on in parts
)

// mergedAux are what the first file says of itself and the merged one too: the rest is about one node's stream.
var mergedAux = map[string]bool{"redis-ver": true, "valkey-ver": true, "redis-bits": true, "ctime": true}

// Merged is several files in one, whose keys come in the order of the files, and each library of functions once. It reads no more than it has to give, and
// holds no more than one value. Its io.EOF comes only if each file has ended as it should, and whoever gives it has said io.EOF behind it.
type Merged struct {
	next []func() (io.ReadCloser, error)
	in   io.ReadCloser // nil: none is open
	scan Scanner
	w    Frame
	at   int // in w.Out, up to where it was given
	sum  uint64

	piece     []byte
	whole     bool // the present file has ended: what is left is to be read
	opened    int  // files, so far
	version   int
	valkey    bool
	libraries map[string]bool
	err       error // for good
}

// Merge reads files, which must be of one version. They are opened one after the other, and closed by Close at the latest.
func Merge(files []func() (io.ReadCloser, error)) *Merged {
	return &Merged{next: files, piece: make([]byte, mergePiece), libraries: map[string]bool{}}
}

func (m *Merged) Read(p []byte) (int, error) {
	for m.at == len(m.w.Out) {
		if m.err != nil {
			return 0, m.err
		}
		m.w.Out, m.at = m.w.Out[:0], 0
		for m.err == nil && len(m.w.Out) < mergePiece {
			m.err = m.step()
		}
		if m.err != nil && m.err != io.EOF { //nolint:errorlint // one that is wrapped is no end
			m.w.Out = m.w.Out[:0]
		}
		m.sum = crc64.Update(m.sum, m.w.Out)
		if m.err == io.EOF { //nolint:errorlint // likewise
			m.w.Out = AppendSum(m.w.Out, m.sum)
		}
	}
	n := copy(p, m.w.Out[m.at:])
	m.at += n
	return n, nil
}

// step takes one entry, or one piece of a file. io.EOF: all is taken.
func (m *Merged) step() error {
	if m.in == nil {
		return m.open()
	}
	if m.whole {
		return m.drain()
	}
	e, found, err := m.scan.Next()
	switch {
	case err != nil:
		return err
	case found == End:
		m.whole = true
		return m.begin()
	case found != More:
		return m.take(e, found)
	}
	n, err := m.in.Read(m.piece)
	m.scan.Feed(m.piece[:n])
	switch {
	case err == nil || n > 0 && err == io.EOF: //nolint:errorlint // likewise
		return nil
	case err == io.EOF: //nolint:errorlint // likewise
		return m.scan.Ended()
	}
	return err
}

// open begins with the next file.
func (m *Merged) open() error {
	if len(m.next) == 0 {
		m.w.End()
		return io.EOF
	}
	in, err := m.next[0]()
	if err != nil {
		return err
	}
	m.next, m.in, m.whole, m.scan = m.next[1:], in, false, Scanner{LargeMin: mergeLarge}
	m.opened++
	return nil
}

// drain reads what is behind a file's end, where its source says whether all was right.
func (m *Merged) drain() error {
	if _, err := io.Copy(io.Discard, m.in); err != nil {
		return err
	}
	err := m.in.Close()
	m.in = nil
	return err
}

// take passes on what was found.
func (m *Merged) take(e *Entry, found State) error {
	if err := m.begin(); err != nil {
		return err
	}
	switch found {
	case Aux:
		if m.opened == 1 && mergedAux[string(e.Key)] {
			m.w.Aux(string(e.Key), string(e.Body))
		}
	case Function:
		if code := string(e.Body); !m.libraries[libraryOf(code)] {
			m.libraries[libraryOf(code)] = true
			m.w.Function(code)
		}
	case Key, Begin, Part:
		m.w.Copy(e, found)
	}
	return nil
}

// begin writes what the file begins with, and sees to it that all are of one form: what a type's number means depends on it.
func (m *Merged) begin() error {
	version, valkey := m.scan.Version()
	switch {
	case m.version == 0:
		m.version, m.valkey = version, valkey
		m.w.BeginAs(version, valkey)
	case version != m.version || valkey != m.valkey:
		return fmt.Errorf("the files are of versions %d and %d of RDB: only those of one version can be made one file", m.version, version)
	}
	return nil
}

// libraryOf is the name in a library's first line, which a server can have once; a line without one is its own name.
func libraryOf(code string) string {
	line, _, _ := strings.Cut(code, "\n")
	for word := range strings.FieldsSeq(line) {
		if key, value, ok := strings.Cut(word, "="); ok && strings.EqualFold(key, "name") {
			return value
		}
	}
	return line
}

// Close closes the file that is open.
func (m *Merged) Close() error {
	m.err = errors.Join(m.err, errMergeClosed)
	if m.in == nil {
		return nil
	}
	err := m.in.Close()
	m.in = nil
	return err
}

var errMergeClosed = errors.New("merge of RDB files: closed")
