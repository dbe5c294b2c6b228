package tree

import "fmt"

// Census counts who refers to a page, a block or a run.
type Census struct {
	Pages map[uint64]uint32
	Runs  map[uint32]uint32
	Sizes map[uint64]int // of the pages and blocks
}

// NewCensus makes an empty census.
func NewCensus() *Census {
	return &Census{Pages: map[uint64]uint32{}, Runs: map[uint32]uint32{}, Sizes: map[uint64]int{}}
}

// Verify looks at a whole tree and says what does not hold; it adds what it meets to the census.
func (t *Tree) Verify(c *Census) error {
	if t.root == 0 {
		if t.n != 0 || t.height != 0 || t.bytes != 0 {
			return fmt.Errorf("empty: %d entries, %d levels, %d bytes", t.n, t.height, t.bytes)
		}
		return nil
	}
	bytes := 0
	n, err := t.verify(t.root, t.height, &bytes, c)
	if err == nil && (n != t.n || int64(bytes) != t.bytes) {
		err = fmt.Errorf("%d entries, %d bytes: counted %d, %d", t.n, t.bytes, n, bytes)
	}
	if err == nil && t.height > 0 && t.pool.count(t.root) < 2 {
		err = fmt.Errorf("the root has one child")
	}
	return err
}

func (t *Tree) verify(at uint64, level int, bytes *int, c *Census) (n int, err error) {
	p := t.pool
	c.Pages[at]++
	c.Sizes[at] = p.size(at)
	again := c.Pages[at] > 1 // what is below was counted with the page
	*bytes += p.size(at)
	n = p.count(at)
	switch {
	case p.level(at) != level || n == 0 || p.mem.U32(at+refsAt) == 0:
		return 0, fmt.Errorf("page %d: level %d, want %d; %d inside, %d references", at, p.level(at), level, n, p.mem.U32(at+refsAt))
	case level == 0:
		return n, t.verifyLeaf(at, bytes, c, again)
	case n > t.room(p.class(at)):
		return 0, fmt.Errorf("page %d: %d children, room for %d", at, n, t.room(p.class(at)))
	}
	sum := 0
	for i := range n {
		child := p.child(at, i)
		below := NewCensus()
		if !again {
			below = c
		}
		k, err := t.verify(child, level-1, bytes, below)
		switch {
		case err != nil:
			return 0, err
		case k != t.sum(at, i):
			return 0, fmt.Errorf("page %d: %d entries below child %d, counted %d", at, t.sum(at, i), i, k)
		case t.order.Word != nil && t.pool.mem.U64(t.wordAt(at, i)) != t.order.Word(t.first(child)):
			return 0, fmt.Errorf("page %d: child %d begins with another word", at, i)
		}
		sum += k
	}
	return sum, nil
}

func (t *Tree) verifyLeaf(at uint64, bytes *int, c *Census, again bool) error {
	p := t.pool
	live, row := 0, p.flags(at)&leafRow != 0
	if row == (t.order.Word != nil) {
		return fmt.Errorf("leaf %d is of the wrong kind", at)
	}
	for i := range p.count(at) {
		first, rest := p.recordAt(at, i)
		n := restSize(first)
		if rest < at+uint64(p.low(at)) || rest+uint64(n) > at+uint64(p.size(at)) {
			return fmt.Errorf("leaf %d: record %d is outside", at, i)
		}
		if live += n; !row {
			live++
		}
		*bytes += p.largeSize(first, rest)
		if first > inlineMax && !p.mayHaveLarge(at) {
			return fmt.Errorf("leaf %d: entry %d is out of line, and the head does not say so", at, i)
		}
		switch first {
		case tagRun:
			if !again {
				c.Runs[p.mem.U32(rest)]++
			}
		case tagBlock:
			if !again {
				c.Pages[p.mem.U40(rest)]++
				c.Sizes[p.mem.U40(rest)] = p.largeSize(first, rest)
			}
		}
	}
	if live != p.live(at) || p.low(at) < p.weight(at)-p.live(at) || live > p.size(at)-p.low(at) {
		return fmt.Errorf("leaf %d: %d live, counted %d, from %d on, %d entries", at, p.live(at), live, p.low(at), p.count(at))
	}
	return nil
}

// Refs compares what pages say of who refers to them with a census of all trees.
func (p *Pool) Refs(c *Census, run func(uint32) uint32) error {
	for at, n := range c.Pages {
		have := p.mem.U32(at + refsAt)
		if have != n && p.mem.U32(at) != n { // a page's count stands behind its head, a block's at its beginning
			return fmt.Errorf("page %d: %d references, counted %d", at, have, n)
		}
	}
	for number, n := range c.Runs {
		if run(number) != n {
			return fmt.Errorf("run %d: %d references, counted %d", number, run(number), n)
		}
	}
	return nil
}
