// Package resp is the Redis protocol, versions 2 and 3, in both directions: Requests cuts a client's bytes into commands, Replies measures a server's
// bytes into replies, Value and Iter look into one complete reply, the Append functions and Writer make bytes. What must hold: parsers keep offsets and
// never bytes, so they may be fed from a buffer that moves; they resume at any byte and look at each byte once; they allocate nothing on the paths of
// usual commands; wrong input gives an error, never a panic. Nothing here is safe for two goroutines: one parser a connection, on its loop.
package resp

import (
	"encoding/binary"
	"math"
	"strconv"
)

// State says what a parser made of the bytes it was given. Whatever it is, the n that comes with it is to be dropped from the front of the buffer.
type State uint8

const (
	More   State = iota // incomplete: call again with the same bytes, less the n, and later ones behind them
	Done                // a command or reply is complete
	Failed              // the sender broke the protocol; Err says how, and nothing more can be parsed
	Piece               // only after Shift: the next bytes of the argument whose beginning was dropped
)

// Limits bound what a client may send. The zero value of a field is its default.
type Limits struct {
	ArgsMax         int   // arguments of one command; 0 = 2147483647, as Redis
	BulkMax         int64 // bytes of one argument; 0 = 512 MiB, Redis's proto-max-bulk-len
	InlineMax       int   // bytes of an inline command or of a length line; 0 = 64 KiB, as Redis
	Unauthenticated bool  // the client has yet to say AUTH: at most 10 arguments of at most 16 KiB (Redis 7.0 networking.c)
}

const (
	argsMaxDefault   = math.MaxInt32
	bulkMaxDefault   = 512 << 20
	inlineMaxDefault = 64 << 10

	bulkMaxMost = 1 << 50 // so that digits cannot overflow

	unauthArgsMax = 10
	unauthBulkMax = 16 << 10
)

// DefaultLimits are Redis's own.
func DefaultLimits() Limits {
	return Limits{ArgsMax: argsMaxDefault, BulkMax: bulkMaxDefault, InlineMax: inlineMaxDefault}
}

// PreAuthLimits are Redis's own for a client that has yet to say AUTH.
func PreAuthLimits() Limits {
	l := DefaultLimits()
	l.Unauthenticated = true
	return l
}

func (l Limits) filled() Limits {
	if l.ArgsMax == 0 {
		l.ArgsMax = argsMaxDefault
	}
	if l.BulkMax == 0 {
		l.BulkMax = bulkMaxDefault
	}
	if l.InlineMax == 0 {
		l.InlineMax = inlineMaxDefault
	}
	l.BulkMax = min(l.BulkMax, bulkMaxMost)
	return l
}

// Request is one command.
type Request struct {
	Args   [][]byte // views of buf (quoted inline words: of the parser's scratch); the slice is reused by the next call
	Raw    []byte   // the command's bytes as they stand in buf, without the empty lines before it
	Inline bool     // Raw is an inline command: who forwards it has to encode Args
}

// Requests parses the commands of one connection. Call Reset before the first use.
//
// A command too big to be waited for is streamed. When Next says More, Big tells about the argument that is arriving. The caller passes on (or stores)
// what has come, drops up to Seen bytes from the front of its buffer and calls Shift with that number. From then on Next gives the rest of the argument
// as Pieces: Args[0] is the next of the argument's bytes, Raw is the same and perhaps CR LF behind them. The last Piece is followed, even if no byte is
// left, by what any command gives: Done, or More and perhaps Big again. Args then holds the arguments behind the Dropped ones, Raw the bytes behind them.
type Requests struct {
	limits   Limits
	argsMax  int // the limits in force, authenticated or not
	bulkMax  int
	args     [][]byte
	spans    []span // complete arguments of the command in progress that were not dropped
	scratch  []byte // unquoted inline words
	err      string
	last     []byte // the buffer of the last Next if that said More, for Big
	busy     bool   // in a command: the count line has been read
	stuck    bool   // a NUL stands in the line: see line
	count    int    // arguments announced
	left     int    // arguments not yet complete
	dropped  int    // of the command in progress or last returned
	pos      int    // bytes of buf that are understood; in an argument: where its bytes begin
	scanned  int    // bytes of buf that were searched for the end of a line
	at       int    // where the argument in progress begins with its length line
	need     int    // bytes of the argument in progress from pos on, CR LF included; 0 = its length is not known
	size     int    // its length
	diverted bool   // its beginning was dropped
}

