package rdb

import (
	"larder/protocol/encoding/rdb"
)

// State says what Next has found.
type State uint8

const (
	// More: all that was fed is read; Feed the next bytes, or Ended if there are none.
	More State = iota
	// Key is a key and its whole value.
	Key
	// Begin is a key whose value, a text of Length bytes, comes in Parts: it is at least as long as LargeMin.
	Begin
	// Part is a part of it, in Body; Left bytes are still to come.
	Part
	// Aux is something that the server has told of itself: its name in Key, its value in Body.
	Aux
	// Function is a library of functions: its code is in Body.
	Function
	// Sizes says how many keys a database will have, and how many of them expire: Keys and Expires. It is a hint.
	Sizes
	// End is the end of the file. What follows it, Rest gives.
	End
)

// Entry is what Next has found; which fields mean something, the state says. Its bytes are views until the next Feed.
type Entry struct {
	rdb.Value        // of Key and Begin
	DB        int    // the database that it is in
	Offset    int64  // where it stands in the file
	Size      int64  // the bytes it takes there, its key's and its expiry's among them; of Begin without the parts
	Count     uint64 // elements of a collection that is not packed: members, pairs, nodes, or blocks; not believed, but no more than there are
	Producers uint64 // of a stream: those whose added entries are known by IDs of their own, which only Redis 8.6 has
	Module    string // the name of the module whose value it is

	Length int // of Begin: bytes of the text
	Left   int // of Part: bytes still to come

	Keys, Expires uint64 // of Sizes
}

// operandsOf is what follows such a byte.
func operandsOf(op byte, valkey bool) string {
	switch op {
	case OpExtra:
		if valkey {
			return "s(ll)"
		}
		return "(4m)"
	case OpSlotInfo:
		return "lll"
	case OpFunction:
		return "s"
	case OpModuleAux:
		return "lllm"
	case OpIdle, OpSelectDB:
		return "l"
	case OpFreq:
		return "1"
	case OpAux:
		return "ss"
	case OpResize:
		return "ll"
	case OpExpiryS:
		return "4"
	}
	return "8" // a time, and the sum at the end
}
