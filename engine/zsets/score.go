package zsets

import (
	"math"
	"strconv"

	"larder/protocol/encoding/listpack"
)

// sortable gives a number in the order of scores, but that it puts -0 before 0, whose neighbour it is: see placeOf.
func sortable(score float64) uint64 {
	bits := math.Float64bits(score)
	if bits>>63 != 0 {
		return ^bits
	}
	return bits | 1<<63
}

func fromSortable(n uint64) float64 {
	if n>>63 != 0 {
		return math.Float64frombits(n &^ (1 << 63))
	}
	return math.Float64frombits(^n)
}

// wholeMax bounds the whole numbers that a listpack keeps as numbers (double2ll: half of 64 bits).
const wholeMax = 1 << 62

// whole tells whether a score is kept as a number.
func whole(score float64) (n int64, ok bool) {
	if score < -wholeMax || score > wholeMax {
		return 0, false
	}
	n = int64(score)
	return n, float64(n) == score
}

// scoreTextMax is the room that the text of a score needs, in bytes.
const scoreTextMax = 32

// AppendScore appends the text of a score as Redis 7.2 keeps it in a listpack (d2string): a whole number as such, else as AppendShortest has it.
func AppendScore(dst []byte, score float64) []byte {
	if n, ok := whole(score); ok {
		return strconv.AppendInt(dst, n, 10)
	}
	return AppendShortest(dst, score)
}

// AppendShortest appends the shortest digits that mean the score, in the layout of fpconv: a point among them or zeros behind them while that is short,
// else with an exponent.
func AppendShortest(dst []byte, score float64) []byte {
	switch {
	case math.IsInf(score, 1):
		return append(dst, "inf"...)
	case math.IsInf(score, -1):
		return append(dst, "-inf"...)
	}
	if math.Signbit(score) {
		dst, score = append(dst, '-'), -score
	}
	var room [scoreTextMax]byte
	digits, exp := shortest(room[:0], score)
	return layOut(dst, digits, exp)
}

// shortest gives digits d and a power e so that the score, above 0, is d × 10^e.
func shortest(room []byte, score float64) (digits []byte, exp int) {
	text := strconv.AppendFloat(room, score, 'e', -1, 64) // d.ddde±xx
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

// negativeZero is what sortable gives for -0.
const negativeZero = 1<<63 - 1

// placeOf gives the one place in the order that both zeros have.
func placeOf(word uint64) uint64 {
	if word == negativeZero {
		return word + 1
	}
	return word
}

// scoreAt reads the score of the entry at that offset of a small sorted set.
func scoreAt(l listpack.List, at int) float64 {
	score, _ := scoreOf(l.Get(at))
	return score
}

// scoreOf reads a score; not ok: the entry is none.
func scoreOf(e listpack.Entry) (score float64, ok bool) {
	if e.IsInt() {
		return float64(e.Int), true
	}
	score, err := strconv.ParseFloat(string(e.Text), 64)
	return score, err == nil && !math.IsNaN(score)
}
