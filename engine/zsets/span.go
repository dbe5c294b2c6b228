package zsets

import (
	"bytes"
)

// Span is a run of ranks: From up to but not To. It is empty if From >= To.
type Span struct{ From, To int }

// Len is the number of members in it.
func (s Span) Len() int { return max(s.To-s.From, 0) }

// ScoreRange is what lies between two scores.
type ScoreRange struct {
	Min, Max     float64
	MinEx, MaxEx bool // the bound itself is not in it
}

// empty tells of a range that holds nothing whatever the members.
func (r *ScoreRange) empty() bool {
	return r.Min > r.Max || r.Min == r.Max && (r.MinEx || r.MaxEx)
}

func (r *ScoreRange) aboveMin(score float64) bool {
	return score > r.Min || score == r.Min && !r.MinEx
}

func (r *ScoreRange) belowMax(score float64) bool {
	return score < r.Max || score == r.Max && !r.MaxEx
}

// ByScore finds the members in a range of scores.
func (v *Value) ByScore(r *ScoreRange) Span {
	switch {
	case r.empty() || v.Len() == 0:
		return Span{}
	case v.obj != nil:
		return byScoreBig(v.obj, r)
	}
	l, rank := v.list, 0
	at := l.First()
	for ; at != 0 && !r.aboveMin(scoreAt(l, l.Next(at))); at = l.Next(l.Next(at)) {
		rank++
	}
	from := rank
	for ; at != 0 && r.belowMax(scoreAt(l, l.Next(at))); at = l.Next(l.Next(at)) {
		rank++
	}
	return Span{from, rank}
}

// LexBound is an end of a range of members.
type LexBound struct {
	Infinite int    // -1: before all members, 1: behind all; else 0
	Member   []byte // of a finite one
	Ex       bool   // the bound itself is not in the range
}

// LexRange is what lies between two members, where all scores are equal. What it holds where they are not is no promise, but what Redis says of a small
// sorted set is what we say of it.
type LexRange struct{ Min, Max LexBound }

func (a *LexBound) compare(b *LexBound) int {
	switch {
	case a.Infinite != b.Infinite:
		return a.Infinite - b.Infinite
	case a.Infinite != 0:
		return 0
	}
	return bytes.Compare(a.Member, b.Member)
}

func (r *LexRange) empty() bool {
	c := r.Min.compare(&r.Max)
	return c > 0 || c == 0 && (r.Min.Ex || r.Max.Ex)
}

func (r *LexRange) aboveMin(member []byte) bool {
	if r.Min.Infinite != 0 {
		return r.Min.Infinite < 0
	}
	c := bytes.Compare(member, r.Min.Member)
	return c > 0 || c == 0 && !r.Min.Ex
}

func (r *LexRange) belowMax(member []byte) bool {
	if r.Max.Infinite != 0 {
		return r.Max.Infinite > 0
	}
	c := bytes.Compare(member, r.Max.Member)
	return c < 0 || c == 0 && !r.Max.Ex
}

// ByLex finds the members in a range, looking from the first member on; ByLexReverse looks from the last one back. The two differ only where scores do.
func (v *Value) ByLex(r *LexRange) Span {
	if r.empty() || v.Len() == 0 {
		return Span{}
	}
	if v.obj != nil {
		return byLexBig(v.obj, r)
	}
	if !v.meetsLex(r) {
		return Span{}
	}
	var scratch [NumberMax]byte
	l, rank := v.list, 0
	at := l.First()
	for ; at != 0 && !r.aboveMin(memberText(l, at, &scratch)); at = l.Next(l.Next(at)) {
		rank++
	}
	from := rank
	for ; at != 0 && r.belowMax(memberText(l, at, &scratch)); at = l.Next(l.Next(at)) {
		rank++
	}
	return Span{from, rank}
}

// ByLexReverse is ByLex from behind.
func (v *Value) ByLexReverse(r *LexRange) Span {
	if r.empty() || v.Len() == 0 {
		return Span{}
	}
	if v.obj != nil {
		return byLexBig(v.obj, r)
	}
	if !v.meetsLex(r) {
		return Span{}
	}
	var scratch [NumberMax]byte
	l, rank := v.list, v.Len()
	at := l.Prev(l.Last())
	for ; at != 0 && !r.belowMax(memberText(l, at, &scratch)); at = prevPair(l, at) {
		rank--
	}
	to := rank
	for ; at != 0 && r.aboveMin(memberText(l, at, &scratch)); at = prevPair(l, at) {
		rank--
	}
	return Span{rank, to}
}

// meetsLex tells whether the last member is above the range's beginning and the first below its end.
func (v *Value) meetsLex(r *LexRange) bool {
	var scratch [NumberMax]byte
	l := v.list
	return r.aboveMin(memberText(l, l.Prev(l.Last()), &scratch)) && r.belowMax(memberText(l, l.First(), &scratch))
}
