package commands

import "larder/engine/geo"

// geoAdd is ZADD with places for scores, and with fewer options.
func geoAdd(c *Call) {
	o, err := c.parseGeoAdd()
	if err != noError {
		c.W.Error(err)
		return
	}
	c.addScored(o, 3)
	c.tellPlaces(&o)
}

// tellPlaces tells of the places by their scores, as ZADD has them.
func (c *Call) tellPlaces(o *zAddOptions) {
	if c.Changed == 0 || !c.tells() {
		return
	}
	e := c.Replace(o.first + 2*len(c.scores)).Text("ZADD")
	for _, arg := range c.Args[1:o.first] {
		e.Bytes(arg)
	}
	for i, score := range c.scores {
		e.Int(int64(score)).Bytes(c.Args[o.first+3*i+2])
	}
}

// parseGeoAdd leaves the places' scores in c.scores.
func (c *Call) parseGeoAdd() (o zAddOptions, err string) {
	args := c.Args
	for o.first = 2; o.first < len(args) && o.geoWord(args[o.first]); {
		o.first++
	}
	if places := len(args) - o.first; places == 0 || places%3 != 0 || o.nx && o.xx {
		return o, errSyntax
	}
	c.scores = c.scores[:0]
	for i := o.first; i < len(args); i += 3 {
		p, err := parsePlace(args[i], args[i+1])
		if err != noError {
			return o, err
		}
		c.scores = append(c.scores, geo.Score(p))
	}
	return o, noError
}

// geoWord reads one of the options that GEOADD shares with ZADD.
func (o *zAddOptions) geoWord(arg []byte) bool {
	return (is(arg, "nx") || is(arg, "xx") || is(arg, "ch")) && o.word(arg)
}

func geoDist(c *Call) {
	unit := 1.0
	if len(c.Args) > 5 {
		c.W.Error(errSyntax)
		return
	}
	if len(c.Args) == 5 {
		var ok bool
		if unit, ok = parseLengthUnit(c.Args[4]); !ok {
			c.W.Error(errGeoUnit)
			return
		}
	}
	v, _, wrong := c.lookZSet(c.Args[1])
	if wrong {
		return
	}
	from, ok := v.Score(c.Args[2])
	to, ok2 := v.Score(c.Args[3])
	if !ok || !ok2 {
		c.W.Null()
		return
	}
	c.distance(geo.Distance(geo.OfScore(from), geo.OfScore(to)) / unit)
}

func geoHash(c *Call) {
	v, _, wrong := c.lookZSet(c.Args[1])
	if wrong {
		return
	}
	c.W.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		score, ok := v.Score(member)
		if !ok {
			c.W.Null()
			continue
		}
		text := geo.Text(geo.OfScore(score))
		c.W.BulkBytes(text[:])
	}
}

func geoPos(c *Call) {
	v, _, wrong := c.lookZSet(c.Args[1])
	if wrong {
		return
	}
	c.W.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		if score, ok := v.Score(member); ok {
			c.place(geo.OfScore(score))
		} else {
			c.W.NullArray()
		}
	}
}
