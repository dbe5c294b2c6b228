package store

import "larder/engine/memory"

// Index, wheel and trees are made of small blocks, 64 bytes to 4 KiB. Those of index and wheel are a power of two. Blocks of one size share pages of 4 KiB; pages come from granules. A page
// without blocks serves any size again, or goes back to the system if there are many of them; so does a granule without pages, but for one in reserve.

const (
	blockShift   = 6 // the smallest block, 64 bytes; links to blocks count in it
	blockClasses = 14
	pageShift    = 12
	granulePages = granuleBytes >> pageShift
)

// blockSizes are the bytes of a block of each class; the first classes are powers of two from 64 on.
var blockSizes = [blockClasses]uint16{64, 128, 256, 512, 1024, 192, 336, 408, 584, 680, 816, 1360, 2048, 4096}

type blockPage struct {
	link           // of the list that it is in
	free    uint16 // first free block + 1; each free block begins with the next one's
	fresh   uint16 // blocks from here on were never used
	used    uint16
	class   uint8
	touched bool // its memory was taken from the system
}

type blockGranule struct {
	granule uint32 // 0: not in use
	used    uint8  // pages with blocks
}

type blocks struct {
	pages    *pages
	list     []blockPage // sixteen a granule
	granules []blockGranule
	spare    []uint32 // numbers of granules not in use
	room     [blockClasses]int32
	empty    int32 // pages without blocks
	idle     int   // granules without blocks, not given back
	touched  int64 // bytes
	unused   int64 // bytes of them in pages without blocks
}

// get gives a block of a class. What stands in it is undefined.
func (b *blocks) get(class int) uint64 {
	number := b.room[class] - 1
	if number < 0 {
		number = b.takePage(class)
	}
	p := &b.list[number]
	base := b.pageAt(number)
	var index uint16
	if p.free != 0 {
		index = p.free - 1
		p.free = b.pages.mem.U16(base + uint64(index)*uint64(blockSizes[class]))
	} else {
		index = p.fresh
		p.fresh++
	}
	p.used++
	if p.full(class) {
		unlist(b.list, &b.room[class], number)
	}
	return base + uint64(index)*uint64(blockSizes[class])
}

// full tells whether a page of a class has no block to give.
func (p *blockPage) full(class int) bool {
	size := int(blockSizes[class])
	return p.free == 0 && int(p.fresh)*size+size > memory.PageBytes
}

func (b *blocks) pageAt(number int32) uint64 {
	return uint64(b.granules[number/granulePages].granule)<<granuleShift + uint64(number%granulePages)<<pageShift
}

func (b *blocks) takePage(class int) int32 {
	if b.empty == 0 {
		b.takeGranule()
	}
	number := b.empty - 1
	unlist(b.list, &b.empty, number)
	g := &b.granules[number/granulePages]
	if g.used == 0 {
		b.idle--
	}
	g.used++
	if b.list[number].touched {
		b.unused -= memory.PageBytes
	} else {
		b.touched += memory.PageBytes
		b.pages.mem.Use(b.pageAt(number), memory.PageBytes)
	}
	b.list[number] = blockPage{class: uint8(class), touched: true}
	enlist(b.list, &b.room[class], number)
	return number
}

func (b *blocks) takeGranule() {
	var number uint32
	if n := len(b.spare); n > 0 {
		number, b.spare = b.spare[n-1], b.spare[:n-1]
	} else {
		number = uint32(len(b.granules))
		b.granules = append(b.granules, blockGranule{})
		b.list = append(b.list, make([]blockPage, granulePages)...)
	}
	at := b.pages.alloc(0, number)
	b.granules[number] = blockGranule{granule: uint32(at >> granuleShift)}
	for page := int32(granulePages - 1); page >= 0; page-- {
		enlist(b.list, &b.empty, int32(number)*granulePages+page)
	}
	b.idle++
}

// put takes a block back.
func (b *blocks) put(at uint64, class int) {
	owner := b.pages.owners[at>>granuleShift]
	number := int32(owner)*granulePages + int32(at&(granuleBytes-1)>>pageShift)
	p := &b.list[number]
	if p.full(class) {
		enlist(b.list, &b.room[class], number)
	}
	b.pages.mem.SetU16(at, p.free)
	p.free = uint16(at&(memory.PageBytes-1))/blockSizes[class] + 1
	p.used--
	if p.used > 0 {
		return
	}
	unlist(b.list, &b.room[class], number)
	enlist(b.list, &b.empty, number)
	b.unused += memory.PageBytes
	g := &b.granules[owner]
	if g.used--; g.used == 0 {
		if b.idle++; b.idle > 1 {
			b.giveBack(owner)
			return
		}
	}
	if b.unused > b.touched/unusedShare+granuleBytes {
		b.discardPage(number)
	}
}

// unusedShare is what of the memory may be in pages without blocks: one part in so many, and a granule.
const unusedShare = 16

// discardPage gives a page without blocks back to the system. It stays in the list of those.
func (b *blocks) discardPage(number int32) {
	b.list[number].touched = false
	b.touched -= memory.PageBytes
	b.unused -= memory.PageBytes
	b.pages.mem.Discard(b.pageAt(number), memory.PageBytes)
}

func (b *blocks) giveBack(number uint32) {
	for page := range int32(granulePages) {
		p := int32(number)*granulePages + page
		unlist(b.list, &b.empty, p)
		if b.list[p].touched {
			b.touched -= memory.PageBytes
			b.unused -= memory.PageBytes
		}
		b.list[p] = blockPage{}
	}
	g := &b.granules[number]
	at := uint64(g.granule) << granuleShift
	b.pages.mem.Discard(at, granuleBytes)
	b.pages.free(at, 0)
	*g = blockGranule{}
	b.spare = append(b.spare, number)
	b.idle--
}
