package script

import (
	"math"
	"math/bits"
)

// Table is a Lua table as Lua 5.1 lays it out: a list part and a hash part with the same hash, the same places and the same growth, so that pairs gives
// the elements in Redis's order and # finds the same border of a list with holes.
type Table struct {
	list     []Value // keys 1 to len
	nodes    []node  // a power of two, or none
	free     int     // all nodes from here on are taken
	meta     *Table
	id       uint32
	readOnly bool
}

type node struct {
	key, val Value
	next     int32 // index of the next of this place, -1 = none
}

// listBitsMax bounds the list part: 2^26 elements.
const listBitsMax = 26

// NewTable makes a table with room for so many elements and fields.
func (vm *VM) newTable(list, fields int) *Table {
	t := &Table{id: vm.id()}
	vm.grow(tableSize)
	if list > 0 {
		vm.grow(int64(list) * valueSize)
		t.list = make([]Value, list)
	}
	t.setNodes(vm, fields)
	return t
}

func (t *Table) setNodes(vm *VM, n int) {
	t.nodes, t.free = nil, 0
	if n == 0 {
		return
	}
	size := 1 << bits.Len(uint(n-1))
	vm.grow(int64(size) * nodeSize)
	t.nodes = make([]node, size)
	for i := range t.nodes {
		t.nodes[i].next = -1
	}
	t.free = size
}

// hash is Lua 5.1's: of a long string only some bytes count.
func (s *str) hash() uint32 {
	if s.hashed {
		return s.h
	}
	h := uint32(len(s.s))
	step := len(s.s)>>5 + 1
	for i := len(s.s); i >= step; i -= step {
		h ^= h<<5 + h>>2 + uint32(s.s[i-1])
	}
	s.h, s.hashed = h, true
	return h
}

// place is the index of the node where a key belongs.
func (t *Table) place(key Value) int {
	size := uint32(len(t.nodes))
	switch o := key.o.(type) {
	case *str:
		return int(o.hash() & (size - 1))
	case numTag:
		if key.n == 0 {
			return 0
		}
		b := math.Float64bits(key.n)
		return int((uint32(b) + uint32(b>>32)) % ((size - 1) | 1))
	case boolTag:
		return int(uint32(key.n) & (size - 1))
	}
	return int(identity(key) % ((size - 1) | 1))
}

// identity is a number of a thing that is equal to itself only.
func identity(v Value) uint32 {
	switch o := v.o.(type) {
	case *Table:
		return o.id
	case *closure:
		return o.id
	case *native:
		return o.id
	case *thread:
		return o.id
	case *userdata:
		return o.id
	}
	return 0
}

// get is a raw look-up.
func (t *Table) get(key Value) Value {
	switch o := key.o.(type) {
	case nil:
		return Value{}
	case *str:
		return t.getStr(o)
	case numTag:
		if i := int(key.n); i > 0 && i <= len(t.list) && float64(i) == key.n {
			return t.list[i-1]
		}
	}
	if i := t.find(key); i >= 0 {
		return t.nodes[i].val
	}
	return Value{}
}

func (t *Table) getStr(s *str) Value {
	if len(t.nodes) == 0 {
		return Value{}
	}
	h := s.hash()
	for i := int32(h & uint32(len(t.nodes)-1)); i >= 0; i = t.nodes[i].next {
		n := &t.nodes[i]
		if k, ok := n.key.o.(*str); ok && (k == s || k.h == h && k.s == s.s) {
			return n.val
		}
	}
	return Value{}
}

func (t *Table) getText(name string) Value { return t.getStr(&str{s: name}) }

func (t *Table) getInt(i int) Value {
	if i > 0 && i <= len(t.list) {
		return t.list[i-1]
	}
	if len(t.nodes) == 0 {
		return Value{}
	}
	return t.get(num(float64(i)))
}

// find is the index of a key's node, -1 if there is none.
func (t *Table) find(key Value) int {
	if len(t.nodes) == 0 {
		return -1
	}
	for i := int32(t.place(key)); i >= 0; i = t.nodes[i].next {
		if rawEqual(t.nodes[i].key, key) {
			return int(i)
		}
	}
	return -1
}

// slot is where a key's value stands, nil if it has no place.
func (t *Table) slot(key Value) *Value {
	if _, ok := key.o.(numTag); ok {
		if i := int(key.n); i > 0 && i <= len(t.list) && float64(i) == key.n {
			return &t.list[i-1]
		}
	}
	if i := t.find(key); i >= 0 {
		return &t.nodes[i].val
	}
	return nil
}

// set is a raw assignment; the key is neither nil nor NaN.
func (t *Table) set(vm *VM, key, val Value) {
	if p := t.slot(key); p != nil {
		*p = val
		return
	}
	t.insert(vm, key, val)
}

func (t *Table) setText(vm *VM, name string, val Value) { t.set(vm, constant(name), val) }

func (t *Table) setInt(vm *VM, i int, val Value) {
	if i > 0 && i <= len(t.list) {
		t.list[i-1] = val
		return
	}
	t.set(vm, num(float64(i)), val)
}

