// Package geo is the arithmetic of places on earth: cells of 52 bits (geohashes), distances, and the cells that a search has to look into (Redis 7.0 geohash.c,
// geohash_helper.c). A cell is a score of a sorted set, so that places near each other have scores near each other, mostly.
//
// What must hold: the numbers are Redis's, bit for bit where they are cells, since they are in its snapshots. Pure functions, for any goroutine.
package geo

import "math"

// The earth as Redis has it: a sphere, cut where Mercator's map ends.
const (
	earthRadiusM = 6372797.560856
	mercatorMaxM = 20037726.37

	LatMax = 85.05112878
	LonMax = 180.0

	// StepMax is the number of bits of each coordinate in a whole cell.
	StepMax = 26
)

// Point is a place, in degrees.
type Point struct{ Lon, Lat float64 }

// Valid tells whether a place has a cell.
func (p Point) Valid() bool {
	return p.Lon >= -LonMax && p.Lon <= LonMax && p.Lat >= -LatMax && p.Lat <= LatMax
}

// Cell is a rectangle of degrees: Step bits of each coordinate, the latitude's in the even places. Its zero value is no cell.
type Cell struct {
	Bits uint64
	Step int
}

// zero tells whether it is no cell.
func (c Cell) zero() bool { return c.Bits == 0 && c.Step == 0 }

// Encode gives the cell that a place is in.
func Encode(p Point, step int) Cell { return encode(p, LatMax, step) }

func encode(p Point, latMax float64, step int) Cell {
	lat := (p.Lat + latMax) / (2 * latMax) * float64(uint64(1)<<step)
	lon := (p.Lon + LonMax) / (2 * LonMax) * float64(uint64(1)<<step)
	return Cell{spread(uint32(lat)) | spread(uint32(lon))<<1, step}
}

// spread puts a number's bits into the even places.
func spread(n uint32) uint64 {
	x := uint64(n)
	x = (x | x<<16) & 0x0000ffff0000ffff
	x = (x | x<<8) & 0x00ff00ff00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f0f0f0f0f
	x = (x | x<<2) & 0x3333333333333333
	return (x | x<<1) & 0x5555555555555555
}

// gather takes a number's bits from the even places.
func gather(x uint64) uint32 {
	x &= 0x5555555555555555
	x = (x | x>>1) & 0x3333333333333333
	x = (x | x>>2) & 0x0f0f0f0f0f0f0f0f
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return uint32(x | x>>16)
}

// area is what a cell covers.
type area struct{ min, max Point }

func (c Cell) area() area {
	lat, lon := float64(gather(c.Bits)), float64(gather(c.Bits>>1))
	n := float64(uint64(1) << c.Step)
	at := func(i, most float64) float64 { return -most + float64(i/n*(2*most)) } // rounded twice on all machines, not multiplied and added in one
	return area{Point{at(lon, LonMax), at(lat, LatMax)}, Point{at(lon+1, LonMax), at(lat+1, LatMax)}}
}

// Decode gives the middle of a cell.
func (c Cell) Decode() Point {
	a := c.area()
	return Point{
		Lon: max(-LonMax, min(LonMax, (a.min.Lon+a.max.Lon)/2)),
		Lat: max(-LatMax, min(LatMax, (a.min.Lat+a.max.Lat)/2)),
	}
}

// Score is the cell of a place as a sorted set keeps it.
func Score(p Point) float64 { return float64(Encode(p, StepMax).Bits) }

// OfScore gives the place that a score stands for, any score: that of a sorted set which is not of places too.
func OfScore(score float64) Point {
	return Cell{bitsOf(score), StepMax}.Decode()
}

// bitsOf is the whole number of a score as Redis gets it on its most common machines, where numbers that do not fit into 64 bits are 0 or 1<<63.
func bitsOf(score float64) uint64 {
	const half = 1 << 63
	switch {
	case score >= 2*half:
		return 0
	case score >= half:
		return uint64(int64(score-half)) ^ half
	case score < -half:
		return half
	}
	return uint64(int64(score))
}

// Whole is the score as WITHHASH tells it.
func Whole(score float64) int64 {
	const half = 1 << 63
	if score >= half || score < -half {
		return math.MinInt64
	}
	return int64(score)
}

// Scores are the scores of the places in a cell: from the first on, and below the second.
func (c Cell) Scores() (from, to float64) {
	shift := 2 * (StepMax - c.Step)
	return float64(c.Bits << shift), float64((c.Bits + 1) << shift)
}

// textDigits are those of a geohash as text.
const textDigits = "0123456789bcdefghjkmnpqrstuvwxyz"

// TextLen is the length of a geohash as text.
const TextLen = 11

// Text is a place's geohash as others write it, whose latitudes go to the poles. 52 bits are ten digits; the last is always 0.
func Text(p Point) (text [TextLen]byte) {
	bits := encode(p, 90, StepMax).Bits
	for i := range TextLen - 1 {
		text[i] = textDigits[bits>>(2*StepMax-5*(i+1))&31]
	}
	text[TextLen-1] = textDigits[0]
	return text
}

func radians(degrees float64) float64 { return degrees * (math.Pi / 180) }
func degrees(radians float64) float64 { return radians / (math.Pi / 180) }

// Distance is that of two places in metres (the haversine formula).
func Distance(a, b Point) float64 {
	v := sin((radians(b.Lon) - radians(a.Lon)) / 2)
	if v == 0 {
		return latDistance(a.Lat, b.Lat)
	}
	lat1, lat2 := radians(a.Lat), radians(b.Lat)
	u := sin((lat2 - lat1) / 2)
	return 2 * earthRadiusM * asin(math.Sqrt(float64(u*u)+float64(cos(lat1)*cos(lat2)*v*v)))
}

func latDistance(lat1, lat2 float64) float64 {
	return earthRadiusM * math.Abs(radians(lat2)-radians(lat1))
}
