package script

import (
	"encoding/binary"
	"math"
)

func bits64(n float64) uint64 { return math.Float64bits(n) }

// structSizeMax bounds an integer and an alignment, in bytes.
const structSizeMax = 32

func (vm *VM) openStruct() *Table {
	names := []string{"pack", "unpack", "size"}
	return vm.open(vm.newTable(0, len(names)), names, library{"pack": structPack, "unpack": structUnpack, "size": structSize})
}

// layout walks over a format string.
type layout struct {
	th     *thread
	format string
	pos    int
	big    bool
	align  int
	// sizeOnly: struct.size takes what it does not know for nothing.
	sizeOnly bool
}

func (l *layout) number(otherwise int) int {
	if l.pos >= len(l.format) || !isDigit(l.format[l.pos]) {
		return otherwise
	}
	n := 0
	for l.pos < len(l.format) && isDigit(l.format[l.pos]) {
		if n > (math.MaxInt32-int(l.format[l.pos]-'0'))/10 {
			l.th.fail("integral size overflow")
		}
		n = n*10 + int(l.format[l.pos]-'0')
		l.pos++
	}
	return n
}

// next gives the next option and its size; controls are carried out.
func (l *layout) next() (opt byte, size int, ok bool) {
	if l.pos >= len(l.format) {
		return 0, 0, false
	}
	opt = l.format[l.pos]
	l.pos++
	switch opt {
	case 'B', 'b', 'x':
		size = 1
	case 'H', 'h':
		size = 2
	case 'L', 'l', 'T', 'd':
		size = 8
	case 'f':
		size = 4
	case 'c':
		size = l.number(1)
	case 'I', 'i':
		size = l.number(4)
		if size > structSizeMax {
			l.th.failf("integral size %d is larger than limit of %d", size, structSizeMax)
		}
	case 's', ' ':
	case '>':
		l.big = true
	case '<':
		l.big = false
	case '!':
		a := l.number(8)
		if a == 0 || a&(a-1) != 0 {
			l.th.failf("alignment %d is not a power of 2", a)
		}
		l.align = a
	default:
		if !l.sizeOnly {
			l.th.badArg(0, "invalid format option '"+string([]byte{opt})+"'")
		}
	}
	return opt, size, true
}

// padding is what stands before an option at pos.
func (l *layout) padding(opt byte, size, pos int) int {
	if size == 0 || opt == 'c' {
		return 0
	}
	a := min(size, l.align)
	if a <= 1 {
		return 0
	}
	return (a - pos&(a-1)) & (a - 1)
}

func newLayout(th *thread, args []Value) *layout {
	return &layout{th: th, format: th.needText(args, 0), align: 1}
}

func structPack(th *thread, args []Value) []Value {
	l := newLayout(th, args)
	var out []byte
	next := 1
	for {
		opt, size, ok := l.next()
		if !ok {
			break
		}
		if next == len(args) {
			args = append(args, Value{}) // Redis has pushed a nil behind them
		}
		before := len(out)
		for range l.padding(opt, size, len(out)) {
			out = append(out, 0)
		}
		switch opt {
		case 'b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I':
			out = l.putInt(out, th.needNumber(args, next), size)
			next++
		case 'x':
			out = append(out, 0)
		case 'f':
			out = l.order32(out, math.Float32bits(float32(th.needNumber(args, next))))
			next++
		case 'd':
			out = l.order64(out, math.Float64bits(th.needNumber(args, next)))
			next++
		case 'c', 's':
			s := th.needText(args, next)
			next++
			if size == 0 {
				size = len(s)
			}
			if len(s) < size {
				th.badArg(next, "string too short")
			}
			th.vm.grow(int64(size))
			out = append(out, s[:size]...)
			if opt == 's' {
				out = append(out, 0)
			}
		}
		th.vm.grow(int64(len(out) - before))
		th.steps(1)
	}
	return th.retText(string(out))
}

func (l *layout) order32(out []byte, b uint32) []byte {
	if l.big {
		return binary.BigEndian.AppendUint32(out, b)
	}
	return binary.LittleEndian.AppendUint32(out, b)
}

