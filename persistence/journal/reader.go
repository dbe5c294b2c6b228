package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"larder/protocol/resp"
)

// Record is a command of an incremental file, or a line that begins with '#'.
type Record struct {
	Args [][]byte // views, dead with the next call of Next; nil: it is a line
	Raw  []byte   // the bytes as they stand in the file; a view like Args
	Note string   // the line without '#' and its end
	At   int64    // where it begins in the file
}

// TornError says that a file ends amid a command or a transaction, as one does whose writer was killed.
type TornError struct {
	At   int64 // up to here the file is whole
	Size int64 // what it has
	Why  string
}

func (e *TornError) Error() string {
	return fmt.Sprintf("the file ends amid %s: it is whole up to offset %d, %d bytes follow", e.Why, e.At, e.Size-e.At)
}

// DamagedError says that a file has bytes that nobody has written as commands.
type DamagedError struct {
	At  int64 // where the damaged command begins
	Why string
}

func (e *DamagedError) Error() string { return fmt.Sprintf("damaged at offset %d: %s", e.At, e.Why) }

const (
	readBytes = 256 << 10 // the buffer at first
	readMin   = 16 << 10  // room for a read
	numberMax = 1 << 40   // no argument is longer, and no command has more of them
	noteMax   = 1 << 10   // a line with '#' is shorter; Redis takes 127 bytes, its checking tool 1023
)

// Reader reads the commands of an incremental file in order. It needs memory for the largest command and no more; a number in the file that says more
// than the file has makes none.
type Reader struct {
	from  io.Reader
	size  int64 // of the file
	buf   []byte
	pos   int   // in buf: what comes next
	at    int64 // of buf[0] in the file
	args  [][]byte
	spans []span
	multi int64 // where the transaction begins that is not ended; -1: none
	err   error
}

type span struct{ start, end int }

// NewReader reads from offset at of a file of size bytes; from gives what stands there.
func NewReader(from io.Reader, at, size int64) *Reader {
	return &Reader{from: from, at: at, size: size, multi: -1}
}

// Offset is where the next record begins.
func (r *Reader) Offset() int64 { return r.at + int64(r.pos) }

// Whole is up to where the file is whole as far as it was read: not amid a transaction.
func (r *Reader) Whole() int64 {
	if r.multi >= 0 {
		return r.multi
	}
	return r.Offset()
}

// Next gives the next record. At the end of a whole file the error is io.EOF, else a *TornError or *DamagedError, or what reading the file gave. Errors stay.
func (r *Reader) Next() (Record, error) {
	if r.err != nil {
		return Record{}, r.err
	}
	rec, err := r.next()
	if err != nil {
		r.err = r.name(err)
		return Record{}, r.err
	}
	if rec.Args != nil {
		r.follow(rec)
	}
	return rec, nil
}

var errEnd = errors.New("the file ends")

// name says what the file's end means.
func (r *Reader) name(err error) error {
	switch {
	case !errors.Is(err, errEnd):
		return err
	case r.pos == len(r.buf) && r.multi < 0:
		return io.EOF
	}
	if at := r.hidden(); at >= 0 {
		return r.damaged("its lengths reach beyond the end of the file, but a whole command follows at offset %d", at)
	}
	if r.multi >= 0 {
		return &TornError{At: r.multi, Size: r.size, Why: "a transaction"}
	}
	return &TornError{At: r.Offset(), Size: r.size, Why: "a command"}
}

const (
	hiddenTries = 1000     // places that are looked at
	hiddenBytes = 64 << 10 // of each
)

// hidden is where a whole command stands behind the beginning of one that the file has no end of, -1 if none does. A writer that was killed leaves no such
// thing, but a wrong length in the middle of a file does: it must not make a torn end of all that follows it.
func (r *Reader) hidden() int64 {
	var parser resp.Requests
	parser.Reset(resp.DefaultLimits())
	rest := r.buf[r.pos:]
	for at, tries := 0, 0; tries < hiddenTries; tries++ {
		i := bytes.Index(rest[at:], []byte("\r\n*"))
		if i < 0 {
			break
		}
		at += i + 2
		if args, n := parser.Append(nil, rest[at:min(len(rest), at+hiddenBytes)]); n > 0 && len(args) > 0 {
			return r.Offset() + int64(at)
		}
	}
	return -1
}

// follow notes where a transaction begins and ends. Commands inside one are not looked at: EXEC cannot be among them.
func (r *Reader) follow(rec Record) {
	switch {
	case len(rec.Args) != 1:
	case r.multi < 0 && strings.EqualFold(string(rec.Args[0]), "MULTI"):
		r.multi = rec.At
	case r.multi >= 0 && (strings.EqualFold(string(rec.Args[0]), "EXEC") || strings.EqualFold(string(rec.Args[0]), "DISCARD")):
		r.multi = -1
	}
}

func (r *Reader) next() (Record, error) {
	if err := r.need(1); err != nil {
		return Record{}, err
	}
	switch r.buf[r.pos] {
	case '#':
		return r.note()
	case '*':
		return r.command()
	}
	return Record{}, r.notCommand()
}

