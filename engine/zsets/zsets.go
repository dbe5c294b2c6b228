// Package zsets is the sorted set: members with scores, in the order of the scores and, of equal ones, of the members' bytes.
//
// A small one is a listpack of member, score, member …, in order, the bytes that Redis keeps (Redis 7.2 t_zset.c); it is the item's blob. A large one has two
// trees: entries in order, and the same by the hash of the member, so that a rank and a score are both found in logarithmic time. Which of the two it is
// follows from Limits, as in Redis: it becomes large when a member is added that is too long or one too many, and never small again while it lives.
//
// Value reads, Edit changes, Builder makes a whole one, ranges are pairs of ranks (Span). What must hold: a score is never NaN; -0 is as high as 0, and only a
// large sorted set tells the two apart, since a listpack keeps whole numbers; views of members are dead with the next change. The package is pure and its callers are the command handlers, on the node's loop.
package zsets

import (
	"larder/engine/store"
	"larder/protocol/encoding/listpack"
)

// Limits say up to where a sorted set stays small.
type Limits struct {
	EntriesMax int // zset-max-listpack-entries
	ValueMax   int // zset-max-listpack-value: bytes of a member
}

// DefaultLimits are Redis 7.2's.
func DefaultLimits() Limits { return Limits{EntriesMax: 128, ValueMax: 64} }

// Value is a sorted set to read. The zero Value is one without members. It is dead with the next change of the store.
type Value struct {
	list listpack.List // of a small one
	obj  *store.Object // of a large one
	s    *store.Store
}

// Is tells whether an item's value is a sorted set.
func Is(k store.Kind) bool { return k == store.KindZSet || k == store.KindZSetBig }

// Of gives the sorted set of an item, for which Is holds.
func Of(s *store.Store, it store.Item) Value {
	if it.Kind() == store.KindZSet {
		return Value{list: it.Text(nil)}
	}
	return Value{obj: it.Object(), s: s}
}

// OfObject gives a large one.
func OfObject(s *store.Store, o *store.Object) Value { return Value{obj: o, s: s} }

// Small tells whether the form is the listpack.
func (v *Value) Small() bool { return v.obj == nil }

// Len is the number of members.
func (v *Value) Len() int {
	switch {
	case v.obj != nil:
		return lenBig(v.obj)
	case v.list == nil:
		return 0
	}
	return v.list.Len() / 2
}

// Score finds a member's score.
func (v *Value) Score(member []byte) (score float64, ok bool) {
	if v.obj != nil {
		return scoreBig(v.s, v.obj, member)
	}
	at := findSmall(v.list, member)
	if at == 0 {
		return 0, false
	}
	return scoreAt(v.list, v.list.Next(at)), true
}

// Rank finds a member's place, from 0, and its score.
func (v *Value) Rank(member []byte) (rank int, score float64, ok bool) {
	if v.obj != nil {
		return rankBig(v.s, v.obj, member)
	}
	at := findSmall(v.list, member)
	if at == 0 {
		return 0, 0, false
	}
	for p := v.list.First(); p != at; p = v.list.Next(v.list.Next(p)) {
		rank++
	}
	return rank, scoreAt(v.list, v.list.Next(at)), true
}
