// Package streams keeps streams: entries in the order of their IDs, and groups of consumers with what each has got and not acknowledged.
//
// A stream is two trees and a Meta. The first tree holds the entries (entry.go). The second holds what is looked up by an owner and an ID (index.go): the
// blocks that Redis would have made of the entries (block.go), each group's pending entries, and for each consumer the IDs of those that are its own.
// The Meta holds the rest: the last ID, the counters, the groups and their consumers by name, and the names of fields that entries share. So a snapshot
// of a stream copies a Meta of some hundred bytes, and what grows is in trees that are copied page by page.
//
// What must hold: the store's EditObject comes before a Stream that is changed is made, and a Stream lives no longer than the command. An entry pending in a
// group is in the second tree twice: under the group with its consumer's number, and under the consumer. Views of entries are dead after the next change.
package streams

import (
	"larder/engine/store"
	"larder/engine/store/tree"
)

// Limits are the sizes of Redis's blocks, which show in what approximate trimming takes away.
type Limits struct {
	NodeMaxBytes   int // stream-node-max-bytes; 0 = no limit
	NodeMaxEntries int // stream-node-max-entries; 0 = no limit
}

// DefaultLimits are Redis 7.2's.
func DefaultLimits() Limits { return Limits{NodeMaxBytes: 4096, NodeMaxEntries: 100} }

// Stream is a stream at hand.
type Stream struct {
	entries *tree.Tree
	index   *tree.Tree
	meta    *Meta
	buf     *[]byte // scratch
}

// Orders are those of a stream's trees.
func Orders() [2]tree.Order {
	return [2]tree.Order{{Word: entryWord}, {Word: indexWord}}
}

// Meta is what a stream keeps beside its trees.
type Meta struct {
	lastID       ID
	maxDeleted   ID // the greatest ID that XDEL has deleted
	entriesAdded uint64
	shapes       shapes
	split        bool // while it is loaded: the next entry begins a block, which is named by master if that can be
	master       ID
	tail         block    // the last block; its counts are none if the stream has none
	lastOwner    uint32   // the last number given to a group or a consumer
	groups       []*Group // by name
}

// Clone copies the Meta for a snapshot: groups and consumers, and no entries.
func (m *Meta) Clone() store.Meta {
	out := *m
	out.shapes = m.shapes.clone()
	out.groups = make([]*Group, len(m.groups))
	for i, g := range m.groups {
		out.groups[i] = g.clone()
	}
	return &out
}

// Bytes is about what the Meta takes.
func (m *Meta) Bytes() int64 {
	const metaBytes = 512
	n := int64(metaBytes) + m.shapes.bytes()
	for _, g := range m.groups {
		n += g.bytes()
	}
	return n
}

// Of gives the stream that an object is. The object must have come of EditObject if the stream is to be changed; buf is scratch for the changes.
func Of(o *store.Object, buf *[]byte) Stream {
	m, _ := o.Meta.(*Meta)
	return Stream{entries: o.Trees[0], index: o.Trees[1], meta: m, buf: buf}
}

// New makes key an empty stream.
func New(d *store.DB, key []byte, expiryMS, now int64, buf *[]byte) Stream {
	o := d.NewObject(key, store.KindStreamBig, Orders(), expiryMS, now)
	o.Meta = &Meta{}
	return Of(o, buf)
}

// Len is the number of entries.
func (s Stream) Len() int { return s.entries.Len() }

// LastID is the greatest ID the stream has given, even if its entry is gone.
func (s Stream) LastID() ID { return s.meta.lastID }

// MaxDeletedID is the greatest ID that was deleted by name.
func (s Stream) MaxDeletedID() ID { return s.meta.maxDeleted }

// EntriesAdded counts all entries the stream ever had.
func (s Stream) EntriesAdded() uint64 { return s.meta.entriesAdded }

// FirstID is the ID of the first entry, 0-0 if there is none.
func (s Stream) FirstID() ID {
	if c := s.entries.At(0); c.Valid() {
		return entryID(c.Entry())
	}
	return ID{}
}

// EndID is the ID of the last entry that is there, 0-0 if there is none.
func (s Stream) EndID() ID {
	if n := s.Len(); n > 0 {
		c := s.entries.At(n - 1)
		return entryID(c.Entry())
	}
	return ID{}
}

// SetID is XSETID: whoever calls it has seen to it that the values make sense.
func (s Stream) SetID(last, maxDeleted ID, added uint64) {
	s.meta.lastID, s.meta.maxDeleted, s.meta.entriesAdded = last, maxDeleted, added
}

// Append adds an entry. Its ID must be greater than LastID; fields are names and values in turn, at least one pair.
func (s Stream) Append(id ID, fields [][]byte, l Limits) {
	s.put(id, fields, l)
	s.meta.entriesAdded++
	s.meta.lastID = id
}

// put adds an entry behind the last and leaves the counters alone.
func (s Stream) put(id ID, fields [][]byte, l Limits) {
	hash := hashNames(fields)
	shape := s.meta.shapes.use(fields, hash)
	s.grow(id, fields, hash, l)
	*s.buf = appendEntry((*s.buf)[:0], id, fields, shape)
	s.entries.Append(*s.buf)
}

// Has tells whether there is an entry of that ID.
func (s Stream) Has(id ID) bool {
	_, found := s.seek(id)
	return found
}

// Get finds an entry.
func (s Stream) Get(id ID) (Entry, bool) {
	c, found := s.seek(id)
	if !found {
		return Entry{}, false
	}
	return s.read(c.Entry()), true
}

// Delete deletes an entry by name and tells whether it was there.
func (s Stream) Delete(id ID) bool {
	c, found := s.seek(id)
	if !found {
		return false
	}
	s.meta.shapes.drop(shapeOf(c.Entry()))
	s.entries.Delete(c)
	if s.meta.maxDeleted.Less(id) {
		s.meta.maxDeleted = id
	}
	s.shrink(id)
	return true
}

// seek finds the first entry that is not before the ID.
func (s Stream) seek(id ID) (tree.Cursor, bool) {
	return s.entries.Seek(id.MS, func(e []byte) int { return entryID(e).Compare(id) })
}

// Range walks the entries from one ID to another, both included, forwards or backwards.
type Range struct {
	s       Stream
	c       tree.Cursor
	left    int
	reverse bool
}

// Range begins a walk over at most count entries (0 = all), which is dead after a change of the entries.
func (s Stream) Range(from, to ID, reverse bool, count int64) Range {
	first, _ := s.seek(from)
	last, found := s.seek(to)
	n := last.Rank() - first.Rank()
	if found {
		n++
	}
	r := Range{s: s, c: first, left: max(n, 0), reverse: reverse}
	if reverse {
		if r.c = last; !found && r.left > 0 {
			r.c.Prev()
		}
	}
	if count > 0 && count < int64(r.left) {
		r.left = int(count)
	}
	return r
}

// Len is the number of entries that Next will still give.
func (r *Range) Len() int { return r.left }

// Next gives the next entry; false behind the last.
func (r *Range) Next() (Entry, bool) {
	if r.left == 0 {
		return Entry{}, false
	}
	e := r.s.read(r.c.Entry())
	if r.left--; r.left == 0 {
		return e, true
	}
	if r.reverse {
		r.c.Prev()
	} else {
		r.c.Next()
	}
	return e, true
}
