package store

import (
	"encoding/binary"
	"math/bits"
)

// An item in the log, little endian, unaligned:
//
//	first word  4 bytes: kind (bits 0-4), has an expiry (5), has memcached's words (6), held (7), frequency (8-9), last access (10-31)
//	key length, value length: each a varint of 1 to 5 bytes
//	expiry      8 bytes, milliseconds since 1970, 0 = none; only with bit 5
//	CAS, flags  8 and 4 bytes, memcached's; only with bit 6
//	key, value  value: text, 8 bytes of a number, or 4 bytes: the number of a big value
//
// Last access is in seconds modulo 2^22 (48 days). A dead item keeps its lengths, so that a segment can be walked. A held item is dead for clients and
// still wanted by a snapshot; its last access is then the number of the newest pass that wants it (snapshot.go).
const (
	kindMask   = 1<<5 - 1
	flagExpiry = 1 << 5
	flagWords  = 1 << 6
	flagHeld   = 1 << 7

	freqShift = 8
	freqMax   = 3

	accessShift  = 10
	accessPeriod = 1 << 22

	firstBytes  = 4
	expiryBytes = 8
	wordsBytes  = 12
	numberBytes = 8
	handleBytes = 4
	itemPad     = 8 // bytes behind the last item of a segment: words are read whole
)

// shape is where the parts of the item at at are. It is so small that the compiler keeps it, and an Item, in registers.
type shape struct {
	at    uint64
	first uint32
	head  uint32 // bytes before the key
	lens  uint64 // of key and value, see lensOf
}

func lensOf(key, value uint32) uint64 { return uint64(key) | uint64(value)<<32 }

func (h *shape) keyLen() uint32   { return uint32(h.lens) }
func (h *shape) valueLen() uint32 { return uint32(h.lens >> 32) }

func (h *shape) kind() Kind    { return Kind(h.first & kindMask) }
func (h *shape) key() uint64   { return h.at + uint64(h.head) }
func (h *shape) value() uint64 { return h.at + uint64(h.head) + uint64(h.keyLen()) }
func (h *shape) size() int     { return int(h.head) + int(h.keyLen()) + int(h.valueLen()) }

// expiryAt is where the expiry stands, if there is room for one.
func (h *shape) expiryAt() uint64 {
	at := h.key() - expiryBytes
	if h.first&flagWords != 0 {
		at -= wordsBytes
	}
	return at
}

// shapeOf reads the head of an item.
func (s *Store) shapeOf(at uint64) shape {
	w := s.mem.U64(at)
	if w&(longLength|flagExpiry|flagWords) == 0 {
		return shape{at: at, first: uint32(w), head: firstBytes + 2, lens: lensOf(uint32(w>>32&0xff), uint32(w>>40&0xff))}
	}
	return s.longShape(at, w)
}

// longLength is set in an item's first eight bytes if one of its lengths takes more than a byte (the second is then not where it is looked for).
const longLength = 0x8080 << 32

// longShape is shapeOf for items that are not of the usual form.
func (s *Store) longShape(at, w uint64) shape {
	h := shape{at: at, first: uint32(w), head: firstBytes + 2, lens: lensOf(uint32(w>>32&0xff), uint32(w>>40&0xff))}
	if (h.keyLen()|h.valueLen())&0x80 != 0 {
		s.longLengths(&h)
	}
	if h.first&(flagExpiry|flagWords) != 0 {
		if h.first&flagExpiry != 0 {
			h.head += expiryBytes
		}
		if h.first&flagWords != 0 {
			h.head += wordsBytes
		}
	}
	return h
}

// longLengths reads lengths of more than 7 bits.
func (s *Store) longLengths(h *shape) {
	at := h.at + firstBytes
	key, at := s.varint(at)
	value, at := s.varint(at)
	h.lens = lensOf(key, value)
	h.head = uint32(at - h.at)
}

func (s *Store) varint(at uint64) (uint32, uint64) {
	var v uint32
	for shift := 0; ; shift += 7 {
		c := s.mem.Byte(at)
		at++
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v, at
		}
	}
}

func varintBytes(n int) int { return (bits.Len32(uint32(n)|1) + 6) / 7 }

// layout is an item that is to be written.
type layout struct {
	kind     Kind
	expiry   bool // with room for one
	words    bool
	keyLen   int
	valueLen int
}

func (l *layout) size() int {
	n := firstBytes + varintBytes(l.keyLen) + varintBytes(l.valueLen) + l.keyLen + l.valueLen
	if l.expiry {
		n += expiryBytes
	}
	if l.words {
		n += wordsBytes
	}
	return n
}

// write puts the head of an item at at; its expiry is 0 and its words are 0.
func (s *Store) write(at uint64, l *layout, access uint32) shape {
	first := uint32(l.kind) | access<<accessShift
	if l.expiry {
		first |= flagExpiry
	}
	if l.words {
		first |= flagWords
	}
	var b [firstBytes + 2*binary.MaxVarintLen32]byte
	binary.LittleEndian.PutUint32(b[:], first)
	n := firstBytes + binary.PutUvarint(b[firstBytes:], uint64(l.keyLen))
	n += binary.PutUvarint(b[n:], uint64(l.valueLen))
	h := shape{at: at, first: first, head: uint32(n), lens: lensOf(uint32(l.keyLen), uint32(l.valueLen))}
	if l.expiry {
		h.head += expiryBytes
	}
	if l.words {
		h.head += wordsBytes
	}
	clear(s.mem.Bytes(at+uint64(n), int(h.head)-n))
	copy(s.mem.Bytes(at, n), b[:n])
	return h
}

// wordsOf reads memcached's words.
func (s *Store) wordsOf(h *shape) Words {
	if h.first&flagWords == 0 {
		return Words{}
	}
	at := h.key() - wordsBytes
	return Words{CAS: s.mem.U64(at), Flags: s.mem.U32(at + 8)}
}

func (s *Store) setWords(h *shape, w Words) {
	at := h.key() - wordsBytes
	s.mem.SetU64(at, w.CAS)
	s.mem.SetU32(at+8, w.Flags)
}

func accessOf(first uint32) uint32 { return first >> accessShift }
func freqOf(first uint32) uint32   { return first >> freqShift & freqMax }

func clockOf(now int64) uint32 { return uint32(now/1000) & (accessPeriod - 1) }

// touch notes an access: its time, and for the eviction that the item was seen once more.
func (s *Store) touch(h *shape, now int64) {
	if first := touched(h.first, now); first != h.first {
		h.first = first
		s.mem.SetU32(h.at, first)
	}
}

// touched is an item's first word after an access.
func touched(first uint32, now int64) uint32 {
	first = first&(1<<accessShift-1) | clockOf(now)<<accessShift
	if freqOf(first) < freqMax {
		first += 1 << freqShift
	}
	return first
}

func (s *Store) keyBytes(h *shape) []byte   { return s.mem.Bytes(h.key(), int(h.keyLen())) }
func (s *Store) valueBytes(h *shape) []byte { return s.mem.Bytes(h.value(), int(h.valueLen())) }

func (s *Store) expiryOf(h *shape) int64 {
	if h.first&flagExpiry == 0 {
		return NoExpiry
	}
	return int64(s.mem.U64(h.expiryAt()))
}

func (s *Store) expired(h *shape, now int64) bool {
	if h.first&flagExpiry == 0 {
		return false
	}
	at := s.expiryOf(h)
	return at != NoExpiry && at <= now && s.deaths != Show
}
