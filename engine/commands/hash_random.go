package commands

import (
	"math"

	"larder/engine/hashes"
	"larder/engine/store"
)

// randomOptions are what may follow HRANDFIELD key.
type randomOptions struct {
	one    bool // no count: one field, not an array
	count  int64
	values bool
}

func parseRandom(args [][]byte) (o randomOptions, err string) {
	if len(args) == 0 {
		return randomOptions{one: true, count: 1}, noError
	}
	n, ok := store.ParseInt(args[0])
	switch {
	case !ok:
		return o, errNotInt
	case n == math.MinInt64:
		return o, errNotLong
	}
	o.count = n
	switch {
	case len(args) > 2 || len(args) == 2 && !is(args[1], "withvalues"):
		return o, errSyntax
	case len(args) == 2:
		o.values = true
		if n > math.MaxInt64/2 || n < -math.MaxInt64/2 {
			return o, errRange
		}
	}
	return o, noError
}

func hRandField(c *Call) {
	o, err := parseRandom(c.Args[2:])
	if err != noError {
		c.W.Error(err)
		return
	}
	h, wrong := c.hash()
	if wrong {
		return
	}
	n := int64(h.Len())
	switch {
	case o.one && n == 0:
		c.W.Null()
	case o.one:
		field, _ := h.Random(c.Store.Rand())
		c.hashText(field)
	case n == 0 || o.count == 0:
		c.W.Array(0)
	case o.count < 0:
		c.randomMany(&h, o)
	default:
		n = min(n, o.count)
		c.randomHead(o, n)
		h.Sample(c.Store.Rand(), int(n), func(field, value hashes.Text) bool {
			c.randomPair(o, field, value)
			return !c.full()
		})
	}
}

// randomMany writes fields that may be the same ones, as many as the count below 0 says.
func (c *Call) randomMany(h *hashes.Hash, o randomOptions) {
	c.randomHead(o, -o.count)
	for range -o.count {
		field, value := h.Random(c.Store.Rand())
		if c.randomPair(o, field, value); c.full() {
			return
		}
	}
}

// randomHead begins an answer of n fields: with values they are pairs, which RESP2 has flat.
func (c *Call) randomHead(o randomOptions, n int64) {
	if o.values && c.W.Proto != 3 {
		n *= 2
	}
	c.W.Array(int(n))
}

func (c *Call) randomPair(o randomOptions, field, value hashes.Text) {
	if o.values && c.W.Proto == 3 {
		c.W.Array(2)
	}
	c.hashText(field)
	if o.values {
		c.hashText(value)
	}
}
