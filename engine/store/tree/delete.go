package tree

const (
	mergeBelow = 3 // a page of less than one part in so many of the most looks for a neighbour to be merged with
	mergedMax  = 4 // which must leave one part in so many free
)

// Delete removes the entry at the cursor.
func (t *Tree) Delete(c Cursor) {
	t.own(&c, c.depth)
	t.remove(&c, 1)
}

// freedAtOnce is how many bytes of pages DeleteRange frees itself, about: who takes little away each time leaves nothing to others.
const freedAtOnce = 16 << 10

// DeleteRange removes the entries from rank from to before rank to. Pages that go as a whole are freed in slices (Pool.Free), but for the first few: this
// looks at their heads alone to count what they took, or at those of the pages that stay if they are fewer.
func (t *Tree) DeleteRange(from, to int) {
	if from >= to {
		return
	}
	defer t.pool.Free(freedAtOnce)
	if to-from == t.n {
		t.charge(-int(t.bytes))
		t.shed(t.root)
		t.root, t.height, t.n = 0, 0, 0
		t.moved++
		return
	}
	stay := to-from > t.n/2
	for from < to {
		to -= t.deletePart(from, to, !stay)
	}
	if stay {
		t.charge(t.total(t.root) - int(t.bytes))
	}
}

// deletePart takes out of a range what lies in it as a whole below the highest page that has such children, or, if no page has, entries of one leaf; it
// tells how many entries that were. Only when no whole page is left in between are the leaves at the ends of the range mended. count: what whole pages took
// is to be taken off.
func (t *Tree) deletePart(from, to int, count bool) int {
	c := t.At(from)
	before := 0 // entries before the page's first
	for l := range c.depth - 1 {
		s := c.path[l]
		for i := range s.index {
			before += t.sum(s.at, i)
		}
		first, at := s.index, before
		behind := before + t.sum(s.at, s.index)
		if before < from {
			first, at = s.index+1, behind
		}
		last, n := first, 0
		for last < t.pool.count(s.at) && at+n+t.sum(s.at, last) <= to {
			n += t.sum(s.at, last)
			last++
		}
		if n > 0 {
			t.shedChildren(&c, l, first, last, n, count)
			return n
		}
		to = min(to, behind)
	}
	leaf := c.path[c.depth-1]
	n := min(t.pool.count(leaf.at)-leaf.index, to-from)
	t.own(&c, c.depth)
	t.remove(&c, n)
	return n
}

// shedChildren lets go of some children of the page at level l of the cursor's way, not of all, with n entries.
func (t *Tree) shedChildren(c *Cursor, l, first, last, n int, count bool) {
	t.own(c, l+1)
	at := c.path[l].at
	for i := first; i < last; i++ {
		child := t.pool.child(at, i)
		if count {
			t.charge(-t.total(child))
		}
		t.shed(child)
	}
	t.n -= n
	for _, s := range c.path[:l] {
		t.addSum(s.at, s.index, -n)
	}
	t.closeChildren(at, first, last)
	t.mend(c, l)
}

// remove takes n entries out of the cursor's leaf, from the cursor on. All pages on the way are the tree's alone.
func (t *Tree) remove(c *Cursor, n int) {
	t.changed++
	p, l := t.pool, c.depth-1
	leaf := c.path[l]
	for i := leaf.index; i < leaf.index+n; i++ {
		t.charge(-p.dropLarge(leaf.at, i, t.lost))
	}
	p.erase(leaf.at, leaf.index, leaf.index+n)
	t.lower(c, l, n)
	t.mend(c, l)
}

// lower takes n entries off the counts above level l.
func (t *Tree) lower(c *Cursor, l, n int) {
	t.n -= n
	for _, s := range c.path[:l+1] {
		if t.pool.level(s.at) > 0 {
			t.addSum(s.at, s.index, -n)
		}
	}
}

// removeChild takes the child that the cursor's way goes by out of the page at level l. The child is gone already.
func (t *Tree) removeChild(c *Cursor, l int) {
	s := c.path[l]
	t.closeChildren(s.at, s.index, s.index+1)
	t.mend(c, l)
}