// span is an argument by offsets in buf: its length line begins at at, its bytes are [start, end).
type span struct{ at, start, end int }

// Reset makes p ready for a new connection.
func (p *Requests) Reset(l Limits) {
	*p = Requests{args: p.args[:0], spans: p.spans[:0], scratch: p.scratch[:0]}
	p.SetLimits(l)
}

// SetLimits changes the limits, for instance after AUTH; they hold from the next length line on.
func (p *Requests) SetLimits(l Limits) {
	p.limits = l.filled()
	p.argsMax, p.bulkMax = p.limits.ArgsMax, int(p.limits.BulkMax)
	if l.Unauthenticated {
		p.argsMax, p.bulkMax = min(p.argsMax, unauthArgsMax), min(p.bulkMax, unauthBulkMax)
	}
}

// Err is what is to be sent after Failed: Redis's error line without '-' and CR LF.
func (p *Requests) Err() string { return p.err }

// Dropped is how many arguments of the command in progress, or of the one that Next just called Done, were dropped by Shift in whole or in part.
func (p *Requests) Dropped() int { return p.dropped }

// Next parses the command at the front of buf. n is the number of bytes to drop; with More it counts empty commands ("\r\n", "*0\r\n"), which Redis
// ignores and which need not be kept.
// After Done the caller may also leave the command (unless it was shifted) where it is and give the same bytes again later: it is parsed anew.
func (p *Requests) Next(buf []byte) (r Request, n int, s State) {
	if !p.busy && p.scanned == 0 {
		p.dropped = 0
		args, n := p.whole(p.args[:0], buf)
		if n > 0 {
			p.args = args
			return Request{Args: args, Raw: buf[:n:n]}, n, Done
		}
	}
	return p.resume(buf)
}

// Append is Next for the usual case, a complete and correct command that no call of Next has begun: its arguments are appended to args, and n is its
// length. n is 0 in any other case, and Next is to be called.
func (p *Requests) Append(args [][]byte, buf []byte) (all [][]byte, n int) {
	if p.busy || p.scanned != 0 {
		return args, 0
	}
	p.dropped = 0
	return p.whole(args, buf)
}

// Head is what a command begins with, up to the end of its name: "*2\r\n$3\r\nGET\r\n". The commands of a pipeline are mostly of one name and number of
// arguments, and have the same.
type Head struct {
	bytes [headMax]byte
	count int // arguments
	name  int // where the name begins
	end   int // 0: there is none
}

const headMax = 32

// Set makes h the head of the command that stands at the front of buf and that Append has read.
func (h *Head) Set(args [][]byte, buf []byte) {
	h.end = 0
	start := len("*1\r\n$1\r\n")
	if len(args) > 9 {
		start++
	}
	if len(args[0]) > 9 {
		start++
	}
	if end := start + len(args[0]) + 2; len(args) < 100 && end <= headMax {
		h.count, h.name, h.end = len(args), start, end
		copy(h.bytes[:], buf[:end])
	}
}

// Clear makes h the head of no command.
func (h *Head) Clear() { h.end = 0 }

// Like is Append for a command that begins with h; n is 0 for any other. The parser's limit on arguments must allow what it allowed when h was set.
func (p *Requests) Like(h *Head, args [][]byte, buf []byte) (all [][]byte, n int) {
	if h.end == 0 || len(buf) < h.end || !h.leads(buf) || p.busy || p.scanned != 0 {
		return args, 0
	}
	p.dropped = 0
	all, n = p.bulks(append(args, buf[h.name:h.end-2:h.end-2]), h.count-1, buf, h.end)
	if n == 0 {
		return args, 0
	}
	return all, n
}

