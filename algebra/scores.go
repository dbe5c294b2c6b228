package algebra

import (
	"math"
	"slices"
)

// Scored is a sorted set as the operations need it; a set is one whose members all have the score 1.
type Scored interface {
	Len() int
	Score(member []byte) (score float64, found bool)
	All(yield func(member []byte, score float64) bool) // every member once until yield says false; a member is a view, dead with the next
}

// Weighted is a sorted set whose scores are multiplied before they are put together.
type Weighted struct {
	Scored
	Weight float64
}

// Aggregate says how the scores that a member has in several sorted sets become one.
type Aggregate uint8

// The zero value is Redis's default.
const (
	Sum Aggregate = iota
	Min
	Max
)

// with puts another score to one; infinities of both signs make 0 together.
func (a Aggregate) with(score, other float64) float64 {
	switch a {
	case Min:
		if other < score {
			return other
		}
	case Max:
		if other > score {
			return other
		}
	default:
		if score += other; math.IsNaN(score) {
			return 0
		}
	}
	return score
}

// weighted is the score times the weight; 0 times an infinity is 0.
func (w *Weighted) weighted(score float64) float64 {
	if score *= w.Weight; math.IsNaN(score) {
		return 0
	}
	return score
}

// Scores is a sequence of members with scores, each member once, in no order, to range over.
type Scores func(yield func(member []byte, score float64) bool)

// ScoresUnion gives what is in any of the sorted sets. They are put in order of their size, as Redis does: in which order scores are added shows in the last
// digits of the sum.
func ScoresUnion(in []Weighted, a Aggregate) Scores {
	bySize(in)
	return func(yield func([]byte, float64) bool) {
		for i := range in {
			going := true
			in[i].All(func(member []byte, score float64) bool {
				if scoredInAny(in[:i], member) {
					return true
				}
				sum := in[i].weighted(score)
				for j := i + 1; j < len(in); j++ {
					if other, found := in[j].Score(member); found {
						sum = a.with(sum, in[j].weighted(other))
					}
				}
				going = yield(member, sum)
				return going
			})
			if !going {
				return
			}
		}
	}
}

// ScoresIntersection gives what is in all of the sorted sets, of which there is one at least. They are put in order of their size.
func ScoresIntersection(in []Weighted, a Aggregate) Scores {
	bySize(in)
	return func(yield func([]byte, float64) bool) {
		in[0].All(func(member []byte, score float64) bool {
			sum := in[0].weighted(score)
			for i := range in[1:] {
				w := &in[1+i]
				other, found := w.Score(member)
				if !found {
					return true
				}
				sum = a.with(sum, other*w.Weight) // no number here loses to any, as in Redis
			}
			return yield(member, sum)
		})
	}
}

// ScoresDifference gives what is in the first sorted set and in none of the others, with the first one's scores.
func ScoresDifference(in []Weighted) Scores {
	return func(yield func([]byte, float64) bool) {
		in[0].All(func(member []byte, score float64) bool {
			return scoredInAny(in[1:], member) || yield(member, score)
		})
	}
}

func scoredInAny(in []Weighted, member []byte) bool {
	for i := range in {
		if _, found := in[i].Score(member); found {
			return true
		}
	}
	return false
}

// bySize puts the smallest first; those of the same size stay in order.
func bySize(in []Weighted) {
	slices.SortStableFunc(in, func(x, y Weighted) int { return x.Len() - y.Len() })
}
