package script

import (
	"math"
	"strings"
)

// stackMax is how many values a library function may have, its arguments and results together: Lua's LUAI_MAXCSTACK.
const stackMax = 8000

// span reads the first and the last index of a list, from argument i on: 32 bits of each count.
func (th *thread) span(args []Value, i int, t *Table) (from, to int) {
	from = int(int32(th.optInt(args, i, 1)))
	if arg(args, i+1).isNil() {
		return from, t.length()
	}
	return from, int(int32(th.needInt(args, i+1)))
}

func (vm *VM) baseLibrary() ([]string, library) {
	names := []string{
		"assert", "collectgarbage", "error", "gcinfo", "getmetatable", "loadstring", "load", "next", "pcall", "rawequal", "rawget", "rawset", "select",
		"setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall", "ipairs", "pairs",
	}
	return names, library{
		"assert": baseAssert, "collectgarbage": baseCollect, "error": baseError, "gcinfo": baseGCInfo, "getmetatable": baseGetMeta,
		"loadstring": baseLoadString, "load": baseLoad, "next": baseNext, "pcall": basePCall, "rawequal": baseRawEqual, "rawget": baseRawGet,
		"rawset": baseRawSet, "select": baseSelect, "setmetatable": baseSetMeta, "tonumber": baseToNumber, "tostring": baseToString, "type": baseType,
		"unpack": baseUnpack, "xpcall": baseXPCall, "ipairs": vm.ipairs(), "pairs": basePairs,
	}
}

func baseAssert(th *thread, args []Value) []Value {
	if !truth(th.needAny(args, 0)) {
		th.fail(th.optText(args, 1, "assertion failed!"))
	}
	return th.some(args...)
}

func (vm *VM) usedKB() float64 { return float64(vm.allocated) / 1024 }

// baseCollect: there is nothing to collect by hand.
func baseCollect(th *thread, args []Value) []Value {
	what := th.optText(args, 0, "collect")
	switch what {
	case "count":
		return th.ret1(num(th.vm.usedKB()))
	case "collect", "stop", "restart":
		return th.ret1(num(0))
	case "step": // the cycle has ended: programs may wait for that
		return th.ret1(boolean(true))
	case "setpause", "setstepmul": // what was set before
		return th.ret1(num(200))
	}
	th.badArg(0, "invalid option '"+what+"'")
	return nil
}

func baseGCInfo(th *thread, _ []Value) []Value { return th.ret1(num(math.Floor(th.vm.usedKB()))) }

func baseError(th *thread, args []Value) []Value {
	level := int(int32(th.optInt(args, 1, 1)))
	v := arg(args, 0)
	source, line := th.place(level)
	if s, ok := asText(v); ok && level > 0 && line > 0 {
		v = th.vm.text(placed(source, line, s))
	}
	atSource, atLine := th.place(1)
	panic(&luaError{value: v, source: atSource, line: atLine})
}

func baseGetMeta(th *thread, args []Value) []Value {
	t := th.vm.metatable(th.needAny(args, 0))
	if t == nil {
		return th.ret1(Value{})
	}
	if hidden := t.getStr(nameMetatable); !hidden.isNil() {
		return th.ret1(hidden)
	}
	return th.ret1(table(t))
}

func baseSetMeta(th *thread, args []Value) []Value {
	t := th.needTable(args)
	m, ok := arg(args, 1).o.(*Table)
	if !ok && (len(args) < 2 || !args[1].isNil()) {
		th.badArg(1, "nil or table expected")
	}
	if !t.meta.metaField(nameMetatable).isNil() {
		th.fail("cannot change a protected metatable")
	}
	th.changeable(t)
	t.meta = m
	return th.ret1(table(t))
}

func baseLoadString(th *thread, args []Value) []Value {
	src := th.needText(args, 0)
	return th.load(src, th.optText(args, 1, src))
}

func baseLoad(th *thread, args []Value) []Value {
	fn := th.needFunction(args, 0)
	name := th.optText(args, 1, "=(load)")
	var src strings.Builder
	for {
		v := th.call1(fn)
		s, ok := asText(v)
		if v.isNil() || ok && s == "" {
			return th.load(src.String(), name)
		}
		if !ok {
			return th.some(Value{}, th.vm.text("reader function must return a string"))
		}
		th.vm.grow(int64(len(s)))
		src.WriteString(s)
		th.tick()
	}
}

// load compiles at run time: nil and a message if that fails.
func (th *thread) load(src, name string) []Value {
	if strings.HasPrefix(src, "\x1bLua") {
		return th.some(Value{}, th.vm.text(chunkName(name)+": bad header in precompiled chunk"))
	}
	var fn *closure
	_, raised := th.protect(func() []Value {
		fn = th.vm.compile(src, chunkName(name), th.vm.globals)
		return nil
	})
	if raised != nil {
		return th.some(Value{}, raised.value)
	}
	return th.ret1(Value{o: fn})
}

// chunkName is how messages name a chunk (Lua 5.1's luaO_chunkid).
func chunkName(name string) string {
	const room = 60
	if name == "" {
		return `[string ""]`
	}
	switch name[0] {
	case '=':
		return name[1:min(len(name), room)]
	case '@':
		name = name[1:]
		if len(name) > room-8 {
			return "..." + name[len(name)-(room-8):]
		}
		return name
	}
	const fit = room - len(`[string "..."]`) - 1
	line := name
	if i := strings.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	if len(line) > fit {
		line = line[:fit]
	}
	if len(line) < len(name) {
		line += "..."
	}
	return `[string "` + line + `"]`
}