// mend sees to the page at level l of the cursor's way, which has less in it than before: it goes, it is merged with a neighbour, or it moves to a
// smaller block.
func (t *Tree) mend(c *Cursor, l int) {
	p := t.pool
	at := c.path[l].at
	if p.count(at) == 0 {
		t.freePage(at)
		if l == 0 {
			t.root, t.height = 0, 0
			t.moved++
			return
		}
		t.removeChild(c, l-1)
		return
	}
	t.fixWords(c, l)
	weight, most := t.heft(at)
	if l > 0 && weight < most/mergeBelow && t.merge(c, l) {
		return
	}
	if l == 0 && t.height > 0 && p.count(at) == 1 {
		t.collapse()
		return
	}
	const slack = 8 // one part in so many stays free, so that the next entry need not move it back
	if class := classFor(weight + weight/slack); class+1 < p.class(at) {
		if p.level(at) == 0 {
			t.rebuildLeaf(c, class)
		} else {
			t.rebuildInner(c, l, class)
		}
	}
}

// heft is what is in a page, and the most that may be, in bytes.
func (t *Tree) heft(at uint64) (weight, most int) {
	if t.pool.level(at) == 0 {
		return t.pool.weight(at), leafMax
	}
	return headBytes + t.pool.count(at)*t.width, Sizes[t.most]
}

// collapse makes the only child of the root the root.
func (t *Tree) collapse() {
	t.moved++
	for t.height > 0 && t.pool.count(t.root) == 1 {
		old := t.root
		t.root = t.pool.child(old, 0)
		t.height--
		if t.pool.shared(old) { // a child that was made root while a clone has it
			t.pool.ref(t.root)
			t.charge(-t.pool.size(old))
			t.pool.unref(old, t.lost)
			continue
		}
		t.freePage(old)
	}
}

// merge makes one page of the one at level l and a neighbour if the two fit.
func (t *Tree) merge(c *Cursor, l int) bool {
	above := c.path[l-1]
	weight, most := t.heft(c.path[l].at)
	for _, i := range [2]int{above.index, above.index - 1} {
		if i < 0 || i+1 >= t.pool.count(above.at) {
			continue
		}
		other := i
		if i == above.index {
			other++
		}
		if n, _ := t.heft(t.pool.child(above.at, other)); n+weight-headBytes > most-most/mergedMax {
			continue
		}
		t.mergeChildren(above.at, i)
		c.path[l-1].index = i
		t.closeChildren(above.at, i+1, i+2)
		t.mend(c, l-1)
		return true
	}
	return false
}

// mergeChildren makes one page of the children i and i+1 of a page, as child i.
func (t *Tree) mergeChildren(above uint64, i int) {
	p := t.pool
	var two [2]uint64
	for j := range two {
		at := p.child(above, i+j)
		if p.shared(at) {
			at = t.copyPage(at)
			t.setChild(above, i+j, at)
		}
		two[j] = at
	}
	a, _ := t.heft(two[0])
	b, _ := t.heft(two[1])
	at := t.newPage(p.level(two[0]), classFor(a+b-headBytes))
	for _, from := range two {
		if p.level(from) == 0 {
			p.move(at, from, 0, p.count(from))
		} else {
			t.moveChildren(at, from, 0, p.count(from))
		}
		t.freePage(from)
	}
	t.setAll(above, i, at)
}

// shed lets go of a page with all below it, of which nothing is counted.
func (t *Tree) shed(at uint64) {
	if t.lost {
		at |= dyingLost
	}
	t.pool.dying = append(t.pool.dying, at)
}

// total is what a page takes with all below it.
func (t *Tree) total(at uint64) int {
	p := t.pool
	sum := p.size(at)
	switch {
	case p.level(at) > 0:
		for i := range p.count(at) {
			sum += t.total(p.child(at, i))
		}
	case p.mayHaveLarge(at):
		for i := range p.count(at) {
			sum += p.largeSize(p.recordAt(at, i))
		}
	}
	return sum
}