// leads tells whether buf, which is no shorter, begins with h. Most heads are 8 to 16 bytes long: two words, which overlap.
func (h *Head) leads(buf []byte) bool {
	if h.end > 16 {
		return string(buf[:h.end]) == string(h.bytes[:h.end])
	}
	tail := h.end - 8
	return binary.LittleEndian.Uint64(buf) == binary.LittleEndian.Uint64(h.bytes[:]) &&
		binary.LittleEndian.Uint64(buf[tail:]) == binary.LittleEndian.Uint64(h.bytes[tail&15:])
}

// whole is the usual case, a complete and correct command, in one pass; its arguments are appended to args. Else it returns 0 and leaves the rest to
// resume, which starts over: once a command at most.
func (p *Requests) whole(args [][]byte, buf []byte) ([][]byte, int) {
	if len(buf) < 4 || buf[0] != '*' {
		return args, 0
	}
	count, i := short(buf, 1)
	if i == 0 || count > p.argsMax {
		count, i = digits(buf, 1, p.argsMax)
	}
	if i == 0 || count == 0 {
		return args, 0
	}
	return p.bulks(args, count, buf, i)
}

// bulks appends count arguments, which begin at buf[i]. The position behind them is 0 if they are not all there.
func (p *Requests) bulks(args [][]byte, count int, buf []byte, i int) ([][]byte, int) {
	all := args
	for range count {
		if i+3 >= len(buf) || buf[i] != '$' {
			return args, 0
		}
		size, start := short(buf, i+1)
		if start == 0 || size > p.bulkMax {
			size, start = digits(buf, i+1, p.bulkMax)
		}
		end := start + size
		if start == 0 || end+2 > len(buf) {
			return args, 0
		}
		all = append(all, buf[start:end:end])
		i = end + 2
	}
	return all, i
}

// short is digits for a number of one digit or two, and gives 0 for any other. buf[i+1] must be there.
func short(buf []byte, i int) (v, next int) {
	first, second := buf[i]-'0', buf[i+1]
	if first > 9 {
		return 0, 0
	}
	if second == '\r' {
		return int(first), i + 3
	}
	if second -= '0'; second > 9 || first == 0 || i+2 >= len(buf) || buf[i+2] != '\r' {
		return 0, 0
	}
	return int(first)*10 + int(second), i + 4
}

// digits reads the number at buf[i] and the CR and the byte behind it; next is 0 where that isn't a number from 0 to most in its only form. (Redis
// takes any byte for the LF of a length line.) most must be at most 2^59.
func digits(buf []byte, i, most int) (v, next int) {
	first := i
	for ; i < len(buf); i++ {
		d := int(buf[i]) - '0'
		if uint(d) > 9 {
			break
		}
		if v = v*10 + d; v > most || v == d && i > first {
			return 0, 0
		}
	}
	if i == first || i+1 >= len(buf) || buf[i] != '\r' {
		return 0, 0
	}
	return v, i + 2
}

// resume goes on where the last call stopped, past empty commands.
func (p *Requests) resume(buf []byte) (Request, int, State) {
	p.last = nil
	if p.err != "" {
		return Request{}, 0, Failed
	}
	if !p.busy {
		p.release()
	}
	skipped := 0
	for skipped < len(buf) && !p.busy {
		rest := buf[skipped:]
		var n int
		var s State
		if rest[0] == '*' {
			n, s = p.countLine(rest)
		} else {
			n, s = p.inline(rest)
		}
		switch {
		case s == Done && !p.busy && len(p.args) == 0:
			skipped += n
		case s == Done && !p.busy:
			return Request{Args: p.args, Raw: rest[:n:n], Inline: true}, skipped + n, Done
		case s != Done:
			return Request{}, skipped, s
		}
	}
	if !p.busy {
		return Request{}, skipped, More
	}
	r, n, s := p.arguments(buf[skipped:])
	return r, skipped + n, s
}

