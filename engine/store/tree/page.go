package tree

import "larder/engine/memory"

// A page, little endian, begins with
//
//	level     1 byte   0: a leaf
//	class     1 byte   its block has Sizes[class] bytes
//	count     2 bytes  entries of a leaf, children of an inner page
//	refs      4 bytes  inner pages and trees that refer to it
//	low       2 bytes  of a leaf: where its records begin
//	live      2 bytes  of a leaf: bytes of records that are entries
//	mark      1 byte   the epoch in which a tree let go of it that a snapshot still has; 0 = none
//	flags     1 byte   of a leaf: leafLarge, leafRow, leafBack
//
// A leaf of a tree with an order goes on with the offsets of its entries' records, 2 bytes each, in order; records fill it from its end, with gaps where entries went. A record is
//
//	length    1 byte   at most inlineMax, and then the entry
//	254       1 byte   and 4 bytes: a run of the store; 4 bytes: the entry's length; 1 byte unused
//	255       1 byte   and 5 bytes: a block; 4 bytes: the entry's length. The block is 4 bytes of references, 1 byte mark, 1 byte class, 2 unused, the entry
//
// A leaf of a list (leafRow) takes no room for places, which are found by adding up: it goes on with the first bytes of its records, one behind the other, and
// the rest of the records stand in a row without gaps, from low on. They stand in order, or with leafBack in the opposite one, so that a leaf that grows at
// one of its ends grows into the room between: row.go. There live counts no first bytes.
//
// An inner page has room for as many children as its class says, in arrays one behind the other: references, 5 bytes each; counts of the entries below,
// 4 bytes each; and in a tree with an order the word of the first entry below, 8 bytes each.
const (
	levelAt   = 0
	classAt   = 1
	countAt   = 2
	refsAt    = 4
	lowAt     = 8
	liveAt    = 10
	markAt    = 12
	flagsAt   = 13
	headBytes = 14

	leafLarge = 1 // an entry is, or was, out of line
	leafRow   = 2
	leafBack  = 4

	slotBytes  = 2
	refBytes   = 5
	sumBytes   = 4
	wordBytes  = 8
	childBytes = refBytes + sumBytes
)

// Sizes are the blocks that pages and large entries lie in, bytes: fractions of 4 KiB, so that a page that grows wastes little, and for large entries
// fractions of 64 KiB.
var Sizes = [...]int{
	64, 128, 192, 256, 336, 408, 512, 584, 680, 816, 1024, 1360, 2048, 4096,
	4680, 5456, 6552, 8192, 9360, 10920, 13104, 16384, 21840,
}

const (
	classes       = len(Sizes)
	leafClassMax  = 10
	innerClassMax = 12
	evenClassMax  = 17 // of inner pages where places are guessed: a wide page costs a search no more looks, and saves a level
	blockClassMax = classes - 1

	leafMax = 1024 // Sizes[leafClassMax]
)

// classFor is the class of the smallest block that holds n bytes.
func classFor(n int) int {
	class := 0
	for Sizes[class] < n {
		class++
	}
	return class
}

// Memory is where pages lie.
type Memory interface {
	// Get gives a block of Sizes[class] bytes, 8 bytes aligned, whose content is undefined.
	Get(class int) uint64
	Put(at uint64, class int)
	// NewRun makes room for an entry that no block holds, with one reference; ShareRun takes another one, DropRun gives one up, lost: since a snapshot
	// wants what its tree does not.
	NewRun(n int) uint32
	RunBytes(run uint32) []byte
	ShareRun(run uint32)
	DropRun(run uint32, lost bool)
	// LoseRun tells that only a snapshot has the run any more.
	LoseRun(run uint32)
}

// Pool is what all trees of a store have in common.
type Pool struct {
	mem    *memory.Range
	blocks Memory
	dying  []uint64 // pages to let go of, with dyingLost
	epoch  uint8    // of marks; 0: no snapshot is in progress
	last   uint8    // epoch
	kept   int64    // bytes that trees let go of in this epoch and snapshots have
}

// dyingLost is set beside a page if what stays of it is a snapshot's.
const dyingLost = 1

// NewPool makes the pool of a store's memory.
func NewPool(mem *memory.Range, blocks Memory) *Pool { return &Pool{mem: mem, blocks: blocks} }

// Kept is how many bytes snapshots have that the trees they were of do not.
func (p *Pool) Kept() int64 { return p.kept }

// SetSnapshots tells whether snapshots are in progress.
func (p *Pool) SetSnapshots(on bool) {
	switch {
	case on && p.epoch == 0:
		p.last = max(p.last+1, 1)
		p.epoch = p.last
	case !on:
		p.epoch, p.kept = 0, 0
	}
}

