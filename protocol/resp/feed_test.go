package resp_test

import (
	"bytes"
	"fmt"
	"strings"

	"larder/protocol/resp"
)

// command is what a test compares: arguments as one printable text, so that differences read well.
func show(args [][]byte) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = fmt.Sprintf("%q", arg)
	}
	return strings.Join(words, " ")
}

// requestFeed is a caller of Requests as a connection is: it gets bytes in pieces, keeps what is not consumed in a buffer that moves with every piece, and
// writes down what it sees. With streaming on it passes on and drops all it may, whenever the parser says More.
type requestFeed struct {
	parser    resp.Requests
	buf       []byte
	streaming bool

	seen   []string // commands, then perhaps an error
	raw    []byte   // all bytes that were dropped, in order
	args   []string // of the command in progress: what was dropped of it
	failed bool
	calls  int
}

func newRequestFeed(limits resp.Limits) *requestFeed {
	f := &requestFeed{}
	f.parser.Reset(limits)
	return f
}

func (f *requestFeed) feed(piece []byte) {
	old := f.buf
	f.buf = append(append(make([]byte, 0, len(old)+len(piece)), old...), piece...)
	for i := range old[:cap(old)] {
		old[:cap(old)][i] = '#' // whoever kept a view of the old buffer will show it
	}
	for !f.failed {
		f.calls++
		r, n, state := f.parser.Next(f.buf)
		f.take(r, n, state)
		if state == resp.More || state == resp.Failed {
			return
		}
	}
}

func (f *requestFeed) take(r resp.Request, n int, state resp.State) {
	switch state {
	case resp.Done:
		if !bytes.HasSuffix(f.buf[:n], r.Raw) {
			panic("Raw is not the end of what was consumed")
		}
		if len(f.args) != f.parser.Dropped() {
			panic(fmt.Sprintf("dropped %d arguments, the parser says %d", len(f.args), f.parser.Dropped()))
		}
		words := f.args
		for _, arg := range r.Args {
			words = append(words, string(arg))
		}
		f.seen = append(f.seen, fmt.Sprintf("%q", words))
		f.args = nil
	case resp.Piece:
		f.args[len(f.args)-1] += string(r.Args[0])
	case resp.Failed:
		f.failed = true
		f.seen = append(f.seen, f.parser.Err())
	case resp.More:
		f.drop(n)
		if f.streaming {
			f.shift()
		}
		return
	}
	f.drop(n)
}

func (f *requestFeed) drop(n int) {
	f.raw = append(f.raw, f.buf[:n]...)
	f.buf = f.buf[n:]
}

// shift drops all that may be dropped. What arguments that takes away is told by a second parser's Big in the tests of Big; here by reading the bytes.
func (f *requestFeed) shift() {
	n := f.parser.Seen()
	f.parser.Shift(n)
	for rest := f.buf[:n]; len(rest) > 0; {
		if rest[0] != '$' { // the count line
			rest = rest[bytes.IndexByte(rest, '\r')+2:]
			continue
		}
		var size int
		fmt.Sscanf(string(rest[1:]), "%d", &size)
		rest = rest[bytes.IndexByte(rest, '\r')+2:]
		f.args = append(f.args, string(rest[:min(size, len(rest))]))
		rest = rest[min(size+2, len(rest)):]
	}
	f.drop(n)
}

// replyFeed is the same for Replies.
type replyFeed struct {
	scanner   resp.Replies
	buf       []byte
	streaming bool
	seen      []string
	part      string // of the reply in progress: what was passed on
	failed    bool
}

func (f *replyFeed) feed(piece []byte) {
	f.buf = append(append(make([]byte, 0, len(f.buf)+len(piece)), f.buf...), piece...)
	for !f.failed {
		n, kind, state := f.scanner.Next(f.buf)
		switch state {
		case resp.Done:
			f.seen = append(f.seen, fmt.Sprintf("%c %q", kind, f.part+string(f.buf[:n])))
			f.part, f.buf = "", f.buf[n:]
		case resp.Failed:
			f.failed = true
			f.seen = append(f.seen, "failed")
			return
		case resp.More:
			if n != 0 {
				panic("More consumes nothing of a reply")
			}
			if f.streaming {
				n := f.scanner.Seen()
				f.part += string(f.buf[:n])
				f.buf = f.buf[n:]
				f.scanner.Shift(n)
			}
			return
		}
	}
}
