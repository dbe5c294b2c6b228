package tree

// record is an entry as a leaf keeps it.
type record struct {
	inline []byte
	large  [largeBytes]byte
	out    bool // of line
}

const (
	inlineMax  = 240
	tagRun     = 254
	tagBlock   = 255
	largeBytes = 10

	blockHead    = 8
	blockMarkAt  = 4
	blockClassAt = 5
)

// size is what the record takes with its first byte.
func (r *record) size() int {
	if r.out {
		return largeBytes
	}
	return 1 + len(r.inline)
}

// first is the record's first byte.
func (r *record) first() byte {
	if r.out {
		return r.large[0]
	}
	return byte(len(r.inline))
}

// rest is what stands behind the first byte.
func (r *record) rest() []byte {
	if r.out {
		return r.large[1:]
	}
	return r.inline
}

// restSize is the bytes of a record behind its first byte.
func restSize(first byte) int {
	if first <= inlineMax {
		return int(first)
	}
	return largeBytes - 1
}

func (p *Pool) flags(at uint64) byte { return p.mem.Byte(at + flagsAt) }

func (p *Pool) setFlag(at uint64, flag byte) { p.mem.SetByte(at+flagsAt, p.flags(at)|flag) }

// mayHaveLarge tells of a leaf that none of its entries is out of line, or that there may be some.
func (p *Pool) mayHaveLarge(at uint64) bool { return p.flags(at)&leafLarge != 0 }

// recordAt gives the first byte of entry i of a leaf and where the rest of its record stands.
func (p *Pool) recordAt(at uint64, i int) (first byte, rest uint64) {
	if p.flags(at)&leafRow != 0 {
		return p.mem.Byte(at + headBytes + uint64(i)), at + uint64(p.rowPlace(at, i))
	}
	r := p.slotAt(at, i)
	return p.mem.Byte(r), r + 1
}

// slotAt is where the record of entry i of a leaf with places stands.
func (p *Pool) slotAt(at uint64, i int) uint64 {
	return at + uint64(p.mem.U16(at+headBytes+uint64(i)*slotBytes))
}

// entrySize is what entry i takes in its leaf.
func (p *Pool) entrySize(at uint64, i int) int {
	if p.flags(at)&leafRow != 0 {
		return 1 + restSize(p.mem.Byte(at+headBytes+uint64(i)))
	}
	return slotBytes + 1 + restSize(p.mem.Byte(p.slotAt(at, i)))
}

// entry gives entry i of a leaf.
func (p *Pool) entry(at uint64, i int) []byte { return p.text(p.recordAt(at, i)) }

// text gives the entry of a record.
func (p *Pool) text(first byte, rest uint64) []byte {
	switch first {
	case tagRun:
		return p.blocks.RunBytes(p.mem.U32(rest))[:p.mem.U32(rest+4)]
	case tagBlock:
		return p.mem.Bytes(p.mem.U40(rest)+blockHead, int(p.mem.U32(rest+5)))
	default:
		return p.mem.Bytes(rest, int(first))
	}
}

// weight is what a leaf's head and entries take.
func (p *Pool) weight(at uint64) int {
	each := slotBytes
	if p.flags(at)&leafRow != 0 {
		each = 1
	}
	return headBytes + p.count(at)*each + p.live(at)
}

// gap tells whether a leaf has room for a record as entry i.
func (p *Pool) gap(at uint64, i int, r *record) bool {
	if p.flags(at)&leafRow != 0 {
		return p.rowGap(at, i, r.size()-1)
	}
	return p.low(at)-headBytes-(p.count(at)+1)*slotBytes >= r.size()
}

// write puts a record, for which there is a gap, in as entry i.
func (p *Pool) write(at uint64, i int, r *record) {
	if r.out {
		p.setFlag(at, leafLarge)
	}
	rest, to := r.rest(), uint64(0)
	if p.flags(at)&leafRow != 0 {
		to = p.rowOpen(at, i, r.first(), len(rest))
	} else {
		to = p.open(at, i, 1+len(rest)) + 1
		p.mem.SetByte(to-1, r.first())
	}
	copy(p.mem.Bytes(to, len(rest)), rest)
}

// open makes room for a record of n bytes, for which there is a gap, as entry i of a leaf with places.
func (p *Pool) open(at uint64, i, n int) uint64 {
	count := p.count(at)
	slot := at + headBytes + uint64(i)*slotBytes
	p.mem.Copy(slot+slotBytes, slot, (count-i)*slotBytes)
	low := p.low(at) - n
	p.mem.SetU16(slot, uint16(low))
	p.setLow(at, low)
	p.setLive(at, p.live(at)+n)
	p.setCount(at, count+1)
	return at + uint64(low)
}

