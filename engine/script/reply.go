package script

import (
	"bytes"
	"strconv"
	"strings"

	"larder/protocol/encoding/decimal"
)

// replyReader turns a reply's bytes into Lua values.
type replyReader struct {
	vm     *VM
	in     []byte
	failed bool // the reply is an error
}

// replyNestedMax is how deep replies may nest, in both directions.
const replyNestedMax = 1000

func (p *replyReader) line() string {
	i := bytes.IndexByte(p.in, '\r')
	if i < 0 {
		i = len(p.in)
	}
	line := string(p.in[:i])
	p.in = p.in[min(i+2, len(p.in)):]
	return line
}

func (p *replyReader) value(depth int) Value {
	if len(p.in) == 0 || depth > replyNestedMax {
		return Value{}
	}
	vm, kind := p.vm, p.in[0]
	p.in = p.in[1:]
	switch kind {
	case ':':
		n, _ := strconv.ParseInt(p.line(), 10, 64)
		return num(float64(n))
	case '$', '=', '!':
		return p.bulk(kind)
	}
	line := p.line()
	switch kind {
	case '+':
		return vm.pair("ok", vm.text(line))
	case '-':
		p.failed = depth == 0
		return table(vm.main.errorTable(line, true))
	case '_':
		return Value{}
	case '#':
		return boolean(line == "t")
	case ',':
		n, _ := strconv.ParseFloat(line, 64)
		return vm.pair("double", num(n))
	case '(':
		return vm.pair("big_number", vm.text(line))
	}
	n, _ := strconv.Atoi(line)
	if n < 0 {
		return boolean(false)
	}
	switch kind {
	case '%':
		t := vm.newTable(0, n)
		for range n {
			k := p.value(depth + 1)
			if v := p.value(depth + 1); !k.isNil() {
				t.set(vm, k, v)
			}
		}
		return vm.pair("map", table(t))
	case '~':
		t := vm.newTable(0, n)
		for range n {
			if k := p.value(depth + 1); !k.isNil() {
				t.set(vm, k, boolean(true))
			}
		}
		return vm.pair("set", table(t))
	}
	t := vm.newTable(n, 0)
	for i := range n {
		t.list[i] = p.value(depth + 1)
	}
	return table(t)
}

func (p *replyReader) bulk(kind byte) Value {
	n, _ := strconv.Atoi(p.line())
	if n < 0 {
		return boolean(false)
	}
	n = min(n, len(p.in))
	s := string(p.in[:n])
	p.in = p.in[min(n+2, len(p.in)):]
	vm := p.vm
	switch kind {
	case '=':
		if len(s) < 4 {
			return Value{}
		}
		t := vm.newTable(0, 2)
		t.setText(vm, "string", vm.text(s[4:]))
		t.setText(vm, "format", vm.text(s[:3]))
		return vm.pair("verbatim_string", table(t))
	case '!':
		p.failed = true
		return table(vm.main.errorTable(s, true))
	}
	return vm.text(s)
}

func (vm *VM) pair(name string, v Value) Value {
	t := vm.newTable(0, 1)
	t.setText(vm, name, v)
	return table(t)
}

// replyWriter writes what a script returns as a reply, in the client's protocol.
type replyWriter struct {
	th    *thread
	out   []byte
	proto int
}

func (w *replyWriter) head(kind byte, n int) {
	w.out = append(strconv.AppendInt(append(w.out, kind), int64(n), 10), '\r', '\n')
}

func (w *replyWriter) bulk(s string) {
	w.head('$', len(s))
	w.out = append(append(w.out, s...), '\r', '\n')
}

// text is a line: its ends of lines become blanks.
func (w *replyWriter) text(kind byte, s string) {
	w.out = append(w.out, kind)
	from := len(w.out)
	w.out = append(append(w.out, s...), '\r', '\n')
	for i := from; i < len(w.out)-2; i++ {
		if w.out[i] == '\r' || w.out[i] == '\n' {
			w.out[i] = ' '
		}
	}
}

func (w *replyWriter) null() {
	if w.proto == 3 {
		w.out = append(w.out, "_\r\n"...)
		return
	}
	w.out = append(w.out, "$-1\r\n"...)
}

