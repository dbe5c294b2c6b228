package tree

// The methods here are of inner pages.

// rooms are how many children a page of each class holds: in a list, and in a tree with an order.
var rooms = [2][classes]int{roomsOf(childBytes), roomsOf(childBytes + wordBytes)}

func roomsOf(width int) (rooms [classes]int) {
	for class, size := range Sizes {
		rooms[class] = (size - headBytes) / width
	}
	return rooms
}

// room is how many children a page of a class holds.
func (t *Tree) room(class int) int { return t.rooms[class] }

// innerClass is the class of the smallest page for n children.
func (t *Tree) innerClass(n int) int { return classFor(headBytes + n*t.width) }

func (t *Tree) sumAt(at uint64, i int) uint64 {
	return at + headBytes + uint64(t.room(t.pool.class(at))*refBytes+i*sumBytes)
}

func (t *Tree) wordAt(at uint64, i int) uint64 {
	return at + headBytes + uint64(t.room(t.pool.class(at))*childBytes+i*wordBytes)
}

// sum is the number of entries below child i.
func (t *Tree) sum(at uint64, i int) int { return int(t.pool.mem.U32(t.sumAt(at, i))) }

func (t *Tree) addSum(at uint64, i, n int) {
	place := t.sumAt(at, i)
	t.pool.mem.SetU32(place, t.pool.mem.U32(place)+uint32(n))
}

func (t *Tree) setChild(at uint64, i int, child uint64) {
	t.pool.mem.SetU40(at+headBytes+uint64(i)*refBytes, child)
}

// setAll writes what stands of a child.
func (t *Tree) setAll(at uint64, i int, child uint64) {
	t.setChild(at, i, child)
	t.pool.mem.SetU32(t.sumAt(at, i), uint32(t.entries(child)))
	if t.order.Word != nil {
		t.pool.mem.SetU64(t.wordAt(at, i), t.firstWord(child))
	}
}

// entries is the number of entries below a page.
func (t *Tree) entries(at uint64) int {
	n := t.pool.count(at)
	if t.pool.level(at) == 0 {
		return n
	}
	sum := 0
	for i := range n {
		sum += t.sum(at, i)
	}
	return sum
}

// firstWord is the word of the first entry below a page.
func (t *Tree) firstWord(at uint64) uint64 {
	switch {
	case t.order.Word == nil:
		return 0
	case t.pool.level(at) == 0:
		return t.order.Word(t.pool.entry(at, 0))
	}
	return t.pool.mem.U64(t.wordAt(at, 0))
}

// openChild makes room for child i in a page that has it.
func (t *Tree) openChild(at uint64, i int) {
	t.moved++
	n := t.pool.count(at)
	t.shift(at, i, i+1, n-i)
	t.pool.setCount(at, n+1)
}

// closeChildren takes the children from to before to out.
func (t *Tree) closeChildren(at uint64, from, to int) {
	t.moved++
	n := t.pool.count(at)
	t.shift(at, to, from, n-to)
	t.pool.setCount(at, n-(to-from))
}

// shift moves n children from place from to place to.
func (t *Tree) shift(at uint64, from, to, n int) {
	mem := t.pool.mem
	refs := at + headBytes
	mem.Copy(refs+uint64(to*refBytes), refs+uint64(from*refBytes), n*refBytes)
	mem.Copy(t.sumAt(at, to), t.sumAt(at, from), n*sumBytes)
	if t.order.Word != nil {
		mem.Copy(t.wordAt(at, to), t.wordAt(at, from), n*wordBytes)
	}
}

// moveChildren appends the children from to before to of a page to another one, which has the room.
func (t *Tree) moveChildren(dst, src uint64, from, to int) {
	mem, n, have := t.pool.mem, to-from, t.pool.count(dst)
	mem.Copy(dst+headBytes+uint64(have*refBytes), src+headBytes+uint64(from*refBytes), n*refBytes)
	mem.Copy(t.sumAt(dst, have), t.sumAt(src, from), n*sumBytes)
	if t.order.Word != nil {
		mem.Copy(t.wordAt(dst, have), t.wordAt(src, from), n*wordBytes)
	}
	t.pool.setCount(dst, have+n)
}
