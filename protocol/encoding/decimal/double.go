package decimal

import (
	"math"
	"strconv"
)

// DoubleLenMax is the room that the text of a double needs, in bytes.
const DoubleLenMax = 32

// AppendDouble appends the text of a double as Redis 7.2 has it (util.c d2string): a whole number as such up to half of 64 bits, else as AppendShortest has it.
func AppendDouble(dst []byte, f float64) []byte {
	if n, ok := Whole(f); ok && (n != 0 || !math.Signbit(f)) {
		return strconv.AppendInt(dst, n, 10)
	}
	return AppendShortest(dst, f)
}

// AppendShortest appends the shortest digits that mean a double, in the layout of fpconv: a point among them or zeros behind them while that is short, else
// with an exponent; "inf", "-inf", "nan".
func AppendShortest(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.Signbit(f):
		dst, f = append(dst, '-'), -f
	}
	var room [DoubleLenMax]byte
	digits, exp := shortest(room[:0], f)
	return layOut(dst, digits, exp)
}

// Whole tells whether a double is a whole number that Redis takes for one (util.c double2ll): up to half of 64 bits.
func Whole(f float64) (n int64, ok bool) {
	const most = 1 << 62
	if f < -most || f > most {
		return 0, false
	}
	n = int64(f)
	return n, float64(n) == f
}

// shortest gives digits d and a power e so that a double without a sign is d × 10^e.
func shortest(room []byte, f float64) (digits []byte, exp int) {
	text := strconv.AppendFloat(room, f, 'e', -1, 64) // d.ddde±xx
	at := len(text) - 1
	for text[at] != 'e' {
		at--
	}
	for _, c := range text[at+2:] {
		exp = exp*10 + int(c-'0')
	}
	if text[at+1] == '-' {
		exp = -exp
	}
	if at > 1 {
		copy(text[1:], text[2:at]) // the point
		at--
	}
	return text[:at], exp - (at - 1)
}

func layOut(dst, digits []byte, exp int) []byte {
	n := len(digits)
	top := exp + n - 1 // the power of ten of the first digit
	size := max(top, -top)
	switch {
	case exp >= 0 && size < n+7:
		dst = append(dst, digits...)
		for range exp {
			dst = append(dst, '0')
		}
		return dst
	case exp < 0 && (exp > -7 || size < 4):
		if whole := n + exp; whole > 0 {
			dst = append(dst, digits[:whole]...)
			dst = append(dst, '.')
			return append(dst, digits[whole:]...)
		}
		dst = append(dst, "0."...)
		for range -exp - n {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[0])
	if n > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	dst = append(dst, 'e', '+')
	if top < 0 {
		dst[len(dst)-1] = '-'
	}
	return strconv.AppendInt(dst, int64(size), 10)
}
