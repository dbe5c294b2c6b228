package commands

import (
	"math/big"
	"math/bits"

	"larder/engine/store"
)

func incrByFloat(c *Call) {
	key := c.Args[1]
	old, ok := longDouble{}, true
	it, found, wrong := c.lookString(key)
	if wrong {
		return
	}
	if found {
		if n, isInt := it.Int(); isInt {
			old = fromInt(n)
		} else {
			old, ok = parseFloat(c.text(it))
		}
	}
	n, ok2 := parseFloat(c.Args[2])
	if !ok || !ok2 {
		c.W.Error(errNotFloat)
		return
	}
	if old.infinite || n.infinite {
		c.W.Error(errInfinite)
		return
	}
	sum := old.plus(n)
	if !sum.finite() {
		c.W.Error(errInfinite)
		return
	}
	c.bytes = sum.appendText(c.bytes[:0])
	c.DB.Set(key, c.bytes, store.FormText, store.KeepExpiry, c.NowMS)
	c.Changed++
	c.Did(ClassString, "incrbyfloat", key)
	c.Replace(4).Text("SET").Bytes(key).Bytes(c.bytes).Text("KEEPTTL")
	c.W.BulkBytes(c.bytes)
}

// parseFloat reads what C's strtold reads, as a whole: decimal or hexadecimal, with or without point and exponent, "inf" and "infinity"; no "nan". Not ok
// is also what is too large or, without being 0, too small for a long double.
func parseFloat(text []byte) (f longDouble, ok bool) {
	const textMax = 5 << 10 // bytes that Redis takes, with a final NUL
	if len(text) == 0 || len(text) >= textMax {
		return f, false
	}
	negative := text[0] == '-'
	if negative || text[0] == '+' {
		text = text[1:]
	}
	switch {
	case is(text, "inf") || is(text, "infinity"):
		f, ok = longDouble{infinite: true}, true
	case len(text) > 2 && text[0] == '0' && text[1]|0x20 == 'x':
		f, ok = parseHex(text[2:])
	default:
		f, ok = parseDecimal(text)
	}
	f.negative = negative
	return f, ok && (f.infinite || f.finite() && !f.vanishes())
}

// splitNumber cuts a number at its exponent's letter. digits is what stands before it, the exponent is 0 if there is none. Not ok: the exponent is none.
func splitNumber(text []byte, letter byte) (digits []byte, exp int, ok bool) {
	for i, c := range text {
		if c|0x20 == letter {
			exp, ok = parseExponent(text[i+1:])
			return text[:i], exp, ok
		}
	}
	return text, 0, true
}

// parseExponent reads a decimal number with perhaps a sign. One of any size is read; beyond a million it makes no difference.
func parseExponent(text []byte) (n int, ok bool) {
	negative := len(text) > 0 && text[0] == '-'
	if negative || len(text) > 0 && text[0] == '+' {
		text = text[1:]
	}
	const most = 1_000_000
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int(c-'0'), most)
	}
	if negative {
		n = -n
	}
	return n, len(text) > 0
}

// parseHex reads what follows 0x. The first 32 digits that count are kept, of the others only whether all are 0.
func parseHex(text []byte) (f longDouble, ok bool) {
	const hexBits = 4 // a digit
	digits, exp, ok := splitNumber(text, 'p')
	var high, low uint64
	more, seen, point := false, false, false
	for _, c := range digits {
		if c == '.' && !point {
			point = true
			continue
		}
		n, isDigit := hexDigit(c)
		if !isDigit {
			return f, false
		}
		seen = true
		if point {
			exp -= hexBits
		}
		if high>>(64-hexBits) == 0 {
			high, low = high<<hexBits|low>>(64-hexBits), low<<hexBits|uint64(n)
			continue
		}
		more = more || n != 0
		exp += hexBits
	}
	return rounded(high, low, exp, more), ok && seen
}

func hexDigit(c byte) (n byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// parseDecimal reads a decimal number. One of few digits is a number of 128 bits divided by, or of 64 bits times, a power of five that has 64 bits, and by
// or times one of two; the others are worked out with numbers of any size.
func parseDecimal(text []byte) (f longDouble, ok bool) {
	digits, exp, ok := splitNumber(text, 'e')
	if !ok {
		return f, false
	}
	var high, low uint64
	const most = (1<<64 - 10) / 10 // of high, with which a digit can be added
	fits, seen, point := true, false, false
	for _, c := range digits {
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			return f, false
		}
		seen = true
		if point {
			exp--
		}
		fits = fits && high <= most
		high, low = append10(high, low, uint64(c-'0'))
	}
	switch {
	case !seen:
		return f, false
	case fits && high|low == 0:
		return f, true
	case fits && exp <= 0 && -exp < len(powersOf5):
		return divided(high, low, -exp), true
	case fits && high == 0 && 0 < exp && exp < len(powersOf5):
		high, low = bits.Mul64(low, powersOf5[exp])
		return rounded(high, low, exp, false), true
	}
	return scaledBig(digits, exp)
}

// append10 appends a digit to a decimal number of 128 bits.
func append10(high, low, digit uint64) (h, l uint64) {
	over, l := bits.Mul64(low, 10)
	l, carry := bits.Add64(l, digit, 0)
	return high*10 + over + carry, l
}

// powersOf5 are those of 64 bits.
var powersOf5 = func() (p [28]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = 5 * p[i-1]
	}
	return p
}()

// divided gives 128 bits, not 0, divided by 10^n.
func divided(high, low uint64, n int) longDouble {
	divisor, exp := powersOf5[n], -n
	if high == 0 {
		high, low, exp = low, 0, exp-64
	}
	shift, dShift := bits.LeadingZeros64(high), bits.LeadingZeros64(divisor)
	high, low, exp = high<<shift|low>>(64-shift), low<<shift, exp-shift
	divisor, exp = divisor<<dShift, exp+dShift
	// Both have their highest bit now, so that the quotient of the number's upper 127 bits has 63 bits at least.
	upper, rest := bits.Div64(high>>1, high<<63|low>>1, divisor)
	lower, rest := bits.Div64(rest, low<<63, divisor)
	return rounded(upper, lower, exp-63, rest != 0)
}

// scaledBig gives digits, perhaps with a point among them, × 10^exp. Not ok: it would be far out of range.
func scaledBig(digits []byte, exp int) (f longDouble, ok bool) {
	whole := make([]byte, 0, len(digits))
	for _, c := range digits {
		if c != '.' {
			whole = append(whole, c)
		}
	}
	const most = 5000 // of a power of ten, beyond both ends of the range
	n, _ := new(big.Int).SetString(string(whole), 10)
	x := new(big.Float).SetPrec(64) // rounds to the nearest even
	switch {
	case n.Sign() == 0:
		return f, true
	case exp > most || exp < -most-len(whole):
		return f, false
	case exp >= 0:
		x.SetInt(n.Mul(n, power10(exp)))
	default: // a Float without precision takes an integer as it is, so the quotient is the one thing that is rounded
		x.Quo(new(big.Float).SetInt(n), new(big.Float).SetInt(power10(-exp)))
	}
	top := x.MantExp(x)
	mantissa, _ := x.SetMantExp(x, 64).Uint64()
	return longDouble{mantissa: mantissa, exp: top - 64}, true
}

func power10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}
