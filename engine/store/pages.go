package store

import (
	"math/bits"

	"larder/engine/memory"
)

// The range is cut into granules of 64 KiB, handed out in runs of a power of two of them (a buddy system). A run is only addresses: what was never
// touched in it takes no memory, so rounding up costs nothing. Granule 0 is never handed out, so offset 0 can mean "none".

const (
	granuleShift = 16
	granuleBytes = 1 << granuleShift
	runOrders    = 23 // a run has at most 2^22 granules: memory.ReserveMax

	growStepBytes = 16 << 20 // by which the range is made usable
)

type freeRun struct {
	next, prev int32 // granules, 0 = none
	order      int8  // of a free run that begins here, + 1; 0 = none does
}

type pages struct {
	mem    *memory.Range
	heads  [runOrders]int32
	runs   []freeRun // by granule
	owners []uint32  // by granule: the number of the segment or block granule that it belongs to
}

func newPages(mem *memory.Range) pages {
	return pages{mem: mem, runs: make([]freeRun, 1), owners: make([]uint32, 1)}
}

// orderOf gives the order of the smallest run that holds n bytes.
func orderOf(n int) int { return bits.Len(uint((n - 1) >> granuleShift)) }

// alloc gives a run of 2^order granules: its offset. owner is noted for each of its granules.
func (p *pages) alloc(order int, owner uint32) uint64 {
	have := order
	for have < runOrders && p.heads[have] == 0 {
		have++
	}
	var granule int32
	if have < runOrders {
		granule = p.heads[have]
		p.unlist(granule, have)
	} else {
		granule, have = p.extend(order), order
	}
	for ; have > order; have-- {
		p.list(granule+1<<(have-1), have-1)
	}
	for i := range int32(1) << order {
		p.owners[granule+i] = owner
	}
	at := uint64(granule) << granuleShift
	p.mem.Use(at, granuleBytes<<order)
	return at
}

// extend takes a run from the end of what was handed out before.
func (p *pages) extend(order int) int32 {
	for len(p.runs)&(1<<order-1) != 0 {
		gap := bits.TrailingZeros(uint(len(p.runs)))
		at := int32(len(p.runs))
		p.lengthen(1 << gap)
		p.list(at, gap)
	}
	at := int32(len(p.runs))
	p.lengthen(1 << order)
	return at
}

func (p *pages) lengthen(granules int) {
	n := len(p.runs) + granules
	if need := n << granuleShift; need > p.mem.Len() {
		length := min((need+growStepBytes-1)&^(growStepBytes-1), p.mem.Reserved())
		if need > length {
			panic("store: the reserved addresses are used up")
		}
		if err := p.mem.Grow(length); err != nil {
			panic("store: " + err.Error())
		}
	}
	p.runs = append(p.runs, make([]freeRun, granules)...)
	p.owners = append(p.owners, make([]uint32, granules)...)
}

// free takes a run back. Its owner has given the memory back (discard) before.
func (p *pages) free(at uint64, order int) {
	granule := int32(at >> granuleShift)
	for order < runOrders-1 {
		buddy := granule ^ 1<<order
		if int(buddy) >= len(p.runs) || int(p.runs[buddy].order) != order+1 {
			break
		}
		p.unlist(buddy, order)
		granule &^= 1 << order
		order++
	}
	p.list(granule, order)
}

func (p *pages) list(granule int32, order int) {
	head := p.heads[order]
	p.runs[granule] = freeRun{next: head, order: int8(order + 1)}
	if head != 0 {
		p.runs[head].prev = granule
	}
	p.heads[order] = granule
}

func (p *pages) unlist(granule int32, order int) {
	r := p.runs[granule]
	if r.prev != 0 {
		p.runs[r.prev].next = r.next
	} else {
		p.heads[order] = r.next
	}
	if r.next != 0 {
		p.runs[r.next].prev = r.prev
	}
	p.runs[granule] = freeRun{}
}

// roundPages rounds up to whole pages of the system.
func roundPages(n int) int { return (n + memory.PageBytes - 1) &^ (memory.PageBytes - 1) }
