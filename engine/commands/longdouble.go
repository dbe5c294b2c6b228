package commands

import (
	"math/big"
	"math/bits"
	"strconv"
)

// longDouble is C's long double on x86-64, in which Redis adds floats: mantissa × 2^exp with 64 bits of mantissa, the highest set. Sums and readings are
// rounded to the nearest, of two to the even one. Numbers below the smallest normal one keep all bits, unlike in C: no digit of them is ever written.
type longDouble struct {
	mantissa uint64 // 0: the number is 0
	exp      int
	negative bool
	infinite bool
}

const (
	topMax = 16384  // numbers are below 2^topMax
	topMin = -16445 // 2^topMin is the smallest number above 0; half of it is rounded to 0, what is larger is not
)

// top is the exponent of the power of two right above a number that is not 0.
func (f longDouble) top() int { return f.exp + 64 }

// finite reports whether the number is neither infinite nor too large.
func (f longDouble) finite() bool { return !f.infinite && (f.mantissa == 0 || f.top() <= topMax) }

// vanishes reports whether the number is too small to be told from 0, without being 0.
func (f longDouble) vanishes() bool {
	const half = 1 << 63
	return f.mantissa != 0 && (f.top() < topMin || f.top() == topMin && f.mantissa == half)
}

func fromInt(n int64) longDouble {
	f := rounded(0, magnitude(n), 0, false)
	f.negative = n < 0
	return f
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// rounded makes a number of (high × 2^64 + low) × 2^exp; more says that bits below low were lost, which is only if high has bits.
func rounded(high, low uint64, exp int, more bool) longDouble {
	if high == 0 {
		high, low, exp = low, 0, exp-64
	}
	if high == 0 {
		return longDouble{}
	}
	n := bits.LeadingZeros64(high)
	high, low, exp = high<<n|low>>(64-n), low<<n, exp-n
	const half = 1 << 63
	if low > half || low == half && (more || high&1 == 1) {
		if high++; high == 0 {
			high, exp = half, exp+1
		}
	}
	return longDouble{mantissa: high, exp: exp + 64}
}

// shiftRight shifts 128 bits and reports whether a one was lost.
func shiftRight(high, low uint64, n int) (h, l uint64, more bool) {
	if n >= 64 {
		more = low != 0
		high, low, n = 0, high, n-64
	}
	if n >= 64 {
		return 0, 0, more || low != 0
	}
	return high >> n, low>>n | high<<(64-n), more || low<<(64-n) != 0
}

// plus adds two finite numbers.
func (f longDouble) plus(g longDouble) longDouble {
	switch {
	case f.mantissa == 0:
		return g
	case g.mantissa == 0:
		return f
	case f.exp < g.exp || f.exp == g.exp && f.mantissa < g.mantissa:
		f, g = g, f
	}
	// f is the larger one. It stands in the upper 127 of 128 bits, g is moved to where its bits belong.
	high, low := f.mantissa>>1, f.mantissa<<63
	gHigh, gLow, more := shiftRight(g.mantissa>>1, g.mantissa<<63, f.exp-g.exp)
	var carry uint64
	if f.negative == g.negative {
		low, carry = bits.Add64(low, gLow, 0)
		high, _ = bits.Add64(high, gHigh, carry)
	} else {
		if more {
			carry = 1 // what was lost of g makes the difference smaller
		}
		low, carry = bits.Sub64(low, gLow, carry)
		high, _ = bits.Sub64(high, gHigh, carry)
	}
	sum := rounded(high, low, f.exp-63, more)
	sum.negative = f.negative
	return sum
}

// Text is C's "%.17Lf" without the zeros at the end.
const (
	decimals = 17
	decimal1 = 1e17 // 10^decimals
)

// appendText appends the digits of a finite number.
func (f longDouble) appendText(dst []byte) []byte {
	switch {
	case f.exp > 0 && f.mantissa != 0:
		n := new(big.Int).SetUint64(f.mantissa)
		if n.Lsh(n, uint(f.exp)); f.negative {
			n.Neg(n)
		}
		return n.Append(dst, 10)
	case f.exp <= -64*2:
		return append(dst, '0')
	}
	high, low := bits.Mul64(f.mantissa, decimal1)
	if f.exp < 0 {
		high, low = divideRounded(high, low, -f.exp)
	}
	whole, fraction := bits.Div64(high, low, decimal1)
	if f.negative && whole|fraction != 0 {
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, whole, 10)
	if fraction == 0 {
		return dst
	}
	end := len(dst) + 1
	dst = strconv.AppendUint(dst, decimal1+fraction, 10) // a one before it keeps the fraction's zeros
	dst[end-1] = '.'
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// divideRounded divides 128 bits by 2^n, n > 0, to the nearest, of two to the even one.
func divideRounded(high, low uint64, n int) (h, l uint64) {
	h, l, more := shiftRight(high, low, n-1)
	half := l&1 == 1
	h, l, _ = shiftRight(h, l, 1)
	if half && (more || l&1 == 1) {
		var carry uint64
		l, carry = bits.Add64(l, 1, 0)
		h += carry
	}
	return h, l
}
