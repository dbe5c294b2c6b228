package commands

import "larder/engine/store"

func xLen(c *Call) {
	it, found, wrong := c.lookStream(c.Args[1])
	switch {
	case found:
		c.W.Int(int64(c.streamOf(it).Len()))
	case !wrong:
		c.W.Int(0)
	}
}

func xRange(c *Call)    { c.streamRange(c.Args[2], c.Args[3], false) }
func xRevRange(c *Call) { c.streamRange(c.Args[3], c.Args[2], true) }

func (c *Call) streamRange(start, end []byte, reverse bool) {
	from, to, err := interval(start, end)
	if err != noError {
		c.W.Error(err)
		return
	}
	count := int64(-1)
	for args := c.Args[4:]; len(args) > 0; args = args[2:] {
		if len(args) < 2 || !is(args[0], "count") {
			c.W.Error(errSyntax)
			return
		}
		n, ok := store.ParseInt(args[1])
		if !ok {
			c.W.Error(errNotInt)
			return
		}
		count = max(n, 0)
	}
	it, found, wrong := c.lookStream(c.Args[1])
	switch {
	case wrong:
	case !found:
		c.W.Array(0)
	case count == 0:
		c.W.NullArray()
	default:
		c.entries(c.streamOf(it).Range(from, to, reverse, max(count, 0)))
	}
}
