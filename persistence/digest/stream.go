package digest

import (
	"crypto/sha256"
	"encoding/binary"

	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
)

const (
	streamIDBytes = 16

	flagDeleted    = 1 // of an entry in its listpack (Redis 7.0 stream.h)
	flagSameFields = 2
)

// stream digests a stream: its entries in order, the last ID, and its groups with their consumers and what is pending.
func (r *reader) stream(t rdb.Type) Value {
	b := New(Stream)
	for range r.Count(streamIDBytes + 2) {
		first := r.Text()
		if len(first) != streamIDBytes {
			r.Fail()
			return Value{}
		}
		w := &walker{r: r, b: b, ms: binary.BigEndian.Uint64(first), seq: binary.BigEndian.Uint64(first[8:])}
		w.entries(r.Text())
	}
	r.Length() // how many entries: they are there
	state := appendIDs(nil, r.Length(), r.Length())
	var counters []byte
	counted := t != rdb.TypeStream
	if counted {
		r.Length() // the first entry's ID: it is there
		r.Length()
		counters = appendIDs(nil, r.Length(), r.Length(), r.Length())
	}
	var groups Sum
	for range r.Count(6) {
		sum, read := r.group(t)
		groups.Add(sum)
		counters = appendIDs(counters, read)
	}
	if t == rdb.TypeStream4 {
		r.producers()
	}
	_, _ = b.running.Write(append(state, groups[:]...))
	v := b.Value()
	v.Counters, v.Counted = sha256.Sum256(counters), counted
	return v
}

func appendIDs(dst []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		dst = binary.BigEndian.AppendUint64(dst, n)
	}
	return dst
}

// group digests a group, and gives how many entries it has read.
func (r *reader) group(t rdb.Type) (sum Sum, read uint64) {
	text := appendText(nil, r.Text())
	text = appendIDs(text, r.Length(), r.Length())
	if t != rdb.TypeStream {
		read = r.Length()
	}
	var pending Sum
	for range r.Count(streamIDBytes + 9) {
		one := append(append([]byte{'p'}, r.Raw(streamIDBytes)...), r.Raw(8)...) // when it was delivered
		pending.Add(sha256.Sum256(appendIDs(one, r.Length())))
	}
	for range r.Count(10) {
		consumer := append([]byte{'c'}, r.Text()...)
		r.Int64() // when it was seen: each server's own
		if t == rdb.TypeStream3 || t == rdb.TypeStream4 {
			r.Int64()
		}
		pending.Add(sha256.Sum256(consumer))
		for range r.Count(streamIDBytes) {
			pending.Add(sha256.Sum256(append(append([]byte{'o'}, r.Raw(streamIDBytes)...), consumer...)))
		}
	}
	return sha256.Sum256(append(text, pending[:]...)), read
}

// producers passes over what producers have added with IDs of their own (Redis 8.6): nobody else has it.
func (r *reader) producers() {
	r.Length()
	r.Length()
	for range r.Count(2) {
		r.Text()
		for range r.Count(3) {
			r.Text()
			r.Length()
			r.Length()
		}
	}
	r.Length()
	r.Length()
}

// walker reads the entries of one listpack of a stream.
type walker struct {
	r       *reader
	b       *Builder
	ms, seq uint64 // what the entries' IDs count from
	l       listpack.List
	at      int
	names   [][]byte
	entry   []byte
}

func (w *walker) next() listpack.Entry {
	if w.at == 0 || w.r.Bad {
		w.r.Fail()
		return listpack.Entry{}
	}
	e := w.l.Get(w.at)
	w.at = w.l.Next(w.at)
	return e
}

func (w *walker) int() int64 {
	e := w.next()
	if !e.IsInt() {
		w.r.Fail()
	}
	return e.Int
}

// size reads how many entries follow, at most as many as there are.
func (w *walker) size() int {
	n := w.int()
	if n < 0 || n > int64(len(w.l)) {
		w.r.Fail()
		return 0
	}
	return int(n)
}

func (w *walker) entries(blob []byte) {
	if w.r.Bad || listpack.Validate(blob) != nil {
		w.r.Fail()
		return
	}
	w.l = blob
	w.at = w.l.First()
	w.int() // live entries
	w.int() // deleted ones
	for range w.size() {
		w.names = append(w.names, w.next().Append(nil))
	}
	w.int() // the end of the first part
	for w.at != 0 && !w.r.Bad {
		w.one()
	}
}

func (w *walker) one() {
	flags := w.int()
	w.entry = appendIDs(w.entry[:0], w.ms+uint64(w.int()), w.seq+uint64(w.int()))
	if flags&flagSameFields != 0 {
		for _, name := range w.names {
			w.entry = appendText(w.entry, name)
			w.entry = appendText(w.entry, w.r.textOf(w.next()))
		}
	} else {
		for range 2 * w.size() {
			w.entry = appendText(w.entry, w.r.textOf(w.next()))
		}
	}
	w.int() // how many elements it was, for who reads backwards
	if flags&flagDeleted == 0 && !w.r.Bad {
		w.b.Element(w.entry)
	}
}
