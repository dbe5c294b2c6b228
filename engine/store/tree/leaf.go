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

func (r *record) size() int {
	if r.out {
		return largeBytes
	}
	return 1 + len(r.inline)
}

func (p *Pool) recordAt(at uint64, i int) uint64 {
	return at + uint64(p.mem.U16(at+headBytes+uint64(i)*slotBytes))
}

// recordSize is the bytes of the record at r.
func (p *Pool) recordSize(r uint64) int {
	if n := p.mem.Byte(r); n <= inlineMax {
		return 1 + int(n)
	}
	return largeBytes
}

// entry gives entry i of a leaf.
func (p *Pool) entry(at uint64, i int) []byte {
	r := p.recordAt(at, i)
	switch n := p.mem.Byte(r); n {
	case tagRun:
		return p.blocks.RunBytes(p.mem.U32(r + 1))[:p.mem.U32(r+5)]
	case tagBlock:
		return p.mem.Bytes(p.mem.U40(r+1)+blockHead, int(p.mem.U32(r+6)))
	default:
		return p.mem.Bytes(r+1, int(n))
	}
}

// weight is what a leaf's head, offsets and entries take.
func (p *Pool) weight(at uint64) int { return headBytes + p.count(at)*slotBytes + p.live(at) }

// gap tells whether there is room for a record of n bytes between the offsets and the records.
func (p *Pool) gap(at uint64, n int) bool {
	return p.low(at)-headBytes-(p.count(at)+1)*slotBytes >= n
}

// open makes room for a record of n bytes, for which there is a gap, as entry i.
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

// write puts a record, for which there is a gap, in as entry i.
func (p *Pool) write(at uint64, i int, r *record) {
	to := p.open(at, i, r.size())
	if r.out {
		copy(p.mem.Bytes(to, largeBytes), r.large[:])
		p.mem.SetByte(at+largeAt, 1)
		return
	}
	p.mem.SetByte(to, byte(len(r.inline)))
	copy(p.mem.Bytes(to+1, len(r.inline)), r.inline)
}

// move appends the records from to before to of one leaf to another one, which has the room.
func (p *Pool) move(dst, src uint64, from, to int) {
	for i := from; i < to; i++ {
		r := p.recordAt(src, i)
		n := p.recordSize(r)
		p.mem.Copy(p.open(dst, p.count(dst), n), r, n)
	}
	if p.mayHaveLarge(src) {
		p.mem.SetByte(dst+largeAt, 1)
	}
}

// mayHaveLarge tells of a leaf that none of its entries is out of line, or that there may be some.
func (p *Pool) mayHaveLarge(at uint64) bool { return p.mem.Byte(at+largeAt) != 0 }

// erase takes the records from to before to out of a leaf. Large entries must have been dropped.
func (p *Pool) erase(at uint64, from, to int) {
	count, live, low := p.count(at), p.live(at), p.low(at)
	for i := from; i < to; i++ {
		r := p.recordAt(at, i)
		n := p.recordSize(r)
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
func (p *Pool) largeSize(r uint64) int {
	switch p.mem.Byte(r) {
	case tagRun:
		return runSize(int(p.mem.U32(r + 5)))
	case tagBlock:
		return Sizes[p.mem.Byte(p.mem.U40(r+1)+blockClassAt)]
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
	r := p.recordAt(at, i)
	switch p.mem.Byte(r) {
	case tagRun:
		p.blocks.ShareRun(p.mem.U32(r + 1))
	case tagBlock:
		b := p.mem.U40(r + 1)
		p.mem.SetU32(b, p.mem.U32(b)+1)
	}
}

// dropLarge gives up the reference to what entry i has out of line, and tells the bytes of that. lost: a snapshot has the others.
func (p *Pool) dropLarge(at uint64, i int, lost bool) int {
	r := p.recordAt(at, i)
	tag := p.mem.Byte(r)
	if tag <= inlineMax {
		return 0
	}
	size := p.largeSize(r)
	if tag == tagRun {
		p.blocks.DropRun(p.mem.U32(r+1), lost && p.epoch != 0)
		return size
	}
	b := p.mem.U40(r + 1)
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
	r := p.recordAt(at, i)
	switch p.mem.Byte(r) {
	case tagRun:
		p.blocks.LoseRun(p.mem.U32(r + 1))
	case tagBlock:
		p.mark(p.mem.U40(r+1)+blockMarkAt, p.largeSize(r))
	}
}