// move appends the records from to before to of one leaf to another one of the same kind, which has the room and no gaps.
func (p *Pool) move(dst, src uint64, from, to int) {
	p.setFlag(dst, p.flags(src)&leafLarge)
	if p.flags(src)&leafRow != 0 {
		p.rowMove(dst, src, from, to)
		return
	}
	for i := from; i < to; i++ {
		r := p.slotAt(src, i)
		n := 1 + restSize(p.mem.Byte(r))
		p.mem.Copy(p.open(dst, p.count(dst), n), r, n)
	}
}

// erase takes the records from to before to out of a leaf. Large entries must have been dropped.
func (p *Pool) erase(at uint64, from, to int) {
	if p.flags(at)&leafRow != 0 {
		p.rowErase(at, from, to)
		return
	}
	count, live, low := p.count(at), p.live(at), p.low(at)
	for i := from; i < to; i++ {
		r := p.slotAt(at, i)
		n := 1 + restSize(p.mem.Byte(r))
		live -= n
		if r == at+uint64(low) {
			low += n
		}
	}
	slot := at + headBytes
	p.mem.Copy(slot+uint64(from)*slotBytes, slot+uint64(to)*slotBytes, (count-to)*slotBytes)
	p.setCount(at, count-(to-from))
	p.setLive(at, live)
	p.setLow(at, low)
}

// largeSize is what an entry takes outside its leaf.
func (p *Pool) largeSize(first byte, rest uint64) int {
	switch first {
	case tagRun:
		return runSize(int(p.mem.U32(rest + 4)))
	case tagBlock:
		return Sizes[p.mem.Byte(p.mem.U40(rest)+blockClassAt)]
	}
	return 0
}

func runSize(n int) int {
	const page = 4096
	return (n + page - 1) &^ (page - 1)
}

// makeRecord gives the record of an entry, with the one reference to what lies out of line.
func (p *Pool) makeRecord(entry []byte) record {
	n := len(entry)
	if n <= inlineMax {
		return record{inline: entry}
	}
	r := record{out: true}
	if n+blockHead <= Sizes[blockClassMax] {
		class := classFor(n + blockHead)
		at := p.blocks.Get(class)
		p.mem.SetU32(at, 1)
		p.mem.SetU32(at+blockMarkAt, 0)
		p.mem.SetByte(at+blockClassAt, byte(class))
		copy(p.mem.Bytes(at+blockHead, n), entry)
		r.large = [largeBytes]byte{tagBlock, byte(at), byte(at >> 8), byte(at >> 16), byte(at >> 24), byte(at >> 32), byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}
		return r
	}
	run := p.blocks.NewRun(n)
	copy(p.blocks.RunBytes(run), entry)
	r.large = [largeBytes]byte{tagRun, byte(run), byte(run >> 8), byte(run >> 16), byte(run >> 24), byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}
	return r
}

// refLarge takes another reference to what entry i has out of line.
func (p *Pool) refLarge(at uint64, i int) {
	switch first, rest := p.recordAt(at, i); first {
	case tagRun:
		p.blocks.ShareRun(p.mem.U32(rest))
	case tagBlock:
		b := p.mem.U40(rest)
		p.mem.SetU32(b, p.mem.U32(b)+1)
	}
}

// dropLarge gives up the reference to what entry i has out of line, and tells the bytes of that. lost: a snapshot has the others.
func (p *Pool) dropLarge(at uint64, i int, lost bool) int {
	first, rest := p.recordAt(at, i)
	if first <= inlineMax {
		return 0
	}
	size := p.largeSize(first, rest)
	if first == tagRun {
		p.blocks.DropRun(p.mem.U32(rest), lost && p.epoch != 0)
		return size
	}
	b := p.mem.U40(rest)
	n := p.mem.U32(b) - 1
	p.mem.SetU32(b, n)
	switch {
	case n == 0:
		p.unmark(b+blockMarkAt, size)
		p.put(b, int(p.mem.Byte(b+blockClassAt)))
	case lost:
		p.mark(b+blockMarkAt, size)
	}
	return size
}

// markLarge notes that what entry i has out of line is a snapshot's alone.
func (p *Pool) markLarge(at uint64, i int) {
	switch first, rest := p.recordAt(at, i); first {
	case tagRun:
		p.blocks.LoseRun(p.mem.U32(rest))
	case tagBlock:
		p.mark(p.mem.U40(rest)+blockMarkAt, p.largeSize(first, rest))
	}
}
