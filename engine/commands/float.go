package commands

import (
	"math/big"

	"larder/engine/store"
)

// Redis adds floats as C's long double, on x86-64 a number of 64 bits of mantissa and 15 of exponent, and writes them by "%.17Lf". A big.Float of 64 bits
// that rounds to the nearest even is the same number as long as it is not below the smallest normal one; what is below has no digit among the 17.
const (
	floatBits    = 64
	floatExpMax  = 16384   // numbers are below 2^16384
	floatExpMin  = -16445  // 2^-16445 is the smallest number above 0
	floatTextMax = 5 << 10 // bytes that Redis reads or writes for one, with the final NUL
)

func incrByFloat(c *Call) {
	key := c.Args[1]
	it, found := c.look(key)
	sum, ok := new(big.Float).SetPrec(floatBits), true
	if found {
		sum, ok = itemFloat(c, it)
	}
	var n *big.Float
	if ok {
		n, ok = parseFloat(c.Args[2])
	}
	if !ok {
		c.W.Error(errNotFloat)
		return
	}
	if !addFloat(sum, n) {
		c.W.Error(errInfinite)
		return
	}
	text := appendFloat(c.float[:0], sum)
	c.float = text
	c.DB.Set(key, text, store.FormText, store.KeepExpiry, c.NowMS)
	c.Changed++
	c.W.BulkBytes(text)
}

func itemFloat(c *Call, it store.Item) (*big.Float, bool) {
	if n, ok := it.Int(); ok {
		return new(big.Float).SetPrec(floatBits).SetInt64(n), true
	}
	return parseFloat(c.text(it))
}

// addFloat adds n to sum; false: the result is no finite number.
func addFloat(sum, n *big.Float) bool {
	if sum.IsInf() || n.IsInf() {
		return false
	}
	sum.Add(sum, n)
	return sum.MantExp(nil) <= floatExpMax
}

// appendFloat appends the digits: 17 behind the point, without the zeros at the end.
func appendFloat(dst []byte, f *big.Float) []byte {
	const digits = 17
	from := len(dst)
	dst = f.Append(dst, 'f', digits)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if dst[len(dst)-1] == '.' {
		dst = dst[:len(dst)-1]
	}
	if string(dst[from:]) == "-0" {
		return append(dst[:from], '0')
	}
	return dst
}

// parseFloat reads what C's strtold reads, as a whole: decimal or hexadecimal, with or without point and exponent, "inf" and "infinity"; no "nan". Not ok
// is also what is too large or, without being 0, too small for a long double.
func parseFloat(text []byte) (f *big.Float, ok bool) {
	if len(text) == 0 || len(text) >= floatTextMax {
		return nil, false
	}
	negative := text[0] == '-'
	if negative || text[0] == '+' {
		text = text[1:]
	}
	switch {
	case is(text, "inf") || is(text, "infinity"):
		f, ok = new(big.Float).SetInf(false), true
	case len(text) > 2 && text[0] == '0' && text[1]|0x20 == 'x':
		f, ok = parseNumber(text[2:], 16, 'p')
	default:
		f, ok = parseNumber(text, 10, 'e')
	}
	if ok && negative {
		f.Neg(f)
	}
	return f, ok
}

// parseNumber reads digits of a base with perhaps a point among them and an exponent behind its letter.
func parseNumber(text []byte, base int, letter byte) (*big.Float, bool) {
	digits := make([]byte, 0, len(text))
	point := -1
	i := 0
	for ; i < len(text); i++ {
		if text[i] == '.' && point < 0 {
			point = len(digits)
			continue
		}
		if !isDigit(text[i], base) {
			break
		}
		digits = append(digits, text[i])
	}
	if len(digits) == 0 {
		return nil, false
	}
	exp := 0
	if i < len(text) {
		var ok bool
		if text[i]|0x20 != letter {
			return nil, false
		}
		if exp, ok = parseExponent(text[i+1:]); !ok {
			return nil, false
		}
	}
	fraction := 0
	if point >= 0 {
		fraction = len(digits) - point
	}
	mantissa, _ := new(big.Int).SetString(string(digits), base)
	if base == 16 {
		return scaled2(mantissa, exp-4*fraction)
	}
	return scaled10(mantissa, len(digits), exp-fraction)
}

func isDigit(c byte, base int) bool {
	if base == 16 && 'a' <= c|0x20 && c|0x20 <= 'f' {
		return true
	}
	return '0' <= c && c <= '9'
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

// scaled2 gives mantissa × 2^exp.
func scaled2(mantissa *big.Int, exp int) (*big.Float, bool) {
	f := new(big.Float).SetPrec(floatBits).SetInt(mantissa)
	return inRange(f.SetMantExp(f, exp))
}

// scaled10 gives mantissa × 10^exp, rounded once. Exponents with which a mantissa of so many digits can't be in range are not worked out.
func scaled10(mantissa *big.Int, digits, exp int) (*big.Float, bool) {
	const most = 5000 // of a power of ten, beyond both ends of the range
	f := new(big.Float).SetPrec(floatBits)
	switch {
	case mantissa.Sign() == 0:
		return f, true
	case exp > most || exp < -most-digits:
		return nil, false
	case exp >= 0:
		return inRange(f.SetInt(mantissa.Mul(mantissa, power10(exp))))
	}
	// A Float without a precision takes an integer as it is, so the quotient is the one thing that is rounded.
	return inRange(f.Quo(new(big.Float).SetInt(mantissa), new(big.Float).SetInt(power10(-exp))))
}

func power10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// inRange reports whether a long double can hold f as something else than 0 or infinity.
func inRange(f *big.Float) (*big.Float, bool) {
	exp := f.MantExp(nil) // f is at least half of 2^exp, and below it
	switch {
	case f.Sign() == 0:
		return f, true
	case exp == floatExpMin: // half of the smallest number is rounded to the even 0
		return f, f.MinPrec() > 1
	}
	return f, floatExpMin < exp && exp <= floatExpMax
}
