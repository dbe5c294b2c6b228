package streams

import "encoding/binary"

// An entry in its tree:
//
//	ms     u64 BE
//	seq    uvarint
//	shape  uvarint: 0, or the number of names that the stream keeps for all entries with them (shape.go)
//	count  uvarint, of shape 0: pairs
//	pairs  names (of shape 0) and values, each behind its length as uvarint

// Entry is an entry at hand. It is a view: dead after the next change of the stream.
type Entry struct {
	ID    ID
	pairs int
	names []byte // those of the shape; nil: they stand before their values
	rest  []byte
}

// Len is the number of pairs that Next will give.
func (e *Entry) Len() int { return e.pairs }

// Next gives the next pair. It must not be called more often than Len says.
func (e *Entry) Next() (name, value []byte) {
	if e.names != nil {
		name, e.names = cutText(e.names)
	} else {
		name, e.rest = cutText(e.rest)
	}
	value, e.rest = cutText(e.rest)
	e.pairs--
	return name, value
}

func entryWord(e []byte) uint64 { return binary.BigEndian.Uint64(e) }

func entryID(e []byte) ID {
	seq, _ := binary.Uvarint(e[8:])
	return ID{binary.BigEndian.Uint64(e), seq}
}

// shapeOf is the number of an entry's shape.
func shapeOf(e []byte) int {
	_, n := binary.Uvarint(e[8:])
	shape, _ := binary.Uvarint(e[8+n:])
	return int(shape)
}

func (s Stream) read(b []byte) Entry {
	e := Entry{}
	e.ID.MS = binary.BigEndian.Uint64(b)
	e.ID.Seq, b = cutUint(b[8:])
	shape, b := cutUint(b)
	if shape != 0 {
		sh := &s.meta.shapes.list[shape-1]
		e.pairs, e.names, e.rest = sh.count, sh.names, b
		return e
	}
	pairs, b := cutUint(b)
	e.pairs, e.rest = int(pairs), b
	return e
}

func appendEntry(dst []byte, id ID, fields [][]byte, shape int) []byte {
	dst = binary.BigEndian.AppendUint64(dst, id.MS)
	dst = binary.AppendUvarint(dst, id.Seq)
	dst = binary.AppendUvarint(dst, uint64(shape))
	if shape != 0 {
		for i := 1; i < len(fields); i += 2 {
			dst = appendText(dst, fields[i])
		}
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(len(fields)/2))
	for _, f := range fields {
		dst = appendText(dst, f)
	}
	return dst
}

func appendText(dst, text []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// cutText and cutUint read what this package has written.
func cutText(b []byte) (text, rest []byte) {
	n, b := cutUint(b)
	return b[:n:n], b[n:]
}

func cutUint(b []byte) (n uint64, rest []byte) {
	n, size := binary.Uvarint(b)
	return n, b[size:]
}
