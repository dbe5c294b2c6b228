package tree

import (
	"math"
	"math/bits"
)

// depthMax bounds the levels of a tree: pages with few children are merged, so that a tree of 2^32 entries has fewer.
const depthMax = 10

// step is a page on the way from the root, and the child or entry in it.
type step struct {
	at    uint64
	index int
}

// Cursor is a place in a tree: at an entry, behind the last, or (after Prev) before the first.
type Cursor struct {
	t      *Tree
	depth  int // steps; 0 in an empty tree
	before bool
	path   [depthMax]step

	// The entry of a list's leaf that was looked at last: the next one stands beside it.
	row   uint64 // the leaf
	entry int32
	place int32
}

// Valid tells whether the cursor is at an entry.
func (c *Cursor) Valid() bool {
	if c.depth == 0 || c.before {
		return false
	}
	last := &c.path[c.depth-1]
	return last.index < c.t.pool.count(last.at)
}

// Entry gives the entry, to be read only until the tree's next change. The cursor must be valid.
func (c *Cursor) Entry() []byte {
	last := &c.path[c.depth-1]
	if c.t.order.Word == nil {
		return c.rowEntry(last.at, last.index)
	}
	return c.t.pool.entry(last.at, last.index)
}

// Rank is the number of entries before the cursor; -1 before the first.
func (c *Cursor) Rank() int {
	if c.before {
		return -1
	}
	rank := 0
	for l := range c.depth {
		s := &c.path[l]
		if l == c.depth-1 {
			return rank + s.index
		}
		sums := c.t.sumAt(s.at, 0)
		for i := range s.index {
			rank += int(c.t.pool.mem.U32(sums + uint64(i)*sumBytes))
		}
	}
	return rank
}

func (c *Cursor) push(at uint64, index int) {
	c.path[c.depth] = step{at, index}
	c.depth++
}

// Next goes to the next entry, or behind the last.
func (c *Cursor) Next() {
	if c.before {
		c.before = false
		return
	}
	if c.Valid() {
		c.path[c.depth-1].index++
		c.settle()
	}
}

// settle goes from behind a leaf's last entry to the next leaf, if there is one.
func (c *Cursor) settle() {
	last := &c.path[c.depth-1]
	if last.index < c.t.pool.count(last.at) {
		return
	}
	for l := c.depth - 2; l >= 0; l-- {
		if s := &c.path[l]; s.index+1 < c.t.pool.count(s.at) {
			s.index++
			c.down(l, false)
			return
		}
	}
}

// down goes from the child at level l to the first or last entry below it.
func (c *Cursor) down(l int, last bool) {
	p := c.t.pool
	for at := c.path[l].at; l < c.depth-1; l++ {
		at = p.child(at, c.path[l].index)
		index := 0
		if last {
			index = p.count(at) - 1
		}
		c.path[l+1] = step{at, index}
	}
}

// Prev goes to the entry before, or before the first.
func (c *Cursor) Prev() {
	for l := c.depth - 1; l >= 0; l-- {
		if s := &c.path[l]; s.index > 0 {
			s.index--
			c.down(l, true)
			return
		}
	}
	c.before = true
}

// At gives the cursor at a rank, 0 to Len(); Len() is behind the last entry.
func (t *Tree) At(rank int) Cursor {
	c := Cursor{t: t}
	if t.root == 0 {
		return c
	}
	at, n := t.root, t.n
	for range t.height {
		i := 0
		i, rank, n = t.childAt(at, rank, n)
		c.push(at, i)
		at = t.pool.child(at, i)
	}
	c.push(at, rank)
	return c
}

// childAt gives the child of a page with n entries below it that has the entry of a rank, or the last one; the rank below that child, and how many entries
// that has. It counts from the nearer end.
func (t *Tree) childAt(at uint64, rank, n int) (child, below, entries int) {
	last, sums := t.pool.count(at)-1, t.sumAt(at, 0)
	if 2*rank < n {
		for i := 0; ; i++ {
			entries = int(t.pool.mem.U32(sums + uint64(i)*sumBytes))
			if rank < entries || i == last {
				return i, rank, entries
			}
			rank -= entries
		}
	}
	for i := last; ; i-- {
		entries = int(t.pool.mem.U32(sums + uint64(i)*sumBytes))
		if n -= entries; rank >= n || i == 0 {
			return i, rank - n, entries
		}
	}
}

