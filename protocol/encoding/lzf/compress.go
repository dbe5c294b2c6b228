package lzf

import "math"

const tableBits = 14

// Compressor is the memory of a compression, 64 KiB to be used again and again. Its zero value is ready. What it makes depends on the text alone, not on
// what it compressed before.
type Compressor struct {
	seen   [1 << tableBits]uint32 // where three bytes were last seen, by their hash: base + offset
	base   uint32                 // of the current text; below it are offsets of earlier ones
	length uint32                 // of the current text
}

// Append appends the compressed form of src if that takes at most limit bytes; if not, dst comes back as it was. Texts of 2 GiB or more are left alone.
func (c *Compressor) Append(dst, src []byte, limit int) ([]byte, bool) {
	if !c.begin(len(src)) {
		return dst, false
	}
	out, end := dst, len(dst)+limit
	pending := 0       // from here to at no copy was found
	const patience = 5 // after 2^patience bytes without a copy bytes are passed over, more and more
	for at := 0; at+copyMin <= len(src); {
		from, n := c.match(src, at)
		if n == 0 {
			at += 1 + (at-pending)>>patience
			continue
		}
		if len(out)+literalsLen(at-pending)+copyMin > end {
			return dst, false
		}
		out = appendCopy(appendLiterals(out, src[pending:at]), at-from, n)
		at += n
		pending = at
		c.remember(src, at-2)
		c.remember(src, at-1)
	}
	if len(out)+literalsLen(len(src)-pending) > end {
		return dst, false
	}
	return appendLiterals(out, src[pending:]), true
}

// begin turns all offsets that are noted into those of an earlier text.
func (c *Compressor) begin(length int) bool {
	if length > math.MaxInt32 {
		return false
	}
	if next := uint64(c.base) + uint64(c.length); c.base > 0 && next+uint64(length) <= math.MaxUint32 {
		c.base = uint32(next)
	} else {
		clear(c.seen[:])
		c.base = 1 // 0 in the table: never seen
	}
	c.length = uint32(length)
	return true
}

// match is the last place before that offset with the same three bytes, if it was noted, and how many bytes are the same; 0 if none are. It notes the
// offset.
func (c *Compressor) match(src []byte, at int) (from, n int) {
	slot := hash(src, at)
	seen := c.seen[slot]
	c.seen[slot] = c.base + uint32(at)
	if seen < c.base {
		return 0, 0
	}
	from = int(seen - c.base)
	if at-from > distanceMax || src[from] != src[at] || src[from+1] != src[at+1] || src[from+2] != src[at+2] {
		return 0, 0
	}
	n = copyMin
	for most := min(copyMax, len(src)-at); n < most && src[from+n] == src[at+n]; {
		n++
	}
	return from, n
}

// remember notes an offset inside a copy, so that what repeats at its end is found.
func (c *Compressor) remember(src []byte, at int) {
	if at+copyMin <= len(src) {
		c.seen[hash(src, at)] = c.base + uint32(at)
	}
}

// hash spreads three bytes over the table (a multiplication by 2^32 over the golden ratio).
func hash(src []byte, at int) uint32 {
	b := src[at : at+copyMin : at+copyMin]
	return (uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])) * 2654435769 >> (32 - tableBits)
}

// literalsLen is the length of n bytes that no copy covers.
func literalsLen(n int) int { return n + (n+literalMax-1)/literalMax }

func appendLiterals(out, literals []byte) []byte {
	for len(literals) > 0 {
		n := min(len(literals), literalMax)
		out = append(append(out, byte(n-1)), literals[:n]...)
		literals = literals[n:]
	}
	return out
}

func appendCopy(out []byte, distance, n int) []byte {
	distance--
	n -= copyMin - 1
	if n < long {
		return append(out, byte(n<<5|distance>>8), byte(distance))
	}
	return append(out, byte(long<<5|distance>>8), byte(n-long), byte(distance))
}
