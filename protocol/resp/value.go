package resp

import "bytes"

// verbatimMark is the length of the "txt:" at the front of a verbatim text.
const verbatimMark = 4

// Value is one complete reply as Replies measured it. Its methods look into the bytes and never beyond them; what they return are views. They are for
// bytes that Replies has found to be right: anything else gives a false or an empty answer, not a panic.
type Value []byte

// bare is the reply without its attributes.
func bare(reply []byte) []byte {
	for len(reply) > 0 && reply[0] == byte(KindAttribute) {
		count, at := header(reply)
		if at == 0 {
			return nil
		}
		for range 2 * count {
			n := size(reply[at:])
			if n == 0 {
				return nil
			}
			at += n
		}
		reply = reply[at:]
	}
	return reply
}

// Kind is the kind of the reply, behind its attributes; 0 if there is none.
func (v Value) Kind() Kind {
	if reply := bare(v); len(reply) > 0 {
		return Kind(reply[0])
	}
	return 0
}

// IsNull tells whether the reply is one of the three nulls: "$-1", "*-1", "_".
func (v Value) IsNull() bool {
	reply := bare(v)
	return len(reply) > 2 && (reply[0] == '_' || reply[1] == '-' && (reply[0] == '$' || reply[0] == '*'))
}

// Int is the number of an integer reply.
func (v Value) Int() (int64, bool) { return ParseInt(v) }

// Bytes is the text of a reply that is no aggregate: of a bulk its bytes, of a verbatim text what follows its mark, of an error its line without the
// '-', of a number or bool its digits or letter. Not ok for a null or an aggregate.
func (v Value) Bytes() ([]byte, bool) {
	reply := bare(v)
	if len(reply) == 0 {
		return nil, false
	}
	switch Kind(reply[0]) {
	case KindBulk, KindBlobError, KindVerbatim:
		length, start := header(reply)
		end := start + length
		if start == 0 || length < 0 || end > len(reply) {
			return nil, false
		}
		if reply[0] == byte(KindVerbatim) {
			start = min(start+verbatimMark, end)
		}
		return reply[start:end:end], true
	case KindStatus, KindError, KindInt, KindDouble, KindBool, KindBigNumber:
		end := bytes.IndexByte(reply, '\r')
		if end < 0 {
			return nil, false
		}
		return reply[1:end:end], true
	default:
		return nil, false
	}
}

// Len is the number of elements of an aggregate, a map's keys and values each counted; 0 for a null and for all that is no aggregate.
func (v Value) Len() int { return Elements(v).left }

// Elements iterates over the elements of an aggregate.
func (v Value) Elements() Iter { return Elements(v) }

// Iter walks over the elements of an aggregate, not into them.
type Iter struct {
	rest []byte
	left int
}

// Elements iterates over the elements of an aggregate reply, over keys and values of a map in turn; over nothing if it is none.
func Elements(reply []byte) Iter {
	reply = bare(reply)
	if len(reply) == 0 {
		return Iter{}
	}
	switch Kind(reply[0]) {
	case KindArray, KindSet, KindPush, KindMap:
		count, at := header(reply)
		if at == 0 || count <= 0 {
			return Iter{}
		}
		if reply[0] == byte(KindMap) {
			count *= 2
		}
		return Iter{rest: reply[at:], left: count}
	default:
		return Iter{}
	}
}

// Left is how many elements are still to come.
func (it *Iter) Left() int { return it.left }

// Next is the next element with its attributes, a complete reply itself.
func (it *Iter) Next() (elem []byte, ok bool) {
	if it.left == 0 {
		return nil, false
	}
	n := size(it.rest)
	if n == 0 {
		it.left = 0
		return nil, false
	}
	elem, it.rest = it.rest[:n:n], it.rest[n:]
	it.left--
	return elem, true
}

// ParseInt is the number of an integer reply.
func ParseInt(reply []byte) (int64, bool) {
	reply = bare(reply)
	if len(reply) < 4 || reply[0] != byte(KindInt) {
		return 0, false
	}
	return readInt(reply[1 : len(reply)-2])
}

// BulkOf is the text of a bulk or verbatim reply; not ok for a null and for any other kind.
func BulkOf(reply []byte) ([]byte, bool) {
	switch Value(reply).Kind() {
	case KindBulk, KindVerbatim:
		return Value(reply).Bytes()
	default:
		return nil, false
	}
}

// IsError tells whether the reply is an error.
func IsError(reply []byte) bool { return Value(reply).Kind().IsError() }

// ErrorOf is the text of an error reply: the line behind the '-'.
func ErrorOf(reply []byte) ([]byte, bool) {
	if !IsError(reply) {
		return nil, false
	}
	return Value(reply).Bytes()
}

// FirstError is the first error in the reply: the reply itself, or the first one among its elements at any depth, as a complete reply.
func FirstError(reply []byte) ([]byte, bool) {
	rest := reply
	for len(rest) > 0 {
		n := head(rest)
		if n == 0 {
			return nil, false
		}
		if Kind(rest[0]).IsError() {
			return rest[:n:n], true
		}
		rest = rest[n:]
	}
	return nil, false
}

// header reads the number in the first line of a bulk or an aggregate and tells where the line ends; at is 0 if there is none.
func header(reply []byte) (n, at int) {
	if len(reply) < 2 {
		return 0, 0
	}
	if n, at = digits(reply, 1, replyBulkMax); at > 0 {
		return n, at
	}
	const null = "-1\r\n"
	if len(reply) > len(null) && string(reply[1:1+len(null)]) == null {
		return -1, 1 + len(null)
	}
	return 0, 0
}

// head is the length of a value without its elements: its first line, and the bytes of a bulk. 0 if reply is cut short.
func head(reply []byte) int {
	if len(reply) == 0 {
		return 0
	}
	switch Kind(reply[0]) {
	case KindBulk, KindBlobError, KindVerbatim:
		length, at := header(reply)
		if length >= 0 && at > 0 {
			at += length + 2
		}
		if at > len(reply) {
			return 0
		}
		return at
	default:
		end := bytes.IndexByte(reply, '\r')
		if end < 0 || end+2 > len(reply) {
			return 0
		}
		return end + 2
	}
}

// size is the length of the value at the front of reply, its attributes and elements included; 0 if reply is cut short.
func size(reply []byte) int {
	at := 0
	for left := 1; left > 0; left-- {
		rest := reply[at:]
		if n := leaf(rest); n > 0 {
			at += n
			continue
		}
		n := head(rest)
		if n == 0 {
			return 0
		}
		switch Kind(rest[0]) {
		case KindArray, KindSet, KindPush:
			left += children(rest, 1)
		case KindMap:
			left += children(rest, 2)
		case KindAttribute:
			left += children(rest, 2) + 1
		}
		at += n
	}
	return at
}

// children is how many values an aggregate announces.
func children(reply []byte, each int) int {
	count, _ := header(reply)
	return max(count, 0) * each
}
