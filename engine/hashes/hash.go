// Package hashes are hashes: fields with values, each field perhaps with a time to die.
//
// A hash has one of two forms. Small: one listpack of fields and values in turns, in the order in which they came, in the item itself. Big: an object
// of two trees outside the Go heap. The first holds all fields, in the order of their hashes: so a field is found in few steps, one is drawn by its rank,
// and a scan's cursor is a hash. The second holds the fields that expire, in the order of their times: so the expired are counted and found without a
// look at the others. A hash grows big at the limits that Redis has, when it would outgrow a blob, and when a field gets an expiry; it never gets small
// again.
//
// What must hold: a field whose time has come is never shown, whether or not it was removed yet; Len counts none. A field is in the second tree exactly
// if its entry in the first has an expiry, the same. The package is pure: store, time and dice are handed in. Views (a Hash, what it gives, the texts of
// entries) are dead with the next change of the store.
package hashes

import (
	"larder/engine/store"
	"larder/engine/store/tree"
	"larder/protocol/encoding/listpack"
)

// Limits say up to where a hash stays small (Redis's hash-max-listpack-entries and -value).
type Limits struct {
	Entries int // fields
	Value   int // bytes of a field or a value
}

// DefaultLimits are Redis 7.2's.
func DefaultLimits() Limits { return Limits{Entries: 512, Value: 64} }

// Text is a field or a value: bytes, or a number that stands for its decimal digits.
type Text = listpack.Entry

// Hash is a hash to be read. The zero value is empty.
type Hash struct {
	list  listpack.List // small
	big   *store.Object // nil: small
	store *store.Store
	now   int64
}

// Open reads an item, whose kind is a hash's. now is in milliseconds since 1970.
func Open(s *store.Store, it store.Item, now int64) Hash {
	if it.Kind() == store.KindHashBig {
		return Hash{big: it.Object(), store: s, now: s.InsideMS(now)}
	}
	return Hash{list: it.Text(nil)}
}

// OpenObject reads a big hash.
func OpenObject(s *store.Store, o *store.Object, now int64) Hash {
	return Hash{big: o, store: s, now: now}
}

// Len is the number of fields.
func (h *Hash) Len() int {
	switch {
	case h.big != nil:
		return h.big.Trees[fields].Len() - h.expired()
	case h.list != nil:
		return h.list.Len() / 2
	}
	return 0
}

// Get finds a field's value.
func (h *Hash) Get(field []byte) (value Text, found bool) {
	if h.big != nil {
		f, ok := h.find(field)
		return Text{Text: f.value}, ok
	}
	at := h.smallAt(field)
	if at == 0 {
		return Text{}, false
	}
	return h.list.Get(at), true
}

// HasDead tells whether there are fields whose time has come and that were not removed yet.
func (h *Hash) HasDead() bool { return h.big != nil && h.expired() > 0 }

// Find finds a field's value and expiry, store.NoExpiry if it has none.
func (h *Hash) Find(field []byte) (value Text, expiryMS int64, found bool) {
	if h.big != nil {
		f, ok := h.find(field)
		return Text{Text: f.value}, f.expiryMS, ok
	}
	value, found = h.Get(field)
	return value, store.NoExpiry, found
}

// smallAt is the place of a field's value, 0 if there is no such field.
func (h *Hash) smallAt(field []byte) int {
	if h.list == nil {
		return 0
	}
	at := h.list.Find(h.list.First(), field, 1)
	if at == 0 {
		return 0
	}
	return h.list.Next(at)
}

// find finds a field of a big hash that lives.
func (h *Hash) find(name []byte) (f field, found bool) {
	c, found := seek(h.store, h.big.Trees[fields], name)
	if !found {
		return field{}, false
	}
	f = fieldOf(c.Entry())
	if f.dead(h.now) {
		return field{}, false
	}
	return f, true
}

// expired is the number of fields of a big hash whose time has come.
func (h *Hash) expired() int {
	due := h.big.Trees[dues]
	if due.Len() == 0 {
		return 0
	}
	c, _ := due.Seek(uint64(h.now)+1, before)
	return c.Rank()
}

// Walk goes over the living fields of a hash, in the order of the form.
type Walk struct {
	now    int64
	list   listpack.List
	at     int // of the next field, 0 behind the last
	cursor tree.Cursor
	big    bool
	begun  bool

	Field, Value Text
}

// Walk begins at the first field. Next is to be called first.
func (h *Hash) Walk() Walk {
	w := Walk{now: h.now}
	switch {
	case h.big != nil:
		w.big = true
		w.cursor = h.big.Trees[fields].At(0)
	case h.list != nil:
		w.list = h.list
		w.at = h.list.First()
	}
	return w
}

// Next goes to the next field and reports whether there is one.
func (w *Walk) Next() bool {
	if w.big {
		return w.nextBig()
	}
	if w.at == 0 {
		return false
	}
	w.Field = w.list.Get(w.at)
	w.at = w.list.Next(w.at)
	w.Value = w.list.Get(w.at)
	w.at = w.list.Next(w.at)
	return true
}

func (w *Walk) nextBig() bool {
	for ; ; w.begun = true {
		if w.begun {
			w.cursor.Next()
		}
		if !w.cursor.Valid() {
			return false
		}
		if f := fieldOf(w.cursor.Entry()); !f.dead(w.now) {
			w.Field, w.Value, w.begun = Text{Text: f.name}, Text{Text: f.value}, true
			return true
		}
	}
}
