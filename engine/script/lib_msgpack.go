package script

import (
	"encoding/binary"
	"math"
)

const (
	// msgpackDepth is how deep tables are packed; what is deeper becomes nil.
	msgpackDepth = 16
	// msgpackNested is how deep tables are unpacked: each takes two places of Lua's stack.
	msgpackNested = stackMax/2 - 1

	textUnpackOne = "too many return values at once; use unpack_one or unpack_limit instead."
)

func (vm *VM) openMsgpack() *Table {
	names := []string{"pack", "unpack", "unpack_one", "unpack_limit"}
	t := vm.open(vm.newTable(0, 8), names, library{
		"pack":   msgpackPack,
		"unpack": func(th *thread, args []Value) []Value { return th.unpackMsg(args, 0, 0) },
		"unpack_one": func(th *thread, args []Value) []Value {
			return th.unpackMsg(args, 1, th.optInt(args, 1, 0))
		},
		"unpack_limit": func(th *thread, args []Value) []Value {
			return th.unpackMsg(args, th.needInt(args, 1), th.optInt(args, 2, 0))
		},
	})
	t.setText(vm, "_NAME", vm.text("cmsgpack"))
	t.setText(vm, "_VERSION", vm.text("lua-cmsgpack 0.4.0"))
	t.setText(vm, "_COPYRIGHT", vm.text("Copyright (C) 2012, Salvatore Sanfilippo"))
	t.setText(vm, "_DESCRIPTION", vm.text("MessagePack C implementation for Lua"))
	return t
}

type msgWriter struct {
	th  *thread
	out []byte
}

func msgpackPack(th *thread, args []Value) []Value {
	if len(args) == 0 {
		th.badArg(-1, "MessagePack pack needs input.")
	}
	w := &msgWriter{th: th}
	for _, a := range args {
		w.value(a, 0)
	}
	return th.retText(string(w.out))
}

func (w *msgWriter) value(v Value, depth int) {
	w.th.steps(1)
	w.th.vm.grow(9)
	switch o := v.o.(type) {
	case boolTag:
		w.out = append(w.out, 0xc2+byte(v.n))
	case numTag:
		w.number(v.n)
	case *str:
		w.text(o.s)
	case *Table:
		if depth == msgpackDepth {
			w.out = append(w.out, 0xc0)
			return
		}
		w.table(o, depth)
	default:
		w.out = append(w.out, 0xc0)
	}
}

func (w *msgWriter) number(n float64) {
	if n == math.Trunc(n) && n >= math.MinInt64 && n < math.MaxInt64 {
		w.integer(int64(n))
		return
	}
	if f := float32(n); float64(f) == n {
		w.out = binary.BigEndian.AppendUint32(append(w.out, 0xca), math.Float32bits(f))
		return
	}
	w.out = binary.BigEndian.AppendUint64(append(w.out, 0xcb), math.Float64bits(n))
}

func (w *msgWriter) integer(n int64) {
	switch {
	case n >= -32 && n <= 127:
		w.out = append(w.out, byte(n))
	case n >= 0 && n <= math.MaxUint8:
		w.out = append(w.out, 0xcc, byte(n))
	case n >= 0 && n <= math.MaxUint16:
		w.out = binary.BigEndian.AppendUint16(append(w.out, 0xcd), uint16(n))
	case n >= 0 && n <= math.MaxUint32:
		w.out = binary.BigEndian.AppendUint32(append(w.out, 0xce), uint32(n))
	case n >= 0:
		w.out = binary.BigEndian.AppendUint64(append(w.out, 0xcf), uint64(n))
	case n >= math.MinInt8:
		w.out = append(w.out, 0xd0, byte(n))
	case n >= math.MinInt16:
		w.out = binary.BigEndian.AppendUint16(append(w.out, 0xd1), uint16(n))
	case n >= math.MinInt32:
		w.out = binary.BigEndian.AppendUint32(append(w.out, 0xd2), uint32(n))
	default:
		w.out = binary.BigEndian.AppendUint64(append(w.out, 0xd3), uint64(n))
	}
}

func (w *msgWriter) text(s string) {
	n := len(s)
	switch {
	case n < 32:
		w.out = append(w.out, 0xa0|byte(n))
	case n <= math.MaxUint8:
		w.out = append(w.out, 0xd9, byte(n))
	case n <= math.MaxUint16:
		w.out = binary.BigEndian.AppendUint16(append(w.out, 0xda), uint16(n))
	default:
		w.out = binary.BigEndian.AppendUint32(append(w.out, 0xdb), uint32(n))
	}
	w.th.vm.grow(int64(n))
	w.out = append(w.out, s...)
}

func (w *msgWriter) head(n int, small, wide byte) {
	switch {
	case n <= 15:
		w.out = append(w.out, small|byte(n))
	case n <= math.MaxUint16:
		w.out = binary.BigEndian.AppendUint16(append(w.out, wide), uint16(n))
	default:
		w.out = binary.BigEndian.AppendUint32(append(w.out, wide+1), uint32(n))
	}
}

