package commands

import (
	"slices"

	"larder/algebra"
	"larder/engine/store"
)

// bitOp is an operation of BITOP.
type bitOp uint8

const (
	bitNone bitOp = iota
	bitAnd
	bitOr
	bitXor
	bitNot
)

func parseBitOp(args [][]byte) (op bitOp, err string) {
	switch word := args[0]; {
	case is(word, "and"):
		return bitAnd, noError
	case is(word, "or"):
		return bitOr, noError
	case is(word, "xor"):
		return bitXor, noError
	case is(word, "not"):
		const sources = 2 // where they begin
		if len(args) != sources+1 {
			return bitNot, errBitOpNot
		}
		return bitNot, noError
	}
	return bitNone, errSyntax
}

func bitOpCommand(c *Call) {
	op, err := parseBitOp(c.Args[1:])
	if err != noError {
		c.W.Error(err)
		return
	}
	to, from := c.Args[2], c.Args[3:]
	size := 0
	for _, key := range from {
		it, ok, wrong := c.lookString(key)
		if wrong {
			return
		}
		if ok {
			size = max(size, it.Len())
		}
	}
	if size == 0 {
		if c.DB.Delete(to, c.NowMS) {
			c.Changed++
			c.Did(ClassGeneric, "del", to)
		}
		c.W.Int(0)
		return
	}
	const ownedMin = 16 << 10 // a result at least as long gets a buffer that the store keeps
	if size >= ownedMin {
		c.DB.Set(to, c.combine(op, from, make([]byte, size)), store.FormRaw, store.NoExpiry, c.NowMS)
	} else {
		c.bytes = slices.Grow(c.bytes[:0], size)
		c.DB.Set(to, c.combine(op, from, c.bytes[:size]), store.FormRaw, store.NoExpiry, c.NowMS)
	}
	c.Changed++
	c.Did(ClassString, "set", to)
	c.W.Int(int64(size))
}

// combine makes dst the result over the values of the keys, which are as if they had zeros up to dst's length. The dead among the keys were removed, so the
// database does not change meanwhile.
func (c *Call) combine(op bitOp, keys [][]byte, dst []byte) []byte {
	for i, key := range keys {
		var src []byte
		if it, ok := c.DB.Peek(key, c.NowMS); ok {
			src = c.text(it)
		}
		switch {
		case i == 0:
			clear(dst[copy(dst, src):])
		case op == bitAnd:
			algebra.And(dst, src)
		case op == bitOr:
			algebra.Or(dst, src)
		case op == bitXor:
			algebra.Xor(dst, src)
		}
	}
	if op == bitNot {
		algebra.Not(dst)
	}
	return dst
}
