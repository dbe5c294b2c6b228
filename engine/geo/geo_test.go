package geo_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"larder/engine/geo"
)

// TestKnownPlaces: cells, texts and distances that redis-server 7.0.15 gives.
func TestKnownPlaces(t *testing.T) {
	palermo, catania := geo.Point{Lon: 13.361389, Lat: 38.115556}, geo.Point{Lon: 15.087269, Lat: 37.502669}
	if got := geo.Score(palermo); got != 3479099956230698 {
		t.Errorf("Palermo's cell: %.0f", got)
	}
	if got := geo.Text(geo.OfScore(geo.Score(catania))); string(got[:]) != "sqdtr74hyu0" {
		t.Errorf("Catania's geohash: %s", got[:])
	}
	d := geo.Distance(geo.OfScore(geo.Score(palermo)), geo.OfScore(geo.Score(catania)))
	if math.Abs(d-166274.1516) > 0.0001 {
		t.Errorf("distance: %f", d)
	}
}

// TestCellsHoldTheShape: what lies in a shape that is far from the map's edges lies in one of its cells, and in one only.
func TestCellsHoldTheShape(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		middle := geo.Point{Lon: rng.Float64()*200 - 100, Lat: rng.Float64()*120 - 60}
		size := math.Exp(rng.Float64() * 13)
		shape := geo.Shape{Middle: middle, Unit: 1, Radius: size}
		if rng.IntN(2) == 0 {
			shape = geo.Shape{Middle: middle, Unit: 1, Box: true, Width: size, Height: size * rng.Float64()}
		}
		per := size / 111000
		p := geo.Point{Lon: middle.Lon + (rng.Float64()*2-1)*per*2, Lat: middle.Lat + (rng.Float64()*2-1)*per}
		score := geo.Score(p)
		if _, ok := shape.Contains(geo.OfScore(score)); !ok {
			continue
		}
		cells, n := shape.Cells()
		in := 0
		for _, c := range cells[:n] {
			if min, max := c.Scores(); score >= min && score < max {
				in++
			}
		}
		if in != 1 {
			t.Fatalf("%+v: %+v lies in %d of %d cells", shape, p, in, n)
		}
	}
}

// TestSinesAreRounded compares with the series in large precision.
func TestSinesAreRounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	wrong := 0
	const tries = 5000
	for range tries {
		x := rng.Float64() * math.Pi
		sin, _ := bigSine(x).Float64()
		if geo.Sin(x) != sin {
			wrong++
		}
		if y := geo.Asin(math.Abs(sin)); math.Abs(y-math.Asin(math.Abs(sin))) > 1e-9 {
			t.Fatalf("asin %v: %v", sin, y)
		}
	}
	if wrong > tries/500 {
		t.Errorf("%d of %d sines are not rounded as exact ones", wrong, tries)
	}
	for _, odd := range []float64{math.Inf(1), math.Inf(-1), math.NaN(), 1e300} {
		geo.Sin(odd) // whatever it is, no panic
	}
}

// bigSine is the sine's series in 300 bits.
func bigSine(x float64) *big.Float {
	n := func(f float64) *big.Float { return new(big.Float).SetPrec(300).SetFloat64(f) }
	term, total := n(x), n(0)
	for i := 2.0; i < 80; i += 2 {
		total.Add(total, term)
		term.Mul(term, n(x)).Mul(term, n(x)).Quo(term, n(-i*(i+1)))
	}
	return total
}
