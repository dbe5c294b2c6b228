package commands

import (
	"encoding/binary"
	"math/bits"

	"larder/engine/store"
	"larder/protocol/command"
)

// Bits are counted from the highest of the first byte.

func bitHandlers(h []Handler) {
	h[command.CmdSetBit] = setBit
	h[command.CmdGetBit] = getBit
	h[command.CmdBitCount] = bitCount
	h[command.CmdBitPos] = bitPos
	h[command.CmdBitOp] = bitOpCommand
	h[command.CmdBitField] = bitField
	h[command.CmdBitFieldRO] = bitFieldRO
}

// parseBitOffset reads a place of a bit in a value. With width above 0 "#n" is n times as many bits; a product too large for 64 bits loses its upper ones,
// as in Redis.
func (c *Call) parseBitOffset(arg []byte, width int) (offset int64, err string) {
	times := int64(1)
	if width > 0 && len(arg) > 0 && arg[0] == '#' {
		arg, times = arg[1:], int64(width)
	}
	offset, ok := store.ParseInt(arg)
	offset *= times
	if !ok || offset < 0 || offset>>3 >= c.bulkMax() {
		return 0, errBitOffset
	}
	return offset, noError
}

func setBit(c *Call) {
	offset, err := c.parseBitOffset(c.Args[2], 0)
	if err != noError {
		c.W.Error(err)
		return
	}
	bit, ok := store.ParseInt(c.Args[3])
	if !ok || bit&^1 != 0 {
		c.W.Error(errBit)
		return
	}
	text, grown, wrong := c.grow(c.Args[1], offset)
	if wrong {
		return
	}
	at, mask := offset>>3, byte(0x80)>>(offset&7)
	old := int64(0)
	if text[at]&mask != 0 {
		old = 1
	}
	text[at] &^= mask
	if bit == 1 {
		text[at] |= mask
	}
	if grown || old != bit {
		c.Changed++
		c.Did(ClassString, "setbit", c.Args[1])
	}
	c.W.Int(old)
}

// grow gives a key's bytes for changing them, at least as many as hold the bit last, and reports whether they have become more. wrong: the
// value is no string, and the error was written.
func (c *Call) grow(key []byte, last int64) (text []byte, grown, wrong bool) {
	size := -1
	it, ok, wrong := c.lookString(key)
	if wrong {
		return nil, false, true
	}
	if ok {
		size = it.Len()
	}
	text = c.DB.Grow(key, int(last>>3)+1, c.NowMS)
	return text, len(text) != size, false
}

func getBit(c *Call) {
	offset, err := c.parseBitOffset(c.Args[2], 0)
	if err != noError {
		c.W.Error(err)
		return
	}
	bit := int64(0)
	it, ok, wrong := c.lookString(c.Args[1])
	if wrong {
		return
	}
	if ok {
		bit = int64(field(c.text(it), offset, 1))
	}
	c.W.Int(bit)
}

// bitRange is what may follow the key of BITCOUNT, and the bit of BITPOS.
type bitRange struct {
	start, end int64
	endGiven   bool
	inBits     bool
}

// parseUnit reads BYTE or BIT.
func parseUnit(word []byte) (inBits bool, err string) {
	switch {
	case is(word, "bit"):
		return true, noError
	case is(word, "byte"):
		return false, noError
	}
	return false, errSyntax
}

// in gives the first and the last bit of the range in a value of n bytes; none if first > last.
func (r *bitRange) in(n int64) (first, last int64) {
	if r.inBits {
		return span(r.start, r.end, 8*n)
	}
	first, last = span(r.start, r.end, n)
	return min(first, n) * 8, last*8 + 7
}

// parseBitCount: with indexes in the wrong order Redis is content whatever the unit says.
func parseBitCount(args [][]byte) (r bitRange, err string) {
	if len(args) == 0 {
		return bitRange{end: -1}, noError
	}
	if len(args) != 2 && len(args) != 3 {
		return r, errSyntax
	}
	start, ok := store.ParseInt(args[0])
	end, ok2 := store.ParseInt(args[1])
	if !ok || !ok2 {
		return r, errNotInt
	}
	r.start, r.end = start, end
	if len(args) == 3 && !inverted(start, end) {
		r.inBits, err = parseUnit(args[2])
	}
	return r, err
}

