package store

// Entries of trees that are too long for a block of 4 KiB and too short for a run of their own lie in slabs: granules cut into blocks of one size.

const slabClasses = 9

// slabSizes are the bytes of a block of each class: fractions of a granule.
var slabSizes = [slabClasses]uint16{4680, 5456, 6552, 8192, 9360, 10920, 13104, 16384, 21840}

type slab struct {
	link           // of the list that it is in
	granule uint32 // 0: not in use
	free    uint8  // first free block + 1; each free block begins with the next one's
	fresh   uint8  // blocks from here on were never used
	used    uint8
}

type slabs struct {
	pages   *pages
	list    []slab
	spare   []uint32 // numbers not in use
	room    [slabClasses]int32
	touched int64 // bytes
}

// get gives a block of a class. What stands in it is undefined.
func (b *slabs) get(class int) uint64 {
	number := b.room[class] - 1
	if number < 0 {
		number = b.take(class)
	}
	l := &b.list[number]
	at := uint64(l.granule) << granuleShift
	index := l.fresh
	if l.free != 0 {
		index = l.free - 1
		l.free = b.pages.mem.Byte(at + uint64(index)*uint64(slabSizes[class]))
	} else {
		b.touched -= l.bytes(class)
		l.fresh++
		b.touched += l.bytes(class)
	}
	if l.used++; l.full(class) {
		unlist(b.list, &b.room[class], number)
	}
	return at + uint64(index)*uint64(slabSizes[class])
}

// bytes is what of the slab was touched.
func (l *slab) bytes(class int) int64 { return int64(roundPages(int(l.fresh) * int(slabSizes[class]))) }

// full tells whether the slab has no block to give.
func (l *slab) full(class int) bool {
	size := int(slabSizes[class])
	return l.free == 0 && int(l.fresh)*size+size > granuleBytes
}

func (b *slabs) take(class int) int32 {
	var number uint32
	if n := len(b.spare); n > 0 {
		number, b.spare = b.spare[n-1], b.spare[:n-1]
	} else {
		number = uint32(len(b.list))
		b.list = append(b.list, slab{})
	}
	at := b.pages.alloc(0, number)
	b.list[number] = slab{granule: uint32(at >> granuleShift)}
	enlist(b.list, &b.room[class], int32(number))
	return int32(number)
}

// put takes a block back. A slab without blocks goes back to the system.
func (b *slabs) put(at uint64, class int) {
	number := b.pages.owners[at>>granuleShift]
	l := &b.list[number]
	if l.full(class) {
		enlist(b.list, &b.room[class], int32(number))
	}
	b.pages.mem.SetByte(at, l.free)
	l.free = uint8(at&(granuleBytes-1)/uint64(slabSizes[class])) + 1
	if l.used--; l.used > 0 {
		return
	}
	unlist(b.list, &b.room[class], int32(number))
	b.touched -= l.bytes(class)
	start := uint64(l.granule) << granuleShift
	b.pages.mem.Discard(start, granuleBytes)
	b.pages.free(start, 0)
	*l = slab{}
	b.spare = append(b.spare, number)
}
