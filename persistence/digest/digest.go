// Package digest gives a value a sum that says whether it is the same value, whatever the form is in which a server keeps it: a set of numbers as an intset,
// a listpack or a table, of any version, compressed or not. Values come whole, as DUMP and RDB files have them (Payload, Body), or in parts, as SCAN and
// its relatives give a large one (Builder). What must hold: equal values have equal sums, by both ways and in any order in which elements come that have
// none; bytes that are no value give an error, never a panic. All is pure, for any goroutine; a Builder belongs to one.
//
// Left out is what no client could tell from another server's value: encodings, when a stream's consumer was seen last, and the cardinality that a HyperLogLog
// remembers of the last PFCOUNT.
package digest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"math"
)

// ErrBroken is what gives bytes that are no value.
var ErrBroken = errors.New("not a value")

// The types, as TYPE names them.
const (
	String = "string"
	List   = "list"
	Set    = "set"
	ZSet   = "zset"
	Hash   = "hash"
	Stream = "stream"
)

// Sum is a SHA-256, or many of them added up.
type Sum [sha256.Size]byte

// Add adds another sum to it, in four numbers of 64 bits: in whatever order things are added, the result is the same.
func (s *Sum) Add(o Sum) {
	for i := 0; i < len(s); i += 8 {
		binary.LittleEndian.PutUint64(s[i:], binary.LittleEndian.Uint64(s[i:])+binary.LittleEndian.Uint64(o[i:]))
	}
}

// Value is what is known of a value.
type Value struct {
	Type     string // as TYPE names it; of a module's value the module's name
	Elements int64  // of a string its bytes, of a hash its fields, of a stream its entries
	Sum      Sum
	Counters Sum  // of what streams have counted since Redis 7.0
	Counted  bool // there is such a sum
}

// Same tells whether two values are equal. What only one of them could have is not asked.
func (v Value) Same(o Value) bool {
	return v.Type == o.Type && v.Elements == o.Elements && v.Sum == o.Sum && (!v.Counted || !o.Counted || v.Counters == o.Counters)
}

// Builder makes the sum of a value from its parts.
type Builder struct {
	kind    string
	n       int64
	sum     Sum
	running hash.Hash // of what has an order
	scratch []byte
	seen    map[[16]byte]struct{} // the names of elements; nil: none comes twice
}

// New begins a value of a type.
func New(kind string) *Builder { return &Builder{kind: kind, running: sha256.New()} }

// NewScanned begins a value whose elements come as SCAN's relatives give them, some of them twice.
func NewScanned(kind string) *Builder {
	b := New(kind)
	b.seen = map[[16]byte]struct{}{}
	return b
}

// Text adds the next part of a string.
func (b *Builder) Text(part []byte) {
	if b.n == 0 && b.kind == String {
		part = uncounted(part)
	}
	_, _ = b.running.Write(part) // it never fails
	b.n += int64(len(part))
}

// What a HyperLogLog begins with (Redis 7.0 hyperloglog.c): a mark, its form, and the cardinality as it was counted last.
const (
	hllMark     = "HYLL"
	hllCountAt  = 8
	hllCountEnd = 16
)

// uncounted takes the cardinality out of a HyperLogLog: PFCOUNT puts it there, and nobody is told.
func uncounted(text []byte) []byte {
	if len(text) < hllCountEnd || string(text[:len(hllMark)]) != hllMark {
		return text
	}
	text = bytes.Clone(text)
	clear(text[hllCountAt:hllCountEnd])
	return text
}

// Element adds the next element of a list.
func (b *Builder) Element(text []byte) {
	b.scratch = appendText(b.scratch[:0], text)
	_, _ = b.running.Write(b.scratch)
	b.n++
}

// Member adds a member of a set.
func (b *Builder) Member(text []byte) {
	b.scratch = appendText(b.scratch[:0], text)
	b.add(len(b.scratch))
}

// Scored adds a member of a sorted set.
func (b *Builder) Scored(member []byte, score float64) {
	if score == 0 {
		score = 0 // -0 is kept by one form and not by the other
	}
	b.scratch = appendText(b.scratch[:0], member)
	name := len(b.scratch)
	b.scratch = binary.BigEndian.AppendUint64(b.scratch, math.Float64bits(score))
	b.add(name)
}

// Field adds a field of a hash; expiryMS is when it dies, 0 = never.
func (b *Builder) Field(field, value []byte, expiryMS int64) {
	b.scratch = appendText(b.scratch[:0], field)
	name := len(b.scratch)
	b.scratch = appendText(b.scratch, value)
	b.scratch = binary.BigEndian.AppendUint64(b.scratch, uint64(expiryMS))
	b.add(name)
}

// add adds the element that is in the scratch, whose name takes so many bytes of it.
func (b *Builder) add(name int) {
	if b.seen != nil {
		sum := sha256.Sum256(b.scratch[:name])
		short := [16]byte(sum[:16])
		if _, twice := b.seen[short]; twice {
			return
		}
		b.seen[short] = struct{}{}
	}
	b.sum.Add(sha256.Sum256(b.scratch))
	b.n++
}

// Value ends it.
func (b *Builder) Value() Value {
	all := appendText(nil, []byte(b.kind))
	all = binary.BigEndian.AppendUint64(all, uint64(b.n))
	all = b.running.Sum(append(all, b.sum[:]...))
	return Value{Type: b.kind, Elements: b.n, Sum: sha256.Sum256(all)}
}

func appendText(dst, text []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}
