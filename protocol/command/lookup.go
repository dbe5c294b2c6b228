package command

import "encoding/binary"

// Names are looked up as words of eight bytes in a small hash table that is built once. A name's words, folded to lower case, and its length
// say the whole name, so a hit needs no comparison of strings; a subcommand is found under its container's ID.

// nameMax is the longest name a word can hold, in bytes; Redis's longest is georadiusbymember_ro with 20.
const nameMax = 24

const (
	indexBits = 10 // 1,024 places: at most a fifth of them taken, so that a look at a second place is rare
	indexMask = 1<<indexBits - 1
)

type words struct {
	lo, mid, hi uint64
	n           uint32 // bytes of the name
	parent      ID
	row         ID
}

type table struct {
	places [1 << indexBits]ID
	words  [NumIDs + 1]words
}

var index = buildIndex()

func buildIndex() *table {
	t := new(table)
	for _, r := range rows {
		name := r.Name
		if r.Parent != 0 {
			name = name[len(rows[r.Parent-1].Name)+1:]
		}
		w, _ := fold([]byte(name))
		w.parent, w.row = r.Parent, r.ID
		t.words[r.ID] = w
		at := w.place()
		for t.places[at] != 0 {
			at = (at + 1) & indexMask
		}
		t.places[at] = r.ID
	}
	return t
}

// Lookup finds a command by its name, in any case; containers too. nil: unknown. A name with | is none: subcommands are found by Sub.
func Lookup(name []byte) *Row { return find(name, 0) }

// Sub finds a subcommand of the container r by its own name, in any case. nil: unknown, or r is no container.
func (r *Row) Sub(name []byte) *Row {
	if len(r.Subs) == 0 {
		return nil
	}
	return find(name, r.ID)
}

func find(name []byte, parent ID) *Row {
	w, ok := fold(name)
	if !ok {
		return nil
	}
	w.parent = parent
	for at := w.place(); ; at = (at + 1) & indexMask {
		id := index.places[at]
		if id == 0 {
			return nil
		}
		if c := &index.words[id]; c.lo == w.lo && c.hi == w.hi && c.mid == w.mid && c.n == w.n && c.parent == parent {
			return rows[id-1]
		}
	}
}

func (w *words) place() uint64 {
	const k1, k2 = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f // odd, about half of their bits set
	return ((w.lo^w.mid^uint64(w.n))*k1 ^ (w.hi^uint64(w.parent))*k2) >> (64 - indexBits)
}

// fold reads a name into words. Reads overlap where the length is no multiple of eight: with the length they still say every byte.
func fold(b []byte) (w words, ok bool) {
	n := len(b)
	w.n = uint32(n)
	switch {
	case n >= 8:
		if n > nameMax {
			return w, false
		}
		w.lo = lower(binary.LittleEndian.Uint64(b))
		w.hi = lower(binary.LittleEndian.Uint64(b[n-8:]))
		if n > 16 {
			w.mid = lower(binary.LittleEndian.Uint64(b[8:]))
		}
	case n >= 4:
		w.lo = lower(uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32)
	case n > 0:
		w.lo = lower(uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16)
	default:
		return w, false
	}
	return w, true
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
