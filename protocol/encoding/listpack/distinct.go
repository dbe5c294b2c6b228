package listpack

import (
	"encoding/binary"
	"math/bits"

	"larder/protocol/encoding/decimal"
)

// DistinctMax is how many names Distinct can tell apart.
const DistinctMax = 1 << 9

// Distinct looks at a list that Validate has found right as one of names with something behind each: every each-th entry from the first on is a name. It tells
// how long the longest entry is, and whether all names differ and each entry has the form that Append gives it, so that Find finds it. It does not know, and
// answers false, of more than DistinctMax names.
func (l List) Distinct(each int) (longest int, ok bool) {
	const few = 1 << 6 // names of most lists: to clear a table for more takes longer than to look at them
	if l.Len() <= few*each {
		var table [2 * few]uint16
		var places [few]int32
		return l.distinct(each, table[:], places[:])
	}
	var table [2 * DistinctMax]uint16
	var places [DistinctMax]int32
	return l.distinct(each, table[:], places[:])
}

// distinct is Distinct with an empty table of names by hash, which has the numbers of places from 1 on, and whose length is a power of two.
func (l List) distinct(each int, table []uint16, places []int32) (longest int, ok bool) {
	names, shift, mask := 0, bits.LeadingZeros64(uint64(len(table)-1)), uint64(len(table)-1)
	for at, i := l.First(), 0; at != 0; at, i = l.Next(at), i+1 {
		e := l.Get(at)
		if e.Text != nil && looksLikeNumber(e.Text) {
			return 0, false
		}
		longest = max(longest, e.Len())
		if i%each != 0 {
			continue
		}
		if names == len(places) {
			return 0, false
		}
		slot := e.hash() >> shift
		for ; table[slot] != 0; slot = (slot + 1) & mask {
			if l.Get(int(places[table[slot]-1])).same(e) {
				return 0, false
			}
		}
		places[names] = int32(at)
		names++
		table[slot] = uint16(names)
	}
	return longest, true
}

// Plain tells of a list that Validate has found right whether each entry has the form that Append gives it, so that Find finds it.
func (l List) Plain() bool {
	for at := l.First(); at != 0; at = l.Next(at) {
		if e := l.Get(at); e.Text != nil && looksLikeNumber(e.Text) {
			return false
		}
	}
	return true
}

// looksLikeNumber tells whether Append would have kept a text as a number.
func looksLikeNumber(text []byte) bool {
	const digitsMax = 20
	if len(text) == 0 || len(text) > digitsMax || text[0] > '9' || text[0] < '-' {
		return false
	}
	_, ok := decimal.Parse(text)
	return ok
}

func (e Entry) same(other Entry) bool {
	return e.IsInt() == other.IsInt() && e.Int == other.Int && string(e.Text) == string(other.Text)
}

// hash mixes an entry's ends and its length: names of one list mostly differ there, and most in their last bytes. Only its upper bits are good: what a bit of
// the text changes by a multiplication lies above it.
func (e Entry) hash() uint64 {
	h := uint64(e.Int)
	switch n := len(e.Text); {
	case e.Text == nil:
	case n >= 8:
		h = binary.LittleEndian.Uint64(e.Text)*3 ^ binary.LittleEndian.Uint64(e.Text[n-8:]) + uint64(n)
	default:
		h = uint64(n)
		for _, b := range e.Text {
			h = h<<8 ^ h>>56 ^ uint64(b)
		}
	}
	return h * 0x9e3779b97f4a7c15
}
