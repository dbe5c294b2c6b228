package commands

import (
	"encoding/binary"

	"larder/engine/store"
)

// fieldType is a number of 1 to 64 bits; unsigned ones have at most 63.
type fieldType struct {
	signed bool
	bits   uint
}

func parseFieldType(arg []byte) (t fieldType, err string) {
	if len(arg) == 0 || arg[0] != 'i' && arg[0] != 'u' {
		return t, errFieldType
	}
	t.signed = arg[0] == 'i'
	most := int64(63)
	if t.signed {
		most = 64
	}
	n, ok := store.ParseInt(arg[1:])
	if !ok || n < 1 || n > most {
		return t, errFieldType
	}
	t.bits = uint(n)
	return t, noError
}

// fieldOverflow says what becomes of a number that its type can't hold.
type fieldOverflow uint8

const (
	overflowWrap fieldOverflow = iota
	overflowSat
	overflowFail
)

func parseOverflow(word []byte) (fieldOverflow, string) {
	switch {
	case is(word, "wrap"):
		return overflowWrap, noError
	case is(word, "sat"):
		return overflowSat, noError
	case is(word, "fail"):
		return overflowFail, noError
	}
	return overflowWrap, errOverflowType
}

type fieldVerb uint8

const (
	fieldNone fieldVerb = iota
	fieldGet
	fieldSet
	fieldIncr
)

func fieldWord(word []byte) (verb fieldVerb, operands int) {
	switch {
	case is(word, "get"):
		return fieldGet, 2
	case is(word, "set"):
		return fieldSet, 3
	case is(word, "incrby"):
		return fieldIncr, 3
	}
	return fieldNone, 0
}

// fieldOp is one operation of BITFIELD.
type fieldOp struct {
	verb     fieldVerb
	overflow fieldOverflow
	kind     fieldType
	offset   int64 // bits
	operand  int64 // of fieldSet and fieldIncr
}

// parseFields makes c.ops of the arguments; last is the last bit that is written, -1: none is.
func (c *Call) parseFields(args [][]byte) (last int64, err string) {
	c.ops = c.ops[:0]
	last = -1
	overflow := overflowWrap
	for len(args) > 0 {
		if is(args[0], "overflow") && len(args) > 1 {
			if overflow, err = parseOverflow(args[1]); err != noError {
				return last, err
			}
			args = args[2:]
			continue
		}
		verb, operands := fieldWord(args[0])
		if verb == fieldNone || len(args) <= operands {
			return last, errSyntax
		}
		op := fieldOp{verb: verb, overflow: overflow}
		if err = c.parseField(&op, args[1:]); err != noError {
			return last, err
		}
		if verb != fieldGet {
			last = max(last, op.offset+int64(op.kind.bits)-1)
		}
		c.ops = append(c.ops, op)
		args = args[1+operands:]
	}
	return last, noError
}

// parseField reads an operation's type, offset and operand.
func (c *Call) parseField(op *fieldOp, args [][]byte) (err string) {
	if op.kind, err = parseFieldType(args[0]); err != noError {
		return err
	}
	if op.offset, err = c.parseBitOffset(args[1], int(op.kind.bits)); err != noError {
		return err
	}
	if op.verb != fieldGet {
		var ok bool
		if op.operand, ok = store.ParseInt(args[2]); !ok {
			return errNotInt
		}
	}
	return noError
}

func bitField(c *Call)   { c.bitField(false) }
func bitFieldRO(c *Call) { c.bitField(true) }

func (c *Call) bitField(readOnly bool) {
	last, err := c.parseFields(c.Args[2:])
	if err == noError && readOnly && last >= 0 {
		err = errFieldReadOnly
	}
	if err != noError {
		c.W.Error(err)
		return
	}
	var text []byte
	grown, wrong := false, false
	if last >= 0 {
		text, grown, wrong = c.grow(c.Args[1], last)
	} else {
		var it store.Item
		var ok bool
		if it, ok, wrong = c.lookString(c.Args[1]); ok {
			text = c.text(it)
		}
		if !readOnly {
			c.countRead(c.Args[1], ok || wrong)
		}
	}
	if wrong {
		return
	}
	c.W.Array(len(c.ops))
	for i := range c.ops {
		c.runField(&c.ops[i], text, grown)
	}
	if grown && c.Changed == 0 {
		c.Changed = 1 // every operation failed, but the value has become longer
	}
	if c.Changed > 0 {
		c.Did(ClassString, "setbit", c.Args[1])
	}
}

