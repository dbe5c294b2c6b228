package store

import (
	"encoding/binary"
	"math/bits"
)

// An arena holds items in segments of equal slots, one size class a segment, so that the garbage collector sees segments and not items. Slots that
// come free are used again by the same class; a segment that is all free is given back, unless it is the last of its class with room.

const (
	segmentShift = 17
	segmentBytes = 1 << segmentShift

	slotStep  = 16       // slots are multiples of it, bytes
	slotMin   = 48       // the smallest: a header and 16 bytes
	fineMax   = 512      // up to here every multiple of slotStep is a class; above, eight classes a doubling
	slotMax   = 16 << 10 // the largest; what is larger has a segment of its own
	fineCount = (fineMax-slotMin)/slotStep + 1
	classes   = fineCount + 8*5 // five doublings from fineMax to slotMax

	lonely = classes // the class of a segment with one slot of any size
)

// addr is where a slot begins: number of the segment and byte in it. 0 is no slot.
type addr uint64

type segment struct {
	buf        []byte
	class      uint8
	free       uint32 // first free slot's offset + 1, 0 = none; each free slot begins with the next
	fresh      uint32 // offset from which on slots were never used
	live       uint32 // slots in use
	listed     bool   // in its class's list of segments with room
	next, prev int32  // in that list; 0 = none
}

type arena struct {
	segments []segment // segments[0] is none, so that addr 0 is none
	room     [classes]int32
	spare    []int32 // numbers of segments that were given back
	live     int64   // bytes of slots in use
	reserved int64   // bytes of segments
}

func newArena() arena { return arena{segments: make([]segment, 1)} }

// classOf gives the class whose slots hold n bytes, n <= slotMax.
func classOf(n int) int {
	if n <= fineMax {
		return (max(n, slotMin) - slotMin + slotStep - 1) / slotStep
	}
	const eighths = 3                        // log2 of the classes a doubling
	doubling := bits.Len(uint(n-1)) - 1      // 2^doubling < n <= 2^(doubling+1)
	step := (n-1)>>(doubling-eighths) - 1<<3 // which eighth of the doubling n ends in, 0 to 7
	const fineBits = 9                       // log2 of fineMax
	return fineCount + (doubling-fineBits)<<eighths + step
}

// slotOf gives the size of a class's slots.
func slotOf(class int) int {
	if class < fineCount {
		return slotMin + class*slotStep
	}
	const eighths, fineBits = 3, 9
	class -= fineCount
	doubling := class>>eighths + fineBits
	return 1<<doubling + (class&7+1)<<(doubling-eighths)
}

// alloc gives a slot of at least n bytes. What stands in it is undefined.
func (a *arena) alloc(n int) (addr, []byte) {
	if n > slotMax {
		return a.allocLonely(n)
	}
	class := classOf(n)
	size := uint32(slotOf(class))
	number := a.room[class]
	if number == 0 {
		number = a.add(make([]byte, segmentBytes), class)
		a.list(number)
	}
	g := &a.segments[number]
	var at uint32
	if g.free != 0 {
		at = g.free - 1
		g.free = binary.LittleEndian.Uint32(g.buf[at:])
	} else {
		at = g.fresh
		g.fresh += size
	}
	g.live++
	a.live += int64(size)
	if g.free == 0 && g.fresh+size > segmentBytes {
		a.unlist(number)
	}
	return addr(number)<<segmentShift | addr(at), g.buf[at : at+size : at+size]
}

func (a *arena) allocLonely(n int) (addr, []byte) {
	number := a.add(make([]byte, n), lonely)
	a.live += int64(n)
	return addr(number) << segmentShift, a.segments[number].buf
}

func (a *arena) add(buf []byte, class int) int32 {
	var number int32
	if n := len(a.spare); n > 0 {
		number, a.spare = a.spare[n-1], a.spare[:n-1]
	} else {
		number = int32(len(a.segments))
		a.segments = append(a.segments, segment{})
	}
	a.segments[number] = segment{buf: buf, class: uint8(class)}
	a.reserved += int64(len(buf))
	return number
}

// slot gives the bytes of the slot at at, all of its room.
func (a *arena) slot(at addr) []byte {
	g := &a.segments[at>>segmentShift]
	if g.class == lonely {
		return g.buf
	}
	from := int(at & (segmentBytes - 1))
	return g.buf[from : from+int(slotSizes[g.class])]
}

var slotSizes = func() (sizes [classes]uint16) {
	for i := range sizes {
		sizes[i] = uint16(slotOf(i))
	}
	return sizes
}()

// release takes the slot back.
func (a *arena) release(at addr) {
	number := int32(at >> segmentShift)
	g := &a.segments[number]
	if g.class == lonely {
		a.live -= int64(len(g.buf))
		a.drop(number)
		return
	}
	offset := uint32(at & (segmentBytes - 1))
	binary.LittleEndian.PutUint32(g.buf[offset:], g.free)
	g.free = offset + 1
	g.live--
	a.live -= int64(slotSizes[g.class])
	if !g.listed {
		a.list(number)
	}
	if g.live == 0 && (g.prev != 0 || g.next != 0) {
		a.unlist(number)
		a.drop(number)
	}
}

func (a *arena) drop(number int32) {
	a.reserved -= int64(len(a.segments[number].buf))
	a.segments[number] = segment{}
	a.spare = append(a.spare, number)
}

// list puts a segment at the head of its class's list of those with room.
func (a *arena) list(number int32) {
	g := &a.segments[number]
	head := &a.room[g.class]
	g.listed, g.prev, g.next = true, 0, *head
	if *head != 0 {
		a.segments[*head].prev = number
	}
	*head = number
}

func (a *arena) unlist(number int32) {
	g := &a.segments[number]
	if g.prev != 0 {
		a.segments[g.prev].next = g.next
	} else {
		a.room[g.class] = g.next
	}
	if g.next != 0 {
		a.segments[g.next].prev = g.prev
	}
	g.listed, g.prev, g.next = false, 0, 0
}