// Pending tells whether there are pages to free.
func (p *Pool) Pending() bool { return len(p.dying) > 0 }

// Free gives back about budget bytes of pages of trees that were dropped, and tells what is left of budget.
func (p *Pool) Free(budget int) int {
	const cost = 64 // of looking at a page that stays
	for budget > 0 && len(p.dying) > 0 {
		at := p.dying[len(p.dying)-1]
		p.dying = p.dying[:len(p.dying)-1]
		lost := at & dyingLost
		at &^= dyingLost
		if !p.unref(at, lost != 0) {
			if budget -= cost; lost != 0 && p.epoch != 0 {
				p.leave(at)
			}
			continue
		}
		budget -= p.size(at)
		n := p.count(at)
		switch {
		case p.level(at) > 0:
			for i := range n {
				p.dying = append(p.dying, p.child(at, i)|lost)
			}
		case p.mayHaveLarge(at):
			for i := range n {
				budget -= p.dropLarge(at, i, lost != 0)
			}
		}
		p.free(at)
	}
	return budget
}

// leave sees that what is below a page that stays for a snapshot is marked too. It takes references, so that no page goes before it was looked at.
func (p *Pool) leave(at uint64) {
	leaf := p.level(at) == 0
	if leaf && !p.mayHaveLarge(at) {
		return
	}
	for i := range p.count(at) {
		if leaf {
			p.markLarge(at, i)
			continue
		}
		child := p.child(at, i)
		p.ref(child)
		p.dying = append(p.dying, child|dyingLost)
	}
}

func (p *Pool) level(at uint64) int { return int(p.mem.Byte(at + levelAt)) }
func (p *Pool) class(at uint64) int { return int(p.mem.Byte(at + classAt)) }
func (p *Pool) size(at uint64) int  { return Sizes[p.class(at)] }
func (p *Pool) count(at uint64) int { return int(p.mem.U16(at + countAt)) }
func (p *Pool) low(at uint64) int   { return int(p.mem.U16(at + lowAt)) }
func (p *Pool) live(at uint64) int  { return int(p.mem.U16(at + liveAt)) }

func (p *Pool) setCount(at uint64, n int) { p.mem.SetU16(at+countAt, uint16(n)) }
func (p *Pool) setLow(at uint64, n int)   { p.mem.SetU16(at+lowAt, uint16(n)) }
func (p *Pool) setLive(at uint64, n int)  { p.mem.SetU16(at+liveAt, uint16(n)) }

func (p *Pool) shared(at uint64) bool { return p.mem.U32(at+refsAt) > 1 }
func (p *Pool) ref(at uint64)         { p.mem.SetU32(at+refsAt, p.mem.U32(at+refsAt)+1) }

func (p *Pool) child(at uint64, i int) uint64 { return p.mem.U40(at + headBytes + uint64(i)*refBytes) }

// unref takes a reference to a page off and tells whether it was the last one. lost: a snapshot has the others.
func (p *Pool) unref(at uint64, lost bool) bool {
	n := p.mem.U32(at+refsAt) - 1
	p.mem.SetU32(at+refsAt, n)
	switch {
	case n == 0:
		p.unmark(at+markAt, p.size(at))
	case lost:
		p.mark(at+markAt, p.size(at))
	}
	return n == 0
}

// mark notes at at that size bytes are a snapshot's alone.
func (p *Pool) mark(at uint64, size int) {
	if p.epoch != 0 && p.mem.Byte(at) != p.epoch {
		p.mem.SetByte(at, p.epoch)
		p.kept += int64(size)
	}
}

func (p *Pool) unmark(at uint64, size int) {
	if p.epoch != 0 && p.mem.Byte(at) == p.epoch {
		p.kept -= int64(size)
	}
}

// make gives an empty page with one reference.
func (p *Pool) make(level, class int) uint64 {
	at := p.blocks.Get(class)
	p.mem.Zero(at, headBytes)
	p.mem.SetByte(at+levelAt, byte(level))
	p.mem.SetByte(at+classAt, byte(class))
	p.mem.SetU32(at+refsAt, 1)
	p.setLow(at, Sizes[class])
	return at
}

// free gives a page's block back.
func (p *Pool) free(at uint64) { p.put(at, p.class(at)) }

func (p *Pool) put(at uint64, class int) {
	if memory.Checked { // who still reads it is to notice
		b := p.mem.Bytes(at, Sizes[class])
		for i := range b {
			b[i] = 0xee
		}
	}
	p.blocks.Put(at, class)
}
