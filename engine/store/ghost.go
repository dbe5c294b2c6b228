package store

import "math/bits"

// Ghosts are the hashes of keys that were evicted from the small queue, about as many as there are keys: one that comes back goes to the main queue at
// once. They lie in buckets of sixteen 16-bit words, twelve bits of the hash and the age; ages advance with the insertions and wrap.

const (
	ghostSlots   = 16
	ghostAges    = 15 // ages in use at a time and to come; 0 = no ghost
	ghostsLive   = 8  // ages that count
	ghostFpBits  = 12
	ghostsAtFew  = 1024
	ghostBytesOf = 2
)

type ghosts struct {
	at       uint64 // of a run; 0: none yet
	order    int8
	size     int // words, a power of two
	age      uint16
	inserted int   // in this age
	bytes    int64 // touched
}

func ghostFp(hash uint64) uint16 { return uint16(hash>>40) & (1<<ghostFpBits - 1) }

func (g *ghosts) bucket(hash uint64) uint64 {
	return g.at + hash>>16&uint64(g.size/ghostSlots-1)*ghostSlots*ghostBytesOf
}

func (g *ghosts) young(word uint16) bool {
	age := word >> ghostFpBits
	return age != 0 && (g.age+ghostAges-age)%ghostAges < ghostsLive
}

// haunt notes that a key was evicted, of keys in all.
func (s *Store) haunt(hash uint64, keys int) {
	g := &s.ghosts
	if want := ghostWords(keys); g.at == 0 || want > 2*g.size {
		s.exorcise()
		*g = ghosts{order: int8(orderOf(want * ghostBytesOf)), size: want, age: 1, bytes: int64(roundPages(want * ghostBytesOf))}
		g.at = s.pages.alloc(int(g.order), 0)
		s.mem.Zero(g.at, want*ghostBytesOf)
	}
	if g.inserted++; g.inserted > g.size/ghostsLive {
		g.inserted = 0
		g.age = g.age%ghostAges + 1
	}
	b := g.bucket(hash)
	oldest, oldestAge := uint64(0), -1
	for i := range uint64(ghostSlots) {
		word := s.mem.U16(b + i*ghostBytesOf)
		age := ghostAges
		if a := word >> ghostFpBits; a != 0 {
			age = int((g.age + ghostAges - a) % ghostAges)
		}
		if age > oldestAge {
			oldest, oldestAge = i, age
		}
	}
	s.mem.SetU16(b+oldest*ghostBytesOf, g.age<<ghostFpBits|ghostFp(hash))
}

func ghostWords(keys int) int { return max(1<<bits.Len(uint(keys-1)), ghostsAtFew) }

// haunted tells whether a key's ghost is there, and takes it away.
func (s *Store) haunted(hash uint64) bool {
	g := &s.ghosts
	if g.at == 0 {
		return false
	}
	b := g.bucket(hash)
	fp := ghostFp(hash)
	for i := range uint64(ghostSlots) {
		word := s.mem.U16(b + i*ghostBytesOf)
		if word&(1<<ghostFpBits-1) == fp && g.young(word) {
			s.mem.SetU16(b+i*ghostBytesOf, 0)
			return true
		}
	}
	return false
}

// exorcise gives the ghosts' memory back.
func (s *Store) exorcise() {
	g := &s.ghosts
	if g.at != 0 {
		s.mem.Discard(g.at, int(g.bytes))
		s.pages.free(g.at, int(g.order))
	}
	*g = ghosts{}
}
