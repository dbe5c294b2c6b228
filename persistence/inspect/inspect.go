// Package inspect tells what is in an RDB file, for people and for scripts: whether it is right (Check), what it is made of (Stat), and its keys one by one
// (Keys). A file comes plain or compressed by zstd. It reads from front to end once and keeps no more than one value, and counts within named limits.
// Its caller's goroutine does everything.
package inspect

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"larder/persistence/rdb"
	encoding "larder/protocol/encoding/rdb"
)

const (
	pieceBytes = 256 << 10 // read at a time
	windowMax  = 128 << 20 // memory that a compressed file may ask for
)

// Options say how a file is read.
type Options struct {
	Now      time.Time         // what is past is told by it
	Progress func(read int64)  // told now and then how many bytes of the input were read; nil = nobody is
	Library  func(code string) // told of each library of functions; nil = nobody is
}

// Summary is what is told of every file.
type Summary struct {
	Format    string            `json:"format"` // REDIS0011
	Version   int               `json:"version"`
	Writer    string            `json:"writer,omitempty"` // the server that wrote it
	Bytes     int64             `json:"bytes"`            // of the file, decompressed
	Zstd      bool              `json:"zstd"`
	Keys      int64             `json:"keys"`
	Databases int               `json:"databases"` // that have keys
	Functions int               `json:"functions"` // libraries
	Checksum  bool              `json:"checksum"`  // it has one, and it is right
	Behind    int64             `json:"behind"`    // bytes behind the end, which no server reads
	Aux       map[string]string `json:"aux"`
	Foreign   map[string]int    `json:"foreign,omitempty"` // what only other servers have, and how often
}

// walker reads a file.
type walker struct {
	scan    rdb.Scanner
	summary Summary
	seen    map[int]bool // databases
	last    []byte       // the last whole key
	lastDB  int
	library func(code string)
}

// walk reads a file to its end and gives every key to visit. It says what it found even beside an error.
func walk(r io.Reader, o Options, visit func(e *rdb.Entry) error) (*Summary, error) {
	w := &walker{seen: map[int]bool{}, library: o.Library}
	w.summary.Aux, w.summary.Foreign = map[string]string{}, map[string]int{}
	in, err := w.open(r, o)
	if err == nil {
		err = w.run(in, visit)
	}
	s := &w.summary
	version, valkey := w.scan.Version()
	if s.Version = version; version > 0 {
		s.Format = fmt.Sprintf("REDIS%04d", version)
		if valkey {
			s.Format = fmt.Sprintf("VALKEY%03d", version)
		}
	}
	s.Bytes, s.Databases, s.Checksum = w.scan.Offset(), len(w.seen), err == nil && w.scan.Checked()
	for what, times := range w.scan.Dropped() {
		s.Foreign[what] += times
	}
	if err != nil {
		return s, w.explain(err)
	}
	return s, nil
}

// zstdMagic is what a compressed file begins with.
var zstdMagic = []byte("\x28\xb5\x2f\xfd")

func (w *walker) open(r io.Reader, o Options) (io.Reader, error) {
	if o.Progress != nil {
		r = &counter{r: r, tell: o.Progress}
	}
	in, compressed, err := Plain(r)
	w.summary.Zstd = compressed
	return in, err
}

// Plain reads a file that may be compressed by zstd as it was before, and tells whether it is.
func Plain(r io.Reader) (plain io.Reader, compressed bool, err error) {
	in := bufio.NewReaderSize(r, pieceBytes)
	first, err := in.Peek(len(zstdMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, fmt.Errorf("read: %w", err)
	}
	if !bytes.Equal(first, zstdMagic) {
		return in, false, nil
	}
	z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(windowMax))
	if err != nil {
		return nil, true, fmt.Errorf("decompress: %w", err)
	}
	return z.IOReadCloser(), true, nil
}

// counter tells how much was read.
type counter struct {
	r    io.Reader
	n    int64
	tell func(int64)
}