func (c *Call) runField(op *fieldOp, text []byte, grown bool) {
	old := op.kind.read(text, op.offset)
	if op.verb == fieldGet {
		c.W.Int(old)
		return
	}
	base, operand := old, op.operand
	if op.verb == fieldSet {
		base, operand = op.operand, 0
	}
	sum, over := op.kind.add(base, operand, op.overflow)
	if over && op.overflow == overflowFail {
		c.W.Null()
		return
	}
	if op.verb == fieldSet {
		c.W.Int(old)
	} else {
		c.W.Int(sum)
	}
	setField(text, op.offset, op.kind.bits, uint64(sum))
	if grown || old != sum {
		c.Changed++
	}
}

func (t fieldType) read(text []byte, offset int64) int64 {
	n := field(text, offset, t.bits)
	if t.signed {
		return int64(n<<(64-t.bits)) >> (64 - t.bits)
	}
	return int64(n)
}

// add gives base + n as the type can hold it, and whether it could not as it was. base may be beyond the type: SET's operand is.
func (t fieldType) add(base, n int64, overflow fieldOverflow) (sum int64, over bool) {
	if t.signed {
		return t.addSigned(base, n, overflow)
	}
	return t.addUnsigned(uint64(base), n, overflow)
}

// addSigned is Redis 7.0's checkSignedBitfieldOverflow with the sum in it. That the room above base is worked out in 64 bits that may overflow is Redis's
// way: a base far below the type is taken for one above it.
func (t fieldType) addSigned(base, n int64, overflow fieldOverflow) (sum int64, over bool) {
	top := int64(1)<<(t.bits-1) - 1
	bottom := -top - 1
	above, below := top-base, bottom-base
	whole := t.bits == 64
	tooHigh := base > top || !whole && n > above || base >= 0 && n > 0 && n > above
	tooLow := base < bottom || !whole && n < below || base < 0 && n < 0 && n < below
	switch {
	case !tooHigh && !tooLow:
		return base + n, false
	case overflow == overflowWrap:
		return (base + n) << (64 - t.bits) >> (64 - t.bits), true
	case tooHigh:
		return top, true
	}
	return bottom, true
}

// addUnsigned is Redis 7.0's checkUnsignedBitfieldOverflow with the sum in it.
func (t fieldType) addUnsigned(base uint64, n int64, overflow fieldOverflow) (sum int64, over bool) {
	top := uint64(1)<<t.bits - 1
	tooHigh := base > top || n > 0 && n > int64(top-base)
	tooLow := n < 0 && n < -int64(base)
	switch {
	case !tooHigh && !tooLow:
		return int64(base) + n, false
	case overflow == overflowWrap:
		return int64((base + uint64(n)) & top), true
	case tooHigh:
		return int64(top), true
	}
	return 0, true
}

// fieldBytes is how many bytes a field of 64 bits can touch.
const fieldBytes = 9

// field reads 1 to 64 bits; behind the end they are 0.
func field(text []byte, offset int64, bits uint) uint64 {
	at, shift := offset>>3, offset&7
	high := bitsAt(text, at) << shift
	if last := at + fieldBytes - 1; last < int64(len(text)) {
		high |= uint64(text[last]) >> (8 - shift)
	}
	return high >> (64 - bits)
}

// setField writes 1 to 64 bits, which are all in text: the lower ones of n.
func setField(text []byte, offset int64, bits uint, n uint64) {
	at, shift := offset>>3, offset&7
	var window [fieldBytes]byte
	touched := text[at:min(at+fieldBytes, int64(len(text)))]
	copy(window[:], touched)
	n <<= 64 - bits
	mask := ^uint64(0) << (64 - bits)
	high := binary.BigEndian.Uint64(window[:])&^(mask>>shift) | n>>shift
	binary.BigEndian.PutUint64(window[:], high)
	window[fieldBytes-1] = window[fieldBytes-1]&^byte(mask<<(8-shift)) | byte(n<<(8-shift))
	copy(touched, window[:])
}
