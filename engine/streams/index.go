package streams

import (
	"encoding/binary"

	"larder/engine/store/tree"
)

// The second tree's entries begin with an owner and an ID; what follows is the owner's:
//
//	owner  u32 BE: 0 the blocks; else the number of a group or of a consumer, unique in the stream
//	ms     u64 BE
//	seq    u64 BE

const (
	ownerBytes = 4
	keyBytes   = ownerBytes + idBytes
)

const blocksOwner = 0

// indexWord is 20 bits of the owner and 44 of the milliseconds, each as much as it can hold: beyond that all words are the same, so the order holds.
func indexWord(e []byte) uint64 {
	return wordOf(binary.BigEndian.Uint32(e), binary.BigEndian.Uint64(e[ownerBytes:]))
}

func wordOf(owner uint32, ms uint64) uint64 {
	const ownerMax, msBits = 1<<20 - 1, 44
	if owner >= ownerMax {
		return 1<<64 - 1
	}
	return uint64(owner)<<msBits | min(ms, 1<<msBits-1)
}

// find seeks the first entry that is not before an owner's ID.
func (s Stream) find(owner uint32, id ID) (tree.Cursor, bool) {
	return s.index.Seek(wordOf(owner, id.MS), func(e []byte) int {
		if o := binary.BigEndian.Uint32(e); o != owner {
			if o < owner {
				return -1
			}
			return 1
		}
		return sortedID(e[ownerBytes:]).Compare(id)
	})
}

// owned gives the ID under a cursor, if it is still one of the owner's.
func owned(c *tree.Cursor, owner uint32) (ID, bool) {
	if !c.Valid() {
		return ID{}, false
	}
	e := c.Entry()
	return sortedID(e[ownerBytes:]), binary.BigEndian.Uint32(e) == owner
}

// dropOwner deletes all of an owner's entries.
func (s Stream) dropOwner(owner uint32) {
	from, _ := s.find(owner, ID{})
	to, found := s.find(owner, MaxID)
	end := to.Rank()
	if found {
		end++
	}
	if start := from.Rank(); start < end {
		s.index.DeleteRange(start, end)
	}
}

func appendKey(dst []byte, owner uint32, id ID) []byte {
	return id.appendSorted(binary.BigEndian.AppendUint32(dst, owner))
}