func (c *counter) Read(p []byte) (n int, err error) {
	n, err = c.r.Read(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}

func (w *walker) run(in io.Reader, visit func(e *rdb.Entry) error) error {
	piece := make([]byte, pieceBytes)
	for {
		e, state, err := w.scan.Next()
		switch {
		case err != nil:
			return err
		case state == rdb.End:
			return w.drain(in)
		case state == rdb.More:
			n, err := in.Read(piece)
			if n == 0 && errors.Is(err, io.EOF) {
				return w.scan.Ended()
			}
			if n == 0 && err != nil {
				return fmt.Errorf("read at offset %d: %w", w.scan.Offset(), err)
			}
			w.scan.Feed(piece[:n])
		case state == rdb.Key:
			w.count(e)
			if err := visit(e); err != nil {
				return err
			}
		default:
			w.note(e, state)
		}
	}
}

func (w *walker) count(e *rdb.Entry) {
	w.summary.Keys++
	w.seen[e.DB] = true
	w.last, w.lastDB = append(w.last[:0], e.Key...), e.DB
	if e.Type == encoding.TypeModule {
		w.summary.Foreign["keys of the module type "+e.Module]++
	}
	if e.Producers > 0 {
		w.summary.Foreign["what producers of a stream have added by IDs of their own"]++
	}
}

// note notes what is no key.
func (w *walker) note(e *rdb.Entry, state rdb.State) {
	const auxMax, auxBytes = 64, 256 // of fields that are kept, and of each
	switch state {
	case rdb.Function:
		w.summary.Functions++
		if w.library != nil {
			w.library(string(e.Body))
		}
	case rdb.Aux:
		if len(w.summary.Aux) < auxMax && len(e.Key)+len(e.Body) <= auxBytes {
			w.summary.Aux[string(e.Key)] = string(e.Body)
		}
		switch string(e.Key) {
		case "redis-ver":
			w.summary.Writer = "redis " + string(e.Body)
		case "valkey-ver":
			w.summary.Writer = "valkey " + string(e.Body)
		}
	}
}

// drain counts what is behind the end.
func (w *walker) drain(in io.Reader) error {
	n, err := io.Copy(io.Discard, in)
	w.summary.Behind = n + int64(len(w.scan.Rest()))
	if err != nil {
		return fmt.Errorf("read behind the end: %w", err)
	}
	return nil
}

// advice is what to do about what is wrong.
var advice = []struct {
	kind error
	text string
}{
	{rdb.ErrMagic, "Is it the right file? It may be compressed by zstd; whatever else packs it must be undone first"},
	{rdb.ErrVersion, "Only a newer Larder reads it, or the server that wrote it"},
	{rdb.ErrCut, "It was not written or copied to its end: copy it again, or take an older one"},
	{rdb.ErrSum, "All keys could be read, but some byte is not what was written: copy it again, or take another one"},
	{rdb.ErrModule, "Delete such keys on the server that has the module, and save again"},
	{rdb.ErrUnknown, "It is damaged, or of a server that writes what others do not know: copy it again, or save again there"},
	{rdb.ErrCorrupt, "It is damaged from there on: copy it again, or take another one"},
	{errPacked, "It is damaged there: copy it again, or take another one"},
}

// explained is an error, and where a file is right, and what to do.
type explained struct {
	error
	more string
}

func (e *explained) Error() string { return e.error.Error() + e.more }

func (e *explained) Unwrap() error { return e.error }

func (w *walker) explain(err error) error {
	for _, a := range advice {
		if !errors.Is(err, a.kind) {
			continue
		}
		more := "."
		if w.summary.Keys > 0 {
			more += fmt.Sprintf("\n%d keys before it are whole, the last of them is %s in database %d.", w.summary.Keys, quote(w.last), w.lastDB)
		}
		return &explained{err, more + "\n" + a.text + "."}
	}
	return err
}