// bitCount does not look at its options if there is no value, as Redis does not.
func bitCount(c *Call) {
	it, ok, wrong := c.lookString(c.Args[1])
	if !ok {
		if !wrong {
			c.W.Int(0)
		}
		return
	}
	r, err := parseBitCount(c.Args[2:])
	if err != noError {
		c.W.Error(err)
		return
	}
	text := c.text(it)
	first, last := r.in(int64(len(text)))
	if first > last || inverted(r.start, r.end) {
		c.W.Int(0)
		return
	}
	c.W.Int(countBits(text, first, last))
}

// parseBitPos reads the options behind BITPOS key bit; without an end it is the last byte.
func parseBitPos(args [][]byte) (r bitRange, err string) {
	r.end = -1
	if len(args) == 0 {
		return r, noError
	}
	if len(args) > 3 {
		return r, errSyntax
	}
	var ok bool
	if r.start, ok = store.ParseInt(args[0]); !ok {
		return r, errNotInt
	}
	if len(args) == 3 {
		if r.inBits, err = parseUnit(args[2]); err != noError {
			return r, err
		}
	}
	if len(args) > 1 {
		r.endGiven = true
		if r.end, ok = store.ParseInt(args[1]); !ok {
			return r, errNotInt
		}
	}
	return r, noError
}

// bitPos finds a 0 behind the end of the value if it was asked for one and no end was given. Without a value it does not look at its options.
func bitPos(c *Call) {
	bit, ok := store.ParseInt(c.Args[2])
	if !ok || bit&^1 != 0 {
		err := errBitArgument
		if !ok {
			err = errNotInt
		}
		c.W.Error(err)
		return
	}
	it, found, wrong := c.lookString(c.Args[1])
	if !found {
		if !wrong {
			c.W.Int(-bit)
		}
		return
	}
	r, err := parseBitPos(c.Args[3:])
	if err != noError {
		c.W.Error(err)
		return
	}
	text := c.text(it)
	first, last := r.in(int64(len(text)))
	pos := int64(-1)
	if first <= last {
		if pos = findBit(text, first, last, bit == 1); pos < 0 && bit == 0 && !r.endGiven {
			pos = last + 1
		}
	}
	c.W.Int(pos)
}

// bitsAt gives the 64 bits from byte i on; behind the end they are 0.
func bitsAt(text []byte, i int64) uint64 {
	if i+8 <= int64(len(text)) {
		return binary.BigEndian.Uint64(text[i:])
	}
	var word [8]byte
	copy(word[:], text[min(i, int64(len(text))):])
	return binary.BigEndian.Uint64(word[:])
}

// countBits counts the ones among the bits first to last, which are in text.
func countBits(text []byte, first, last int64) int64 {
	n := 0
	i, end := first>>3, last>>3+1
	text = text[:end]
	n -= bits.OnesCount8(text[i] & ^(0xff >> (first & 7)))
	n -= bits.OnesCount8(text[end-1] & (0x7f >> (last & 7)))
	for ; i+8 <= end; i += 8 {
		n += bits.OnesCount64(binary.BigEndian.Uint64(text[i:]))
	}
	return int64(n + bits.OnesCount64(bitsAt(text, i)))
}

// findBit gives the first of the bits first to last, which are in text, that is one or that is none; -1: there is no such bit.
func findBit(text []byte, first, last int64, one bool) int64 {
	flip := ^uint64(0)
	if one {
		flip = 0
	}
	i := first >> 3
	word := (bitsAt(text, i) ^ flip) & (^uint64(0) >> (first & 7))
	for word == 0 {
		if i += 8; i > last>>3 {
			return -1
		}
		word = bitsAt(text, i) ^ flip
	}
	if at := i*8 + int64(bits.LeadingZeros64(word)); at <= last {
		return at
	}
	return -1
}
