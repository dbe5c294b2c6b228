package resp

import (
	"bytes"
	"strconv"
)

// Kind is the first byte of a reply, behind its attributes if it has any.
type Kind byte

const (
	KindStatus    Kind = '+'
	KindError     Kind = '-'
	KindInt       Kind = ':'
	KindBulk      Kind = '$'
	KindArray     Kind = '*'
	KindNull      Kind = '_'
	KindDouble    Kind = ','
	KindBool      Kind = '#'
	KindBlobError Kind = '!'
	KindVerbatim  Kind = '='
	KindBigNumber Kind = '('
	KindMap       Kind = '%'
	KindSet       Kind = '~'
	KindPush      Kind = '>'
	KindAttribute Kind = '|'
)

// IsError tells whether a reply is an error.
func (k Kind) IsError() bool { return k == KindError || k == KindBlobError }

// IsPush tells whether it is no reply to a command but came out of band.
func (k Kind) IsPush() bool { return k == KindPush }

// Bounds on what a server may send: far above what a real one does, so that a stream that is no RESP is found out, and sums cannot overflow.
const (
	replyLineMax = 1 << 20 // bytes of a status, an error or a number
	replyBulkMax = 1 << 40 // bytes of a bulk
	replyManyMax = 1 << 32 // elements of an aggregate
	replyLeftMax = 1 << 48 // values announced and not yet come
)

// Replies measures the replies of one connection: where each ends and of what kind it is. Nesting costs it nothing, since all it keeps is how many
// values are to come. The zero value is ready.
type Replies struct {
	err     string
	kind    Kind
	left    int // values still to come until the reply is complete; 0 = between replies
	pos     int // bytes of buf that are understood
	scanned int // bytes of buf that were searched for the end of a line; at least pos
	need    int // bytes from pos on of the bulk in progress, CR LF included; 0 = not in a bulk
	have    int // bytes of the buffer last given
}

// Reset forgets all, for a new connection.
func (s *Replies) Reset() { *s = Replies{} }

// Err says what was wrong with the bytes after Failed.
func (s *Replies) Err() string { return s.err }

// Next measures the reply at the front of buf: n bytes, attributes included, of kind k. With More n is 0 and k is the kind if it is known by then, else 0.
// A push counts as a reply of its own.
func (s *Replies) Next(buf []byte) (n int, k Kind, st State) {
	if s.left == 0 {
		if n := leaf(buf); n > 0 {
			return n, Kind(buf[0]), Done
		}
	}
	return s.resume(buf)
}

// leaf is the length of the value at the front of buf if it is of a usual kind that holds no others, complete and correct; else 0, which says nothing.
func leaf(buf []byte) int {
	const shortest = 4 // ":1\r\n", "+\r\n" is nothing usual
	if len(buf) < shortest {
		return 0
	}
	switch buf[0] {
	case '$':
		size, start := digits(buf, 1, replyBulkMax)
		if start == 0 {
			if buf[1] == '-' && len(buf) >= nullBytes && string(buf[:nullBytes]) == nullBulk {
				return nullBytes
			}
			return 0
		}
		end := start + size + 2
		if end <= len(buf) && buf[start-1] == '\n' && buf[end-2] == '\r' && buf[end-1] == '\n' {
			return end
		}
	case ':':
		if _, next := digits(buf, 1, leafIntMax); next > 0 && buf[next-1] == '\n' {
			return next
		}
	case '+':
		for i := 1; i+1 < len(buf); i++ {
			if buf[i] == '\r' {
				if buf[i+1] == '\n' {
					return i + 2
				}
				return 0
			}
			if i == leafStatusMax {
				return 0
			}
		}
	}
	return 0
}

const (
	nullBulk      = "$-1\r\n"
	nullBytes     = len(nullBulk)
	leafIntMax    = 1 << 53 // beyond it the careful way is taken
	leafStatusMax = 32
)

