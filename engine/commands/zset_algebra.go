package commands

import (
	"math"

	"larder/algebra"
	"larder/engine/sets"
	"larder/engine/store"
	"larder/engine/zsets"
)

// zOperation is what a command makes of several sorted sets.
type zOperation uint8

const (
	zOpUnion zOperation = iota
	zOpInter
	zOpDiff
	zOpCard // ZINTERCARD
)

// zAlgebra is a command of the family on its way.
type zAlgebra struct {
	op         zOperation
	store      bool
	in         []algebra.Weighted
	aggregate  algebra.Aggregate
	withScores bool
	limit      int64 // of ZINTERCARD; 0: none
}

func zUnion(c *Call)      { c.zAlgebra(zAlgebra{op: zOpUnion}, "") }
func zInter(c *Call)      { c.zAlgebra(zAlgebra{op: zOpInter}, "") }
func zDiff(c *Call)       { c.zAlgebra(zAlgebra{op: zOpDiff}, "") }
func zInterCard(c *Call)  { c.zAlgebra(zAlgebra{op: zOpCard}, "") }
func zUnionStore(c *Call) { c.zAlgebra(zAlgebra{op: zOpUnion, store: true}, "zunionstore") }
func zInterStore(c *Call) { c.zAlgebra(zAlgebra{op: zOpInter, store: true}, "zinterstore") }
func zDiffStore(c *Call)  { c.zAlgebra(zAlgebra{op: zOpDiff, store: true}, "zdiffstore") }

// zAlgebra looks at the keys' types before it looks at the options, as Redis does.
func (c *Call) zAlgebra(o zAlgebra, event string) {
	args := c.Args[1:]
	if o.store {
		args = args[1:]
	}
	n, ok := store.ParseInt(args[0])
	switch {
	case !ok:
		c.W.Error(errNotInt)
		return
	case n < 1:
		c.W.Error("ERR at least 1 input key is needed for '" + c.Row.Name + "' command")
		return
	case n > int64(len(args)-1):
		c.W.Error(errSyntax)
		return
	}
	for _, key := range args[1 : 1+n] {
		in, wrong := c.lookScored(key)
		if wrong {
			return
		}
		o.in = append(o.in, algebra.Weighted{Scored: in, Weight: 1})
	}
	if err := o.words(args[1+n:]); err != noError {
		c.W.Error(err)
		return
	}
	switch {
	case o.op == zOpCard:
		c.W.Int(o.count())
	case o.store:
		c.zbuild.ResetToStore(c.Store, c.Limits.ZSet)
		c.gather(o.result())
		c.storeBuilt(c.Args[1], event)
	default:
		c.zbuild.Reset()
		c.gather(o.result())
		c.zbuild.Sort()
		c.writeBuilt(o.withScores)
	}
}

// words reads what follows the keys.
func (o *zAlgebra) words(args [][]byte) (err string) {
	for len(args) > 0 {
		took := 1
		switch word := args[0]; {
		case o.combines() && is(word, "weights") && len(args) > len(o.in):
			err, took = o.weights(args[1:]), 1+len(o.in)
		case o.combines() && is(word, "aggregate") && len(args) > 1:
			err, took = o.aggregation(args[1]), 2
		case !o.store && o.op != zOpCard && is(word, "withscores"):
			o.withScores = true
		case o.op == zOpCard && is(word, "limit") && len(args) > 1:
			var ok bool
			if o.limit, ok = store.ParseInt(args[1]); !ok || o.limit < 0 {
				err = errLimitNegative
			}
			took = 2
		default:
			err = errSyntax
		}
		if err != noError {
			return err
		}
		args = args[took:]
	}
	return noError
}

// combines tells whether several scores may become one.
func (o *zAlgebra) combines() bool { return o.op == zOpUnion || o.op == zOpInter }

func (o *zAlgebra) weights(args [][]byte) (err string) {
	for i := range o.in {
		var ok bool
		if o.in[i].Weight, ok = parseDouble(args[i]); !ok {
			return errWeight
		}
	}
	return noError
}

func (o *zAlgebra) aggregation(arg []byte) (err string) {
	switch {
	case is(arg, "sum"):
		o.aggregate = algebra.Sum
	case is(arg, "min"):
		o.aggregate = algebra.Min
	case is(arg, "max"):
		o.aggregate = algebra.Max
	default:
		return errSyntax
	}
	return noError
}

func (o *zAlgebra) result() algebra.Scores {
	switch o.op {
	case zOpUnion:
		return algebra.ScoresUnion(o.in, o.aggregate)
	case zOpDiff:
		return algebra.ScoresDifference(o.in)
	default:
		return algebra.ScoresIntersection(o.in, o.aggregate)
	}
}

// count is how many members the result has, up to the limit.
func (o *zAlgebra) count() (n int64) {
	limit := o.limit
	if limit == 0 {
		limit = math.MaxInt64
	}
	for range o.result() {
		if n++; n == limit {
			break
		}
	}
	return n
}

// lookScored finds a sorted set, or a set, whose members then all have the score 1.
func (c *Call) lookScored(key []byte) (in algebra.Scored, wrong bool) {
	it, found := c.look(key)
	switch {
	case !found:
		return &scoredZSet{}, false
	case zsets.Is(it.Kind()):
		return &scoredZSet{zsets.Of(c.Store, it)}, false
	case it.Kind() >= store.KindSetInt && it.Kind() <= store.KindSetBig:
		var s scoredSet
		s.Open(c.Store, it)
		return &s, false
	}
	c.W.Error(errWrongType)
	return nil, true
}

// scoredSet is a set as the algebra of sorted sets wants it.
type scoredSet struct{ sets.View }

func (s *scoredSet) Score(member []byte) (float64, bool) { return 1, s.Has(member) }

func (s *scoredSet) All(yield func(member []byte, score float64) bool) {
	s.View.All(func(member []byte) bool { return yield(member, 1) })
}

// scoredZSet is a sorted set as the algebra wants it.
type scoredZSet struct{ zsets.Value }

func (s *scoredZSet) Score(member []byte) (float64, bool) { return s.Value.Score(member) }
func (s *scoredZSet) Len() int                            { return s.Value.Len() }

func (s *scoredZSet) All(yield func(member []byte, score float64) bool) {
	cur := s.At(0) // not the loop's own, which would be a new one each time round
	for ; cur.Valid(); cur.Next() {
		if !yield(cur.Member(), cur.Score()) {
			return
		}
	}
}

// gather puts a result into the builder, which is empty, before anything is changed.
func (c *Call) gather(result algebra.Scores) {
	for member, score := range result {
		c.zbuild.Add(member, score)
	}
}

// writeBuilt answers what was built, in order.
func (c *Call) writeBuilt(withScores bool) {
	b := &c.zbuild
	c.pairsHead(int64(b.Len()), withScores)
	for i := range b.Len() {
		if c.full() {
			return
		}
		member, score := b.At(i)
		if withScores && c.W.Proto == 3 {
			c.W.Array(2)
		}
		c.W.BulkBytes(member)
		if withScores {
			c.W.Double(score)
		}
	}
}
