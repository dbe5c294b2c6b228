package rdb

import (
	"errors"
	"fmt"
	"strconv"
)

// What can be wrong with a file; errors are *Error.
var (
	// ErrMagic is what gives a file that is no RDB file.
	ErrMagic = errors.New("no RDB file")
	// ErrVersion is what gives a file of a later version.
	ErrVersion = errors.New("RDB file of a later version")
	// ErrUnknown is what gives a mark or a type that nobody has told of.
	ErrUnknown = errors.New("unknown byte in an RDB file")
	// ErrModule is what gives data of a module that ends nobody knows where.
	ErrModule = errors.New("data of a module")
	// ErrCorrupt is what give bytes that are no string or no length where there must be one.
	ErrCorrupt = errors.New("corrupt RDB file")
	// ErrSum is what gives a file that has changed.
	ErrSum = errors.New("wrong checksum of an RDB file")
	// ErrCut is what gives a file that ends too early.
	ErrCut = errors.New("RDB file that is cut off")
)

// Error says what is wrong and where.
type Error struct {
	Offset int64 // in the file
	Kind   error
	What   string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s at offset %d: %s", e.Kind, e.Offset, e.What)
}

func (e *Error) Unwrap() error { return e.Kind }

func (s *Scanner) wrong(at int, kind error, what string, args ...any) error {
	return &Error{Offset: s.base + int64(at), Kind: kind, What: fmt.Sprintf(what, args...)}
}

// corrupt tells of bytes that are not what must be there.
func (s *Scanner) corrupt() error {
	switch s.doing {
	case inOperands:
		return s.wrong(s.at, ErrCorrupt, "what follows the mark %d is no length or string", s.op)
	case inKey:
		return s.wrong(s.at, ErrCorrupt, "no key follows the type %d", s.op)
	}
	return s.wrong(s.at, ErrCorrupt, "no length, string or number in the value of key %s of type %d", quote(s.key()), s.op)
}

// brokenKey tells of a compressed key that cannot be decompressed.
func (s *Scanner) brokenKey() error {
	return s.wrong(s.start+1, ErrCorrupt, "the key of a value of type %d cannot be decompressed", s.op)
}

// quoteMax is how much of a key an error repeats, bytes.
const quoteMax = 64

func quote(key []byte) string {
	if len(key) <= quoteMax {
		return strconv.Quote(string(key))
	}
	return strconv.Quote(string(key[:quoteMax])) + "…"
}
