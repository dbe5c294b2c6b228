package commands

import (
	"math"

	"larder/engine/store"
)

func incr(c *Call) { c.add(1) }
func decr(c *Call) { c.add(-1) }

func incrBy(c *Call) {
	n, ok := store.ParseInt(c.Args[2])
	if !ok {
		c.W.Error(errNotInt)
		return
	}
	c.add(n)
}

func decrBy(c *Call) {
	n, ok := store.ParseInt(c.Args[2])
	switch {
	case !ok:
		c.W.Error(errNotInt)
	case n == math.MinInt64:
		c.W.Error(errDecrOverflow)
	default:
		c.add(-n)
	}
}

// add adds to the number at a key, 0 if there is none.
func (c *Call) add(n int64) {
	key := c.Args[1]
	it, found, wrong := c.lookString(key)
	if wrong {
		return
	}
	old, isInt := int64(0), false
	if found {
		if old, isInt = it.Int(); !isInt {
			var ok bool
			if old, ok = store.ParseInt(c.text(it)); !ok {
				c.W.Error(errNotInt)
				return
			}
		}
	}
	sum := old + n
	if (n > 0) != (sum > old) && n != 0 {
		c.W.Error(errOverflow)
		return
	}
	if isInt {
		it.SetInt(sum)
	} else {
		c.DB.SetInt(key, sum, store.KeepExpiry, c.NowMS)
	}
	c.Changed++
	c.Did(ClassString, "incrby", key)
	c.W.Int(sum)
}
