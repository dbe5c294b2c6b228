package commands

import (
	"larder/engine/store"
	"larder/engine/zsets"
)

func zRem(c *Call) {
	key := c.Args[1]
	e, found, wrong := c.openZSet(key)
	if wrong {
		return
	}
	n := 0
	if found {
		for _, member := range c.Args[2:] {
			if e.Remove(member) {
				n++
			}
		}
	}
	c.removed(key, "zrem", n)
}

// removed ends the change of a sorted set out of which n members were taken, and answers.
func (c *Call) removed(key []byte, event string, n int) {
	if n > 0 {
		c.Changed += n
		c.closeZSet(key, event)
	} else {
		c.zset.Close()
	}
	c.W.Int(int64(n))
}

// removeSpan takes out what find gives of the sorted set at the command's key.
func (c *Call) removeSpan(event string, find func(*zsets.Value) zsets.Span) {
	key := c.Args[1]
	e, found, wrong := c.openZSet(key)
	if wrong {
		return
	}
	var s zsets.Span
	if found {
		s = find(&e.Value)
		e.RemoveSpan(s)
	}
	c.removed(key, event, s.Len())
}

func zRemRangeByRank(c *Call) {
	start, ok := store.ParseInt(c.Args[2])
	end, ok2 := store.ParseInt(c.Args[3])
	if !ok || !ok2 {
		c.W.Error(errNotInt)
		return
	}
	c.removeSpan("zremrangebyrank", func(v *zsets.Value) zsets.Span { return rankSpan(start, end, v.Len()) })
}

func zRemRangeByScore(c *Call) {
	r, err := parseScoreRange(c.Args[2], c.Args[3])
	if err != noError {
		c.W.Error(err)
		return
	}
	c.removeSpan("zremrangebyscore", func(v *zsets.Value) zsets.Span { return v.ByScore(&r) })
}

func zRemRangeByLex(c *Call) {
	r, err := parseLexRange(c.Args[2], c.Args[3])
	if err != noError {
		c.W.Error(err)
		return
	}
	c.removeSpan("zremrangebylex", func(v *zsets.Value) zsets.Span { return v.ByLex(&r) })
}

// rankSpan makes ranks of two indexes as a client gives them. An end before the first member is before it, not at it.
func rankSpan(start, end int64, n int) zsets.Span {
	if end < 0 {
		end += int64(n)
	}
	first := place(start, int64(n))
	if last := min(end, int64(n)-1); first <= last {
		return zsets.Span{From: int(first), To: int(last) + 1}
	}
	return zsets.Span{}
}