func (w *replyWriter) value(v Value, depth int) {
	w.th.vm.grow(valueSize)
	w.th.steps(1)
	switch o := v.o.(type) {
	case *str:
		w.th.vm.grow(int64(len(o.s)))
		w.bulk(o.s)
	case numTag:
		w.head(':', toInt(v.n))
	case boolTag:
		w.boolean(v.n != 0)
	case *Table:
		if depth > replyNestedMax {
			w.text('-', "ERR reached lua stack limit")
			return
		}
		w.table(o, depth)
	default:
		w.null()
	}
}

func (w *replyWriter) boolean(b bool) {
	switch {
	case w.th.vm.proto == 3 && w.proto == 3:
		w.out = append(w.out, '#', map[bool]byte{true: 't', false: 'f'}[b], '\r', '\n')
	case w.th.vm.proto == 3 || b:
		w.head(':', map[bool]int{true: 1, false: 0}[b])
	default:
		w.null()
	}
}

var (
	nameErr      = hashed("err")
	nameCounted  = hashed("ignore_error_stats_update")
	nameOK       = hashed("ok")
	nameDouble   = hashed("double")
	nameMap      = hashed("map")
	nameSet      = hashed("set")
	nameBig      = hashed("big_number")
	nameVerbatim = hashed("verbatim_string")
)

func (w *replyWriter) table(t *Table, depth int) {
	if len(t.nodes) > 0 && w.special(t, depth) {
		return
	}
	n := 0
	for !t.getInt(n + 1).isNil() {
		n++
	}
	w.head('*', n)
	for i := range n {
		w.value(t.getInt(i+1), depth+1)
	}
}

// special writes a table that stands for a reply of another kind.
func (w *replyWriter) special(t *Table, depth int) bool {
	if s, ok := t.getStr(nameErr).o.(*str); ok {
		w.text('-', s.s)
		if depth == 0 {
			w.th.vm.errorCounted = truth(t.getStr(nameCounted))
		}
		return true
	}
	if s, ok := t.getStr(nameOK).o.(*str); ok {
		w.text('+', s.s)
		return true
	}
	if n, ok := t.getStr(nameDouble).number(); ok {
		w.double(n)
		return true
	}
	if m, ok := t.getStr(nameMap).o.(*Table); ok {
		w.pairs(m, depth, '%')
		return true
	}
	if m, ok := t.getStr(nameSet).o.(*Table); ok {
		w.pairs(m, depth, '~')
		return true
	}
	if s, ok := t.getStr(nameBig).o.(*str); ok {
		if w.proto == 3 {
			w.text('(', s.s)
		} else {
			w.bulk(strings.NewReplacer("\r", " ", "\n", " ").Replace(s.s))
		}
		return true
	}
	if m, ok := t.getStr(nameVerbatim).o.(*Table); ok {
		s, okS := m.getText("string").o.(*str)
		format, okF := m.getText("format").o.(*str)
		if okS && okF {
			w.verbatim(s.s, format.s)
			return true
		}
	}
	return false
}

func (w *replyWriter) double(n float64) {
	var room [decimal.DoubleLenMax]byte
	text := string(decimal.AppendDouble(room[:0], n))
	if w.proto == 3 {
		w.text(',', text)
		return
	}
	w.bulk(text)
}

func (w *replyWriter) verbatim(s, format string) {
	if w.proto != 3 {
		w.bulk(s)
		return
	}
	format = (format + "   ")[:3]
	w.head('=', len(s)+4)
	w.out = append(w.out, format...)
	w.out = append(append(append(w.out, ':'), s...), '\r', '\n')
}

// pairs writes a map's keys and values, or a set's keys.
func (w *replyWriter) pairs(t *Table, depth int, kind byte) {
	n := 0
	for pos := 0; ; n++ {
		if _, _, pos = t.at(pos); pos == 0 {
			break
		}
	}
	switch {
	case w.proto == 3:
		w.head(kind, n)
	case kind == '%':
		w.head('*', 2*n)
	default:
		w.head('*', n)
	}
	for pos := 0; ; {
		k, v, next := t.at(pos)
		if next == 0 {
			return
		}
		w.value(k, depth+1)
		if kind == '%' {
			w.value(v, depth+1)
		}
		pos = next
	}
}
