package script

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonConfig is a cjson's settings, with its defaults.
type jsonConfig struct {
	sparseConvert             bool
	sparseRatio, sparseSafe   int
	encodeDepth, decodeDepth  int
	encodeInvalid             int // 0 = refuse, 1 = write, 2 = null
	decodeInvalid, keepBuffer bool
	precision                 int
}

func (vm *VM) openJSON() *Table {
	c := &jsonConfig{sparseRatio: 2, sparseSafe: 10, encodeDepth: 1000, decodeDepth: 1000, keepBuffer: true, precision: 14, decodeInvalid: true}
	names := []string{
		"encode", "decode", "encode_sparse_array", "encode_max_depth", "decode_max_depth", "encode_number_precision", "encode_keep_buffer",
		"encode_invalid_numbers", "decode_invalid_numbers", "new",
	}
	t := vm.open(vm.newTable(0, 13), names, library{
		"encode":                  c.encode,
		"decode":                  c.decode,
		"encode_sparse_array":     c.setSparse,
		"encode_max_depth":        func(th *thread, a []Value) []Value { return th.jsonInt(a, &c.encodeDepth, 1, math.MaxInt32) },
		"decode_max_depth":        func(th *thread, a []Value) []Value { return th.jsonInt(a, &c.decodeDepth, 1, math.MaxInt32) },
		"encode_number_precision": func(th *thread, a []Value) []Value { return th.jsonInt(a, &c.precision, 1, 14) },
		"encode_keep_buffer":      func(th *thread, a []Value) []Value { return th.jsonBool(a, &c.keepBuffer) },
		"encode_invalid_numbers":  c.setEncodeInvalid,
		"decode_invalid_numbers":  func(th *thread, a []Value) []Value { return th.jsonBool(a, &c.decodeInvalid) },
		"new":                     func(th *thread, _ []Value) []Value { return th.ret1(table(th.vm.openJSON())) },
	})
	t.setText(vm, "null", Value{o: vm.null})
	t.setText(vm, "_NAME", vm.text("cjson"))
	t.setText(vm, "_VERSION", vm.text("2.1.0"))
	return t
}

func (th *thread) jsonArgs(args []Value, most int) {
	if len(args) > most {
		th.badArg(most, "found too many arguments")
	}
}

func (th *thread) jsonInt(args []Value, v *int, low, high int) []Value {
	th.jsonArgs(args, 1)
	if !arg(args, 0).isNil() {
		n := th.needInt(args, 0)
		if n < low || n > high {
			th.badArg(0, "expected integer between "+strconv.Itoa(low)+" and "+strconv.Itoa(high))
		}
		*v = n
	}
	return th.ret1(num(float64(*v)))
}

func (th *thread) jsonBool(args []Value, v *bool) []Value {
	th.jsonArgs(args, 1)
	switch a := arg(args, 0); a.o.(type) {
	case nil:
	case boolTag:
		*v = a.n != 0
	default:
		switch s := th.needText(args, 0); s {
		case "on":
			*v = true
		case "off":
			*v = false
		default:
			th.badArg(0, "invalid option '"+s+"'")
		}
	}
	return th.ret1(boolean(*v))
}

func (c *jsonConfig) setSparse(th *thread, args []Value) []Value {
	th.jsonArgs(args, 3)
	th.jsonBool(args[:min(1, len(args))], &c.sparseConvert)
	for i, v := range []*int{&c.sparseRatio, &c.sparseSafe} {
		if i+1 < len(args) {
			th.jsonInt(args[i+1:i+2], v, 0, math.MaxInt32) // messages call it the first
		}
	}
	return th.some(boolean(c.sparseConvert), num(float64(c.sparseRatio)), num(float64(c.sparseSafe)))
}

func (c *jsonConfig) setEncodeInvalid(th *thread, args []Value) []Value {
	if s, ok := arg(args, 0).o.(*str); ok && s.s == "null" {
		c.encodeInvalid = 2
		return th.retText("null")
	}
	on := c.encodeInvalid == 1
	if len(args) == 0 && c.encodeInvalid == 2 {
		return th.retText("null")
	}
	th.jsonBool(args, &on)
	c.encodeInvalid = 0
	if on {
		c.encodeInvalid = 1
	}
	return th.ret1(boolean(on))
}

