package script

import (
	"math"
	"strings"
)

func (vm *VM) openString() *Table {
	names := []string{"byte", "char", "dump", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper"}
	t := vm.open(vm.newTable(0, 15), names, library{
		"byte": strByte, "char": strChar, "dump": strDump, "find": strFind, "format": strFormat, "gmatch": strGMatch, "gsub": strGSub,
		"len": strLen, "lower": strLower, "match": strMatch, "rep": strRep, "reverse": strReverse, "sub": strSub, "upper": strUpper,
	})
	t.setText(vm, "gfind", t.getText("gmatch"))
	vm.strMeta = vm.newTable(0, 1)
	vm.strMeta.setText(vm, "__index", table(t))
	return t
}

// relative turns a place that may count from the end into one from the start.
func relative(pos, n int) int {
	if pos < 0 {
		return max(0, pos+n+1)
	}
	return pos
}

func strByte(th *thread, args []Value) []Value {
	s := th.needText(args, 0)
	from := relative(th.optInt(args, 1, 1), len(s))
	to := min(relative(th.optInt(args, 2, from), len(s)), len(s))
	from = max(from, 1)
	if from > to {
		return nil
	}
	if to-from+1 > stackMax-len(args) {
		th.fail("stack overflow (string slice too long)")
	}
	out := make([]Value, 0, to-from+1)
	for i := from; i <= to; i++ {
		out = append(out, num(float64(s[i-1])))
	}
	return out
}

func strChar(th *thread, args []Value) []Value {
	out := make([]byte, len(args))
	for i := range args {
		c := int32(th.needInt(args, i))
		if c < 0 || c > 255 {
			th.badArg(i, "invalid value")
		}
		out[i] = byte(c)
	}
	return th.retText(string(out))
}

func strDump(th *thread, args []Value) []Value {
	th.needFunction(args, 0)
	th.fail("unable to dump given function")
	return nil
}

func strLen(th *thread, args []Value) []Value {
	return th.ret1(num(float64(len(th.needText(args, 0)))))
}

func strLower(th *thread, args []Value) []Value { return th.mapped(args, 'A', 'Z') }

func strUpper(th *thread, args []Value) []Value { return th.mapped(args, 'a', 'z') }

// mapped changes the case of the letters from first to last.
func (th *thread) mapped(args []Value, first, last byte) []Value {
	s := th.needText(args, 0)
	th.vm.grow(int64(len(s)))
	out := []byte(s)
	for i, c := range out {
		if c >= first && c <= last {
			out[i] = c ^ 0x20
		}
	}
	return th.retText(string(out))
}

func strRep(th *thread, args []Value) []Value {
	s, n := th.needText(args, 0), int(int32(th.needInt(args, 1)))
	if n <= 0 || s == "" {
		return th.retText("")
	}
	if n > int(th.vm.allocMax)/len(s) {
		th.vm.noMemory()
	}
	th.vm.grow(int64(len(s))*int64(n) + stringSize)
	return th.ret1(Value{o: &str{s: strings.Repeat(s, n)}})
}

func strReverse(th *thread, args []Value) []Value {
	s := th.needText(args, 0)
	th.vm.grow(int64(len(s)))
	out := make([]byte, len(s))
	for i := range out {
		out[i] = s[len(s)-1-i]
	}
	return th.retText(string(out))
}

func strSub(th *thread, args []Value) []Value {
	s := th.needText(args, 0)
	from := max(relative(th.needInt(args, 1), len(s)), 1)
	to := min(relative(th.optInt(args, 2, -1), len(s)), len(s))
	if from > to {
		return th.retText("")
	}
	return th.retText(s[from-1 : to])
}

func strFind(th *thread, args []Value) []Value { return th.find(args, true) }

func strMatch(th *thread, args []Value) []Value { return th.find(args, false) }

// patternOf is a pattern as C sees it, which ends at a zero byte, and whether there is anything special in it.
func patternOf(pat string) (_ string, special bool) {
	if i := strings.IndexByte(pat, 0); i >= 0 {
		pat = pat[:i]
	}
	return pat, strings.ContainsAny(pat, "^$*+?.([%-")
}

func (th *thread) find(args []Value, find bool) []Value {
	s, pat := th.needText(args, 0), th.needText(args, 1)
	init := min(max(relative(th.optInt(args, 2, 1), len(s))-1, 0), len(s))
	pattern, special := patternOf(pat)
	if find && (truth(arg(args, 3)) || !special) {
		i := strings.Index(s[init:], pat)
		if i < 0 {
			return th.ret1(Value{})
		}
		return th.some(num(float64(init+i+1)), num(float64(init+i+len(pat))))
	}
	m := &matcher{th: th, src: s, pat: pattern}
	from, to := m.search(init)
	if from < 0 {
		return th.ret1(Value{})
	}
	if find {
		return append([]Value{num(float64(from + 1)), num(float64(to))}, m.captures(from, to, false)...)
	}
	return m.captures(from, to, true)
}

func strGMatch(th *thread, args []Value) []Value {
	s, pat := th.needText(args, 0), th.needText(args, 1)
	pat, _ = patternOf(pat)
	at := 0
	th.vm.grow(closureSize)
	return th.ret1(Value{o: th.vm.native("gmatch", func(th *thread, _ []Value) []Value {
		m := &matcher{th: th, src: s, pat: pat}
		for ; at <= len(s); at++ {
			m.level = 0
			if end := m.match(at, 0); end >= 0 {
				from := at
				if at = end; end == from {
					at++
				}
				return m.captures(from, end, true)
			}
		}
		return nil
	})})
}

func strGSub(th *thread, args []Value) []Value {
	s, pat := th.needText(args, 0), th.needText(args, 1)
	pat, _ = patternOf(pat)
	by := arg(args, 2)
	if _, ok := asText(by); !ok && !isFunction(by) {
		if _, ok := by.o.(*Table); !ok {
			th.badArg(2, "string/function/table expected")
		}
	}
	most := int(int32(th.optInt(args, 3, min(len(s)+1, math.MaxInt32))))
	p := 0
	if strings.HasPrefix(pat, "^") {
		p = 1
	}
	m := &matcher{th: th, src: s, pat: pat}
	var out strings.Builder
	n, at := 0, 0
	for n < most {
		m.level = 0
		end := m.match(at, p)
		before := out.Len()
		if end >= 0 {
			n++
			m.replace(&out, by, at, end)
		}
		if end > at {
			at = end
		} else if at < len(s) {
			out.WriteByte(s[at])
			at++
		} else {
			break
		}
		th.vm.grow(int64(out.Len() - before))
		if p == 1 {
			break
		}
	}
	if at < len(s) {
		out.WriteString(s[at:])
	}
	return th.some(th.vm.text(out.String()), num(float64(n)))
}

// replace writes what stands for a match.
func (m *matcher) replace(out *strings.Builder, by Value, from, to int) {
	th := m.th
	var v Value
	switch by.o.(type) {
	case *Table:
		f := th.frames[th.depth]
		v = f.index(by, m.capture(0, from, to), f.line, nil)
	case *closure, *native:
		v = th.call1(by, m.captures(from, to, true)...)
	default:
		text, _ := asText(by)
		m.template(out, text, from, to)
		return
	}
	if !truth(v) {
		out.WriteString(m.src[from:to])
		return
	}
	s, ok := asText(v)
	if !ok {
		th.failf("invalid replacement value (a %s)", typeName(v))
	}
	out.WriteString(s)
}

func (m *matcher) template(out *strings.Builder, text string, from, to int) {
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			out.WriteByte(text[i])
			continue
		}
		i++
		switch {
		case i >= len(text):
			out.WriteByte(0)
		case text[i] == '0':
			out.WriteString(m.src[from:to])
		case isDigit(text[i]):
			s, _ := asText(m.capture(int(text[i]-'1'), from, to))
			out.WriteString(s)
		default:
			out.WriteByte(text[i])
		}
	}
}
