package script

import (
	"fmt"
	"strconv"
)

// arg gives an argument, nil if it is missing.
func arg(args []Value, i int) Value {
	if i < len(args) {
		return args[i]
	}
	return Value{}
}

// badArg raises the error of an argument, counted from 0.
func (th *thread) badArg(i int, text string) {
	name := "?"
	if s := th.site; s != nil && s.kind != "" {
		name = s.name
		if s.kind == "method" {
			if i--; i < 0 {
				th.fail("calling '" + name + "' on bad self (" + text + ")")
			}
		}
	}
	th.fail("bad argument #" + strconv.Itoa(i+1) + " to '" + name + "' (" + text + ")")
}

func (th *thread) badType(args []Value, i int, want string) {
	got := "no value"
	if i < len(args) {
		got = typeName(args[i])
	}
	th.badArg(i, want+" expected, got "+got)
}

func (th *thread) needAny(args []Value, i int) Value {
	if i >= len(args) {
		th.badArg(i, "value expected")
	}
	return args[i]
}

// needTable is the first argument, a table.
func (th *thread) needTable(args []Value) *Table {
	t, ok := arg(args, 0).o.(*Table)
	if !ok {
		th.badType(args, 0, "table")
	}
	return t
}

func (th *thread) needText(args []Value, i int) string {
	s, ok := asText(arg(args, i))
	if !ok {
		th.badType(args, i, "string")
	}
	return s
}

func (th *thread) needNumber(args []Value, i int) float64 {
	n, ok := toNumber(arg(args, i))
	if !ok {
		th.badType(args, i, "number")
	}
	return n
}

// needInt cuts a number as C does: towards zero, within an int's range.
func (th *thread) needInt(args []Value, i int) int { return toInt(th.needNumber(args, i)) }

func toInt(n float64) int {
	switch {
	case n != n:
		return minInt
	case n >= 1<<63:
		return minInt
	case n < -1<<63:
		return minInt
	}
	return int(n)
}

const minInt = -1 << 63

func (th *thread) optInt(args []Value, i, otherwise int) int {
	if arg(args, i).isNil() {
		return otherwise
	}
	return th.needInt(args, i)
}

func (th *thread) optText(args []Value, i int, otherwise string) string {
	if arg(args, i).isNil() {
		return otherwise
	}
	return th.needText(args, i)
}

func (th *thread) needFunction(args []Value, i int) Value {
	if !isFunction(arg(args, i)) {
		th.badType(args, i, "function")
	}
	return args[i]
}

func (th *thread) failf(format string, args ...any) { th.fail(fmt.Sprintf(format, args...)) }

// texts makes a result of one string.
func (th *thread) retText(s string) []Value { return th.ret1(th.vm.text(s)) }

// changeable raises an error if the table must not be written to.
func (th *thread) changeable(t *Table) {
	if t.readOnly {
		th.failBare(textReadOnly)
	}
}

// library is the functions of a table.
type library map[string]func(*thread, []Value) []Value

// open fills a table in the order of the names, so that it is the same in each VM.
func (vm *VM) open(t *Table, names []string, lib library) *Table {
	for _, n := range names {
		t.setText(vm, n, Value{o: vm.native(n, lib[n])})
	}
	return t
}