type jsonWriter struct {
	th  *thread
	c   *jsonConfig
	out []byte
}

func (c *jsonConfig) encode(th *thread, args []Value) []Value {
	if len(args) != 1 {
		th.badArg(0, "expected 1 argument")
	}
	w := &jsonWriter{th: th, c: c}
	w.value(args[0], 0)
	return th.retText(string(w.out))
}

func (w *jsonWriter) refuse(v Value, why string) {
	w.th.fail("Cannot serialise " + typeName(v) + ": " + why)
}

func (w *jsonWriter) value(v Value, depth int) {
	before := len(w.out)
	w.th.steps(1)
	switch o := v.o.(type) {
	case nil:
		w.out = append(w.out, "null"...)
	case boolTag:
		w.out = strconv.AppendBool(w.out, v.n != 0)
	case numTag:
		w.number(v)
	case *str:
		w.text(o.s)
	case *Table:
		w.table(v, o, depth+1)
		return
	default:
		if o != w.th.vm.null {
			w.refuse(v, "type not supported")
		}
		w.out = append(w.out, "null"...)
	}
	w.th.vm.grow(int64(len(w.out) - before))
}

func (w *jsonWriter) number(v Value) {
	if math.IsInf(v.n, 0) || math.IsNaN(v.n) {
		switch w.c.encodeInvalid {
		case 0:
			w.refuse(v, "must not be NaN or Inf")
		case 2:
			w.out = append(w.out, "null"...)
			return
		}
	}
	if math.IsNaN(v.n) {
		w.out = append(w.out, "nan"...)
		return
	}
	w.out = appendG(w.out, v.n, w.c.precision)
}

func (w *jsonWriter) text(s string) {
	w.out = append(w.out, '"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if j := strings.IndexByte("\b\t\n\f\r\"\\/", c); j >= 0 {
			w.out = append(w.out, '\\', "btnfr\"\\/"[j])
		} else if c < 32 || c == 127 {
			w.out = append(w.out, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		} else {
			w.out = append(w.out, c)
		}
	}
	w.out = append(w.out, '"')
}

// arrayLength is the length of a table that is a list, -1 of one that is not.
func (w *jsonWriter) arrayLength(v Value, t *Table) int {
	most, items := 0, 0
	for pos := 0; ; {
		k, _, next := t.at(pos)
		if next == 0 {
			break
		}
		n, ok := k.number()
		if !ok || n <= 0 || n != math.Trunc(n) || n > math.MaxInt32 {
			return -1
		}
		most = max(most, int(n))
		items++
		pos = next
	}
	if w.c.sparseRatio > 0 && most > items*w.c.sparseRatio && most > w.c.sparseSafe {
		if !w.c.sparseConvert {
			w.refuse(v, "excessively sparse array")
		}
		return -1
	}
	return most
}

func (w *jsonWriter) table(v Value, t *Table, depth int) {
	if depth > w.c.encodeDepth || depth > nestedDataMax {
		w.th.failf("Cannot serialise, excessive nesting (%d)", depth)
	}
	if n := w.arrayLength(v, t); n > 0 {
		w.out = append(w.out, '[')
		for i := 1; i <= n; i++ {
			if i > 1 {
				w.out = append(w.out, ',')
			}
			w.value(t.getInt(i), depth)
		}
		w.out = append(w.out, ']')
		return
	}
	w.out = append(w.out, '{')
	first := true
	for pos := 0; ; {
		k, e, next := t.at(pos)
		if next == 0 {
			break
		}
		pos = next
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		switch o := k.o.(type) {
		case numTag:
			w.out = append(w.out, '"')
			w.number(k)
			w.out = append(w.out, '"')
		case *str:
			w.text(o.s)
		default:
			w.refuse(k, "table key must be a number or string")
		}
		w.out = append(w.out, ':')
		w.value(e, depth)
	}
	w.out = append(w.out, '}')
}

