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
