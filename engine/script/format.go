package script

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// strFormat is string.format.
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

// directive is what stands between a % and its verb.
type directive struct {
	minus, plus, space, hash, zero bool

	width, precision int // precision -1 = none
	verb             byte
	end              int // index of the verb
}

func (th *thread) directive(format string, i int) directive {
	d := directive{precision: -1}
	start := i
flags:
	for ; i < len(format); i++ {
		switch format[i] {
		case '-':
			d.minus = true
		case '+':
			d.plus = true
		case ' ':
			d.space = true
		case '#':
			d.hash = true
		case '0':
			d.zero = true
		default:
			break flags
		}
	}
	if i-start > 5 {
		th.fail("invalid format (repeated flags)")
	}
	d.width, i = twoDigits(format, i)
	if i < len(format) && format[i] == '.' {
		d.precision, i = twoDigits(format, i+1)
	}
	if i < len(format) {
		if d.verb = format[i]; isDigit(d.verb) {
			th.fail("invalid format (width or precision too long)")
		}
	}
	d.end = i
	return d
}

func twoDigits(s string, i int) (n, end int) {
	for end = i; end < len(s) && end < i+2 && isDigit(s[end]); end++ {
		n = n*10 + int(s[end]-'0')
	}
	return n, end
}

func (th *thread) formatOne(out *strings.Builder, d directive, args []Value, i int) {
	switch d.verb {
	case 'c':
		c := byte(0) // of what is no 32-bit number too, as of C's conversion on amd64
		if n := th.needNumber(args, i); n > math.MinInt32-1 && n < math.MaxInt32+1 {
			c = byte(int32(n))
		}
		d.pad(out, "", toZero(string([]byte{c})), 1)
	case 'd', 'i':
		n := th.needInt(args, i)
		d.integer(out, n < 0, uint64(max(n, -n)), 10)
	case 'u', 'o', 'x', 'X':
		d.plus, d.space = false, false
		d.integer(out, false, unsigned(th.needNumber(args, i)), map[byte]int{'u': 10, 'o': 8, 'x': 16, 'X': 16}[d.verb])
	case 'e', 'E', 'f', 'g', 'G':
		d.float(out, th.needNumber(args, i))
	case 'q':
		quote(out, th.needText(args, i))
	case 's':
		s := th.needText(args, i)
		if d.precision < 0 && len(s) >= 100 {
			out.WriteString(s)
			return
		}
		if s = toZero(s); d.precision >= 0 && d.precision < len(s) {
			s = s[:d.precision]
		}
		d.pad(out, "", s, len(s))
	default:
		verb := "%"
		if d.verb != 0 {
			verb += string([]byte{d.verb})
		}
		th.fail("invalid option '" + verb + "' to 'format'")
	}
}

// toZero is a string as C sees it: to its first zero byte.
func toZero(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return s[:i]
	}
	return s
}

// pad writes a prefix and a text of n characters, blanks around them up to the width. What a zero byte has ended is not followed by blanks.
func (d *directive) pad(out *strings.Builder, prefix, s string, n int) {
	const blank = "                                                                                                    " // as many as the widest
	fill := blank[:max(0, d.width-len(prefix)-n)]
	if !d.minus {
		out.WriteString(fill)
	}
	out.WriteString(prefix)
	out.WriteString(s)
	if d.minus && len(s) == n {
		out.WriteString(fill)
	}
}

// integer writes a number's sign and digits as C's printf does.
func (d *directive) integer(out *strings.Builder, negative bool, n uint64, base int) {
	const zeros = "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	var room [32]byte
	digits := string(strconv.AppendUint(room[:0], n, base))
	if d.precision == 0 && n == 0 {
		digits = ""
	}
	prefix := d.sign(negative)
	if d.hash && base == 16 && n != 0 {
		prefix = "0x"
	}
	if d.verb == 'X' {
		prefix, digits = strings.ToUpper(prefix), strings.ToUpper(digits)
	}
	least := d.precision
	if d.hash && base == 8 && !strings.HasPrefix(digits, "0") {
		least = max(least, len(digits)+1)
	}
	if d.zero && !d.minus && d.precision < 0 {
		least = max(least, d.width-len(prefix))
	}
	if len(digits) < least {
		digits = zeros[:least-len(digits)] + digits
	}
	d.pad(out, prefix, digits, len(digits))
}

func (d *directive) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case d.plus:
		return "+"
	case d.space:
		return " "
	}
	return ""
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

// float writes a number as C's printf does, by way of Go's, which means the same once the precision is said.
func (d *directive) float(out *strings.Builder, n float64) {
	if math.IsInf(n, 0) || math.IsNaN(n) {
		s := numberText(math.Abs(n))
		prefix := d.sign(math.Signbit(n))
		if d.verb < 'a' {
			s = strings.ToUpper(s)
		}
		d.pad(out, prefix, s, len(s))
		return
	}
	if d.precision < 0 {
		d.precision = 6
	}
	if d.precision == 0 && d.verb|0x20 == 'g' {
		d.precision = 1
	}
	if d.verb == 'f' && d.width == 0 && !d.plus && !d.space && !d.hash {
		var room [64]byte
		out.Write(strconv.AppendFloat(room[:0], n, 'f', d.precision, 64))
		return
	}
	flags := "%"
	for flag, on := range map[string]bool{"-": d.minus, "+": d.plus, " ": d.space, "#": d.hash, "0": d.zero} {
		if on {
			flags += flag
		}
	}
	fmt.Fprintf(out, flags+"*.*"+string([]byte{d.verb}), d.width, d.precision, n)
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
