package geo

import "math"

// Shape is what a search looks for: all within a radius of the middle, or in a box around it.
type Shape struct {
	Middle        Point
	Unit          float64 // metres that a length of 1 is
	Box           bool
	Radius        float64
	Width, Height float64
}

// Contains tells whether a place is in the shape, and how far it is from the middle, in metres.
func (s *Shape) Contains(p Point) (distance float64, ok bool) {
	if s.Box && (latDistance(p.Lat, s.Middle.Lat) > s.Height*s.Unit/2 || Distance(p, Point{s.Middle.Lon, p.Lat}) > s.Width*s.Unit/2) {
		return 0, false
	}
	distance = Distance(s.Middle, p)
	return distance, s.Box || distance <= s.Radius*s.Unit
}

// bounds is the rectangle of degrees around the shape.
func (s *Shape) bounds() area {
	height, width := s.Radius, s.Radius
	if s.Box {
		height, width = s.Height/2, s.Width/2
	}
	height, width = height*s.Unit, width*s.Unit
	lat := degrees(height / earthRadiusM)
	wide := s.Middle.Lat + lat // where a degree of longitude is shortest
	if s.Middle.Lat < 0 {
		wide = s.Middle.Lat - lat
	}
	lon := degrees(width / earthRadiusM / math.Cos(radians(wide)))
	return area{Point{s.Middle.Lon - lon, s.Middle.Lat - lat}, Point{s.Middle.Lon + lon, s.Middle.Lat + lat}}
}

// step is the size of cells of which nine cover a radius, about: they are larger near the poles.
func step(radiusM, lat float64) int {
	if radiusM == 0 {
		return StepMax
	}
	n := 1
	for ; radiusM < mercatorMaxM; radiusM *= 2 {
		n++
	}
	n -= 2
	if lat = math.Abs(lat); lat > 66 {
		n--
		if lat > 80 {
			n--
		}
	}
	return max(1, min(StepMax, n))
}

// The nine cells around the middle, in the order in which a search visits them.
const (
	middle = iota
	north
	south
	east
	west
	northEast
	northWest
	southEast
	southWest
	around
)

// Cells gives the cells that hold all of the shape, in the order in which they are to be visited; the first n count.
func (s *Shape) Cells() (cells [around]Cell, n int) {
	radius := s.Radius
	if s.Box {
		radius = math.Sqrt(float64(s.Width/2*(s.Width/2)) + float64(s.Height/2*(s.Height/2)))
	}
	b := s.bounds()
	size := step(radius*s.Unit, s.Middle.Lat)
	nine := neighbours(Encode(s.Middle, size))
	if size > 1 && !covers(&nine, &b) {
		size--
		nine = neighbours(Encode(s.Middle, size))
	}
	if size >= 2 {
		leaveOut(&nine, &b)
	}
	last := -1
	for i, c := range nine {
		if c.zero() || last >= 0 && c == nine[last] { // in a huge circle neighbours may be the same
			continue
		}
		last = i
		cells[n] = c
		n++
	}
	return cells, n
}

// covers tells whether the cells reach to the bounds on all sides. Bounds of an infinite shape are no numbers, and reached.
func covers(nine *[around]Cell, b *area) bool {
	short := nine[north].area().max.Lat < b.max.Lat || nine[south].area().min.Lat > b.min.Lat ||
		nine[east].area().max.Lon < b.max.Lon || nine[west].area().min.Lon > b.min.Lon
	return !short
}

// leaveOut takes those cells out that the bounds do not reach.
func leaveOut(nine *[around]Cell, b *area) {
	a := nine[middle].area()
	drop := func(which ...int) {
		for _, i := range which {
			nine[i] = Cell{}
		}
	}
	if a.min.Lat < b.min.Lat {
		drop(south, southWest, southEast)
	}
	if a.max.Lat > b.max.Lat {
		drop(north, northEast, northWest)
	}
	if a.min.Lon < b.min.Lon {
		drop(west, southWest, northWest)
	}
	if a.max.Lon > b.max.Lon {
		drop(east, southEast, northEast)
	}
}

// neighbours gives a cell and those around it; at the edges of the map they are on its other side.
func neighbours(c Cell) (nine [around]Cell) {
	lat, lon := gather(c.Bits), gather(c.Bits>>1)
	for i, d := range [around][2]int{
		middle: {0, 0}, north: {1, 0}, south: {-1, 0}, east: {0, 1}, west: {0, -1},
		northEast: {1, 1}, northWest: {1, -1}, southEast: {-1, 1}, southWest: {-1, -1},
	} {
		nine[i] = Cell{spread(moved(lat, d[0], c.Step)) | spread(moved(lon, d[1], c.Step))<<1, c.Step}
	}
	return nine
}

// moved is the coordinate of a cell beside. The outermost edge of the map has a coordinate of its own, beyond its bits, which stays if it is not moved.
func moved(coordinate uint32, by, step int) uint32 {
	if by == 0 {
		return coordinate
	}
	return (coordinate + uint32(by)) & (1<<step - 1)
}
