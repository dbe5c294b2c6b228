package tree

// The methods here are of leaves of lists (leafRow).

// rowSum adds up the bytes of the records' rests from entry from to before to.
func (p *Pool) rowSum(at uint64, from, to int) int {
	sum, firsts := 0, at+headBytes
	if p.mayHaveLarge(at) {
		for i := from; i < to; i++ {
			sum += restSize(p.mem.Byte(firsts + uint64(i)))
		}
		return sum
	}
	// Eight at a time, in four lanes of 16 bits: there are too few in a leaf for them to overflow.
	const lanes, ones, top = 0x00ff00ff00ff00ff, 0x0001000100010001, 48
	wide := uint64(0)
	for ; from+8 <= to; from += 8 {
		w := p.mem.U64(firsts + uint64(from))
		wide += w&lanes + w>>8&lanes
	}
	sum = int(wide * ones >> top)
	for ; from < to; from++ {
		sum += int(p.mem.Byte(firsts + uint64(from)))
	}
	return sum
}

// rowBorder is where what is before entry i of a leaf ends and what is behind it begins, i from 0 to count: counted from the nearer end.
func (p *Pool) rowBorder(at uint64, i int) int {
	count, live := p.count(at), p.live(at)
	before := 0
	if 2*i <= count {
		before = p.rowSum(at, 0, i)
	} else {
		before = live - p.rowSum(at, i, count)
	}
	if p.flags(at)&leafBack != 0 {
		return p.low(at) + live - before
	}
	return p.low(at) + before
}

// rowPlace is where the record of entry i stands.
func (p *Pool) rowPlace(at uint64, i int) int {
	border := p.rowBorder(at, i)
	if p.flags(at)&leafBack != 0 {
		return border - restSize(p.mem.Byte(at+headBytes+uint64(i)))
	}
	return border
}

// rowEntry gives entry i of a leaf. From the one before or behind that was looked at it is a step.
func (c *Cursor) rowEntry(at uint64, i int) []byte {
	p := c.t.pool
	firsts := at + headBytes
	first := p.mem.Byte(firsts + uint64(i))
	back := p.flags(at)&leafBack != 0
	switch place, step := int(c.place), i-int(c.entry); {
	case c.row != at || step < -1 || step > 1:
		c.place = int32(p.rowPlace(at, i))
	case step == 0:
	case step > 0 == back:
		c.place = int32(place - restSize(first))
	default: // it ends where the other begins
		c.place = int32(place + restSize(p.mem.Byte(firsts+uint64(c.entry))))
	}
	c.row, c.entry = at, int32(i)
	return p.text(first, at+uint64(c.place))
}

// rowTop is where the row ends, and whether entry i would stand there.
func (p *Pool) rowTop(at uint64, i int) (top int, there bool) {
	end := p.count(at)
	if p.flags(at)&leafBack != 0 {
		end = 0
	}
	return p.low(at) + p.live(at), i == end
}

func (p *Pool) rowGap(at uint64, i, n int) bool {
	room := p.low(at) - headBytes - p.count(at) - 1
	if room >= n {
		return true
	}
	top, there := p.rowTop(at, i)
	return room >= 0 && there && p.size(at)-top >= n
}

// rowOpen makes room for a record with n bytes behind its first, for which there is a gap, as entry i, and tells where.
func (p *Pool) rowOpen(at uint64, i int, first byte, n int) uint64 {
	count, low := p.count(at), p.low(at)
	place, there := p.rowTop(at, i)
	if !there || p.size(at)-place < n {
		border := p.rowBorder(at, i)
		p.mem.Copy(at+uint64(low-n), at+uint64(low), border-low)
		place = border - n
		p.setLow(at, low-n)
	}
	firsts := at + headBytes + uint64(i)
	p.mem.Copy(firsts+1, firsts, count-i)
	p.mem.SetByte(firsts, first)
	p.setLive(at, p.live(at)+n)
	p.setCount(at, count+1)
	return at + uint64(place)
}

// rowMove is move. An empty leaf takes the order over, so that what is moved stays one piece.
func (p *Pool) rowMove(dst, src uint64, from, to int) {
	back := p.flags(src) & leafBack
	if p.count(dst) == 0 {
		p.mem.SetByte(dst+flagsAt, p.flags(dst)&^leafBack|back)
	}
	if p.flags(dst)&leafBack != back {
		for i := from; i < to; i++ {
			first, rest := p.recordAt(src, i)
			n := restSize(first)
			p.mem.Copy(p.rowOpen(dst, p.count(dst), first, n), rest, n)
		}
		return
	}
	n := p.rowSum(src, from, to)
	begin := p.rowBorder(src, from)
	count, low := p.count(dst), p.low(dst)
	place := low - n
	if back != 0 {
		begin -= n
	} else { // what is there goes down
		live := p.live(dst)
		p.mem.Copy(dst+uint64(place), dst+uint64(low), live)
		place += live
	}
	p.mem.Copy(dst+uint64(place), src+uint64(begin), n)
	p.mem.Copy(dst+headBytes+uint64(count), src+headBytes+uint64(from), to-from)
	p.setLow(dst, low-n)
	p.setLive(dst, p.live(dst)+n)
	p.setCount(dst, count+to-from)
}

// rowErase is erase: what stands lower moves up, unless what goes stands highest.
func (p *Pool) rowErase(at uint64, from, to int) {
	count, low, live := p.count(at), p.low(at), p.live(at)
	n := p.rowSum(at, from, to)
	begin := p.rowBorder(at, from)
	if p.flags(at)&leafBack != 0 {
		begin -= n
	}
	if begin+n < low+live || begin == low {
		p.mem.Copy(at+uint64(low+n), at+uint64(low), begin-low)
		p.setLow(at, low+n)
	}
	firsts := at + headBytes
	p.mem.Copy(firsts+uint64(from), firsts+uint64(to), count-to)
	p.setCount(at, count-(to-from))
	p.setLive(at, live-n)
}
