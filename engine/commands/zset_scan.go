package commands

import (
	"math"

	"larder/engine/zsets"
	"larder/protocol/client"
	"larder/protocol/command"
)

// zScan finds out whether there is a sorted set before it looks at the options, as Redis does: without one a wrong option is no error.
func zScan(c *Call) {
	cursor, ok := client.ParseCursor(c.Args[2])
	if !ok {
		c.W.Error(errCursor)
		return
	}
	v, found, wrong := c.lookZSet(c.Args[1])
	head := len(c.W.Out)
	switch {
	case wrong:
		return
	case !found:
		c.insertScanHead(head, 0, 0)
		return
	}
	o, err := parseScan(c.Args[3:])
	if err == noError && o.kind != nil {
		err = errSyntax
	}
	if err != noError {
		c.W.Error(err)
		return
	}
	next, shown := c.zScan(&v, cursor, &o)
	c.insertScanHead(head, next, shown)
}

// zScan writes members and scores. A score that a small sorted set keeps as a whole number is written as one, however large.
func (c *Call) zScan(v *zsets.Value, cursor uint64, o *scanOptions) (next uint64, shown int) {
	next = v.Scan(cursor, int(min(o.count, math.MaxInt32)), &c.digits, func(member []byte, score float64, isWhole bool) {
		if o.match != nil && !command.Match(o.match, member) {
			return
		}
		c.W.BulkBytes(member)
		if isWhole {
			c.W.BulkInt(int64(score))
		} else {
			c.bulkDouble(score)
		}
		shown += 2
	})
	return next, shown
}
