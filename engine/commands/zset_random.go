package commands

import (
	"math"
	"math/rand/v2"

	"larder/engine/store"
	"larder/engine/zsets"
)

// zRandomOptions are what may follow ZRANDMEMBER key.
type zRandomOptions struct {
	single     bool  // no count: one member, as a bulk
	count      int64 // negative: so many, the same one more than once perhaps
	withScores bool
}

func parseZRandom(args [][]byte) (o zRandomOptions, err string) {
	if len(args) == 0 {
		return zRandomOptions{single: true}, noError
	}
	var ok bool
	o.count, ok = store.ParseInt(args[0])
	o.withScores = len(args) > 1
	switch {
	case !ok:
		return o, errNotInt
	case o.count == math.MinInt64:
		return o, errNotLong
	case len(args) > 2 || o.withScores && !is(args[1], "withscores"):
		return o, errSyntax
	case o.withScores && (o.count > math.MaxInt64/2 || o.count < -math.MaxInt64/2):
		return o, errOutOfRange
	}
	return o, noError
}

func zRandMember(c *Call) {
	o, err := parseZRandom(c.Args[2:])
	if err != noError {
		c.W.Error(err)
		return
	}
	v, found, wrong := c.lookZSet(c.Args[1])
	switch n := v.Len(); {
	case wrong:
	case o.single && !found:
		c.W.Null()
	case o.single:
		cur := v.At(c.Store.Rand().IntN(n))
		c.W.BulkBytes(cur.Member())
	case !found || o.count == 0:
		c.W.Array(0)
	case o.count < 0:
		c.zRandomRepeated(&v, -o.count, o.withScores)
	default:
		c.zRandomDistinct(&v, int(min(o.count, int64(n))), o.withScores)
	}
}

// zRandomRepeated answers count members, each drawn from all.
func (c *Call) zRandomRepeated(v *zsets.Value, count int64, withScores bool) {
	c.pairsHead(count, withScores)
	n := v.Len()
	for ; count > 0 && !c.full(); count-- {
		cur := v.At(c.Store.Rand().IntN(n))
		c.pair(&cur, withScores)
	}
}

// zRandomDistinct answers that many of the members, each set of them as likely as any other.
func (c *Call) zRandomDistinct(v *zsets.Value, count int, withScores bool) {
	const few = 8 // for each one drawn there are so many members that finding them one by one is less than passing all
	c.pairsHead(int64(count), withScores)
	n, rng := v.Len(), c.Store.Rand()
	if count <= n/few {
		for _, rank := range distinctRanks(rng, n, count) {
			cur := v.At(rank)
			if c.pair(&cur, withScores); c.full() {
				return
			}
		}
		return
	}
	cur := v.At(0)
	for ; count > 0 && !c.full(); cur.Next() {
		if rng.IntN(n) < count { // as many of those that are left as are wanted still
			c.pair(&cur, withScores)
			count--
		}
		n--
	}
}

// distinctRanks draws count different numbers below n (Floyd's way), in no order.
func distinctRanks(rng *rand.Rand, n, count int) []int {
	out := make([]int, 0, count)
	drawn := make(map[int]bool, count)
	for top := n - count; top < n; top++ {
		rank := rng.IntN(top + 1)
		if drawn[rank] {
			rank = top
		}
		drawn[rank] = true
		out = append(out, rank)
	}
	return out
}

// pairsHead begins an answer of n members: with scores they are pairs in RESP3, one behind the other in RESP2.
func (c *Call) pairsHead(n int64, withScores bool) {
	if withScores && c.W.Proto != 3 {
		n *= 2
	}
	c.W.Array(int(n))
}

// pair answers one of them.
func (c *Call) pair(cur *zsets.Cursor, withScores bool) {
	if withScores && c.W.Proto == 3 {
		c.W.Array(2)
	}
	c.W.BulkBytes(cur.Member())
	if withScores {
		c.W.Double(cur.Score())
	}
}
