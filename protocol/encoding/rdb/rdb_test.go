package rdb_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/protocol/encoding/lzf"
	"larder/protocol/encoding/rdb"
)

func TestLengths(t *testing.T) {
	for n, form := range map[uint64]string{
		0: "\x00", 63: "\x3f", 64: "\x40\x40", 16383: "\x7f\xff", 16384: "\x80\x00\x00\x40\x00", math.MaxUint32: "\x80\xff\xff\xff\xff",
		1 << 32: "\x81\x00\x00\x00\x01\x00\x00\x00\x00", math.MaxUint64: "\x81\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		if got := rdb.AppendLength(nil, n); string(got) != form {
			t.Errorf("%d: %q, want %q", n, got, form)
		}
		if got, size, err := rdb.Length([]byte(form + "x")); got != n || size != len(form) || err != nil {
			t.Errorf("%q: %d, %d bytes, %v", form, got, size, err)
		}
		for i := range form {
			if _, _, err := rdb.Length([]byte(form[:i])); !errors.Is(err, rdb.ErrShort) {
				t.Errorf("%q: %v", form[:i], err)
			}
		}
	}
	for _, form := range []string{"\x82", "\xbf", "\xc0\x05", "\xff"} {
		if _, _, err := rdb.Length([]byte(form)); !errors.Is(err, rdb.ErrCorrupt) {
			t.Errorf("%q: %v", form, err)
		}
	}
}

func TestStrings(t *testing.T) {
	var c lzf.Compressor
	for text, form := range map[string]string{
		"":                           "\x00",
		"abc":                        "\x03abc",
		"12":                         "\xc0\x0c",
		"-128":                       "\xc0\x80",
		"128":                        "\xc1\x80\x00",
		"-32768":                     "\xc1\x00\x80",
		"32768":                      "\xc2\x00\x80\x00\x00",
		"-2147483648":                "\xc2\x00\x00\x00\x80",
		"2147483648":                 "\x0a2147483648",
		"012":                        "\x03012",
		strings.Repeat("a", 20):      "\x14" + strings.Repeat("a", 20),
		strings.Repeat("a", 21):      "\xc3\x05\x15\x00a\xe0\x0b\x00",
		strings.Repeat("a", 80):      "\xc3\x05\x40\x50\x00a\xe0\x46\x00",
		"abcdefghijklmnopqrstuvwxyz": "\x1aabcdefghijklmnopqrstuvwxyz",
	} {
		if got := rdb.AppendString([]byte("x"), []byte(text), &c); string(got) != "x"+form {
			t.Errorf("%q: %q, want %q", text, got[1:], form)
		}
		if got, size, err := rdb.String([]byte(form+"x"), nil); string(got) != text || size != len(form) || err != nil {
			t.Errorf("%q: %q, %d bytes, %v", form, got, size, err)
		}
		for i := range form {
			if _, _, err := rdb.String([]byte(form[:i]), nil); !errors.Is(err, rdb.ErrShort) {
				t.Errorf("%q: %v", form[:i], err)
			}
		}
	}
}

func TestIntsAsStrings(t *testing.T) {
	for _, n := range []int64{0, -1, 127, 128, -129, 32768, math.MaxInt32, math.MaxInt32 + 1, math.MinInt32 - 1, math.MaxInt64, math.MinInt64} {
		form := rdb.AppendInt(nil, n)
		text, size, err := rdb.String(form, nil)
		if string(text) != strconv.FormatInt(n, 10) || size != len(form) || err != nil {
			t.Errorf("%d: %q: %q %v", n, form, text, err)
		}
	}
}

