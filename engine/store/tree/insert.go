package tree

// Insert puts an entry before the cursor. entry is copied; it must not lie in the tree.
func (t *Tree) Insert(c Cursor, entry []byte) {
	t.changed++
	r := t.record(entry)
	if t.root == 0 {
		t.root = t.newLeaf(classFor(headBytes + t.cost(&r)))
		t.pool.write(t.root, 0, &r)
		t.n++
		return
	}
	if c.depth == 0 || c.before {
		c = t.At(0)
	}
	t.own(&c, c.depth)
	for l := range c.depth - 1 {
		t.addSum(c.path[l].at, c.path[l].index, 1)
	}
	t.n++
	t.place(&c, &r)
}

// Append puts an entry behind the last. entry is copied; it must not lie in the tree.
func (t *Tree) Append(entry []byte) { t.Insert(t.At(t.n), entry) }

// Replace puts an entry of any length in the place of the one at the cursor. entry is copied; it must not lie in the tree.
func (t *Tree) Replace(c Cursor, entry []byte) {
	t.own(&c, c.depth)
	leaf := c.path[c.depth-1]
	p := t.pool
	if first, rest := p.recordAt(leaf.at, leaf.index); len(entry) <= inlineMax && int(first) == len(entry) {
		copy(p.mem.Bytes(rest, len(entry)), entry)
		t.fixWords(&c, c.depth-1)
		return
	}
	t.changed++
	r := t.record(entry)
	t.charge(-p.dropLarge(leaf.at, leaf.index, t.lost))
	p.erase(leaf.at, leaf.index, leaf.index+1)
	t.place(&c, &r)
}

// record is makeRecord with the bytes counted.
func (t *Tree) record(entry []byte) record {
	r := t.pool.makeRecord(entry)
	switch {
	case !r.out:
	case r.large[0] == tagRun:
		t.charge(runSize(len(entry)))
	default:
		t.charge(Sizes[classFor(len(entry)+blockHead)])
	}
	return r
}

func (t *Tree) newLeaf(class int) uint64 { return t.newPage(0, class) }

// cost is what a record takes in a leaf.
func (t *Tree) cost(r *record) int {
	if t.order.Word == nil {
		return r.size()
	}
	return slotBytes + r.size()
}

// newPage makes an empty page; a leaf of a list is one that grows at its end.
func (t *Tree) newPage(level, class int) uint64 {
	t.moved++
	t.charge(Sizes[class])
	at := t.pool.make(level, class)
	if level == 0 && t.order.Word == nil {
		t.pool.setFlag(at, leafRow|leafBack)
	}
	return at
}

func (t *Tree) freePage(at uint64) {
	t.charge(-t.pool.size(at))
	t.pool.unref(at, false)
	t.pool.free(at)
}

// setAbove makes a page the one that level l of the cursor's way refers to.
func (t *Tree) setAbove(c *Cursor, l int, at uint64) {
	c.path[l].at = at
	if l == 0 {
		t.root = at
		return
	}
	t.setChild(c.path[l-1].at, c.path[l-1].index, at)
}

// own makes the first n pages of the cursor's way the tree's alone.
func (t *Tree) own(c *Cursor, n int) {
	for l := range n {
		if at := c.path[l].at; t.pool.shared(at) {
			t.setAbove(c, l, t.copyPage(at))
		}
	}
}

// copyPage makes a copy of a shared page, which takes the tree's reference off it.
func (t *Tree) copyPage(at uint64) uint64 {
	t.moved++
	p := t.pool
	class := p.class(at)
	to := p.blocks.Get(class)
	p.mem.Copy(to, at, Sizes[class])
	p.mem.SetU32(to+refsAt, 1)
	p.mem.SetByte(to+markAt, 0)
	n := p.count(at)
	switch {
	case p.level(at) > 0:
		for i := range n {
			p.ref(p.child(at, i))
		}
	case p.mayHaveLarge(at):
		for i := range n {
			p.refLarge(at, i)
		}
	}
	p.unref(at, t.lost)
	return to
}

// place writes a record into the leaf at the cursor, which is the tree's alone like all above it, and splits what gets too full. The leaf may be empty.
func (t *Tree) place(c *Cursor, r *record) {
	p, l := t.pool, c.depth-1
	at, i := c.path[l].at, c.path[l].index
	weight := p.weight(at) + t.cost(r)
	switch {
	case p.gap(at, i, r):
	case weight <= leafMax:
		class := p.class(at)
		if weight > Sizes[class] {
			class = classFor(weight)
		}
		at = t.rebuildLeaf(c, class)
	default:
		t.splitLeaf(c, r)
		return
	}
	p.write(at, i, r)
	if i == 0 {
		t.fixWords(c, l)
	}
}

// rebuildLeaf moves the cursor's leaf to a block of a class, without gaps.
func (t *Tree) rebuildLeaf(c *Cursor, class int) uint64 {
	l := c.depth - 1
	old := c.path[l].at
	at := t.newLeaf(class)
	t.pool.move(at, old, 0, t.pool.count(old))
	t.freePage(old)
	t.setAbove(c, l, at)
	return at
}

