package zsets

import (
	"bytes"
	"cmp"
	"slices"

	"larder/engine/store"
	"larder/protocol/encoding/listpack"
)

// Builder gathers a whole sorted set, in any order, each member once. Its owner keeps one and uses it again and again. It keeps what it gathers in scratch,
// or, from a size on and if it is to be stored (ResetToStore), in pages that become the key's.
type Builder struct {
	s      *store.Store // scratch goes into a draft when it is large
	limits Limits
	draft  *store.Object

	text    []byte // the members, one behind the other
	items   []item
	sorted  bool
	longest int
	list    listpack.List
	entry   []byte
	order   []store.Hashed // the members by hash, if ordered
	ordered bool
}

type item struct {
	score    float64
	from, to int // the member in text
}

// builderKeep bounds the scratch that a Builder keeps when it is reset, in bytes and in members.
const builderKeep = 64 << 10

// draftMin is from how many members on a draft is made of a large sorted set. Fewer are put in order in scratch, which is faster.
const draftMin = 4096

// ResetToStore makes the builder empty. What is added may be views of the store, which stay alive: Store must follow, or nothing was added, and no Sort or
// At.
func (b *Builder) ResetToStore(s *store.Store, limits Limits) {
	b.Reset()
	b.s, b.limits = s, limits
}

// Reset makes the builder empty.
func (b *Builder) Reset() {
	b.s, b.draft, b.ordered = nil, nil, false
	if cap(b.text) > builderKeep || cap(b.items) > builderKeep {
		*b = Builder{}
	}
	b.text, b.items, b.sorted, b.longest = b.text[:0], b.items[:0], true, 0
}

// Add puts a member in; it is copied.
func (b *Builder) Add(member []byte, score float64) {
	if b.draft != nil {
		b.addToDraft(member, score)
		return
	}
	if b.s != nil && len(b.items) >= draftMin && !b.small(b.limits) {
		b.makeDraft()
		b.addToDraft(member, score)
		return
	}
	from := len(b.text)
	b.text = append(b.text, member...)
	it := item{score, from, len(b.text)}
	if n := len(b.items); b.sorted && n > 0 && b.compare(b.items[n-1], it) > 0 {
		b.sorted = false
	}
	b.items = append(b.items, it)
	b.longest = max(b.longest, len(member))
}

// makeDraft puts what was gathered into a draft.
func (b *Builder) makeDraft() {
	b.Sort()
	b.draft = b.s.NewDraft(orders(b.s))
	b.fill(b.draft)
	b.text, b.items = b.text[:0], b.items[:0]
}

func (b *Builder) addToDraft(member []byte, score float64) {
	b.entry = appendEntry(b.entry[:0], member, score)
	c, _ := seekPlace(b.draft, member, score)
	b.draft.Trees[inOrder].Insert(c, b.entry)
	insertMember(b.draft, b.s, b.entry)
}

// fill puts the members, which are in order, into an empty object.
func (b *Builder) fill(o *store.Object) {
	for i := range b.items {
		member, score := b.At(i)
		b.entry = appendEntry(b.entry[:0], member, score)
		o.Trees[inOrder].Append(b.entry)
		if !b.ordered {
			insertMember(o, b.s, b.entry)
		}
	}
	if !b.ordered {
		return
	}
	for _, e := range b.order {
		member, score := b.At(int(e.Index))
		b.entry = appendEntry(b.entry[:0], member, score)
		o.Trees[byMember].Append(b.entry)
	}
}

// Distinct puts the members in both orders, and tells whether they are all different. Nothing may be added afterwards.
func (b *Builder) Distinct(s *store.Store) bool {
	b.Sort()
	b.order, b.ordered = s.HashOrder(b.order[:0], len(b.items), b.member)
	return b.ordered
}

func (b *Builder) member(i int) []byte {
	it := &b.items[i]
	return b.text[it.from:it.to]
}

// Len is the number of members.
func (b *Builder) Len() int {
	if b.draft != nil {
		return lenBig(b.draft)
	}
	return len(b.items)
}

// At gives the member of a rank, once Sort was called.
func (b *Builder) At(rank int) (member []byte, score float64) {
	it := b.items[rank]
	return b.text[it.from:it.to], it.score
}

func (b *Builder) compare(x, y item) int {
	if c := cmp.Compare(x.score, y.score); c != 0 {
		return c
	}
	return bytes.Compare(b.text[x.from:x.to], b.text[y.from:y.to])
}

// Sort puts the members in order.
func (b *Builder) Sort() {
	if !b.sorted {
		slices.SortFunc(b.items, b.compare)
		b.sorted = true
	}
}

// Store gives key the sorted set, which has members, and an expiry; what was there is replaced.
func (b *Builder) Store(s *store.Store, db *store.DB, key []byte, limits Limits, expiryMS, nowMS int64) {
	if b.draft != nil {
		db.KeepDraft(key, store.KindZSetBig, b.draft, expiryMS, nowMS)
		b.s, b.draft = nil, nil
		return
	}
	b.Sort()
	if b.small(limits) {
		b.list = listpack.New(b.list)
		for i := range b.items {
			member, score := b.At(i)
			b.list = appendPair(b.list, member, score)
		}
		if len(b.list) < store.BlobMax {
			db.SetBlob(key, store.KindZSet, b.list, expiryMS, nowMS)
			return
		}
	}
	b.s = s
	b.fill(newObject(s, db, key, expiryMS, nowMS))
}

// small tells whether the sorted set may be a listpack.
func (b *Builder) small(limits Limits) bool {
	return len(b.items) <= limits.EntriesMax && b.longest <= limits.ValueMax && len(b.text) < store.BlobMax
}
