package geo

import "math"

// The library's sines are right to a bit or so, which shows in a ten thousandth of the fourth digit of distances. These here are rounded as if they were
// exact, nearly always, as those of the C library that Redis uses: they compute with pairs of numbers, of which the second is what the first lacks.

// pair is the sum of two numbers, of which the second is below the first's precision.
type pair struct{ hi, lo float64 }

// sum is a + b, exactly.
func sum(a, b float64) pair {
	s := a + b
	t := s - a
	return pair{s, (a - (s - t)) + (b - t)}
}

// product is a × b, exactly.
func product(a, b float64) pair {
	p := a * b
	return pair{p, math.FMA(a, b, -p)}
}

func (p pair) plus(q pair) pair {
	s := sum(p.hi, q.hi)
	return sum(s.hi, s.lo+p.lo+q.lo)
}

func (p pair) times(q pair) pair {
	m := product(p.hi, q.hi)
	return sum(m.hi, m.lo+p.hi*q.lo+p.lo*q.hi)
}

// over divides by a whole number.
func (p pair) over(n float64) pair {
	q := p.hi / n
	m := product(q, n)
	return sum(q, ((p.hi-m.hi)-m.lo+p.lo)/n)
}

// parts is into how many steps half a turn is cut; a sine is that of a step and of what is left, which is small.
const parts = 32

// stepSize is the size of one, in radians.
var stepSize = pair{math.Pi, 1.2246467991473532e-16}.over(parts)

// stepSines are the sines of a quarter of a turn, step by step.
var stepSines = sinesOfSteps()

func sinesOfSteps() (sines [parts/2 + 1]pair) {
	for i := range sines {
		x := stepSize.times(pair{float64(i), 0})
		square := x.times(x)
		term := x
		for n := 2.0; n < 40; n += 2 {
			sines[i] = sines[i].plus(term)
			term = term.times(square).over(-n * (n + 1))
		}
	}
	return sines
}

// sineOfStep is the sine of any number of steps.
func sineOfStep(k int) pair {
	k &= 2*parts - 1
	s := pair{}
	switch {
	case k <= parts/2:
		return stepSines[k]
	case k <= parts:
		return stepSines[parts-k]
	case k <= parts+parts/2:
		s = stepSines[k-parts]
	default:
		s = stepSines[2*parts-k]
	}
	return pair{-s.hi, -s.lo}
}

// sinPair is the sine of x moved by some quarters of a turn, for x within a turn.
func sinPair(x float64, quarters int) pair {
	k := math.Round(x / stepSize.hi)
	whole := product(k, stepSize.hi)
	rest := sum(x, -whole.hi)
	rest = sum(rest.hi, rest.lo-whole.lo-k*stepSize.lo)

	at := int(k) + quarters*parts/2
	sin, cos := sineOfStep(at), sineOfStep(at+parts/2)
	r := rest.hi
	square := r * r
	tail := r * square * (-1.0/6 + square*(1.0/120+square*(-1.0/5040+square/362880))) // sin r - r
	lacks := square * (1.0/2 + square*(-1.0/24+square*(1.0/720+square*(-1.0/40320)))) // 1 - cos r
	main := product(cos.hi, r)
	top := sum(sin.hi, main.hi)
	return sum(top.hi, top.lo+(main.lo+sin.lo+cos.lo*r+cos.hi*rest.lo+cos.hi*tail-(sin.hi*(lacks+r*rest.lo))))
}

func sin(x float64) float64 { return sinPair(x, 0).hi }
func cos(x float64) float64 { return sinPair(x, 1).hi }

// asin is for numbers from 0 to 1.
func asin(s float64) float64 {
	y := pair{math.Asin(s), 0}
	if s <= 0 || s >= 1 {
		return y.hi
	}
	rounds := 1
	if s > 0.99 { // near the top the library's is less exact
		rounds = 3
	}
	for range rounds {
		is := sinPair(y.hi, 0)
		slope := sinPair(y.hi, 1).hi
		if slope == 0 {
			break
		}
		y = sum(y.hi, ((s-is.hi)-is.lo)/slope)
	}
	return y.hi
}
