package commands_test

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// bitsOf is a value as its bits in order: the naive form that the bit commands are compared with.
type bitsOf []bool

func toBits(text string) bitsOf {
	b := make(bitsOf, 8*len(text))
	for i := range b {
		b[i] = text[i/8]&(0x80>>(i%8)) != 0
	}
	return b
}

func (b bitsOf) text() string {
	out := make([]byte, len(b)/8)
	for i, on := range b {
		if on {
			out[i/8] |= 0x80 >> (i % 8)
		}
	}
	return string(out)
}

// grown gives at least n bits, in whole bytes.
func (b bitsOf) grown(n int) bitsOf {
	for len(b) < n || len(b)%8 != 0 {
		b = append(b, false)
	}
	return b
}

func (b bitsOf) at(i int) bool { return i < len(b) && b[i] }

// number reads bits as a number.
func (b bitsOf) number(offset, width int, signed bool) int64 {
	n := uint64(0)
	for i := range width {
		n <<= 1
		if b.at(offset + i) {
			n |= 1
		}
	}
	if signed && b.at(offset) {
		n |= ^uint64(0) << (width - 1) << 1
	}
	return int64(n)
}

func (b bitsOf) setNumber(offset, width int, n int64) {
	for i := range width {
		b[offset+i] = n>>(width-1-i)&1 != 0
	}
}

func drawText(t *rapid.T, name string) string {
	return string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 0xff, 0x80, 1, 0x5a}), 0, 40).Draw(t, name))
}

func integer(n int64) string { return ":" + strconv.FormatInt(n, 10) + "\r\n" }

// expect runs a command and compares its reply.
func expect(t *rapid.T, n *node, want string, args ...string) {
	if got := n.do(args...); got != want {
		t.Fatalf("%q: %q, want %q", args, got, want)
	}
}

func bulk(text string) string { return "$" + strconv.Itoa(len(text)) + "\r\n" + text + "\r\n" }

func TestBitRangesModel(t *testing.T) {
	n := newNode(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		text := drawText(t, "text")
		n.do("SET", "k", text)
		bits := toBits(text)
		inBits := rapid.Bool().Draw(t, "bits")
		unit, size := "BYTE", 8
		if inBits {
			unit, size = "BIT", 1
		}
		most := max(len(bits)/size-1, 0)
		first := rapid.IntRange(0, most).Draw(t, "first")
		last := rapid.IntRange(first, most).Draw(t, "last")
		count, one, zero := int64(0), int64(-1), int64(-1)
		for i := first * size; i < min((last+1)*size, len(bits)); i++ {
			switch {
			case bits[i] && one < 0:
				one = int64(i)
			case !bits[i] && zero < 0:
				zero = int64(i)
			}
			if bits[i] {
				count++
			}
		}
		from, to := strconv.Itoa(first), strconv.Itoa(last)
		expect(t, n, integer(count), "BITCOUNT", "k", from, to, unit)
		expect(t, n, integer(one), "BITPOS", "k", "1", from, to, unit)
		expect(t, n, integer(zero), "BITPOS", "k", "0", from, to, unit)
	})
}

func TestSetBitModel(t *testing.T) {
	n := newNode(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		text := drawText(t, "text")
		n.do("SET", "k", text)
		bits := toBits(text)
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			at := rapid.IntRange(0, 500).Draw(t, "at")
			on := rapid.IntRange(0, 1).Draw(t, "on")
			old := int64(0)
			if bits.at(at) {
				old = 1
			}
			bits = bits.grown(at + 1)
			bits[at] = on == 1
			expect(t, n, integer(old), "GETBIT", "k", strconv.Itoa(at))
			expect(t, n, integer(old), "SETBIT", "k", strconv.Itoa(at), strconv.Itoa(on))
		}
		expect(t, n, bulk(bits.text()), "GET", "k")
	})
}

func TestBitOpModel(t *testing.T) {
	n := newNode(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return drawText(t, "text") }), 1, 4).Draw(t, "texts")
		op := rapid.SampledFrom([]string{"AND", "OR", "XOR", "NOT"}).Draw(t, "op")
		if op == "NOT" {
			texts = texts[:1]
		}
		args := []string{"BITOP", op, rapid.SampledFrom([]string{"to", "k0"}).Draw(t, "to")}
		n.do("FLUSHALL")
		size := 0
		for i, text := range texts {
			n.do("SET", "k"+strconv.Itoa(i), text)
			args = append(args, "k"+strconv.Itoa(i))
			size = max(size, len(text))
		}
		want := make(bitsOf, 8*size)
		for i := range want {
			want[i] = toBits(texts[0]).at(i) != (op == "NOT")
			for _, text := range texts[1:] {
				b := toBits(text).at(i)
				want[i] = op == "AND" && want[i] && b || op == "OR" && (want[i] || b) || op == "XOR" && want[i] != b
			}
		}
		expect(t, n, integer(int64(size)), args...)
		if size > 0 {
			expect(t, n, bulk(want.text()), "GET", args[2])
		} else {
			expect(t, n, integer(0), "EXISTS", args[2])
		}
	})
}

// TestBitFieldModel runs operations whose numbers fit their types; what overflows is compared with a real server.
func TestBitFieldModel(t *testing.T) {
	n := newNode(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		text := drawText(t, "text")
		n.do("SET", "k", text)
		bits := toBits(text)
		args := []string{"BITFIELD", "k"}
		var want strings.Builder
		steps := rapid.IntRange(1, 6).Draw(t, "steps")
		last := 0
		type step struct {
			width, offset int
			signed, set   bool
			n             int64
		}
		all := make([]step, steps)
		for i := range all {
			s := &all[i]
			s.signed, s.set = rapid.Bool().Draw(t, "signed"), rapid.Bool().Draw(t, "set")
			kind, most := "u", 63
			if s.signed {
				kind, most = "i", 64
			}
			s.width = rapid.IntRange(1, most).Draw(t, "width")
			s.offset = rapid.IntRange(0, 400).Draw(t, "offset")
			kind += strconv.Itoa(s.width)
			if !s.set {
				args = append(args, "GET", kind, strconv.Itoa(s.offset))
				continue
			}
			s.n = int64(rapid.Uint64().Draw(t, "n") >> (64 - s.width))
			if s.signed {
				s.n = s.n << (64 - s.width) >> (64 - s.width)
			}
			args = append(args, "SET", kind, strconv.Itoa(s.offset), strconv.FormatInt(s.n, 10))
			last = max(last, s.offset+s.width)
		}
		bits = bits.grown(last)
		want.WriteString("*" + strconv.Itoa(steps) + "\r\n")
		for _, s := range all {
			want.WriteString(integer(bits.number(s.offset, s.width, s.signed)))
			if s.set {
				bits.setNumber(s.offset, s.width, s.n)
			}
		}
		expect(t, n, want.String(), args...)
		expect(t, n, bulk(bits.text()), "GET", "k")
	})
}

func TestRangeModel(t *testing.T) {
	n := newNode(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		text := drawText(t, "text")
		n.do("SET", "k", text)
		first := rapid.IntRange(0, max(len(text)-1, 0)).Draw(t, "first")
		last := rapid.IntRange(first, max(len(text)-1, first)).Draw(t, "last")
		want := text[min(first, len(text)):min(last+1, len(text))]
		expect(t, n, bulk(want), "GETRANGE", "k", strconv.Itoa(first), strconv.Itoa(last))
		if len(text) > 0 {
			expect(t, n, bulk(want), "GETRANGE", "k", strconv.Itoa(first-len(text)), strconv.Itoa(last-len(text)))
		}
	})
}