// release gives back what only a command of unusual size needed, so that an idle connection stays small.
func (p *Requests) release() {
	const argsKept, scratchKept = 128, 4 << 10 // slots, bytes
	if cap(p.args) > argsKept {
		p.args = nil
	}
	if cap(p.spans) > argsKept {
		p.spans = nil
	}
	if cap(p.scratch) > scratchKept {
		p.scratch = nil
	}
}

// countLine reads "*3\r\n"; p.busy says that arguments follow it.
func (p *Requests) countLine(buf []byte) (int, State) {
	end, s := p.line(buf, '\r', "too big mbulk count string")
	if s != Done {
		return 0, s
	}
	count, ok := ParseNumber(buf[1:end])
	if !ok || count > int64(p.limits.ArgsMax) {
		return 0, p.fail("invalid multibulk length")
	}
	if p.limits.Unauthenticated && count > unauthArgsMax {
		return 0, p.fail("unauthenticated multibulk length")
	}
	next := end + 2
	p.args = p.args[:0]
	if count <= 0 {
		p.scanned = 0
		return next, Done
	}
	p.busy, p.count, p.left = true, int(count), int(count)
	p.spans = p.spans[:0]
	p.pos, p.scanned, p.at = next, next, next
	return 0, Done
}

// arguments reads the rest of a command whose count line has been read.
func (p *Requests) arguments(buf []byte) (Request, int, State) {
	if p.diverted && len(buf) > 0 {
		return p.piece(buf)
	}
	for p.left > 0 {
		if p.need == 0 {
			if s := p.lengthLine(buf); s != Done {
				p.last = buf
				return Request{}, 0, s
			}
		}
		if len(buf)-p.pos < p.need {
			p.last = buf
			return Request{}, 0, More
		}
		p.spans = append(p.spans, span{at: p.at, start: p.pos, end: p.pos + p.size})
		p.endArgument(p.pos + p.need)
	}
	args := p.args[:0]
	for _, s := range p.spans {
		args = append(args, buf[s.start:s.end:s.end])
	}
	n := p.pos
	p.args = args
	p.busy, p.pos, p.scanned = false, 0, 0
	return Request{Args: args, Raw: buf[:n:n]}, n, Done
}

func (p *Requests) endArgument(next int) {
	p.left--
	p.need, p.diverted = 0, false
	p.pos, p.scanned, p.at = next, next, next
}

// piece hands out what buf holds of the argument whose beginning was dropped.
func (p *Requests) piece(buf []byte) (Request, int, State) {
	const lineEnd = 2
	n := min(len(buf), p.need)
	data := max(min(n, p.need-lineEnd), 0)
	p.args = append(p.args[:0], buf[:data:data])
	r := Request{Args: p.args, Raw: buf[:n:n]}
	if p.need -= n; p.need == 0 {
		p.endArgument(0)
	}
	return r, n, Piece
}

// lengthLine reads "$3\r\n".
func (p *Requests) lengthLine(buf []byte) State {
	end, s := p.line(buf, '\r', "too big bulk count string")
	if s != Done {
		return s
	}
	if c := buf[p.pos]; c != '$' {
		if c == '\r' || c == '\n' {
			c = ' ' // as Redis cleans an error line
		}
		return p.fail("expected '$', got '" + string([]byte{c}) + "'")
	}
	size, ok := ParseNumber(buf[p.pos+1 : end])
	if !ok || size < 0 || size > p.limits.BulkMax {
		return p.fail("invalid bulk length")
	}
	if p.limits.Unauthenticated && size > unauthBulkMax {
		return p.fail("unauthenticated bulk length")
	}
	p.pos = end + 2
	p.size, p.need = int(size), int(size)+2
	return Done
}