func (s *Replies) resume(buf []byte) (int, Kind, State) {
	s.have = len(buf)
	if s.err != "" {
		return 0, s.kind, Failed
	}
	if s.left == 0 {
		if len(buf) == 0 {
			return 0, 0, More
		}
		s.left, s.kind, s.pos, s.scanned = 1, 0, 0, 0
	}
	for s.left > 0 {
		if s.need == 0 && s.kind != 0 && s.scanned == s.pos {
			if n := leaf(buf[s.pos:]); n > 0 {
				s.left--
				s.pos += n
				s.scanned = s.pos
				continue
			}
		}
		st := Done
		if s.need == 0 {
			st = s.header(buf)
		}
		if st == Done && s.need > 0 {
			st = s.bulk(buf)
		}
		if st != Done {
			return 0, s.kind, st
		}
	}
	return s.pos, s.kind, Done
}

// header reads the line that begins a value, and counts the value if the line is all of it.
func (s *Replies) header(buf []byte) State {
	if s.pos == len(buf) {
		return More
	}
	k := Kind(buf[s.pos])
	if s.kind == 0 && s.left == 1 && k != KindAttribute {
		s.kind = k
	}
	end, st := s.line(buf, k)
	if st != Done {
		return st
	}
	text := buf[s.pos+1 : end]
	s.pos, s.scanned = end+2, end+2
	switch k {
	case KindStatus, KindError:
		s.left--
		return Done
	case KindInt, KindNull, KindDouble, KindBool, KindBigNumber:
		if !scalar(k, text) {
			return s.fail("a malformed value", k)
		}
		s.left--
		return Done
	case KindBulk, KindBlobError, KindVerbatim:
		return s.bulkLine(k, text)
	default:
		return s.aggregateLine(k, text)
	}
}

func (s *Replies) bulkLine(k Kind, text []byte) State {
	size, ok := ParseNumber(text)
	switch {
	case ok && size == -1 && k == KindBulk:
		s.left--
		return Done
	case !ok || size < 0 || size > replyBulkMax || k == KindVerbatim && size < verbatimMark:
		return s.fail("a malformed length", k)
	}
	s.need = int(size) + 2
	return Done
}

func (s *Replies) aggregateLine(k Kind, text []byte) State {
	count, ok := ParseNumber(text)
	switch {
	case ok && count == -1 && k == KindArray:
		count = 0
	case !ok || count < 0 || count > replyManyMax:
		return s.fail("a malformed count", k)
	}
	if k == KindMap || k == KindAttribute {
		count *= 2
	}
	s.left += int(count)
	if k != KindAttribute { // attributes come before a value and are none
		s.left--
	}
	if s.left > replyLeftMax {
		return s.fail("too many values", k)
	}
	return Done
}

// bulk waits for the bytes of a bulk and checks what ends it, byte by byte, since the caller may Shift between CR and LF.
func (s *Replies) bulk(buf []byte) State {
	come := min(len(buf)-s.pos, s.need)
	tail := buf[s.pos : s.pos+come]
	if missing := s.need - come; missing <= 1 && come > 0 {
		good := tail[come-1] == '\r'
		if missing == 0 {
			good = tail[come-1] == '\n' && (come == 1 || tail[come-2] == '\r')
		}
		if !good {
			return s.fail("a bulk that does not end in CR LF", s.kind)
		}
	}
	if come < s.need {
		return More
	}
	s.left--
	s.pos += s.need
	s.scanned, s.need = s.pos, 0
	return Done
}

// line finds the CR of the CR LF that ends the line at s.pos.
func (s *Replies) line(buf []byte, k Kind) (int, State) {
	if !known(k) {
		return 0, s.fail("an unknown type", k)
	}
	at := bytes.IndexByte(buf[s.scanned:], '\r')
	if at < 0 {
		s.scanned = len(buf)
		if s.scanned-s.pos > replyLineMax {
			return 0, s.fail("a line without end", k)
		}
		return 0, More
	}
	end := s.scanned + at
	s.scanned = end
	switch {
	case end-s.pos > replyLineMax:
		return 0, s.fail("a line without end", k)
	case end+1 == len(buf):
		return 0, More
	case buf[end+1] != '\n':
		return 0, s.fail("a CR without LF", k)
	}
	return end, Done
}

