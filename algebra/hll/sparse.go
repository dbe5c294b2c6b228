package hll

import "strconv"

// A sparse block's runs stand for registers one after another:
//
//	00xxxxxx           1 to 64 registers that are 0
//	01xxxxxx xxxxxxxx  1 to 16,384 registers that are 0
//	1vvvvvxx           1 to 4 registers of 1 to 32
const (
	zeroMax   = 64
	xzeroMax  = 1 << 14
	valueMax  = 32
	repeatMax = 4
)

// run is one of them.
type run struct {
	size  int // bytes
	count int // registers
	value byte
}

// runOf reads the run at the start of bytes that are not empty; its size may be beyond them.
func runOf(b []byte) run {
	switch {
	case b[0]&0x80 != 0:
		return run{size: 1, count: int(b[0]&3) + 1, value: b[0]>>2&0x1f + 1}
	case b[0]&0x40 == 0:
		return run{size: 1, count: int(b[0]&0x3f) + 1}
	case len(b) < 2:
		return run{size: 2}
	}
	return run{size: 2, count: int(b[0]&0x3f)<<8 + int(b[1]) + 1}
}

// appendZeros appends a run of n zeros, none for n = 0.
func appendZeros(dst []byte, n int) []byte {
	switch {
	case n == 0:
		return dst
	case n <= zeroMax:
		return append(dst, byte(n-1))
	}
	return append(dst, 0x40|byte((n-1)>>8), byte(n-1))
}

func valueRun(value byte, count int) byte { return 0x80 | (value-1)<<2 | byte(count-1) }

func appendValue(dst []byte, value byte, count int) []byte {
	if count == 0 {
		return dst
	}
	return append(dst, valueRun(value, count))
}

// covering finds the run of a sparse block that stands for a register: its place, the place of the run before it (0: there is none) and the register it begins
// with. Not ok: the block ends before.
func covering(b []byte, register int) (r run, at, before, first int, ok bool) {
	for at = headerLen; at < len(b); {
		r = runOf(b[at:])
		if at+r.size > len(b) {
			return r, 0, 0, 0, false
		}
		if register < first+r.count {
			return r, at, before, first, true
		}
		before, at, first = at, at+r.size, first+r.count
	}
	return r, 0, 0, 0, false
}

// Raise raises a register of a block, which may be made longer, shorter or dense: a sparse one becomes dense when it would be longer than sparseMax bytes or
// the count is more than a run can say. The estimate is out of date if something changed. Not ok: the block is corrupt, and as it was.
func Raise(b []byte, register int, count byte, sparseMax int) (out []byte, changed, ok bool) {
	if Dense(b) {
		if Register(b, register) >= count {
			return b, false, true
		}
		SetRegister(b, register, count)
		Forget(b)
		return b, true, true
	}
	if count > valueMax {
		return raiseDense(b, register, count)
	}
	r, at, before, first, ok := covering(b, register)
	switch {
	case !ok:
		return b, false, false
	case r.value >= count:
		return b, false, true
	case r.count == 1 && r.size == 1:
		b[at] = valueRun(count, 1)
	default:
		var room [5]byte
		runs := split(room[:0], r, register-first, count)
		if more := len(runs) - r.size; more > 0 && len(b)+more > sparseMax {
			return raiseDense(b, register, count)
		}
		b = replace(b, at, r.size, runs)
	}
	if before == 0 {
		before = headerLen
	}
	b = join(b, before)
	Forget(b)
	return b, true, true
}

// split makes of a run those that it becomes when its register at a place gets a count.
func split(dst []byte, r run, at int, count byte) []byte {
	behind := r.count - at - 1
	if r.value == 0 {
		dst = appendZeros(dst, at)
		dst = append(dst, valueRun(count, 1))
		return appendZeros(dst, behind)
	}
	dst = appendValue(dst, r.value, at)
	dst = append(dst, valueRun(count, 1))
	return appendValue(dst, r.value, behind)
}

// replace puts other bytes in the place of n.
func replace(b []byte, at, n int, other []byte) []byte {
	size := len(b)
	if more := len(other) - n; more > 0 {
		b = append(b, other[:more]...) // room; what it holds is overwritten
		copy(b[at+len(other):], b[at+n:size])
	} else {
		copy(b[at+len(other):], b[at+n:])
		b = b[:size+more]
	}
	copy(b[at:], other)
	return b
}

// join makes one of neighbours with the same value where one can say both: as far as a change can have made such ones, five runs from one on.
func join(b []byte, at int) []byte {
	const runs = 5
	for range runs {
		if at >= len(b) {
			break
		}
		r := runOf(b[at:])
		if r.value > 0 && at+1 < len(b) {
			if next := runOf(b[at+1:]); next.value == r.value && r.count+next.count <= repeatMax {
				b[at+1] = valueRun(r.value, r.count+next.count)
				b = replace(b, at, 1, nil)
				continue // perhaps with the one behind, too
			}
		}
		at += r.size
	}
	return b
}

// raiseDense is Raise that makes a sparse block dense first.
func raiseDense(b []byte, register int, count byte) (out []byte, changed, ok bool) {
	if b, ok = ToDense(b); !ok {
		return b, false, false
	}
	return Raise(b, register, count, 0)
}

// ToDense makes a block dense, in the same room if it is enough. Not ok: the block is corrupt, and as it was.
func ToDense(b []byte) (out []byte, ok bool) {
	if Dense(b) {
		return b, true
	}
	n := len(b)
	whole, ok := AppendDense(b, b)
	if !ok {
		return b, false
	}
	return whole[:copy(whole, whole[n:])], true
}

// Describe appends the runs of a sparse block as PFDEBUG DECODE writes them.
func Describe(dst, b []byte) []byte {
	for body := b[headerLen:]; len(body) > 0; {
		r := runOf(body)
		if r.size > len(body) {
			break
		}
		if len(body) < len(b)-headerLen {
			dst = append(dst, ' ')
		}
		switch {
		case r.value > 0:
			dst = append(dst, 'v', ':')
			dst = strconv.AppendInt(dst, int64(r.value), 10)
			dst = append(dst, ',')
		case r.size > 1:
			dst = append(dst, 'Z', ':')
		default:
			dst = append(dst, 'z', ':')
		}
		dst = strconv.AppendInt(dst, int64(r.count), 10)
		body = body[r.size:]
	}
	return dst
}
