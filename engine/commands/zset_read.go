package commands

import "larder/protocol/command"

func zScore(c *Call) {
	v, _, wrong := c.lookZSet(c.Args[1])
	if wrong {
		return
	}
	if score, ok := v.Score(c.Args[2]); ok {
		c.W.Double(score)
	} else {
		c.W.Null()
	}
}

func zMScore(c *Call) {
	v, _, wrong := c.lookZSet(c.Args[1])
	if wrong {
		return
	}
	c.W.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		if score, ok := v.Score(member); ok {
			c.W.Double(score)
		} else {
			c.W.Null()
		}
	}
}

func zCard(c *Call) {
	if v, _, wrong := c.lookZSet(c.Args[1]); !wrong {
		c.W.Int(int64(v.Len()))
	}
}

func zCount(c *Call) {
	r, err := parseScoreRange(c.Args[2], c.Args[3])
	if err != noError {
		c.W.Error(err)
		return
	}
	if v, _, wrong := c.lookZSet(c.Args[1]); !wrong {
		c.W.Int(int64(v.ByScore(&r).Len()))
	}
}

func zLexCount(c *Call) {
	r, err := parseLexRange(c.Args[2], c.Args[3])
	if err != noError {
		c.W.Error(err)
		return
	}
	if v, _, wrong := c.lookZSet(c.Args[1]); !wrong {
		c.W.Int(int64(v.ByLex(&r).Len()))
	}
}

func zRank(c *Call)    { c.zRank(false) }
func zRevRank(c *Call) { c.zRank(true) }

// zRank answers WITHSCORE as Redis 7.2, which had it first.
func (c *Call) zRank(reverse bool) {
	withScore := len(c.Args) > 3
	switch {
	case len(c.Args) > 4:
		c.W.Error(command.ArityError(c.Row))
		return
	case withScore && !is(c.Args[3], "withscore"):
		c.W.Error(errSyntax)
		return
	}
	v, _, wrong := c.lookZSet(c.Args[1])
	if wrong {
		return
	}
	rank, score, ok := v.Rank(c.Args[2])
	if reverse {
		rank = v.Len() - 1 - rank
	}
	switch {
	case !ok && withScore:
		c.W.NullArray()
	case !ok:
		c.W.Null()
	case withScore:
		c.W.Array(2)
		c.W.Int(int64(rank))
		c.W.Double(score)
	default:
		c.W.Int(int64(rank))
	}
}