func (s *Replies) fail(what string, k Kind) State {
	s.err = "malformed reply: " + what + " in " + strconv.Quote(string([]byte{byte(k)}))
	return Failed
}

// Seen is how many bytes at the front of the buffer last given belong to the incomplete reply for sure: they may be passed on and dropped.
func (s *Replies) Seen() int {
	if s.left == 0 {
		return 0
	}
	if s.need > 0 {
		return s.have
	}
	return s.pos
}

// Shift says that the caller has dropped the first n bytes of the buffer of an incomplete reply, at most Seen of them. The n of the reply's Done then
// counts only what is left of it.
func (s *Replies) Shift(n int) {
	if n < 0 || n > s.Seen() {
		panic("resp: Shift beyond what has been seen")
	}
	s.have -= n
	if n > s.pos { // within a bulk
		s.need -= n - s.pos
		n = s.pos
	}
	s.pos, s.scanned = s.pos-n, max(s.scanned-n, s.pos-n)
}

// Missing is how many bytes must come at least until the reply in progress is complete; 0 between replies.
func (s *Replies) Missing() int64 {
	if s.left == 0 {
		return 0
	}
	const valueMin = 3 // "_\r\n"
	missing := int64(s.left)*valueMin - int64(s.have-s.pos)
	if s.need > 0 {
		missing = int64(s.need-(s.have-s.pos)) + int64(s.left-1)*valueMin
	}
	return max(missing, 1)
}

// Big tells of an incomplete reply of which more than BigMin bytes are missing for sure: it is worth passing on in pieces. k is 0 if only attributes of
// it have come yet.
func (s *Replies) Big() (k Kind, missing int64, ok bool) {
	missing = s.Missing()
	return s.kind, missing, missing > BigMin
}

// known: a switch, which compiles to a jump; the aggregates are those that no other case of header takes.
func known(k Kind) bool {
	switch k {
	case KindStatus, KindError, KindInt, KindBulk, KindArray, KindNull, KindDouble, KindBool,
		KindBlobError, KindVerbatim, KindBigNumber, KindMap, KindSet, KindPush, KindAttribute:
		return true
	}
	return false
}

// scalar checks the text of a value that is one line.
func scalar(k Kind, text []byte) bool {
	switch k {
	case KindInt:
		_, ok := readInt(text)
		return ok
	case KindNull:
		return len(text) == 0
	case KindBool:
		return len(text) == 1 && (text[0] == 't' || text[0] == 'f')
	case KindBigNumber:
		return allDigits(unsigned(text))
	default:
		return double(text)
	}
}

func unsigned(text []byte) []byte {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		return text[1:]
	}
	return text
}

func allDigits(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) > 0
}

// double accepts what the RESP3 page gives for doubles, "inf", "-inf" and "nan" among it, and what C's printf makes of not-a-number.
func double(text []byte) bool {
	switch string(unsigned(text)) {
	case "inf", "nan":
		return true
	}
	mantissa, exponent := unsigned(text), []byte("0")
	if e := bytes.IndexAny(mantissa, "eE"); e >= 0 {
		mantissa, exponent = mantissa[:e], unsigned(mantissa[e+1:])
	}
	whole, fraction, dotted := bytes.Cut(mantissa, []byte("."))
	return allDigits(whole) && (!dotted || allDigits(fraction)) && allDigits(exponent)
}

// readInt reads the number of a ':' reply: digits with an optional sign; leading zeros are no harm there.
func readInt(text []byte) (int64, bool) {
	digits := unsigned(text)
	const exact = 18 // digits that cannot overflow
	if len(digits) == 0 || len(digits) > exact {
		n, err := strconv.ParseInt(string(text), 10, 64)
		return n, err == nil
	}
	var n int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if text[0] == '-' {
		n = -n
	}
	return n, true
}
