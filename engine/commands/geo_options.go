package commands

import (
	"bytes"

	"larder/engine/geo"
	"larder/engine/store"
	"larder/engine/zsets"
)

// geoForm is what a command that searches for places has by its name.
type geoForm struct {
	source   int // index of the key it searches
	options  int // index of the first option
	byMember bool
	search   bool // of GEOSEARCH's kind: middle and shape are options
	readOnly bool // it never stores
}

// geoOrder is the order of what was found.
type geoOrder uint8

const (
	asFound geoOrder = iota
	nearestFirst
	farthestFirst
)

// geoOptions are a search as a command's arguments say it.
type geoOptions struct {
	form  geoForm
	value zsets.Value // what is searched
	found bool

	shape              geo.Shape
	fromMember, fromAt bool
	byRadius           bool
	storeAt            int // index of the key to store at; 0: answer
	storeDist          bool
	coord, dist, hash  bool
	order              geoOrder
	count              int64 // 0: all
	any                bool
}

// parse reads all arguments. What is searched was looked up before: a member that is not there is told of where it stands.
func (o *geoOptions) parse(args [][]byte) (err string) {
	if o.form.search {
		o.storeAt = o.form.source - 1
	} else if err = o.middle(args); err != noError {
		return err
	}
	for rest := args[o.form.options:]; len(rest) > 0; {
		took, err := o.word(rest, len(args)-len(rest))
		if err != noError {
			return err
		}
		rest = rest[took:]
	}
	return o.check(args[0])
}

// middle reads what stands before the options of GEORADIUS and GEORADIUSBYMEMBER.
func (o *geoOptions) middle(args [][]byte) (err string) {
	if o.form.byMember && !o.found {
		return noError // the options say what to answer, the rest is never looked at
	}
	if o.form.byMember {
		err = o.atMember(args[2])
	} else {
		o.shape.Middle, err = parsePlace(args[2], args[3])
	}
	if err != noError {
		return err
	}
	return o.radius(args[o.form.options-2:])
}

func (o *geoOptions) atMember(member []byte) (err string) {
	score, ok := o.value.Score(member)
	if !ok {
		return errGeoMember
	}
	o.shape.Middle = geo.OfScore(score)
	return noError
}

// radius reads a radius and its unit.
func (o *geoOptions) radius(args [][]byte) (err string) {
	r, ok := parseDouble(args[0])
	switch {
	case !ok:
		return errGeoRadius
	case r < 0:
		return errGeoNegative
	}
	o.shape.Box, o.shape.Radius = false, r
	return o.unit(args[1])
}

// box reads a width, a height and their unit.
func (o *geoOptions) box(args [][]byte) (err string) {
	w, ok := parseDouble(args[0])
	if !ok {
		return errGeoWidth
	}
	h, ok := parseDouble(args[1])
	switch {
	case !ok:
		return errGeoHeight
	case h < 0 || w < 0:
		return errGeoBox
	}
	o.shape.Box, o.shape.Width, o.shape.Height = true, w, h
	return o.unit(args[2])
}

func (o *geoOptions) unit(arg []byte) (err string) {
	unit, ok := parseLengthUnit(arg)
	if !ok {
		return errGeoUnit
	}
	o.shape.Unit = unit
	return noError
}

// word reads one option, which stands at that index of all arguments, and tells how many arguments it took.
func (o *geoOptions) word(args [][]byte, at int) (took int, err string) {
	switch word := args[0]; {
	case is(word, "withdist"):
		o.dist = true
	case is(word, "withhash"):
		o.hash = true
	case is(word, "withcoord"):
		o.coord = true
	case is(word, "any"):
		o.any = true
	case is(word, "asc"):
		o.order = nearestFirst
	case is(word, "desc"):
		o.order = farthestFirst
	case is(word, "count") && len(args) > 1:
		return 2, o.limit(args[1])
	case o.form.search:
		return o.searchWord(args)
	case !o.form.readOnly && len(args) > 1 && (is(word, "store") || is(word, "storedist")):
		o.storeAt, o.storeDist = at+1, is(word, "storedist")
		return 2, noError
	default:
		return 0, errSyntax
	}
	return 1, noError
}

func (o *geoOptions) limit(arg []byte) (err string) {
	n, ok := store.ParseInt(arg)
	switch {
	case !ok:
		return errNotInt
	case n <= 0:
		return errGeoCount
	}
	o.count = n
	return noError
}

// searchWord reads an option that only GEOSEARCH's kind has.
func (o *geoOptions) searchWord(args [][]byte) (took int, err string) {
	switch word := args[0]; {
	case o.storeAt > 0 && is(word, "storedist"):
		o.storeDist = true
		return 1, noError
	case is(word, "frommember") && len(args) > 1 && !o.fromAt:
		o.fromMember = true
		if o.found {
			err = o.atMember(args[1])
		}
		return 2, err
	case is(word, "fromlonlat") && len(args) > 2 && !o.fromMember:
		o.fromAt = true
		o.shape.Middle, err = parsePlace(args[1], args[2])
		return 3, err
	case is(word, "byradius") && len(args) > 2 && !o.shape.Box:
		o.byRadius = true
		return 3, o.radius(args[1:])
	case is(word, "bybox") && len(args) > 3 && !o.byRadius:
		return 4, o.box(args[1:])
	}
	return 0, errSyntax
}

// check tells what does not go together; name is the command's as the client wrote it.
func (o *geoOptions) check(name []byte) (err string) {
	if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	switch {
	case o.storeAt > 0 && (o.dist || o.hash || o.coord):
		if o.form.search {
			return "ERR GEOSEARCHSTORE" + errGeoStoreWith
		}
		return "ERR STORE option in GEORADIUS" + errGeoStoreWith
	case o.form.search && !o.fromMember && !o.fromAt:
		return errGeoFrom + string(name)
	case o.form.search && !o.byRadius && !o.shape.Box:
		return errGeoBy + string(name)
	case o.any && o.count == 0:
		return errGeoAny
	}
	if o.count > 0 && o.order == asFound && !o.any {
		o.order = nearestFirst
	}
	return noError
}