// line finds the end of the line that begins at p.pos: the index of last, behind which one more byte must have come if it is a CR. Redis searches with
// strchr, so a NUL hides all that follows it and the line can only become too long.
func (p *Requests) line(buf []byte, last byte, tooBig string) (int, State) {
	for i := p.scanned; i < len(buf) && !p.stuck; i++ {
		switch buf[i] {
		case last:
			if i-p.pos > p.limits.InlineMax {
				return 0, p.fail(tooBig)
			}
			p.scanned = i
			if last == '\r' && i+1 == len(buf) {
				return 0, More
			}
			return i, Done
		case 0:
			p.stuck = true
		}
		p.scanned = i + 1
	}
	if len(buf)-p.pos > p.limits.InlineMax {
		return 0, p.fail(tooBig)
	}
	return 0, More
}

func (p *Requests) fail(what string) State {
	p.err = "ERR Protocol error: " + what
	return Failed
}

// BigMin is how many bytes an argument or a reply must have before Big speaks of it.
const BigMin = 64 << 10

// Big is an argument that is arriving and is larger than BigMin.
type Big struct {
	Arg     int      // which argument it is; the command's name is 0
	Count   int      // arguments the command announced
	Args    [][]byte // the complete ones before it: views of buf, dead with it or with the next call. Args[i] is argument Dropped+i
	Dropped int      // arguments that Shift dropped
	Len     int64    // its length
	Start   int      // where its bytes begin in buf; before that stand the arguments before it and its length line
	Data    []byte   // what has come of it: a view of buf[Start:]
}

// Big tells of the argument in progress after Next said More; not ok if it is small, unknown yet, or already being handed out in Pieces.
func (p *Requests) Big() (b Big, ok bool) {
	if p.last == nil || p.need == 0 || p.diverted || p.size <= BigMin {
		return Big{}, false
	}
	args := p.args[:0]
	for _, s := range p.spans {
		args = append(args, p.last[s.start:s.end:s.end])
	}
	p.args = args
	data := p.last[p.pos:min(len(p.last), p.pos+p.size)]
	return Big{
		Arg: p.count - p.left, Count: p.count, Args: args, Dropped: p.dropped, Len: int64(p.size), Start: p.pos, Data: data[:len(data):len(data)],
	}, true
}

// Seen is how many bytes at the front of the buffer last given are known to belong to the incomplete command: they may be passed on and dropped.
func (p *Requests) Seen() int {
	switch {
	case p.last == nil:
		return 0
	case p.need > 0:
		return len(p.last)
	default:
		return p.pos
	}
}

// Shift says that the caller has dropped the first n bytes of the buffer of an incomplete command, at most Seen of them. Arguments of which a byte was
// dropped, length lines included, will not appear in Args; what is to come of the one in progress comes as Pieces.
func (p *Requests) Shift(n int) {
	if n < 0 || n > p.Seen() || p.need > 0 && p.at < n && n < p.pos {
		panic("resp: Shift beyond what has been seen, or into a length line")
	}
	gone := 0
	for gone < len(p.spans) && p.spans[gone].at < n {
		gone++
	}
	p.dropped += gone
	p.spans = p.spans[:copy(p.spans, p.spans[gone:])]
	for i := range p.spans {
		s := &p.spans[i]
		s.at, s.start, s.end = s.at-n, s.start-n, s.end-n
	}
	p.last = p.last[n:]
	switch {
	case p.need == 0 || n <= p.at:
		p.pos, p.scanned, p.at = p.pos-n, p.scanned-n, p.at-n
	default:
		p.dropped++
		p.diverted = true
		p.need -= max(n-p.pos, 0)
		p.pos, p.scanned, p.at = 0, 0, 0
	}
}

// ParseNumber reads a number as Redis's string2ll does: digits with an optional '-', no leading zero, no "-0", all of text.
func ParseNumber(text []byte) (int64, bool) {
	if len(text) == 1 && text[0] == '0' {
		return 0, true
	}
	unsigned := text
	if len(text) > 0 && text[0] == '-' {
		unsigned = text[1:]
	}
	if len(unsigned) == 0 || unsigned[0] < '1' || unsigned[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return n, err == nil
}
