package commands

import (
	"strconv"

	"larder/engine/geo"
	"larder/protocol/command"
)

// Errors of the commands on places.
const (
	errGeoUnit      = "ERR unsupported unit provided. please use M, KM, FT, MI"
	errGeoRadius    = "ERR need numeric radius"
	errGeoWidth     = "ERR need numeric width"
	errGeoHeight    = "ERR need numeric height"
	errGeoNegative  = "ERR radius cannot be negative"
	errGeoBox       = "ERR height or width cannot be negative"
	errGeoMember    = "ERR could not decode requested zset member"
	errGeoCount     = "ERR COUNT must be > 0"
	errGeoAny       = "ERR the ANY argument requires COUNT argument"
	errGeoStoreWith = " is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
	errGeoFrom      = "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for "
	errGeoBy        = "ERR exactly one of BYRADIUS and BYBOX can be specified for "
)

func geoHandlers(h []Handler) {
	h[command.CmdGeoAdd] = geoAdd
	h[command.CmdGeoDist] = geoDist
	h[command.CmdGeoHash] = geoHash
	h[command.CmdGeoPos] = geoPos
	h[command.CmdGeoRadius] = geoRadius
	h[command.CmdGeoRadiusRO] = geoRadiusRO
	h[command.CmdGeoRadiusByMember] = geoRadiusByMember
	h[command.CmdGeoRadiusByMemberRO] = geoRadiusByMemberRO
	h[command.CmdGeoSearch] = geoSearch
	h[command.CmdGeoSearchStore] = geoSearchStore
}

// parsePlace reads a longitude and a latitude.
func parsePlace(lon, lat []byte) (p geo.Point, err string) {
	var ok, ok2 bool
	p.Lon, ok = parseDouble(lon)
	p.Lat, ok2 = parseDouble(lat)
	switch {
	case !ok || !ok2:
		return p, errNotFloat
	case !p.Valid():
		return p, "ERR invalid longitude,latitude pair " + sixDigits(p.Lon) + "," + sixDigits(p.Lat)
	}
	return p, noError
}

// sixDigits is C's "%f".
func sixDigits(f float64) string {
	switch text := strconv.FormatFloat(f, 'f', 6, 64); text {
	case "+Inf":
		return "inf"
	case "-Inf":
		return "-inf"
	default:
		return text
	}
}

// parseLengthUnit reads a unit of length: how many metres it is.
func parseLengthUnit(arg []byte) (metres float64, ok bool) {
	switch {
	case is(arg, "m"):
		return 1, true
	case is(arg, "km"):
		return 1000, true
	case is(arg, "ft"):
		return 0.3048, true
	case is(arg, "mi"):
		return 1609.34, true
	}
	return 0, false
}

// distance answers a distance: four digits behind the point, a bulk whatever the protocol.
func (c *Call) distance(d float64) {
	c.bytes = strconv.AppendFloat(c.bytes[:0], d, 'f', 4, 64)
	c.W.BulkBytes(c.bytes)
}

// place answers a longitude and a latitude.
func (c *Call) place(p geo.Point) {
	c.W.Array(2)
	c.coordinate(p.Lon)
	c.coordinate(p.Lat)
}

// coordinate answers degrees with up to 17 digits behind the point and no zeros at the end.
func (c *Call) coordinate(f float64) {
	text := strconv.AppendFloat(c.bytes[:0], f, 'f', 17, 64)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	if string(text) == "-0" {
		text = append(text[:0], '0')
	}
	c.bytes = text
	if c.W.Proto == 3 {
		c.W.Out = append(append(append(c.W.Out, ','), text...), '\r', '\n')
		return
	}
	c.W.BulkBytes(text)
}
