package commands

import (
	"larder/engine/store"
	"larder/engine/zsets"
)

// rangeBy says what the bounds of a range are.
type rangeBy uint8

const (
	byAny rangeBy = iota // the options say: ranks if they say nothing
	byRank
	byScore
	byLex
)

// zRangeOptions are a range of a sorted set as a command of the ZRANGE family says it.
type zRangeOptions struct {
	by            rangeBy
	reverse       bool
	withScores    bool
	offset, limit int64 // a negative limit: no limit
	start, end    int64
	scores        zsets.ScoreRange
	lex           zsets.LexRange
}

// zRangeForm is what a command of the family has by its name.
type zRangeForm struct {
	by         rangeBy
	directed   bool // its name says the direction, which is reverse
	reverse    bool
	store      bool // it stores
	firstBound int  // index of the first bound
}

func zRange(c *Call)      { c.zRange(zRangeForm{firstBound: 2}) }
func zRangeStore(c *Call) { c.zRange(zRangeForm{firstBound: 3, store: true}) }
func zRevRange(c *Call) {
	c.zRange(zRangeForm{firstBound: 2, by: byRank, directed: true, reverse: true})
}
func zRangeByScore(c *Call) { c.zRange(zRangeForm{firstBound: 2, by: byScore, directed: true}) }
func zRevRangeByScore(c *Call) {
	c.zRange(zRangeForm{firstBound: 2, by: byScore, directed: true, reverse: true})
}
func zRangeByLex(c *Call) { c.zRange(zRangeForm{firstBound: 2, by: byLex, directed: true}) }
func zRevRangeByLex(c *Call) {
	c.zRange(zRangeForm{firstBound: 2, by: byLex, directed: true, reverse: true})
}

// words reads what stands behind the bounds.
func (o *zRangeOptions) words(args [][]byte, f zRangeForm) (err string) {
	o.by, o.reverse, o.limit = f.by, f.reverse, -1
	for i := 0; i < len(args); i++ {
		switch word := args[i]; {
		case !f.store && is(word, "withscores"):
			o.withScores = true
		case is(word, "limit") && i+2 < len(args):
			var ok, ok2 bool
			o.offset, ok = store.ParseInt(args[i+1])
			o.limit, ok2 = store.ParseInt(args[i+2])
			if !ok || !ok2 {
				return errNotInt
			}
			i += 2
		case !f.directed && !o.reverse && is(word, "rev"):
			o.reverse = true
		case o.by == byAny && is(word, "bylex"):
			o.by = byLex
		case o.by == byAny && is(word, "byscore"):
			o.by = byScore
		default:
			return errSyntax
		}
	}
	if o.by == byAny {
		o.by = byRank
	}
	switch {
	case o.limit != -1 && o.by == byRank:
		return errLimitRank
	case o.withScores && o.by == byLex:
		return errLexScores
	}
	return noError
}

// bounds reads the bounds; from behind, the upper one stands first.
func (o *zRangeOptions) bounds(low, high []byte) (err string) {
	if o.reverse && o.by != byRank {
		low, high = high, low
	}
	switch o.by {
	case byScore:
		o.scores, err = parseScoreRange(low, high)
	case byLex:
		o.lex, err = parseLexRange(low, high)
	default:
		var ok, ok2 bool
		o.start, ok = store.ParseInt(low)
		o.end, ok2 = store.ParseInt(high)
		if !ok || !ok2 {
			return errNotInt
		}
	}
	return err
}

// span finds the ranks of the range, in the order of scores whatever the direction.
func (o *zRangeOptions) span(v *zsets.Value) zsets.Span {
	switch {
	case o.by == byScore:
		return o.cut(v.ByScore(&o.scores))
	case o.by == byLex && o.reverse:
		return o.cut(v.ByLexReverse(&o.lex))
	case o.by == byLex:
		return o.cut(v.ByLex(&o.lex))
	}
	n := v.Len()
	s := rankSpan(o.start, o.end, n)
	if o.reverse && s.Len() > 0 {
		s = zsets.Span{From: n - s.To, To: n - s.From}
	}
	return s
}

// cut takes LIMIT's part of a span. A negative offset is never counted down to 0.
func (o *zRangeOptions) cut(s zsets.Span) zsets.Span {
	n := int64(s.Len())
	if o.offset < 0 || o.offset >= n {
		return zsets.Span{}
	}
	n -= o.offset
	if o.limit >= 0 {
		n = min(n, o.limit)
	}
	if o.reverse {
		to := s.To - int(o.offset)
		return zsets.Span{From: to - int(n), To: to}
	}
	from := s.From + int(o.offset)
	return zsets.Span{From: from, To: from + int(n)}
}

func (c *Call) zRange(f zRangeForm) {
	var o zRangeOptions
	err := o.words(c.Args[f.firstBound+2:], f)
	if err == noError {
		err = o.bounds(c.Args[f.firstBound], c.Args[f.firstBound+1])
	}
	if err != noError {
		c.W.Error(err)
		return
	}
	v, _, wrong := c.lookZSet(c.Args[f.firstBound-1])
	switch {
	case wrong:
	case f.store:
		c.storeSpan(&v, o.span(&v))
	default:
		c.writeSpan(&v, o.span(&v), o.reverse, o.withScores)
	}
}

// writeSpan answers the members of a span, with their scores if asked for: pairs in RESP3, one behind the other in RESP2.
func (c *Call) writeSpan(v *zsets.Value, s zsets.Span, reverse, withScores bool) {
	n := s.Len()
	c.pairsHead(int64(n), withScores)
	at := s.From
	if reverse {
		at = s.To - 1
	}
	cur := v.At(at)
	for ; n > 0 && !c.full(); n-- {
		c.pair(&cur, withScores)
		if reverse {
			cur.Prev()
		} else {
			cur.Next()
		}
	}
}

// storeSpan makes the members of a span the sorted set of ZRANGESTORE's first key.
func (c *Call) storeSpan(v *zsets.Value, s zsets.Span) {
	b := &c.zbuild
	b.ResetToStore(c.Store, c.Limits.ZSet)
	cur := v.At(s.From)
	for n := s.Len(); n > 0; n-- {
		b.Add(cur.Member(), cur.Score())
		cur.Next()
	}
	c.storeBuilt(c.Args[1], "zrangestore")
}

// storeBuilt makes what was built the value of a key, or removes the key if it is nothing, tells of it and answers how much it is.
func (c *Call) storeBuilt(key []byte, event string) {
	n := c.zbuild.Len()
	if n > 0 {
		if _, taken := c.DB.Peek(key, c.NowMS); !taken {
			c.Push(key) // as in Redis nobody is woken by what replaces something
		}
		c.zbuild.Store(c.Store, c.DB, key, c.Limits.ZSet, store.NoExpiry, c.NowMS)
		c.Changed++
		c.Did(ClassZSet, event, key)
	} else if c.DB.Delete(key, c.NowMS) {
		c.Changed++
		c.Did(ClassGeneric, "del", key)
	}
	c.W.Int(int64(n))
}