// table packs a list, of which keys are 1 to n without holes, or a map.
func (w *msgWriter) table(t *Table, depth int) {
	n, most := 0, 0.0
	list := true
	for pos := 0; ; n++ {
		k, _, next := t.at(pos)
		if next == 0 {
			break
		}
		pos = next
		i, ok := k.number()
		list = list && ok && i > 0 && i == math.Trunc(i)
		most = max(most, i)
	}
	if list && most == float64(n) {
		w.head(n, 0x90, 0xdc)
		for i := 1; i <= n; i++ {
			w.value(t.getInt(i), depth+1)
		}
		return
	}
	w.head(n, 0x80, 0xde)
	for pos := 0; ; {
		k, v, next := t.at(pos)
		if next == 0 {
			return
		}
		pos = next
		w.value(k, depth+1)
		w.value(v, depth+1)
	}
}

type msgReader struct {
	th *thread
	in string
	at int
}

func (th *thread) unpackMsg(args []Value, limit, offset int) []Value {
	in := th.needText(args, 0)
	if offset < 0 || limit < 0 {
		th.failf("Invalid request to unpack with offset of %d and limit of %d.", int32(offset), len(in))
	}
	if offset > len(in) {
		th.failf("Start offset %d greater than input length %d.", offset, len(in))
	}
	full := limit == 0 && offset == 0
	if full {
		limit = math.MaxInt32
	}
	r := &msgReader{th: th, in: in, at: offset}
	var out []Value
	for n := 0; n < limit && r.at < len(in); n++ {
		if len(out) >= stackMax-len(args) {
			th.fail("stack overflow (" + textUnpackOne + ")")
		}
		out = append(out, r.value(0))
	}
	if full {
		return out
	}
	next := r.at
	if r.at >= len(in) {
		next = -1
	}
	return append([]Value{num(float64(next))}, out...)
}

func (r *msgReader) take(n int) string {
	if n > len(r.in)-r.at {
		r.th.fail("Missing bytes in input.")
	}
	r.at += n
	return r.in[r.at-n : r.at]
}

func (r *msgReader) uint(n int) uint64 {
	var b uint64
	for _, c := range []byte(r.take(n)) {
		b = b<<8 | uint64(c)
	}
	return b
}

func (r *msgReader) value(depth int) Value {
	r.th.steps(1)
	vm := r.th.vm
	c := r.take(1)[0]
	switch {
	case c <= 0x7f:
		return num(float64(c))
	case c <= 0x8f:
		return r.pairs(uint64(c&15), depth)
	case c <= 0x9f:
		return r.list(uint64(c&15), depth)
	case c <= 0xbf:
		return vm.text(r.take(int(c & 31)))
	case c >= 0xe0:
		return num(float64(int8(c)))
	}
	switch c {
	case 0xc0:
		return Value{}
	case 0xc2, 0xc3:
		return boolean(c == 0xc3)
	case 0xd9:
		return vm.text(r.take(int(r.uint(1))))
	case 0xda:
		return vm.text(r.take(int(r.uint(2))))
	case 0xdb:
		return vm.text(r.take(int(r.uint(4))))
	case 0xca:
		return num(float64(math.Float32frombits(uint32(r.uint(4)))))
	case 0xcb:
		return num(math.Float64frombits(r.uint(8)))
	case 0xcc, 0xcd, 0xce:
		return num(float64(r.uint(1 << (c - 0xcc))))
	case 0xcf: // Redis takes it for a signed one
		return num(float64(int64(r.uint(8))))
	case 0xd0:
		return num(float64(int8(r.uint(1))))
	case 0xd1:
		return num(float64(int16(r.uint(2))))
	case 0xd2:
		return num(float64(int32(r.uint(4))))
	case 0xd3:
		return num(float64(int64(r.uint(8))))
	case 0xdc:
		return r.list(r.uint(2), depth)
	case 0xdd:
		return r.list(r.uint(4), depth)
	case 0xde:
		return r.pairs(r.uint(2), depth)
	case 0xdf:
		return r.pairs(r.uint(4), depth)
	}
	r.th.fail("Bad data format in input.")
	return Value{}
}

func (r *msgReader) list(n uint64, depth int) Value {
	if depth >= msgpackNested {
		r.th.fail("stack overflow (in function mp_decode_to_lua_array)")
	}
	vm := r.th.vm
	t := vm.newTable(0, 0)
	for i := range int(n) {
		v := r.value(depth + 1)
		if !v.isNil() || i < len(t.list) {
			t.setInt(vm, i+1, v)
		}
	}
	return table(t)
}

func (r *msgReader) pairs(n uint64, depth int) Value {
	if depth >= msgpackNested {
		r.th.fail("stack overflow (in function mp_decode_to_lua_hash)")
	}
	vm := r.th.vm
	t := vm.newTable(0, 0)
	for range int(n) {
		k := r.value(depth + 1)
		v := r.value(depth + 1)
		if k.isNil() {
			r.th.failBare("table index is nil")
		}
		if x, ok := k.number(); ok && x != x {
			r.th.failBare("table index is NaN")
		}
		t.set(vm, k, v)
	}
	return table(t)
}