func baseNext(th *thread, args []Value) []Value {
	t := th.needTable(args)
	pos := t.position(arg(args, 1))
	if pos < 0 {
		th.failBare("invalid key to 'next'")
	}
	k, v, next := t.at(pos)
	if next == 0 {
		return th.ret1(Value{})
	}
	return th.some(k, v)
}

func basePairs(th *thread, args []Value) []Value {
	t := th.needTable(args)
	return th.some(Value{o: th.vm.kept.next}, table(t), Value{})
}

func (vm *VM) ipairs() func(*thread, []Value) []Value {
	step := vm.native("ipairs", func(th *thread, args []Value) []Value {
		i := th.needInt(args, 1) + 1
		v := th.needTable(args).getInt(i)
		if v.isNil() {
			return nil
		}
		return th.some(num(float64(i)), v)
	})
	return func(th *thread, args []Value) []Value {
		t := th.needTable(args)
		return th.some(Value{o: step}, table(t), num(0))
	}
}

func basePCall(th *thread, args []Value) []Value {
	if len(args) == 0 { // Redis's pcall finds its own true in the function's place
		return th.some(boolean(false), th.vm.text("attempt to call a boolean value"))
	}
	fn, given := args[0], args[1:]
	rets, raised := th.protect(func() []Value { return th.call(fn, given...) })
	if raised != nil {
		return th.caught(raised)
	}
	return th.prefix(boolean(true), rets)
}

// caught is what pcall gives of an error: of a command's its text, as before Redis 7. Of another table the err that it has not stands behind it.
func (th *thread) caught(e *luaError) []Value {
	t, ok := e.value.o.(*Table)
	if !ok {
		return th.some(boolean(false), e.value)
	}
	err := t.getStr(nameErr)
	if text, ok := asText(err); ok {
		return th.some(boolean(false), th.vm.text(text))
	}
	return th.some(boolean(false), e.value, err)
}

func baseXPCall(th *thread, args []Value) []Value {
	if len(args) < 2 {
		th.badArg(1, "value expected")
	}
	fn, handler := args[0], args[1]
	rets, raised := th.protect(func() []Value { return th.call(fn) })
	if raised == nil {
		return th.prefix(boolean(true), rets)
	}
	rets, again := th.protect(func() []Value { return th.ret1(th.call1(handler, raised.value)) })
	if again != nil {
		return th.some(boolean(false), th.vm.text("error in error handling"))
	}
	return th.prefix(boolean(false), rets)
}

func baseRawEqual(th *thread, args []Value) []Value {
	return th.ret1(boolean(rawEqual(th.needAny(args, 0), th.needAny(args, 1))))
}

func baseRawGet(th *thread, args []Value) []Value {
	return th.ret1(th.needTable(args).get(th.needAny(args, 1)))
}

func baseRawSet(th *thread, args []Value) []Value {
	t := th.needTable(args)
	k, v := th.needAny(args, 1), th.needAny(args, 2)
	th.changeable(t)
	if k.isNil() {
		th.failBare("table index is nil")
	}
	if n, ok := k.number(); ok && n != n {
		th.failBare("table index is NaN")
	}
	t.set(th.vm, k, v)
	return th.ret1(table(t))
}

func baseSelect(th *thread, args []Value) []Value {
	if s, ok := arg(args, 0).o.(*str); ok && strings.HasPrefix(s.s, "#") {
		return th.ret1(num(float64(len(args) - 1)))
	}
	i := int(int32(th.needInt(args, 0)))
	switch {
	case i < 0:
		i += len(args)
	case i > len(args):
		i = len(args)
	}
	if i < 1 {
		th.badArg(0, "index out of range")
	}
	return th.some(args[i:]...)
}

func baseToNumber(th *thread, args []Value) []Value {
	base := th.optInt(args, 1, 10)
	if base == 10 {
		if n, ok := toNumber(th.needAny(args, 0)); ok {
			return th.ret1(num(n))
		}
		return th.ret1(Value{})
	}
	s := th.needText(args, 0)
	if base < 2 || base > 36 {
		th.badArg(1, "base out of range")
	}
	n, ok := parseBase(s, base)
	if !ok {
		return th.ret1(Value{})
	}
	return th.ret1(num(n))
}

// parseBase reads digits of a base as strtoul does.
func parseBase(s string, base int) (float64, bool) {
	s = strings.Trim(s, blanks)
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if base == 16 && len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		s = s[2:]
	}
	if s == "" {
		return 0, false
	}
	var n uint64
	over := false
	for i := 0; i < len(s); i++ {
		d := digitOf(s[i])
		if d >= base {
			return 0, false
		}
		over = over || n > (math.MaxUint64-uint64(d))/uint64(base)
		n = n*uint64(base) + uint64(d)
	}
	if over {
		return float64(math.MaxUint64), true
	}
	if negative {
		n = -n
	}
	return float64(n), true
}

func digitOf(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return int(c|0x20-'a') + 10
	}
	return 99
}

func baseToString(th *thread, args []Value) []Value { return th.ret1(th.toString(th.needAny(args, 0))) }

func baseType(th *thread, args []Value) []Value { return th.retText(typeName(th.needAny(args, 0))) }

func baseUnpack(th *thread, args []Value) []Value {
	t := th.needTable(args)
	from, to := th.span(args, 1, t)
	if from > to {
		return nil
	}
	if to-from+1 > stackMax-len(args) {
		th.fail("too many results to unpack")
	}
	out := make([]Value, 0, to-from+1)
	for i := from; i <= to; i++ {
		out = append(out, t.getInt(i))
	}
	return out
}
