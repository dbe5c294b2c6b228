package zsets

import (
	"bytes"
	"encoding/binary"
	"sort"

	"larder/engine/store"
	"larder/engine/store/tree"
)

// An entry of either tree is the score as sortable makes it, the highest byte first, and the member. The one tree has them in the order of the scores, of
// which 0 and -0 are the same, and then of the members; the other in that of the member's hash and then of the member.
const scoreBytes = 8

// The trees of a large sorted set.
const (
	inOrder  = 0
	byMember = 1
)

func appendEntry(dst, member []byte, score float64) []byte {
	dst = binary.BigEndian.AppendUint64(dst, sortable(score))
	return append(dst, member...)
}

func memberOf(entry []byte) []byte { return entry[scoreBytes:] }

// wordOf gives an entry's place in the order of scores.
func wordOf(entry []byte) uint64 { return placeOf(binary.BigEndian.Uint64(entry)) }

func scoreOfEntry(entry []byte) float64 { return fromSortable(binary.BigEndian.Uint64(entry)) }

func lenBig(o *store.Object) int { return o.Trees[inOrder].Len() }

func atBig(o *store.Object, rank int) tree.Cursor { return o.Trees[inOrder].At(rank) }

// seekMember finds a member's entry in the tree by hash.
func seekMember(s *store.Store, o *store.Object, member []byte) (tree.Cursor, bool) {
	return s.SeekHash(o.Trees[byMember], member, func(entry []byte) int { return bytes.Compare(memberOf(entry), member) })
}

// seekPlace finds where a member with that score stands, or belongs, in the tree in order.
func seekPlace(o *store.Object, member []byte, score float64) (tree.Cursor, bool) {
	return o.Trees[inOrder].Seek(placeOf(sortable(score)), func(entry []byte) int { return bytes.Compare(memberOf(entry), member) })
}

func scoreBig(s *store.Store, o *store.Object, member []byte) (score float64, ok bool) {
	c, found := seekMember(s, o, member)
	if !found {
		return 0, false
	}
	return scoreOfEntry(c.Entry()), true
}

func rankBig(s *store.Store, o *store.Object, member []byte) (rank int, score float64, ok bool) {
	if score, ok = scoreBig(s, o, member); !ok {
		return 0, 0, false
	}
	c, _ := seekPlace(o, member, score)
	return c.Rank(), score, true
}

// beforeScore is the number of members whose score is lower; or equal, where equal is set.
func beforeScore(o *store.Object, score float64, equal bool) int {
	side := 1 // of an entry with that score, compared with what is sought
	if equal {
		side = -1
	}
	c, _ := o.Trees[inOrder].Seek(placeOf(sortable(score)), func([]byte) int { return side })
	return c.Rank()
}

func byScoreBig(o *store.Object, r *ScoreRange) Span {
	return Span{beforeScore(o, r.Min, r.MinEx), beforeScore(o, r.Max, !r.MaxEx)}
}

// byLexBig takes the members to be in the order of their bytes, which they are if all scores are equal.
func byLexBig(o *store.Object, r *LexRange) Span {
	t := o.Trees[inOrder]
	n := t.Len()
	from := sort.Search(n, func(rank int) bool {
		c := t.At(rank)
		return r.aboveMin(memberOf(c.Entry()))
	})
	to := sort.Search(n, func(rank int) bool {
		c := t.At(rank)
		return !r.belowMax(memberOf(c.Entry()))
	})
	return Span{from, to}
}