// Seek finds the first entry with cmp(entry) >= 0, and whether that is == 0. cmp gives where an entry stands to what is sought: negative before it, 0 the
// same, positive behind it. It is asked only for entries whose word is word.
func (t *Tree) Seek(word uint64, cmp func(entry []byte) int) (c Cursor, found bool) {
	c.t = t
	if t.root == 0 {
		return c, false
	}
	at, r := t.root, reach{to: math.MaxUint64}
	for range t.height {
		i := t.seekChild(at, word, cmp, &r)
		c.push(at, i)
		at = t.pool.child(at, i)
	}
	r.guesses = t.guesses()
	found = t.seekEntry(&c, at, 0, t.pool.count(at), word, cmp, &r)
	return c, found
}

// seekEntry ends a search in a leaf, in which what is sought is not before low nor behind high.
func (t *Tree) seekEntry(c *Cursor, at uint64, low, high int, word uint64, cmp func(entry []byte) int, r *reach) (found bool) {
	for low < high {
		mid := r.between(word, low, high)
		entry := t.pool.entry(at, mid)
		w, stand := t.word(entry), 0
		switch {
		case w < word:
			stand = -1
		case w > word:
			stand = 1
		default:
			stand = cmp(entry)
		}
		switch {
		case stand < 0:
			low, r.from = mid+1, w
		case stand == 0 && (mid == low || t.order.Even):
			c.push(at, mid)
			return true
		default:
			found = stand == 0
			high, r.to = mid, w
		}
	}
	c.push(at, low)
	if low == t.pool.count(at) {
		c.settle()
		return c.Valid() && t.word(c.Entry()) == word && cmp(c.Entry()) == 0
	}
	return found
}

// SeekAlong is Seek for the word of a descent that has come to its end. What it saw is not looked at again, as far as the tree has not changed since.
func (t *Tree) SeekAlong(d *Descent, cmp func(entry []byte) int) (c Cursor, found bool) {
	if d.t != t || d.moved != t.moved || d.left != 0 || t.height > len(d.way) || t.root == 0 {
		return t.Seek(d.word, cmp)
	}
	c.t = t
	at := t.root
	for l := range t.height {
		i := int(d.way[l])
		c.push(at, i)
		at = t.pool.child(at, i)
	}
	switch {
	case d.changed == t.changed && d.hit && cmp(t.pool.entry(at, d.mid)) == 0:
		c.push(at, d.mid)
		return c, true
	case d.changed == t.changed:
		found = t.seekEntry(&c, at, d.low, d.high, d.word, cmp, &d.reach)
	default:
		r := d.leaf
		found = t.seekEntry(&c, at, 0, t.pool.count(at), d.word, cmp, &r)
	}
	if !found && c.Valid() && t.word(c.Entry()) == d.word { // a descent does not tell entries of one word apart
		return t.Seek(d.word, cmp)
	}
	return c, found
}

// seekChild gives the last child whose first entry stands before what is sought, or the first child.
func (t *Tree) seekChild(at uint64, word uint64, cmp func(entry []byte) int, r *reach) int {
	low, high := 1, t.pool.count(at)
	words := t.wordAt(at, 0)
	r.guesses = t.guesses()
	for low < high {
		mid := r.between(word, low, high)
		w := uint64(0)
		if t.order.Word != nil {
			w = t.pool.mem.U64(words + uint64(mid)*wordBytes)
		}
		if w < word || w == word && cmp(t.first(t.pool.child(at, mid))) < 0 {
			low, r.from = mid+1, w
		} else {
			high, r.to = mid, w
		}
	}
	return low - 1
}

// reach is what a search knows of the words where it looks: they are at least from and at most to.
type reach struct {
	from, to uint64
	guesses  int // how often a place may still be guessed in this page
}

// guessesMax is how often in a page: each guess among words that are spread evenly leaves about the root of what there was.
const guessesMax = 4

func (t *Tree) guesses() int {
	if t.order.Even {
		return guessesMax
	}
	return 0
}

// between gives the place to look at next among those from low to before high: the middle, or where word should be.
func (r *reach) between(word uint64, low, high int) int {
	if r.guesses == 0 {
		return int(uint(low+high) / 2)
	}
	r.guesses--
	shift := max(bits.Len64(r.to-r.from)-32, 0) // so that the product has room
	return min(low+int((word-r.from)>>shift*uint64(high-low)/((r.to-r.from)>>shift+1)), high-1)
}

func (t *Tree) word(entry []byte) uint64 {
	if t.order.Word == nil {
		return 0
	}
	return t.order.Word(entry)
}

// first is the first entry below a page.
func (t *Tree) first(at uint64) []byte {
	for t.pool.level(at) > 0 {
		at = t.pool.child(at, 0)
	}
	return t.pool.entry(at, 0)
}