func TestStringRefuses(t *testing.T) {
	for name, form := range map[string]string{
		"an unknown form":             "\xc4",
		"a length that cannot be":     "\x81\xff\xff\xff\xff\xff\xff\xff\xff",
		"a marked length":             "\x82\x00",
		"a form as compressed length": "\xc3\xc0\x05\x00\x00",
		"a form as length":            "\xc3\x02\xc0\x00a",
		"nothing compressed":          "\xc3\x00\x05",
		"compressed nothing":          "\xc3\x02\x00\x00a",
		"a text of another length":    "\xc3\x02\x02\x00a",
		"a text that cannot be":       "\xc3\x02\x81\x00\x00\xff\xff\xff\xff\xff\xff\x00a",
		"a copy from nowhere":         "\xc3\x02\x03\x20\x00",
	} {
		if _, _, err := rdb.String([]byte(form), nil); !errors.Is(err, rdb.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDoubles(t *testing.T) {
	for _, f := range []float64{0, math.Copysign(0, -1), 1.5, -1e300, math.Inf(1), math.Inf(-1), math.NaN(), math.SmallestNonzeroFloat64} {
		got, size, err := rdb.Double(append(rdb.AppendDouble(nil, f), 7))
		if math.Float64bits(got) != math.Float64bits(f) || size != 8 || err != nil {
			t.Errorf("%v: %v %d %v", f, got, size, err)
		}
	}
	if _, _, err := rdb.Double(make([]byte, 7)); !errors.Is(err, rdb.ErrShort) {
		t.Error(err)
	}
	for form, want := range map[string]string{
		"\xfdx": "NaN", "\xfe": "+Inf", "\xff": "-Inf", "\x013": "3", "\x06-1.5e3": "-1500", "\x160.10000000000000000555": "0.1",
	} {
		if got, _, err := rdb.TextDouble([]byte(form)); fmt.Sprint(got) != want || err != nil {
			t.Errorf("%q: %v %v", form, got, err)
		}
	}
	for form, want := range map[string]error{
		"": rdb.ErrShort, "\x02": rdb.ErrShort, "\x021": rdb.ErrShort, "\x00": rdb.ErrCorrupt, "\x03inf": rdb.ErrCorrupt, "\x030x1": rdb.ErrCorrupt,
		"\x031 2": rdb.ErrCorrupt, "\x051e999": rdb.ErrCorrupt, "\x031_0": rdb.ErrCorrupt, "\x031\x000": rdb.ErrCorrupt,
	} {
		if _, _, err := rdb.TextDouble([]byte(form)); !errors.Is(err, want) {
			t.Errorf("%q: %v", form, err)
		}
	}
}

func TestPayloads(t *testing.T) {
	payload := rdb.AppendFooter([]byte("front\x00\x03abc"), len("front"))[len("front"):]
	kind, value, version, err := rdb.OpenPayload(payload, 10)
	if kind != rdb.TypeString || string(value) != "\x03abc" || version != 10 || err != nil {
		t.Errorf("%d %q %d %v", kind, value, version, err)
	}
	if _, _, version, err := rdb.OpenPayload(payload, 9); !errors.Is(err, rdb.ErrPayload) || version != 10 {
		t.Errorf("a newer one: %d %v", version, err)
	}
	for i := range payload {
		if _, _, _, err := rdb.OpenPayload(payload[:i], 10); !errors.Is(err, rdb.ErrPayload) {
			t.Errorf("%d bytes of it: %v", i, err)
		}
		wrong := bytes.Clone(payload)
		wrong[i] ^= 0x10
		if _, _, _, err := rdb.OpenPayload(wrong, 100); !errors.Is(err, rdb.ErrPayload) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	if _, _, _, err := rdb.OpenPayload(rdb.AppendFooter(nil, 0), 10); !errors.Is(err, rdb.ErrPayload) {
		t.Errorf("a footer alone: %v", err)
	}
}

// TestStringsComeBack also from a file that comes by pieces: head first, then the bytes.
func TestStringsComeBack(t *testing.T) {
	var c lzf.Compressor
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "word")
		text := bytes.Repeat(word, rapid.IntRange(0, 40).Draw(t, "times"))
		if rapid.Bool().Draw(t, "number") {
			text = strconv.AppendInt(nil, rapid.Int64().Draw(t, "n")>>rapid.IntRange(0, 63).Draw(t, "shift"), 10)
		}
		compressor := &c
		if rapid.Bool().Draw(t, "uncompressed") {
			compressor = nil
		}
		form := rdb.AppendString(nil, text, compressor)
		got, size, err := rdb.String(form, nil)
		if !bytes.Equal(got, text) || size != len(form) || err != nil {
			t.Fatalf("%q: %q %v", form, got, err)
		}
		f, head, err := rdb.StringForm(form)
		if err != nil || f.Len != len(text) || head+f.Bytes != len(form) || compressor == nil && f.Compressed {
			t.Fatalf("%q: %+v, head of %d bytes, %v", form, f, head, err)
		}
		if got, err = f.AppendText(nil, form[head:]); !bytes.Equal(got, text) || err != nil {
			t.Fatalf("%q by pieces: %q %v", form, got, err)
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	var c lzf.Compressor
	text, out, scratch := []byte(strings.Repeat("again and ", 50)), make([]byte, 0, 1024), make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		out = rdb.AppendString(out[:0], text, &c)
		out = rdb.AppendString(out, []byte("12345"), &c)
		_, size, _ := rdb.String(out, scratch)
		_, _, _ = rdb.String(out[size:], scratch)
		out = rdb.AppendFooter(append(out[:0], "\x00\x01a"...), 0)
		_, _, _, _ = rdb.OpenPayload(out, rdb.Version)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzLength(f *testing.F) {
	for _, seed := range []string{"\x05", "\x40\x50", "\x80\x00\x01\x00\x00", "\x81\x00\x00\x00\x01\x00\x00\x00\x00", "\xc0"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, size, err := rdb.Length(b)
		if err != nil {
			return
		}
		again := rdb.AppendLength(nil, n)
		if m, _, err := rdb.Length(again); size > len(b) || len(again) > size || len(again) > rdb.LengthMax || m != n || err != nil {
			t.Fatalf("%q: %d in %d bytes, again %q: %d %v", b, n, size, again, m, err)
		}
	})
}

func FuzzString(f *testing.F) {
	for _, seed := range []string{"\x03abc", "\xc0\x0c", "\xc3\x05\x15\x00a\xe0\x0b\x00", "\x40\x50", "\x80\x00\x00\x00\x01a", "\x81\x00\x00\x00\x00\x00\x00\x00\x01a"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text, size, err := rdb.String(b, nil)
		if err != nil {
			if size != 0 || text != nil {
				t.Fatalf("%q: %q, %d bytes beside %v", b, text, size, err)
			}
			return
		}
		if size > len(b) {
			t.Fatalf("%q: took %d bytes", b, size)
		}
		var c lzf.Compressor
		again, _, err := rdb.String(rdb.AppendString(nil, text, &c), nil)
		if err != nil || !bytes.Equal(again, text) {
			t.Fatalf("%q: %q comes back as %q: %v", b, text, again, err)
		}
	})
}

func FuzzOpenPayload(f *testing.F) {
	f.Add([]byte(realString), 10)
	f.Add([]byte(realNumber), 10)
	f.Fuzz(func(t *testing.T, payload []byte, newest int) {
		kind, value, version, err := rdb.OpenPayload(payload, newest)
		if err != nil {
			return
		}
		if version > newest || len(value)+11 != len(payload) || byte(kind) != payload[0] {
			t.Fatalf("%q: %d %q version %d", payload, kind, value, version)
		}
	})
}

func FuzzTextDouble(f *testing.F) {
	f.Add([]byte("\x06-1.5e3"))
	f.Add([]byte("\xfe"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, size, err := rdb.TextDouble(b); err == nil && (size < 1 || size > len(b)) {
			t.Fatalf("%q: took %d bytes", b, size)
		}
	})
}
