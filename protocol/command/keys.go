package command

import "slices"

// KeyPositions appends to dst the indexes in args that are keys, in the order of the arguments' specs, and returns it. args[0] is the
// command's name (args[1] the subcommand's). Arguments that don't fit the command (too few) give the keys that are there, a number of keys
// that is none or too high gives none, never an index outside args: to answer them with an error is the business of whoever runs the command. It
// allocates only if dst has too little room.
func (r *Row) KeyPositions(args [][]byte, dst []int) []int {
	if r.Flags.Has(MovableKeys) {
		for i := range r.KeySpecs {
			dst = r.KeySpecs[i].positions(args, dst)
		}
		return r.sortStore(args, dst)
	}
	if r.First == 0 {
		return dst
	}
	last := r.Last
	if last < 0 {
		last += len(args)
	}
	return span(dst, r.First, last, r.Step, len(args))
}

// sortStore appends the key behind SORT's last STORE, which no spec can tell.
func (r *Row) sortStore(args [][]byte, dst []int) []int {
	if r.ID != CmdSort {
		return dst
	}
	for i := len(args) - 2; i >= 2; i-- {
		if EqualFold(args[i], "store") {
			return append(dst, i+1)
		}
	}
	return dst
}

// positions appends the keys that the spec finds.
func (k *KeySpec) positions(args [][]byte, dst []int) []int {
	first, last, step, ok := k.extent(args)
	if !ok {
		return dst
	}
	return span(dst, first, last, step, len(args))
}

// span appends first, first+step ... up to last, as far as they are below n.
func span(dst []int, first, last, step, n int) []int {
	for i := first; i <= min(last, n-1); i += step {
		dst = append(dst, i)
	}
	return dst
}

// extent finds first and last key of the spec among args; last may lie outside.
func (k *KeySpec) extent(args [][]byte) (first, last, step int, ok bool) {
	first, ok = k.begin(args)
	if !ok {
		return 0, 0, 0, false
	}
	switch k.Find {
	case FindRange:
		return first, k.rangeEnd(first, len(args)), k.Step, true
	case FindKeyNum:
		if first+k.KeyNumIndex >= len(args) {
			return 0, 0, 0, false
		}
		count, ok := smallNumber(args[first+k.KeyNumIndex])
		first += k.FirstKey
		last = first + (count-1)*k.Step
		return first, last, k.Step, ok && last < len(args)
	}
	return 0, 0, 0, false
}

func (k *KeySpec) rangeEnd(first, n int) int {
	switch {
	case k.LastKey >= 0:
		return first + k.LastKey
	case k.Limit <= 1:
		return n + k.LastKey
	}
	return first + (n-first)/k.Limit + k.LastKey
}

// begin finds where the spec's keys start. A keyword is sought from From: towards the end, or from the end (From < 0) towards the start,
// in both cases never at the command's name.
func (k *KeySpec) begin(args [][]byte) (int, bool) {
	switch k.Begin {
	case BeginIndex:
		return k.Index, k.Index < len(args)
	case BeginKeyword:
		i, step := k.From, 1
		if i < 0 {
			i, step = len(args)+i, -1
		}
		for ; i > 0 && i < len(args); i += step {
			if EqualFold(args[i], k.Keyword) {
				return i + 1, i+1 < len(args)
			}
		}
	}
	return 0, false
}

// smallNumber reads a count of keys. One that is no number, or that no request can hold, is none.
func smallNumber(b []byte) (int, bool) {
	const most = 1 << 30 // far above the arguments a request may have, far below an overflow when multiplied by a step
	if len(b) == 0 || len(b) > 10 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n > 0 && n <= most
}

// EqualFold compares with a word of ASCII, in any case.
func EqualFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i := range b {
		if lowerByte(b[i]) != lowerByte(word[i]) {
			return false
		}
	}
	return true
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// hasKeys tells whether any argument may be a key; shard channels are none.
func (r *Row) hasKeys() bool {
	return slices.ContainsFunc(r.KeySpecs, func(k KeySpec) bool { return k.Flags&KeyNotKey == 0 })
}

// KeysAndFlags gives the keys as KeyPositions does, without channels, and for each what the command does to it.
// There are none at all if the arguments count more keys than there are, as in Redis.
func (r *Row) KeysAndFlags(args [][]byte) (at []int, flags []KeyFlags) {
	for i := range r.KeySpecs {
		k := &r.KeySpecs[i]
		if _, _, _, ok := k.extent(args); !ok && k.Find == FindKeyNum {
			return nil, nil
		}
		f := k.Flags
		if f&KeyNotKey != 0 {
			continue // a channel of a shard
		}
		if f&KeyVariable != 0 {
			f = r.variableFlags(args)
		}
		at = k.positions(args, at)
		for len(flags) < len(at) {
			flags = append(flags, f)
		}
	}
	if all := r.sortStore(args, at); len(all) > len(at) {
		at, flags = all, append(flags, KeyOW|KeyUpdate)
	}
	return at, flags
}

// variableFlags says what a command whose spec is KeyVariable does to its key with these arguments.
func (r *Row) variableFlags(args [][]byte) KeyFlags {
	switch r.ID {
	case CmdSet:
		return setFlags(args)
	case CmdBitField:
		return bitFieldFlags(args)
	}
	return KeyRW | KeyAccess | KeyUpdate
}

// setFlags looks for GET behind the value; like Redis it does not ask whether the word is another option's argument.
func setFlags(args [][]byte) KeyFlags {
	for i := 3; i < len(args); i++ {
		if EqualFold(args[i], "get") {
			return KeyRW | KeyAccess | KeyUpdate
		}
	}
	return KeyOW | KeyUpdate
}

// bitFieldFlags: a BITFIELD of nothing but GET and OVERFLOW reads; an argument that fits nowhere counts as a write.
func bitFieldFlags(args [][]byte) KeyFlags {
	for i := 2; i < len(args); {
		rest := len(args) - i - 1
		switch {
		case EqualFold(args[i], "get") && rest >= 2:
			i += 3
		case EqualFold(args[i], "overflow") && rest >= 1:
			i += 2
		default:
			return KeyRW | KeyAccess | KeyUpdate
		}
	}
	return KeyRO | KeyAccess
}
