package proxy

import (
	"hash/maphash"
	"strconv"

	"larder/protocol/resp"
)

// operand is a set or a sorted set as a shard gave it, looked at where the reply lies. It is a collection of algebra.
type operand struct {
	members [][]byte
	scores  []float64 // nil: none were asked for
	table   []uint32  // by hash: a member's number + 1, 0 = free; made when it is first looked into
	seed    maphash.Seed
}

// membersOf reads an array or a set of texts. Not ok: it is none.
func membersOf(reply []byte) (*operand, bool) {
	o := &operand{}
	it := resp.Elements(reply)
	o.members = make([][]byte, 0, it.Left())
	for {
		elem, ok := it.Next()
		if !ok {
			break
		}
		member, ok := resp.BulkOf(elem)
		if !ok {
			return nil, false
		}
		o.members = append(o.members, member)
	}
	return o, isCollection(reply)
}

// members reads the one reply. Nil: the job has ended with what was wrong.
func (j *job) members() *operand {
	if j.failed() {
		return nil
	}
	o, ok := membersOf(j.replies[0])
	if !ok {
		j.finish([]byte(errorOutOfForm))
		return nil
	}
	return o
}

// isCollection: a null, or a number, is no empty collection.
func isCollection(reply []byte) bool {
	v := resp.Value(reply)
	return !v.IsNull() && (v.Kind() == resp.KindArray || v.Kind() == resp.KindSet)
}

// scoredOf reads members with their scores: one after the other, or by pairs.
func scoredOf(reply []byte) (*operand, bool) {
	o := &operand{scores: []float64{}}
	it := resp.Elements(reply)
	for it.Left() > 0 {
		first, ok := it.Next()
		if !ok {
			return nil, false
		}
		second, ok := []byte(nil), false
		if resp.Value(first).Kind() == resp.KindArray {
			pair := resp.Elements(first)
			first, _ = pair.Next()
			second, ok = pair.Next()
		} else {
			second, ok = it.Next()
		}
		member, isText := resp.BulkOf(first)
		digits, isNumber := resp.Value(second).Bytes()
		score, err := strconv.ParseFloat(string(digits), 64)
		if !ok || !isText || !isNumber || err != nil {
			return nil, false
		}
		o.members, o.scores = append(o.members, member), append(o.scores, score)
	}
	return o, isCollection(reply)
}

func (o *operand) Len() int { return len(o.members) }

func (o *operand) Has(member []byte) bool {
	_, found := o.Rank(member)
	return found
}

// Rank finds a member's number.
func (o *operand) Rank(member []byte) (int, bool) {
	if len(o.members) == 0 {
		return 0, false
	}
	if o.table == nil {
		o.index()
	}
	mask := uint64(len(o.table) - 1)
	for at := maphash.Bytes(o.seed, member) & mask; ; at = (at + 1) & mask {
		n := o.table[at]
		if n == 0 {
			return 0, false
		}
		if string(o.members[n-1]) == string(member) {
			return int(n - 1), true
		}
	}
}

// index makes the table, at most half full.
func (o *operand) index() {
	size := 4
	for size < 2*len(o.members) {
		size *= 2
	}
	o.table, o.seed = make([]uint32, size), maphash.MakeSeed()
	mask := uint64(size - 1)
	for i, member := range o.members {
		at := maphash.Bytes(o.seed, member) & mask
		for o.table[at] != 0 {
			at = (at + 1) & mask
		}
		o.table[at] = uint32(i + 1)
	}
}

// All gives every member.
func (o *operand) All(yield func([]byte) bool) {
	for _, member := range o.members {
		if !yield(member) {
			return
		}
	}
}

// scored is an operand as the algebra of sorted sets wants it.
type scored struct{ *operand }

func (o scored) Score(member []byte) (float64, bool) {
	i, found := o.Rank(member)
	if !found || o.scores == nil {
		return 0, found
	}
	return o.scores[i], true
}

func (o scored) All(yield func([]byte, float64) bool) {
	for i, member := range o.members {
		score := float64(0)
		if o.scores != nil {
			score = o.scores[i]
		}
		if !yield(member, score) {
			return
		}
	}
}
