package conform

import "strconv"

// degrees draws a longitude, or a latitude, that is on the map.
func (v valuesOf) degrees(most float64) []byte {
	if v.rng.IntN(4) == 0 {
		return []byte(pick(v.rng, []string{"0", "1", "-1", "13.361389", "38.115556", "1e1", "0x10"}))
	}
	return strconv.AppendFloat(nil, v.rng.Float64()*2*most-most, 'f', -1, 64)
}

// length draws a radius or a side of a box.
func (v valuesOf) length() []byte {
	return []byte(pick(v.rng, []string{"0", "1", "100", "1000.5", "5000", "123456", "1e6", "20000000"}))
}
