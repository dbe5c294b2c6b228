package command

import "encoding/binary"

// Names are looked up as words of eight bytes in a small hash table that is built once. A name's words, folded to lower case, and its length
// say the whole name, so a hit needs no comparison of strings; a subcommand is found under its container's ID.

// nameMax is the longest name that three words can hold, in bytes; Redis's longest is georadiusbymember_ro with 20.
const nameMax = 24

// indexBits makes 2,048 places. At most a fifth of them may be taken, so that a look at a second place is rare: with more rows the next line
// does not compile until there are more bits.
const indexBits = 11

const _ = uint(1<<indexBits - 5*NumIDs)

type entry struct {
	lo, mid, hi uint64 // fold of the name
	tag         uint64 // tagOf its length and container
	row         *Row
}

type table struct {
	places  [1 << indexBits]uint16 // an index of entries; 0: free
	entries [NumIDs + 1]entry
}

var index = buildIndex()

func buildIndex() *table {
	t := new(table)
	for _, r := range rows {
		name := r.Name
		if r.Parent != 0 {
			name = name[len(rows[r.Parent-1].Name)+1:]
		}
		e := &t.entries[r.ID]
		e.lo, e.mid, e.hi = fold([]byte(name))
		e.tag, e.row = tagOf(len(name), r.Parent), r
		at := place(e.lo, e.mid, e.hi, e.tag)
		for t.places[at] != 0 {
			at = next(at)
		}
		t.places[at] = uint16(r.ID)
	}
	return t
}

// Lookup finds a command by its name, in any case; containers too. nil: unknown. A name with | is none: subcommands are found by Sub.
func Lookup(name []byte) *Row { return find(name, 0) }

// Sub finds a subcommand of the container r by its own name, in any case. nil: unknown, or r is no container.
func (r *Row) Sub(name []byte) *Row {
	if len(r.Subs) == 0 {
		return r.sub(name)
	}
	return find(name, r.ID)
}

func find(name []byte, parent ID) *Row {
	if len(name) > nameMax {
		return nil
	}
	lo, mid, hi := fold(name)
	tag := tagOf(len(name), parent)
	t := index
	for at := place(lo, mid, hi, tag); ; at = next(at) {
		i := t.places[at]
		if i == 0 {
			return nil
		}
		if e := &t.entries[i]; e.lo == lo && e.hi == hi && e.tag == tag && e.mid == mid {
			return e.row
		}
	}
}

func tagOf(length int, parent ID) uint64 { return uint64(length) | uint64(parent)<<8 }

func place(lo, mid, hi, tag uint64) uint64 {
	const k1, k2 = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f // odd, about half of their bits set
	return ((lo^mid)*k1 ^ (hi^tag)*k2) >> (64 - indexBits)
}

func next(at uint64) uint64 { return (at + 1) & (1<<indexBits - 1) }

// fold reads a name of at most nameMax bytes into words. Reads overlap where the length is no multiple of eight: with the length they still
// say every byte.
func fold(b []byte) (lo, mid, hi uint64) {
	n := len(b)
	switch {
	case n > 16:
		mid = lower(binary.LittleEndian.Uint64(b[8:]))
		fallthrough
	case n >= 8:
		return lower(binary.LittleEndian.Uint64(b)), mid, lower(binary.LittleEndian.Uint64(b[n-8:]))
	case n >= 4:
		return lower(uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32), 0, 0
	case n > 0:
		return lower(uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16), 0, 0
	}
	return 0, 0, 0
}

// lower changes A..Z to a..z in each of eight bytes and leaves every other byte as it is. The top bit of a byte marks what holds for it.
func lower(x uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	low := x &^ tops
	atLeastA := low + ones*(0x80-'A')
	aboveZ := low + ones*(0x7f-'Z')
	upper := atLeastA &^ aboveZ &^ x & tops
	return x | upper>>2
}