func (l *layout) order64(out []byte, b uint64) []byte {
	if l.big {
		return binary.BigEndian.AppendUint64(out, b)
	}
	return binary.LittleEndian.AppendUint64(out, b)
}

func (l *layout) putInt(out []byte, n float64, size int) []byte {
	var b uint64
	if n < 0 {
		b = uint64(toInt(n))
	} else {
		b = unsigned(n)
	}
	from := len(out)
	for range size {
		out = append(out, byte(b))
		b >>= 8
	}
	if l.big {
		for i, j := from, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
	}
	return out
}

func (l *layout) getInt(p []byte, signed bool) float64 {
	var b uint64
	for i := range p {
		c := p[len(p)-1-i]
		if l.big {
			c = p[i]
		}
		b = b<<8 | uint64(c)
	}
	if !signed {
		return float64(b)
	}
	if n := len(p); n < 8 && n > 0 && b>>(8*n-1) != 0 {
		b |= ^uint64(0) << (8 * n)
	}
	return float64(int64(b))
}

func structUnpack(th *thread, args []Value) []Value {
	l := newLayout(th, args)
	data := th.needText(args, 1)
	start := th.optInt(args, 2, 1)
	if start == 0 {
		th.badArg(2, "offset must be 1 or greater")
	}
	pos := start - 1
	if start < 0 {
		pos = math.MaxInt // as Redis's counts without a sign have it
	}
	var out []Value
	for {
		opt, size, ok := l.next()
		if !ok {
			break
		}
		pos += l.padding(opt, size, pos)
		if pos > len(data) || size > len(data)-pos {
			th.badArg(1, "data string too short")
		}
		if len(out) >= stackMax-1-max(2, len(args)) {
			th.fail("stack overflow (too many results)")
		}
		th.steps(1)
		field := data[pos : pos+size]
		switch opt {
		case 'b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I':
			out = append(out, num(l.getInt([]byte(field), opt >= 'a')))
		case 'f':
			out = append(out, num(float64(math.Float32frombits(l.read32(field)))))
		case 'd':
			out = append(out, num(math.Float64frombits(l.read64(field))))
		case 'c':
			if size == 0 {
				if len(out) == 0 {
					th.fail("format 'c0' needs a previous size")
				}
				n, isNumber := out[len(out)-1].number()
				if !isNumber {
					th.fail("format 'c0' needs a previous size")
				}
				out = out[:len(out)-1]
				if n < 0 || n > float64(len(data)-pos) {
					th.badArg(1, "data string too short")
				}
				size = int(n)
			}
			out = append(out, th.vm.text(data[pos:pos+size]))
		case 's':
			for size = 0; ; size++ {
				if pos+size >= len(data) {
					th.fail("unfinished string in data")
				}
				if data[pos+size] == 0 {
					break
				}
			}
			out = append(out, th.vm.text(data[pos:pos+size]))
			size++
		}
		pos += size
	}
	return append(out, num(float64(pos+1)))
}

func (l *layout) read32(s string) uint32 {
	if l.big {
		return binary.BigEndian.Uint32([]byte(s))
	}
	return binary.LittleEndian.Uint32([]byte(s))
}

func (l *layout) read64(s string) uint64 {
	if l.big {
		return binary.BigEndian.Uint64([]byte(s))
	}
	return binary.LittleEndian.Uint64([]byte(s))
}

func structSize(th *thread, args []Value) []Value {
	l := newLayout(th, args)
	l.sizeOnly = true
	pos := 0
	for {
		opt, size, ok := l.next()
		if !ok {
			return th.ret1(num(float64(pos)))
		}
		pos += l.padding(opt, size, pos)
		switch {
		case opt == 's':
			th.badArg(0, "option 's' has no fixed size")
		case opt == 'c' && size == 0:
			th.badArg(0, "option 'c0' has no fixed size")
		}
		pos += size // a format of 512 MiB has at most 2^60 bytes
	}
}