// nestedDataMax bounds what libraries nest, whatever their settings: they use the Go stack.
const nestedDataMax = 50000

type jsonReader struct {
	th    *thread
	c     *jsonConfig
	in    string
	pos   int
	start int // of the present token
	tok   string
	text  string
	n     float64
}

func (c *jsonConfig) decode(th *thread, args []Value) []Value {
	if len(args) != 1 {
		th.badArg(0, "expected 1 argument")
	}
	r := &jsonReader{th: th, c: c, in: th.needText(args, 0)}
	if len(r.in) >= 2 && (r.in[0] == 0 || r.in[1] == 0) {
		th.fail("JSON parser does not support UTF-16 or UTF-32")
	}
	r.in = toZero(r.in)
	r.next()
	v := r.value(0)
	if r.next(); r.tok != "T_END" {
		r.expected("the end")
	}
	return th.ret1(v)
}

func (r *jsonReader) expected(what string) {
	found := r.tok
	r.th.failf("Expected %s but found %s at character %d", what, found, r.start+1)
}

func (r *jsonReader) next() {
	r.th.steps(1)
	for r.pos < len(r.in) && strings.IndexByte(" \t\r\n", r.in[r.pos]) >= 0 {
		r.pos++
	}
	r.start = r.pos
	if r.pos >= len(r.in) {
		r.tok = "T_END"
		return
	}
	c := r.in[r.pos]
	if i := strings.IndexByte("{}[],:", c); i >= 0 {
		r.tok = [...]string{"T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END", "T_COMMA", "T_COLON"}[i]
		r.pos++
		return
	}
	switch {
	case c == '"':
		r.quoted()
	case c != '-' && !isDigit(c):
		r.word()
	case !r.c.decodeInvalid && r.notJSON():
		r.tok = "invalid number"
	default:
		r.number()
	}
}

func (r *jsonReader) word() {
	for _, w := range [...]struct{ text, tok string }{{"true", "T_BOOLEAN"}, {"false", "T_BOOLEAN"}, {"null", "T_NULL"}} {
		if strings.HasPrefix(r.in[r.pos:], w.text) {
			r.tok, r.text = w.tok, w.text
			r.pos += len(w.text)
			return
		}
	}
	if r.c.decodeInvalid && r.notJSON() {
		r.number()
		return
	}
	r.tok = "invalid token"
}

// notJSON tells a number that JSON does not have: +1, 01, 0x1, inf, nan.
func (r *jsonReader) notJSON() bool {
	s := r.in[r.pos:]
	if s[0] == '+' {
		return true
	}
	s = strings.ToLower(strings.TrimPrefix(s[:min(len(s), 4)], "-"))
	return len(s) > 1 && s[0] == '0' && (s[1] == 'x' || isDigit(s[1])) || strings.HasPrefix(s, "inf") || strings.HasPrefix(s, "nan")
}

// number takes what strtod takes.
func (r *jsonReader) number() {
	r.tok = "invalid number"
	end := r.pos
	if end < len(r.in) && (r.in[end] == '-' || r.in[end] == '+') {
		end++
	}
	rest := strings.ToLower(r.in[end:min(end+8, len(r.in))])
	switch {
	case strings.HasPrefix(rest, "infinity"):
		end += 8
	case strings.HasPrefix(rest, "inf"), strings.HasPrefix(rest, "nan"):
		end += 3
	case strings.HasPrefix(rest, "0x"):
		for end += 2; end < len(r.in) && (digitOf(r.in[end]) < 16 || strings.IndexByte(".pP", r.in[end]) >= 0 || r.in[end-1]|0x20 == 'p' && strings.IndexByte("+-", r.in[end]) >= 0); end++ {
		}
	default:
		end = decimalEnd(r.in, end)
	}
	n, ok := parseNumber(r.in[r.pos:end])
	if !ok {
		return
	}
	r.tok, r.n, r.pos = "T_NUMBER", n, end
}

