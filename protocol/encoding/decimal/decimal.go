// Package decimal tells which texts are numbers to Redis: those that the number's own shortest form would give back byte for byte. Listpacks, intsets
// and RDB strings all keep such a text as an integer (Redis 7.0 util.c string2ll, listpack.c lpStringToInt64). Pure functions, for any goroutine.
package decimal

import "math"

// LenMax is the length in bytes of the longest number, "-9223372036854775808".
const LenMax = 20

// digitsMax digits never overflow 64 bits without a sign; one more is no int64 at all.
const digitsMax = 19

// Parse gives the number that a text stands for. Not ok for a text with a plus sign, a leading zero, a space or "-0", and for one beyond 64 bits.
func Parse(text []byte) (n int64, ok bool) {
	if len(text) == 0 || len(text) > LenMax {
		return 0, false
	}
	digits := text
	if text[0] == '-' {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > digitsMax || digits[0] == '0' {
		return 0, len(text) == 1 && text[0] == '0'
	}
	var value uint64
	for _, c := range digits {
		if c -= '0'; c > 9 {
			return 0, false
		}
		value = value*10 + uint64(c)
	}
	if text[0] == '-' {
		return -int64(value), value <= -math.MinInt64
	}
	return int64(value), value <= math.MaxInt64
}

// Len is the length in bytes of a number written out.
func Len(n int64) int {
	length, value := 1, uint64(n)
	if n < 0 {
		length, value = 2, -value
	}
	for ; value >= 10; value /= 10 {
		length++
	}
	return length
}
