package tree

import "math"

// Descent is a search that finds nothing: it only loads the pages that a search for the same word will look at. Many of them go down together, level by
// level, so that the waits for memory overlap.
type Descent struct {
	t     *Tree
	at    uint64 // the page; 0 = the tree is empty
	word  uint64
	reach reach
	left  int    // levels of inner pages from here on
	low   int    // in a leaf: where the entry may be
	high  int    // before
	mid   int    // which entry of it is looked at
	hit   bool   // that entry has the word
	place uint64 // what to load next

	// For SeekAlong.
	way            [wayMax]uint16 // the child in each inner page
	leaf           reach          // at the leaf
	moved, changed uint32         // the tree's, at the beginning
}

// wayMax is of how many levels the way is kept: a tree with more has hundreds of millions of entries.
const wayMax = 4

// Descent begins one. The tree must be Even, and may not change until Fetch is done.
func (t *Tree) Descent(word uint64) Descent {
	return Descent{t: t, at: t.root, word: word, reach: reach{to: math.MaxUint64}, left: t.height, moved: t.moved, changed: t.changed}
}

// Word is what is sought.
func (d *Descent) Word() uint64 { return d.word }

// Even tells whether places in the tree are guessed.
func (t *Tree) Even() bool { return t.order.Even }

// leafLooks is how many entries of a leaf are loaded: so many a search looks at, or one more.
const leafLooks = 2

// Fetch takes the descents to their ends. What it returns is of no use but to keep the loads from being left out.
func (p *Pool) Fetch(ds []Descent) (sum uint64) {
	load := func() {
		for i := range ds {
			if place := ds[i].place; place != 0 {
				sum += uint64(p.mem.Byte(place))
			}
		}
	}
	for open := true; open; {
		open = false
		for i := range ds {
			ds[i].place = ds[i].at
		}
		load()
		for i := range ds {
			ds[i].aim()
		}
		load()
		for i := range ds {
			open = ds[i].descend() || open
		}
	}
	for range leafLooks {
		for i := range ds {
			ds[i].look()
		}
		load()
		for i := range ds {
			ds[i].narrow()
		}
	}
	return sum
}

// aim says which part of a page is looked at first.
func (d *Descent) aim() {
	if d.at == 0 {
		return
	}
	p := d.t.pool
	d.reach.guesses = guessesMax
	n := p.count(d.at)
	if d.left == 0 {
		d.leaf = d.reach
		d.low, d.high = 0, n
		d.place = d.at + headBytes + uint64(n/2)*slotBytes
		return
	}
	d.place = d.t.wordAt(d.at, d.reach.between(d.word, 0, n))
}

// descend goes to a child. It reports whether there is another page to look at.
func (d *Descent) descend() bool {
	if d.at == 0 || d.left == 0 {
		d.place = 0
		return false
	}
	i := d.t.seekChild(d.at, d.word, func([]byte) int { return 1 }, &d.reach)
	if l := d.t.height - d.left; l < wayMax {
		d.way[l] = uint16(i)
	}
	d.at = d.t.pool.child(d.at, i)
	d.left--
	return true
}

// look says which record of a leaf is looked at next.
func (d *Descent) look() {
	d.place = 0
	if d.low < d.high && !d.hit {
		d.mid = d.reach.between(d.word, d.low, d.high)
		d.place = d.t.pool.slotAt(d.at, d.mid)
	}
}

// narrow learns from the record that was loaded.
func (d *Descent) narrow() {
	if d.place == 0 {
		return
	}
	switch w := d.t.word(d.t.pool.entry(d.at, d.mid)); {
	case w < d.word:
		d.low, d.reach.from = d.mid+1, w
	case w > d.word:
		d.high, d.reach.to = d.mid, w
	default:
		d.hit = true
	}
}
