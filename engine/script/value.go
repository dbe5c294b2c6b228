package script

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Value is a Lua value: o nil is nil, a numTag says that n is the number, a boolTag that n is 0 or 1; else o is the thing.
type Value struct {
	n float64
	o any
}

type (
	numTag  struct{}
	boolTag struct{}
)

// str is a string with its hash, made when first needed.
type str struct {
	s      string
	h      uint32
	hashed bool
}

// userdata is a thing without any operation: cjson.null.
type userdata struct{ id uint32 }

type native struct {
	name string
	id   uint32
	fn   func(th *thread, args []Value) []Value
}

// closure is a Lua function with what it has captured.
type closure struct {
	p   *proto
	ups []*cell
	id  uint32
}

// cell holds a local variable that a function has captured.
type cell struct{ v Value }

// Bytes that things take, about: what the census and the counting use.
const (
	valueSize   = 24
	nodeSize    = 56
	tableSize   = 96
	stringSize  = 48
	closureSize = 64
	cellSize    = 24
	threadSize  = 32 << 10
	levelSize   = 256 // of the Go stack, for a unit of a function's height, and frames
)

func num(n float64) Value { return Value{n, numTag{}} }

func boolean(b bool) Value {
	if b {
		return Value{1, boolTag{}}
	}
	return Value{0, boolTag{}}
}

// text makes a string and counts its memory.
func (vm *VM) text(s string) Value {
	vm.grow(int64(len(s)) + stringSize)
	return Value{o: &str{s: s}}
}

// constant makes a string that the program keeps.
func constant(s string) Value { return Value{o: &str{s: s}} }

func table(t *Table) Value { return Value{o: t} }

func (v Value) isNil() bool { return v.o == nil }

func (v Value) number() (float64, bool) {
	_, ok := v.o.(numTag)
	return v.n, ok
}

func truth(v Value) bool {
	if v.o == nil {
		return false
	}
	if _, ok := v.o.(boolTag); ok {
		return v.n != 0
	}
	return true
}

// typeName is what type gives.
func typeName(v Value) string {
	switch v.o.(type) {
	case nil:
		return "nil"
	case numTag:
		return "number"
	case boolTag:
		return "boolean"
	case *str:
		return "string"
	case *Table:
		return "table"
	case *closure, *native:
		return "function"
	case *thread:
		return "thread"
	default:
		return "userdata"
	}
}

// rawEqual is == without metamethods.
func rawEqual(a, b Value) bool {
	switch x := a.o.(type) {
	case nil:
		return b.o == nil
	case numTag:
		_, ok := b.o.(numTag)
		return ok && a.n == b.n
	case boolTag:
		_, ok := b.o.(boolTag)
		return ok && a.n == b.n
	case *str:
		y, ok := b.o.(*str)
		return ok && (x == y || x.s == y.s)
	case *Table:
		y, ok := b.o.(*Table)
		return ok && x == y
	default:
		return a.o == b.o
	}
}

// toNumber is the number that a value is or, being text, says.
func toNumber(v Value) (float64, bool) {
	switch o := v.o.(type) {
	case numTag:
		return v.n, true
	case *str:
		return parseNumber(o.s)
	}
	return 0, false
}

const blanks = " \t\n\v\f\r"

// parseNumber reads a number as strtod does: blanks around it are allowed, and a zero byte ends it.
func parseNumber(s string) (float64, bool) {
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	s = strings.Trim(s, blanks)
	if s == "" || strings.IndexByte(s, '_') >= 0 {
		return 0, false
	}
	digits := s
	if digits[0] == '-' || digits[0] == '+' {
		digits = digits[1:]
	}
	if len(digits) > 1 && digits[0] == '0' && digits[1]|0x20 == 'x' && !strings.ContainsAny(digits, "pP") {
		s += "p0"
	}
	if len(digits) == 3 && len(s) == 4 && strings.EqualFold(digits, "nan") {
		n := math.NaN()
		if s[0] == '-' {
			n = -n
		}
		return n, true
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(n, 0) {
		return 0, false
	}
	return n, true
}

// appendNumber writes a number with 14 digits, as C's %.14g.
func appendNumber(dst []byte, n float64) []byte { return appendG(dst, n, 14) }

// appendG is C's %.*g.
func appendG(dst []byte, n float64, digits int) []byte {
	switch {
	case math.IsNaN(n):
		if math.Signbit(n) {
			return append(dst, "-nan"...)
		}
		return append(dst, "nan"...)
	case math.IsInf(n, 1):
		return append(dst, "inf"...)
	case math.IsInf(n, -1):
		return append(dst, "-inf"...)
	case n == math.Trunc(n) && math.Abs(n) < 1e14 && digits >= 14:
		if n == 0 && math.Signbit(n) {
			return append(dst, "-0"...)
		}
		return strconv.AppendInt(dst, int64(n), 10)
	}
	return strconv.AppendFloat(dst, n, 'g', digits, 64)
}

func numberText(n float64) string {
	var room [32]byte
	return string(appendNumber(room[:0], n))
}

// asText is the text of a string or number.
func asText(v Value) (string, bool) {
	switch o := v.o.(type) {
	case *str:
		return o.s, true
	case numTag:
		return numberText(v.n), true
	}
	return "", false
}

// show is tostring without metamethods.
func (vm *VM) show(v Value) string {
	switch o := v.o.(type) {
	case nil:
		return "nil"
	case numTag:
		return numberText(v.n)
	case boolTag:
		if v.n != 0 {
			return "true"
		}
		return "false"
	case *str:
		return o.s
	case *Table:
		return address("table", o.id)
	case *closure:
		return address("function", o.id)
	case *native:
		return address("function", o.id)
	case *thread:
		return address("thread", o.id)
	case *userdata:
		if o == vm.null {
			return "userdata: (nil)"
		}
		return address("userdata", o.id)
	}
	return "?"
}

// address makes a name of a thing that looks like one by its place in memory.
func address(kind string, id uint32) string {
	return fmt.Sprintf("%s: 0x%012x", kind, 0x7f0000000000+uint64(id)*16)
}

func (vm *VM) id() uint32 {
	vm.nextID++
	return vm.nextID
}

func (vm *VM) native(name string, fn func(*thread, []Value) []Value) *native {
	return &native{name: name, id: vm.id(), fn: fn}
}