func decimalEnd(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && isDigit(s[i]); i++ {
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if j < len(s) && isDigit(s[j]) {
			for i = j; i < len(s) && isDigit(s[i]); i++ {
			}
		}
	}
	return i
}

func (r *jsonReader) quoted() {
	var out []byte
	i := r.pos + 1
	for {
		if i >= len(r.in) {
			r.tok, r.start = "unexpected end of string", len(r.in)
			return
		}
		c := r.in[i]
		switch {
		case c == '"':
			r.th.vm.grow(int64(len(out)))
			r.tok, r.text, r.pos = "T_STRING", string(out), i+1
			return
		case c != '\\':
			out = append(out, c)
			i++
			continue
		}
		if i+1 >= len(r.in) {
			r.tok, r.start = "invalid escape code", i
			return
		}
		e := r.in[i+1]
		if j := strings.IndexByte(`"\/bfnrt`, e); j >= 0 {
			out = append(out, "\"\\/\b\f\n\r\t"[j])
			i += 2
			continue
		}
		var n int
		if out, n = unicodeEscape(out, r.in[i:]); e != 'u' || n == 0 {
			r.tok, r.start = "invalid escape code", i
			if e == 'u' {
				r.tok = "invalid unicode escape code"
			}
			return
		}
		i += n
	}
}

// unicodeEscape reads \uXXXX, or two of them that are one character; n is 0 if it is none.
func unicodeEscape(out []byte, s string) (_ []byte, n int) {
	a, ok := hex4(s)
	switch {
	case !ok, a&0xfc00 == 0xdc00:
		return out, 0
	case a&0xf800 != 0xd800:
		if a&0xf800 != 0xd800 {
			return utf8.AppendRune(out, a), 6
		}
	}
	b, ok := hex4(s[6:])
	if !ok || b&0xfc00 != 0xdc00 {
		return out, 0
	}
	return utf8.AppendRune(out, (a&0x3ff)<<10+b&0x3ff+0x10000), 12
}

func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 32)
	return rune(n), err == nil
}

func (r *jsonReader) value(depth int) Value {
	vm := r.th.vm
	switch r.tok {
	case "T_STRING":
		return vm.text(r.text)
	case "T_NUMBER":
		return num(r.n)
	case "T_BOOLEAN":
		return boolean(r.text == "true")
	case "T_NULL":
		return Value{o: vm.null}
	case "T_OBJ_BEGIN":
		return r.object(depth + 1)
	case "T_ARR_BEGIN":
		return r.array(depth + 1)
	}
	r.expected("value")
	return Value{}
}

func (r *jsonReader) nest(depth int) {
	if depth > r.c.decodeDepth || depth > nestedDataMax {
		r.th.failf("Found too many nested data structures (%d) at character %d", depth, r.start+1)
	}
}

func (r *jsonReader) object(depth int) Value {
	r.nest(depth)
	vm := r.th.vm
	t := vm.newTable(0, 0)
	if r.next(); r.tok == "T_OBJ_END" {
		return table(t)
	}
	for {
		if r.tok != "T_STRING" {
			r.expected("object key string")
		}
		key := vm.text(r.text)
		if r.next(); r.tok != "T_COLON" {
			r.expected("colon")
		}
		r.next()
		t.set(vm, key, r.value(depth))
		r.next()
		if r.tok == "T_OBJ_END" {
			return table(t)
		}
		if r.tok != "T_COMMA" {
			r.expected("comma or object end")
		}
		r.next()
	}
}

func (r *jsonReader) array(depth int) Value {
	r.nest(depth)
	vm := r.th.vm
	t := vm.newTable(0, 0)
	if r.next(); r.tok == "T_ARR_END" {
		return table(t)
	}
	for i := 1; ; i++ {
		t.setInt(vm, i, r.value(depth))
		r.next()
		if r.tok == "T_ARR_END" {
			return table(t)
		}
		if r.tok != "T_COMMA" {
			r.expected("comma or array end")
		}
		r.next()
	}
}
