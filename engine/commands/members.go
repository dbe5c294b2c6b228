package commands

import "encoding/binary"

// Members on their way from one collection to another are kept as a length (uvarint) and their bytes each, one behind the other.

const scratchMax = 1 << 20 // bytes of scratch that a call keeps for the next

func appendMember(dst, member []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(member))), member...)
}

// cutMember gives the first of the members.
func cutMember(list []byte) (member, rest []byte) {
	n, head := binary.Uvarint(list)
	end := head + int(n)
	return list[head:end], list[end:]
}

// membersOf gives all members in order, to range over.
func membersOf(list []byte) func(yield func(member []byte) bool) {
	return func(yield func([]byte) bool) {
		for len(list) > 0 {
			var member []byte
			if member, list = cutMember(list); !yield(member) {
				return
			}
		}
	}
}

// dropLarge gives scratch back that is too large to be kept.
func dropLarge(scratch []byte) []byte {
	if cap(scratch) > scratchMax {
		return nil
	}
	return scratch
}
