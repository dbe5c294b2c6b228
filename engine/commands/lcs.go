package commands

import (
	"larder/algebra"
	"larder/engine/store"
)

// lcsOptions are what may follow LCS key key.
type lcsOptions struct {
	length, index bool
	withLen       bool
	minLen        int64
}

func parseLCS(args [][]byte) (o lcsOptions, err string) {
	for i := 0; i < len(args); i++ {
		switch {
		case is(args[i], "idx"):
			o.index = true
		case is(args[i], "len"):
			o.length = true
		case is(args[i], "withmatchlen"):
			o.withLen = true
		case is(args[i], "minmatchlen") && i+1 < len(args):
			i++
			n, ok := store.ParseInt(args[i])
			if !ok {
				return o, errNotInt
			}
			o.minLen = n
		default:
			return o, errSyntax
		}
	}
	if o.length && o.index {
		return o, errLenAndIdx
	}
	return o, noError
}

func lcs(c *Call) {
	a, b, ok := c.two(c.Args[1], c.Args[2])
	if !ok {
		c.W.Error(errLCSType)
		return
	}
	o, err := parseLCS(c.Args[3:])
	if err == noError && algebra.LCSMemory(len(a), len(b)) > c.bulkMax() {
		err = errLCSMemory
	}
	if err != noError {
		c.W.Error(err)
		return
	}
	switch {
	case o.length:
		c.W.Int(int64(algebra.LCSLength(a, b)))
	case o.index:
		c.lcsIndex(a, b, &o)
	default:
		c.W.BulkBytes(algebra.LCS(a, b))
	}
}

// two gives two keys' bytes, none of one that does not exist; not ok: one is no string. The dead are removed first, so that finding the second changes
// nothing.
func (c *Call) two(first, second []byte) (a, b []byte, ok bool) {
	c.look(first)
	ok = true
	if it, found := c.look(second); found {
		var digits [digitsMax]byte
		if ok = it.Kind().IsString(); ok {
			b = it.Text(digits[:])
		}
	}
	if it, found := c.DB.Peek(first, c.NowMS); found {
		if !it.Kind().IsString() {
			return nil, nil, false
		}
		a = c.text(it)
	}
	return a, b, ok
}

// lcsIndex writes the runs of places that match, the last first.
func (c *Call) lcsIndex(a, b []byte, o *lcsOptions) {
	c.W.Map(2)
	c.W.Bulk("matches")
	head, runs := len(c.W.Out), 0
	n := algebra.LCSRuns(a, b, func(inA, inB, size int) {
		if int64(size) >= o.minLen {
			c.lcsRun(inA, inB, size, o.withLen)
			runs++
		}
	})
	insertArray(c.W, head, runs)
	c.W.Bulk("len")
	c.W.Int(int64(n))
}

func (c *Call) lcsRun(i, j, size int, withLen bool) {
	elements := 2
	if withLen {
		elements = 3
	}
	c.W.Array(elements)
	for _, from := range [...]int{i, j} {
		c.W.Array(2)
		c.W.Int(int64(from))
		c.W.Int(int64(from + size - 1))
	}
	if withLen {
		c.W.Int(int64(size))
	}
}
