package commands

import (
	"larder/engine/store"
	"larder/engine/zsets"
)

func zPopMin(c *Call) { c.zPop(false) }
func zPopMax(c *Call) { c.zPop(true) }

// zPop answers flat, but in RESP3 in pairs if a count was given.
func (c *Call) zPop(highest bool) {
	if len(c.Args) > 3 {
		c.W.Error(errSyntax)
		return
	}
	count := int64(1)
	if len(c.Args) == 3 {
		var err string
		if count, err = positive(c.Args[2]); err != noError {
			c.W.Error(err)
			return
		}
	}
	key := c.Args[1]
	_, found, wrong := c.lookZSet(key)
	switch {
	case wrong:
	case !found || count == 0:
		c.W.Array(0)
	default:
		pairs := c.W.Proto == 3 && len(c.Args) == 3
		c.popZSet(key, highest, count, func(n int) {
			if pairs {
				c.W.Array(n)
			} else {
				c.W.Array(2 * n)
			}
		}, pairs)
	}
}

// popZSet takes up to count members out of a sorted set that is there, from the one end or the other, and answers them behind the head, which is told how
// many they are.
func (c *Call) popZSet(key []byte, highest bool, count int64, head func(n int), pairs bool) {
	e, _, _ := c.openZSet(key)
	size := e.Len()
	n := int(min(count, int64(size)))
	head(n)
	s := zsets.Span{From: 0, To: n}
	cur := e.At(0)
	if highest {
		s = zsets.Span{From: size - n, To: size}
		cur = e.At(size - 1)
	}
	for range n {
		if pairs {
			c.W.Array(2)
		}
		c.W.BulkBytes(cur.Member())
		c.W.Double(cur.Score())
		if highest {
			cur.Prev()
		} else {
			cur.Next()
		}
	}
	e.RemoveSpan(s)
	c.Changed += n
	event := "zpopmin"
	if highest {
		event = "zpopmax"
	}
	c.closeZSet(key, event)
}

// zmPopOptions are the arguments of ZMPOP from the number of keys on.
type zmPopOptions struct {
	keys    [][]byte
	highest bool
	count   int64
}

func parseZMPop(args [][]byte) (o zmPopOptions, err string) {
	n, ok := store.ParseInt(args[0])
	switch {
	case !ok || n < 1:
		return o, errNumKeys
	case n >= int64(len(args)-1):
		return o, errSyntax
	}
	o.keys, args, o.count = args[1:n+1], args[n+1:], 1
	switch {
	case is(args[0], "min"):
	case is(args[0], "max"):
		o.highest = true
	default:
		return o, errSyntax
	}
	switch args = args[1:]; {
	case len(args) == 0:
		return o, noError
	case len(args) < 2 || !is(args[0], "count"):
		return o, errSyntax
	}
	if o.count, ok = store.ParseInt(args[1]); !ok || o.count < 1 {
		return o, errCountAboveZero
	}
	if len(args) > 2 {
		return o, errSyntax
	}
	return o, noError
}

func zMPop(c *Call) {
	o, err := parseZMPop(c.Args[1:])
	if err != noError {
		c.W.Error(err)
		return
	}
	if !c.popFirst(o.keys, o.highest, o.count, true) {
		c.W.NullArray()
	}
}

// popFirst pops from the first key that has anything, and answers its name too; false: none has, and nothing was written.
func (c *Call) popFirst(keys [][]byte, highest bool, count int64, nested bool) bool {
	for _, key := range keys {
		_, found, wrong := c.lookZSet(key)
		if wrong {
			return true
		}
		if !found {
			continue
		}
		c.popZSet(key, highest, count, func(n int) {
			if nested {
				c.W.Array(2)
				c.W.BulkBytes(key)
				c.W.Array(n)
			} else {
				c.W.Array(3)
				c.W.BulkBytes(key)
			}
		}, nested)
		name := "ZPOPMIN"
		if highest {
			name = "ZPOPMAX"
		}
		if nested {
			c.Replace(3).Text(name).Bytes(key).Int(int64(c.Changed))
		} else {
			c.Replace(2).Text(name).Bytes(key)
		}
		return true
	}
	return false
}

func bZPopMin(c *Call) { c.bzPop(false) }
func bZPopMax(c *Call) { c.bzPop(true) }

func (c *Call) bzPop(highest bool) {
	last := len(c.Args) - 1
	timeoutMS, err := c.parseTimeout(c.Args[last])
	if err != noError {
		c.W.Error(err)
		return
	}
	keys := c.Args[1:last]
	if !c.popFirst(keys, highest, 1, false) && !c.Block(keys, timeoutMS) {
		c.W.NullArray()
	}
}

func bZMPop(c *Call) {
	o, err := parseZMPop(c.Args[2:])
	if err != noError {
		c.W.Error(err)
		return
	}
	timeoutMS, err := c.parseTimeout(c.Args[1])
	if err != noError {
		c.W.Error(err)
		return
	}
	if !c.popFirst(o.keys, o.highest, o.count, true) && !c.Block(o.keys, timeoutMS) {
		c.W.NullArray()
	}
}