// notCommand: zeros up to the end are what a file system may leave of a write whose power went.
func (r *Reader) notCommand() error {
	first, whole, wrong := r.buf[r.pos], r.Whole(), r.damaged("a command must begin with '*', here is %q", r.buf[r.pos])
	for first == 0 {
		err := r.need(1)
		switch {
		case errors.Is(err, errEnd):
			return &TornError{At: whole, Size: r.size, Why: "bytes that were never written"}
		case err != nil:
			return err
		case r.buf[r.pos] != 0:
			return wrong
		}
		r.pos++
	}
	return wrong
}

func (r *Reader) damaged(why string, args ...any) error {
	return &DamagedError{At: r.Offset(), Why: fmt.Sprintf(why, args...)}
}

// need has n bytes from pos on in buf. What was read before pos is dropped first.
func (r *Reader) need(n int) error {
	for len(r.buf)-r.pos < n {
		if int64(n) > r.size-r.Offset() {
			return r.rest()
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
	return nil
}

// rest reads all that is left, so that it can be looked at, and says that it is not enough.
func (r *Reader) rest() error {
	for left := int(r.size - r.Offset()); len(r.buf)-r.pos < left; {
		if err := r.fill(); err != nil {
			return err
		}
	}
	return errEnd
}

// fill reads more. The buffer grows by what has come, not by what was announced, and each byte is moved a bounded number of times.
func (r *Reader) fill() error {
	if free := cap(r.buf) - len(r.buf); free < readMin && r.pos >= len(r.buf)/2 {
		r.at += int64(r.pos)
		r.buf = r.buf[:copy(r.buf, r.buf[r.pos:])]
		r.pos = 0
	}
	if free := cap(r.buf) - len(r.buf); free < readMin {
		grown := make([]byte, len(r.buf), max(2*cap(r.buf), readBytes))
		copy(grown, r.buf)
		r.buf = grown
	}
	got, err := r.from.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+got]
	switch {
	case got > 0:
		return nil
	case err == nil:
		return io.ErrNoProgress
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the file became shorter while it was read: %w", io.ErrUnexpectedEOF)
	}
	return err
}

func (r *Reader) note() (Record, error) {
	for n := 1; ; n++ {
		if err := r.need(n); err != nil {
			return Record{}, err
		}
		if n > noteMax {
			return Record{}, r.damaged("a line with '#' must be shorter than %d bytes", noteMax)
		}
		if r.buf[r.pos+n-1] == '\n' {
			rec := Record{Raw: r.buf[r.pos : r.pos+n : r.pos+n], At: r.Offset()}
			rec.Note = strings.TrimSuffix(string(rec.Raw[1:n-1]), "\r")
			r.pos += n
			return rec, nil
		}
	}
}

func (r *Reader) command() (Record, error) {
	count, n, err := r.number(0, '*', "the number of arguments")
	if err != nil {
		return Record{}, err
	}
	if count == 0 {
		return Record{}, r.damaged("a command has no arguments")
	}
	r.spans = r.spans[:0]
	for range count {
		size, next, err := r.number(n, '$', "the length of an argument")
		if err != nil {
			return Record{}, err
		}
		// Offsets from pos: need may move buf.
		if err := r.need(next + size + 2); err != nil {
			return Record{}, err
		}
		if end := r.buf[r.pos+next+size:]; end[0] != '\r' || end[1] != '\n' {
			return Record{}, r.damaged("an argument of %d bytes is not followed by CR LF", size)
		}
		r.spans = append(r.spans, span{next, next + size})
		n = next + size + 2
	}
	rec := Record{Raw: r.buf[r.pos : r.pos+n : r.pos+n], At: r.Offset()}
	r.args = r.args[:0]
	for _, s := range r.spans {
		r.args = append(r.args, rec.Raw[s.start:s.end:s.end])
	}
	rec.Args = r.args
	r.pos += n
	return rec, nil
}

// number reads a line like *3 at pos+n; next is where what follows it begins, from pos.
func (r *Reader) number(n int, first byte, what string) (value, next int, err error) {
	if err := r.need(n + 1); err != nil {
		return 0, 0, err
	}
	if c := r.buf[r.pos+n]; c != first {
		return 0, 0, r.damaged("%s must begin with %q, here is %q", what, first, c)
	}
	for i := n + 1; ; i++ {
		if err := r.need(i + 1); err != nil {
			return 0, 0, err
		}
		c := r.buf[r.pos+i]
		switch {
		case c >= '0' && c <= '9' && value <= numberMax:
			value = value*10 + int(c-'0')
		case c == '\r' && i > n+1:
			if err := r.need(i + 2); err != nil {
				return 0, 0, err
			}
			if r.buf[r.pos+i+1] == '\n' {
				return value, i + 2, nil
			}
			fallthrough
		default:
			return 0, 0, r.damaged("%s must be a number that can be, and end with CR LF", what)
		}
	}
}