// fixWords writes the word of the page at level l of the cursor's way where it stands above.
func (t *Tree) fixWords(c *Cursor, l int) {
	if t.order.Word == nil {
		return
	}
	for ; l > 0; l-- {
		above := &c.path[l-1]
		place, word := t.wordAt(above.at, above.index), t.firstWord(c.path[l].at)
		if t.pool.mem.U64(place) != word {
			t.pool.mem.SetU64(place, word)
			t.moved++ // a search for a word between the two goes to another child now
		}
		if above.index != 0 {
			return
		}
	}
}

// atEnd tells whether the cursor's way goes to the last page of level l, or with first the first one.
func (t *Tree) atEnd(c *Cursor, l int, first bool) bool {
	for _, s := range c.path[:l] {
		if first && s.index != 0 || !first && s.index != t.pool.count(s.at)-1 {
			return false
		}
	}
	return true
}

// splitLeaf makes two leaves of the cursor's and the record. Where a tree grows at one of its ends, the leaf stays full.
func (t *Tree) splitLeaf(c *Cursor, r *record) {
	p, l := t.pool, c.depth-1
	at, i, n := c.path[l].at, c.path[l].index, p.count(c.path[l].at)
	left, right := at, at
	switch {
	case i == n && t.atEnd(c, l, false):
		right = t.newLeaf(t.endClass(r))
		p.write(right, 0, r)
	case i == 0 && t.atEnd(c, l, true):
		left = t.newLeaf(t.endClass(r))
		p.mem.SetByte(left+flagsAt, p.flags(left)&^leafBack)
		p.write(left, 0, r)
	default:
		k := t.middle(at)
		left, right = t.part(at, 0, k, r, i <= k), t.part(at, k, n, r, i > k)
		if i <= k {
			p.write(left, i, r)
		} else {
			p.write(right, i-k, r)
		}
		t.freePage(at)
	}
	t.join(c, l, left, right)
}

// endClass is the class of a leaf that begins with a record at an end of the tree, which will go on there: the largest, unless the tree is small.
func (t *Tree) endClass(r *record) int {
	const leavesMin = 8
	if t.height == 0 || t.height == 1 && t.pool.count(t.root) < leavesMin {
		return classFor(headBytes + t.cost(r))
	}
	return leafClassMax
}

// middle gives the entry before which about half of a leaf lies.
func (t *Tree) middle(at uint64) int {
	p := t.pool
	half := (p.weight(at) - headBytes) / 2
	i := 0
	for half > 0 {
		half -= p.entrySize(at, i)
		i++
	}
	return i
}

// part makes a leaf of entries of another one, with room for a record if it is to come in.
func (t *Tree) part(at uint64, from, to int, r *record, comes bool) uint64 {
	p := t.pool
	weight := headBytes
	for i := from; i < to; i++ {
		weight += p.entrySize(at, i)
	}
	if comes {
		weight += t.cost(r)
	}
	leaf := t.newLeaf(classFor(weight))
	p.move(leaf, at, from, to)
	return leaf
}

// join puts two pages where level l of the cursor's way had one.
func (t *Tree) join(c *Cursor, l int, left, right uint64) {
	if l == 0 {
		t.height++
		t.root = t.newPage(t.height, t.innerClass(2))
		t.pool.setCount(t.root, 2)
		t.setAll(t.root, 0, left)
		t.setAll(t.root, 1, right)
		return
	}
	above := &c.path[l-1]
	t.setAll(above.at, above.index, left)
	c.path[l].at = left
	t.fixWords(c, l)
	t.insertChild(c, l-1, above.index+1, right)
}

// insertChild puts a page into the one at level l of the cursor's way as child i.
func (t *Tree) insertChild(c *Cursor, l, i int, child uint64) {
	at := c.path[l].at
	n, class := t.pool.count(at), t.pool.class(at)
	if n == t.room(class) {
		if class == t.most {
			t.splitInner(c, l, i, child)
			return
		}
		at = t.rebuildInner(c, l, t.innerClass(n+1))
	}
	t.openChild(at, i)
	t.setAll(at, i, child)
}

func (t *Tree) rebuildInner(c *Cursor, l, class int) uint64 {
	old := c.path[l].at
	at := t.newPage(t.pool.level(old), class)
	t.moveChildren(at, old, 0, t.pool.count(old))
	t.freePage(old)
	t.setAbove(c, l, at)
	return at
}

// splitInner makes two pages of the one at level l and a child that comes in.
func (t *Tree) splitInner(c *Cursor, l, i int, child uint64) {
	p := t.pool
	at := c.path[l].at
	n := p.count(at)
	k := n / 2
	if i == n && t.atEnd(c, l, false) {
		k = n - 1
	}
	level := p.level(at)
	left, right := t.newPage(level, t.innerClass(k+1)), t.newPage(level, t.innerClass(n-k+1))
	t.moveChildren(left, at, 0, k)
	t.moveChildren(right, at, k, n)
	to, place := left, i
	if i > k {
		to, place = right, i-k
	}
	t.openChild(to, place)
	t.setAll(to, place, child)
	t.freePage(at)
	t.join(c, l, left, right)
}