// insert puts in a key that has no place (Brent's variation: a node that stands in another's place gives way).
func (t *Table) insert(vm *VM, key, val Value) {
	if len(t.nodes) == 0 {
		t.rehash(vm, key)
		t.set(vm, key, val)
		return
	}
	at := t.place(key)
	if !t.nodes[at].val.isNil() {
		free := t.takeFree()
		if free < 0 {
			t.rehash(vm, key)
			t.set(vm, key, val)
			return
		}
		if other := t.place(t.nodes[at].key); other != at {
			for int(t.nodes[other].next) != at {
				other = int(t.nodes[other].next)
			}
			t.nodes[other].next = int32(free)
			t.nodes[free] = t.nodes[at]
			t.nodes[at] = node{next: -1}
		} else {
			t.nodes[free].next = t.nodes[at].next
			t.nodes[at].next = int32(free)
			at = free
		}
	}
	if s, ok := key.o.(*str); ok {
		s.hash() // getStr compares stored hashes
	}
	t.nodes[at].key, t.nodes[at].val = key, val
}

func (t *Table) takeFree() int {
	for t.free > 0 {
		t.free--
		if t.nodes[t.free].key.isNil() {
			return t.free
		}
	}
	return -1
}

// listBit tells in which power of two a key falls that could be in the list part, -1 if it could not.
func listBit(key Value) int {
	if _, ok := key.o.(numTag); !ok || key.n < 1 || key.n > 1<<listBitsMax || key.n != math.Trunc(key.n) {
		return -1
	}
	return bits.Len(uint(key.n) - 1)
}

// rehash finds new sizes with room for one more key: the list part is the largest power of two of which more than half is used.
func (t *Table) rehash(vm *VM, extra Value) {
	var counts [listBitsMax + 1]int
	inList, total := 0, 1
	for i := range t.list {
		if !t.list[i].isNil() {
			counts[bits.Len(uint(i))]++
			inList++
			total++
		}
	}
	for i := range t.nodes {
		if !t.nodes[i].val.isNil() {
			total++
			if b := listBit(t.nodes[i].key); b >= 0 {
				counts[b]++
				inList++
			}
		}
	}
	if b := listBit(extra); b >= 0 {
		counts[b]++
		inList++
	}
	list, used := listSize(&counts, inList)
	t.resize(vm, list, total-used)
}

func listSize(counts *[listBitsMax + 1]int, inList int) (size, used int) {
	sum := 0
	for i, power := 0, 1; power/2 < inList && i <= listBitsMax; i, power = i+1, power*2 {
		if counts[i] > 0 {
			sum += counts[i]
			if sum > power/2 {
				size, used = power, sum
			}
		}
		if sum == inList {
			break
		}
	}
	return size, used
}

func (t *Table) resize(vm *VM, list, fields int) {
	oldList, oldNodes := t.list, t.nodes
	if list != len(oldList) {
		vm.grow(int64(max(0, list-len(oldList))) * valueSize)
		t.list = make([]Value, list)
		copy(t.list, oldList)
	}
	t.setNodes(vm, fields)
	for i := list; i < len(oldList); i++ {
		if !oldList[i].isNil() {
			t.set(vm, num(float64(i+1)), oldList[i])
		}
	}
	for i := len(oldNodes) - 1; i >= 0; i-- {
		if n := &oldNodes[i]; !n.val.isNil() {
			t.set(vm, n.key, n.val)
		}
	}
}

// resizeList makes room for list elements.
func (t *Table) resizeList(vm *VM, list int) {
	used := 0
	for i := range t.nodes {
		if !t.nodes[i].val.isNil() {
			used++
		}
	}
	t.resize(vm, list, max(used, len(t.nodes)))
}

// length is a border of the table: what # gives.
func (t *Table) length() int {
	j := len(t.list)
	if j > 0 && t.list[j-1].isNil() {
		i := 0
		for j-i > 1 {
			if m := (i + j) / 2; t.list[m-1].isNil() {
				j = m
			} else {
				i = m
			}
		}
		return i
	}
	if len(t.nodes) == 0 {
		return j
	}
	i := j
	for j++; !t.getInt(j).isNil(); j *= 2 {
		i = j
		if j > math.MaxInt32 {
			for i = 1; !t.getInt(i).isNil(); i++ {
			}
			return i - 1
		}
	}
	for j-i > 1 {
		if m := (i + j) / 2; t.getInt(m).isNil() {
			j = m
		} else {
			i = m
		}
	}
	return i
}

// at gives the first element at position pos or behind it, and the position after it; 0 when there are no more. Positions count the list part, then
// the nodes.
func (t *Table) at(pos int) (key, val Value, next int) {
	for ; pos < len(t.list); pos++ {
		if !t.list[pos].isNil() {
			return num(float64(pos + 1)), t.list[pos], pos + 1
		}
	}
	for i := pos - len(t.list); i < len(t.nodes); i++ {
		if n := &t.nodes[i]; !n.val.isNil() {
			return n.key, n.val, len(t.list) + i + 1
		}
	}
	return Value{}, Value{}, 0
}

// position is the one behind a key, -1 if the key never was in the table.
func (t *Table) position(key Value) int {
	if key.isNil() {
		return 0
	}
	if n, ok := key.number(); ok {
		if i := int(n); i > 0 && i <= len(t.list) && float64(i) == n {
			return i
		}
	}
	if i := t.find(key); i >= 0 {
		return len(t.list) + i + 1
	}
	return -1
}

func (t *Table) metaField(name *str) Value {
	if t == nil {
		return Value{}
	}
	return t.getStr(name)
}
