package commands

import (
	"cmp"
	"slices"

	"larder/engine/geo"
	"larder/engine/zsets"
	"larder/protocol/command"
)

// spots are what a search found. Their owner keeps them and uses them again and again.
type spots struct {
	text  []byte // the members, one behind the other
	found []found
}

// found is a member that lies in the shape.
type found struct {
	from, to int // the member in text
	score    float64
	at       geo.Point
	distance float64 // from the middle, in metres
}

// spotsKeep bounds the scratch that spots keep when they are reset, in bytes and in members.
const spotsKeep = 64 << 10

func (p *spots) reset() {
	if cap(p.text) > spotsKeep || cap(p.found) > spotsKeep/16 {
		*p = spots{}
	}
	p.text, p.found = p.text[:0], p.found[:0]
}

func (p *spots) member(f *found) []byte { return p.text[f.from:f.to] }

// search finds the members in a shape; at most limit of them, the first that it meets, if limit is not 0.
func (p *spots) search(v *zsets.Value, shape *geo.Shape, limit int64) {
	cells, n := shape.Cells()
	for _, cell := range cells[:n] {
		from, to := cell.Scores()
		span := v.ByScore(&zsets.ScoreRange{Min: from, Max: to, MaxEx: true})
		left := span.Len()
		cur := v.At(span.From)
		for ; left > 0; left-- {
			p.take(&cur, shape)
			if limit > 0 && int64(len(p.found)) >= limit {
				return
			}
			cur.Next()
		}
	}
}

// take takes the member of a cursor if it lies in the shape.
func (p *spots) take(cur *zsets.Cursor, shape *geo.Shape) {
	score := cur.Score()
	at := geo.OfScore(score)
	distance, ok := shape.Contains(at)
	if !ok {
		return
	}
	from := len(p.text)
	p.text = append(p.text, cur.Member()...)
	p.found = append(p.found, found{from, len(p.text), score, at, distance})
}

// sort puts what was found in order, and leaves count of it, all if count is 0. Members equally far away stay as they were found, if all are wanted.
func (p *spots) sort(order geoOrder, count int) {
	n := len(p.found)
	if count == 0 || count > n {
		count = n
	}
	compare := func(a, b found) int { return cmp.Compare(a.distance, b.distance) }
	if order == farthestFirst {
		compare = func(a, b found) int { return cmp.Compare(b.distance, a.distance) }
	}
	switch {
	case order != nearestFirst && order != farthestFirst:
	case count == n:
		slices.SortStableFunc(p.found, compare)
	default:
		partSort(p.found, 0, count, compare)
	}
	p.found = p.found[:count]
}

func geoRadius(c *Call)         { c.geoSearch(geoForm{source: 1, options: 6}) }
func geoRadiusRO(c *Call)       { c.geoSearch(geoForm{source: 1, options: 6, readOnly: true}) }
func geoRadiusByMember(c *Call) { c.geoSearch(geoForm{source: 1, options: 5, byMember: true}) }
func geoRadiusByMemberRO(c *Call) {
	c.geoSearch(geoForm{source: 1, options: 5, byMember: true, readOnly: true})
}
func geoSearch(c *Call)      { c.geoSearch(geoForm{source: 1, options: 2, search: true}) }
func geoSearchStore(c *Call) { c.geoSearch(geoForm{source: 2, options: 3, search: true}) }

// geoSearch looks at the key's type before it looks at the options, as Redis does.
func (c *Call) geoSearch(form geoForm) {
	o := geoOptions{form: form}
	key := c.Args[form.source]
	var wrong bool
	o.value, o.found, wrong = c.lookZSet(key)
	if !c.Row.Flags.Has(command.ReadOnly) {
		c.countRead(key, o.found || wrong)
	}
	if wrong {
		return
	}
	err := o.parse(c.Args)
	if err == noError && !c.checkedStore(&o) {
		err = errSyntax
	}
	if err != noError {
		c.W.Error(err)
		return
	}
	p := &c.around
	p.reset()
	if o.found {
		limit := int64(0)
		if o.any {
			limit = o.count
		}
		p.search(&o.value, &o.shape, limit)
		p.sort(o.order, int(o.count))
	}
	if o.storeAt > 0 {
		c.storeSpots(&o)
	} else {
		c.writeSpots(&o)
	}
}

// checkedStore tells whether the key to store at is one that the row's specs find: only then did the caller look at its slot and at the client's rights to it.
// Of STORE that stands twice they find the first, and Redis stores at the last.
func (c *Call) checkedStore(o *geoOptions) bool {
	var room [3]int
	return o.storeAt == 0 || slices.Contains(c.Row.KeyPositions(c.Args, room[:0]), o.storeAt)
}

// storeSpots makes what was found a sorted set, by their cells or by their distances.
func (c *Call) storeSpots(o *geoOptions) {
	p, b := &c.around, &c.zbuild
	b.Reset()
	for i := range p.found {
		f := &p.found[i]
		score := f.score
		if o.storeDist {
			score = f.distance / o.shape.Unit
		}
		b.Add(p.member(f), score)
	}
	event := "georadiusstore"
	if o.form.search {
		event = "geosearchstore"
	}
	c.storeBuilt(c.Args[o.storeAt], event)
	if n := b.Len(); n > 0 {
		c.Changed += n - 1 // each member counts
	}
}

// writeSpots answers what was found.
func (c *Call) writeSpots(o *geoOptions) {
	p := &c.around
	fields := 1
	for _, with := range [...]bool{o.dist, o.hash, o.coord} {
		if with {
			fields++
		}
	}
	c.W.Array(len(p.found))
	for i := range p.found {
		if c.full() {
			return
		}
		f := &p.found[i]
		if fields > 1 {
			c.W.Array(fields)
		}
		c.W.BulkBytes(p.member(f))
		if o.dist {
			c.distance(f.distance / o.shape.Unit)
		}
		if o.hash {
			c.W.Int(geo.Whole(f.score))
		}
		if o.coord {
			c.place(f.at)
		}
	}
}
