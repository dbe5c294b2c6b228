package streams

// Trim says what to trim a stream to.
type Trim struct {
	ByID   bool  // else by length
	Len    int64 // so many entries stay
	MinID  ID    // what is before it goes
	Approx bool  // whole blocks only
	Limit  int64 // Approx: no more entries than this go; 0 = no limit
}

// Trim takes the oldest entries away and tells how many.
func (s Stream) Trim(t Trim) int64 {
	n := s.excess(&t)
	if t.Approx {
		n = s.wholeBlocks(&t)
	}
	if n == 0 {
		return 0
	}
	s.loseBlocks(n)
	s.loseShapes(int(n))
	s.entries.DeleteRange(0, int(n))
	return n
}

// loseShapes takes the first n entries off the shapes. It looks at those, or at the others if they are fewer.
func (s Stream) loseShapes(n int) {
	if stay := s.Len() - n; stay < n {
		s.meta.shapes.forget()
		c := s.entries.At(n)
		for ; c.Valid(); c.Next() {
			s.meta.shapes.keep(shapeOf(c.Entry()))
		}
		return
	}
	c := s.entries.At(0)
	for range n {
		s.meta.shapes.drop(shapeOf(c.Entry()))
		c.Next()
	}
}

// excess is how many entries there are too many.
func (s Stream) excess(t *Trim) int64 {
	if t.ByID {
		c, _ := s.seek(t.MinID)
		return int64(c.Rank())
	}
	return max(0, int64(s.Len())-t.Len)
}

// wholeBlocks is how many entries of blocks that go as a whole there are too many.
func (s Stream) wholeBlocks(t *Trim) int64 {
	n, length := int64(0), int64(s.Len())
	c := s.index.At(0)
	for ; t.ByID || length-n > t.Len; c.Next() {
		b, ok := s.blockAt(&c)
		if !ok || t.Limit > 0 && n+b.live > t.Limit {
			break
		}
		if t.ByID && !b.last.Less(t.MinID) || !t.ByID && length-n-b.live < t.Len {
			break
		}
		n += b.live
	}
	return n
}

// loseBlocks counts the first n entries as deleted.
func (s Stream) loseBlocks(n int64) {
	whole := 0
	c := s.index.At(0)
	b, _ := s.blockAt(&c)
	for n >= b.live && n > 0 {
		n -= b.live
		whole++
		if b.first == s.meta.tail.first {
			s.meta.tail = block{}
			n = 0
			break
		}
		c.Next()
		b, _ = s.blockAt(&c)
	}
	switch {
	case n == 0:
	case b.first == s.meta.tail.first:
		s.meta.tail.lose(n)
	default:
		b.lose(n)
		s.replaceBlock(c, &b)
	}
	if whole > 0 {
		s.index.DeleteRange(0, whole)
	}
}
