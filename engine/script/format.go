package script

import (
	"fmt"
	"math"
	"strings"
)

// strFormat is string.format: C's directives by way of Go's, which mean the same once the precision is said.
func strFormat(th *thread, args []Value) []Value {
	format := th.needText(args, 0)
	var out strings.Builder
	next := 1
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		if i++; i < len(format) && format[i] == '%' {
			out.WriteByte('%')
			continue
		}
		d := th.directive(format, i)
		i = d.end
		if next >= len(args) {
			th.badArg(next, "no value")
		}
		before := out.Len()
		th.formatOne(&out, d, args, next)
		th.vm.grow(int64(out.Len() - before))
		next++
	}
	return th.retText(out.String())
}

type directive struct {
	flags     string // with the width
	precision int    // -1 = none
	verb      byte
	text      string
	end       int // index of the verb
}

func (th *thread) directive(format string, i int) directive {
	start := i
	for i < len(format) && strings.IndexByte("-+ #0", format[i]) >= 0 {
		i++
	}
	if i-start > 5 {
		th.fail("invalid format (repeated flags)")
	}
	for n := 0; n < 2 && i < len(format) && isDigit(format[i]); n++ {
		i++
	}
	d := directive{flags: format[start:i], precision: -1}
	if i < len(format) && format[i] == '.' {
		i++
		d.precision = 0
		for n := 0; n < 2 && i < len(format) && isDigit(format[i]); n++ {
			d.precision = d.precision*10 + int(format[i]-'0')
			i++
		}
	}
	if i < len(format) && isDigit(format[i]) {
		th.fail("invalid format (width or precision too long)")
	}
	if i < len(format) {
		d.verb = format[i]
	}
	d.end = i
	d.text = "%" + format[start:min(i+1, len(format))]
	return d
}

func (d *directive) with(verb string) string {
	if d.precision < 0 {
		return "%" + d.flags + verb
	}
	return fmt.Sprintf("%%%s.%d%s", d.flags, d.precision, verb)
}

func (th *thread) formatOne(out *strings.Builder, d directive, args []Value, i int) {
	switch d.verb {
	case 'c':
		d.precision = -1
		d.flags = strings.Trim(d.flags, "0")
		fmt.Fprintf(out, d.with("s"), string([]byte{byte(th.needInt(args, i))}))
	case 'd', 'i':
		fmt.Fprintf(out, d.with("d"), th.needInt(args, i))
	case 'u':
		fmt.Fprintf(out, d.with("d"), unsigned(th.needNumber(args, i)))
	case 'o', 'x', 'X':
		fmt.Fprintf(out, d.with(string(d.verb)), unsigned(th.needNumber(args, i)))
	case 'e', 'E', 'f', 'g', 'G':
		th.formatFloat(out, d, th.needNumber(args, i))
	case 'q':
		quote(out, th.needText(args, i))
	case 's':
		s := th.needText(args, i)
		if d.precision < 0 && len(s) >= 100 {
			out.WriteString(s)
			return
		}
		// Go counts runes: the bytes are cut and padded here.
		if d.precision >= 0 && d.precision < len(s) {
			s = s[:d.precision]
		}
		pad(out, s, d.flags)
	default:
		th.fail("invalid option '" + d.text + "' to 'format'")
	}
}

func pad(out *strings.Builder, s, flags string) {
	width := 0
	for _, c := range strings.TrimLeft(flags, "-+ #0") {
		width = width*10 + int(c-'0')
	}
	fill := strings.Repeat(" ", max(0, width-len(s)))
	if strings.Contains(flags, "-") {
		out.WriteString(s + fill)
		return
	}
	out.WriteString(fill + s)
}

func unsigned(n float64) uint64 {
	if n < 0 {
		return uint64(toInt(n))
	}
	if n >= 1<<64 || n != n {
		return 0
	}
	return uint64(n)
}

func (th *thread) formatFloat(out *strings.Builder, d directive, n float64) {
	if math.IsInf(n, 0) || math.IsNaN(n) {
		s := numberText(n)
		if strings.Contains(d.flags, "+") && s[0] != '-' {
			s = "+" + s
		}
		if d.verb < 'a' {
			s = strings.ToUpper(s)
		}
		pad(out, s, d.flags)
		return
	}
	if d.precision < 0 {
		d.precision = 6
	}
	if d.precision == 0 && d.verb|0x20 == 'g' {
		d.precision = 1
	}
	fmt.Fprintf(out, d.with(string(d.verb)), n)
}

// quote writes a string as a program would.
func quote(out *strings.Builder, s string) {
	out.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			out.WriteByte('\\')
			out.WriteByte(c)
		case '\r':
			out.WriteString(`\r`)
		case 0:
			out.WriteString(`\000`)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
}
