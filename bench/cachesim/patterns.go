package main

import (
	"math"
	"math/rand/v2"
)

// pattern is a kind of trace that the generator makes.
type pattern struct {
	name  string
	parts func(g *generator) func() uint64 // gives the requests' keys
}

// patterns are all that are replayed by default. The keyspace's limit of 16 MiB holds about 120,000 keys of 100 bytes.
var patterns = []pattern{
	{"skew 0.7", func(g *generator) func() uint64 { return g.zipf(1_000_000, 0.7) }},
	{"skew 0.99", func(g *generator) func() uint64 { return g.zipf(1_000_000, 0.99) }},
	{"skew 1.2", func(g *generator) func() uint64 { return g.zipf(3_000_000, 1.2) }},
	{"uniform", func(g *generator) func() uint64 { return g.zipf(300_000, 0) }},
	{"one-hit wonders", func(g *generator) func() uint64 {
		return g.choose(g.zipf(500_000, 0.9), 0.6, g.fresh(), 0.4)
	}},
	{"scans", func(g *generator) func() uint64 {
		return g.interrupt(g.zipf(300_000, 0.9), 400_000, g.scan(1_000_000), 150_000)
	}},
	{"loop that fits", func(g *generator) func() uint64 { return g.loop(90_000) }},
	{"loop that does not fit", func(g *generator) func() uint64 { return g.loop(150_000) }},
	{"loop beside skew", func(g *generator) func() uint64 { return g.choose(g.zipf(500_000, 0.99), 0.7, g.loop(200_000), 0.3) }},
	{"drift", func(g *generator) func() uint64 { return g.drift(g.zipf(300_000, 0.99), 30) }},
	{"news", func(g *generator) func() uint64 { return g.news(40_000) }},
	{"mix", func(g *generator) func() uint64 {
		return g.interrupt(g.choose(g.zipf(500_000, 0.9), 0.7, g.fresh(), 0.3), 300_000, g.scan(1_000_000), 60_000)
	}},
	{"mix with drift", func(g *generator) func() uint64 {
		return g.interrupt(g.choose(g.drift(g.zipf(500_000, 0.99), 50), 0.7, g.fresh(), 0.3), 300_000, g.scan(1_000_000), 60_000)
	}},
}

func (p *pattern) trace(o options) []request {
	g := &generator{dice: rand.New(rand.NewPCG(o.seed, 3))}
	next := p.parts(g)
	trace := make([]request, o.requests)
	for i := range trace {
		trace[i] = request{key: next(), size: uint32(o.value)}
	}
	return trace
}

type generator struct {
	dice   *rand.Rand
	spaces uint64 // key ranges given out
}

// space gives a range of keys that nobody else uses.
func (g *generator) space() uint64 {
	g.spaces++
	return g.spaces << 40
}

// zipf asks for n keys, the k-th most popular in proportion to k^-skew.
func (g *generator) zipf(n int, skew float64) func() uint64 {
	base := g.space()
	sums := make([]float64, n)
	sum := 0.0
	for i := range sums {
		sum += math.Pow(float64(i+1), -skew)
		sums[i] = sum
	}
	return func() uint64 {
		x := g.dice.Float64() * sum
		low, high := 0, n-1
		for low < high {
			if mid := (low + high) / 2; sums[mid] < x {
				low = mid + 1
			} else {
				high = mid
			}
		}
		return base + uint64(low)
	}
}

// fresh asks for each key once.
func (g *generator) fresh() func() uint64 { return g.scan(math.MaxInt) }

// scan goes through n keys.
func (g *generator) scan(n int) func() uint64 { return g.loop(n) }

// loop goes through n keys again and again.
func (g *generator) loop(n int) func() uint64 {
	base, i := g.space(), -1
	return func() uint64 {
		i = (i + 1) % n
		return base + uint64(i)
	}
}

// choose takes each request from a or b, by their shares.
func (g *generator) choose(a func() uint64, shareA float64, b func() uint64, shareB float64) func() uint64 {
	return func() uint64 {
		if g.dice.Float64()*(shareA+shareB) < shareA {
			return a()
		}
		return b()
	}
}

// interrupt takes every requests from a, then length from b.
func (g *generator) interrupt(a func() uint64, every int, b func() uint64, length int) func() uint64 {
	i := 0
	return func() uint64 {
		i++
		if i%(every+length) < every {
			return a()
		}
		return b()
	}
}

// drift lets popularity move on: one key further every few requests.
func (g *generator) drift(a func() uint64, every int) func() uint64 {
	i := uint64(0)
	return func() uint64 {
		i++
		return a() + i/uint64(every)
	}
}

// news asks for what is new: key n is most popular when it appears, and fades over about life requests.
func (g *generator) news(life int) func() uint64 {
	base, i := g.space(), uint64(1)<<32
	return func() uint64 {
		i++
		return base + i/4 - uint64(g.dice.ExpFloat64()*float64(life))
	}
}
