package zsets

import (
	"bytes"
	"math"

	"larder/engine/store"
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
	"larder/protocol/encoding/ziplist"
)

// Write writes the value of a sorted set, as DUMP and RDB files have it (RDB version 10): a large one from the highest score down, as Redis does, so that a reader appends at one end.
func (v *Value) Write(p *rdb.Pen) {
	if v.Small() {
		p.Begin(rdb.TypeZSetListpack)
		p.String(v.list)
		return
	}
	p.Begin(rdb.TypeZSet)
	p.Length(uint64(v.Len()))
	cur := v.At(v.Len() - 1)
	for ; cur.Valid(); cur.Prev() {
		p.String(cur.Member())
		p.Double(cur.Score())
		if !p.Rest() {
			return
		}
	}
}

// Load reads a value as Dump writes it, and in the older forms that Redis reads, into a builder. The bytes are a stranger's: false if they are anything but
// one sorted set that is not empty and has no member twice.
func (b *Builder) Load(s *store.Store, t rdb.Type, value []byte) bool {
	b.Reset()
	var ok bool
	switch t {
	case rdb.TypeZSet, rdb.TypeZSetText:
		ok = b.loadPairs(value, t == rdb.TypeZSetText)
	case rdb.TypeZSetListpack, rdb.TypeZSetZiplist:
		blob, size, err := rdb.String(value, nil)
		ok = err == nil && size == len(value) && b.loadBlob(blob, t == rdb.TypeZSetZiplist)
	}
	return ok && b.Len() > 0 && b.Distinct(s)
}

func (b *Builder) loadPairs(value []byte, text bool) bool {
	n, at, err := rdb.Length(value)
	if err != nil || n > uint64(len(value)) {
		return false
	}
	read := rdb.Double
	if text {
		read = rdb.TextDouble
	}
	for ; n > 0; n-- {
		member, size, err := rdb.String(value[at:], nil)
		if err != nil {
			return false
		}
		at += size
		score, size, err := read(value[at:])
		if err != nil || math.IsNaN(score) {
			return false
		}
		at += size
		b.Add(member, score)
	}
	return at == len(value)
}

func (b *Builder) loadBlob(blob []byte, old bool) bool {
	if old {
		if ziplist.Validate(blob) != nil {
			return false
		}
		l := ziplist.List(blob)
		return b.loadList(l.First(), l.Get)
	}
	if listpack.Validate(blob) != nil {
		return false
	}
	l := listpack.List(blob)
	return b.loadList(l.First(), func(at int) (listpack.Entry, int) { return l.Get(at), l.Next(at) })
}

// Whole tells whether a listpack that Validate has found right is one of members and scores in order, so that it may be a small sorted set as it is. Whether
// the members differ it does not look at.
func Whole(l listpack.List) bool {
	before, was := 0, math.Inf(-1)
	var digits [2][NumberMax]byte
	for at := l.First(); at != 0; {
		member := at
		if at = l.Next(at); at == 0 {
			return false
		}
		score, ok := scoreOf(l.Get(at))
		if !ok || score < was || before != 0 && score == was && bytes.Compare(memberText(l, before, &digits[0]), memberText(l, member, &digits[1])) > 0 {
			return false
		}
		before, was = member, score
		at = l.Next(at)
	}
	return true
}

// loadList reads a list of members and scores in turns.
func (b *Builder) loadList(at int, get func(int) (listpack.Entry, int)) bool {
	for at != 0 {
		var member, behind listpack.Entry
		if member, at = get(at); at == 0 {
			return false
		}
		behind, at = get(at)
		score, ok := scoreOf(behind)
		if !ok {
			return false
		}
		b.entry = member.Append(b.entry[:0])
		b.Add(b.entry, score)
	}
	return true
}
