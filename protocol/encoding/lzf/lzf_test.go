package lzf_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/protocol/encoding/lzf"
)

// naive is the format read as it is written down, byte by byte, without a thought of limits but the slices' own.
func naive(src []byte) (out []byte, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	src = slices.Clip(src)
	for i := 0; i < len(src); {
		c := int(src[i])
		i++
		if c < 32 {
			out = append(out, src[i:i+c+1]...)
			i += c + 1
			continue
		}
		n := c>>5 + 2
		if n == 9 {
			n += int(src[i])
			i++
		}
		back := c&31<<8 + int(src[i]) + 1
		i++
		for range n {
			out = append(out, out[len(out)-back])
		}
	}
	return out, true
}

func compressed(t interface{ Fatalf(string, ...any) }, c *lzf.Compressor, src []byte) []byte {
	out, ok := c.Append([]byte("front"), src, len(src)+len(src)/32+1)
	if !ok || !bytes.HasPrefix(out, []byte("front")) {
		t.Fatalf("%d bytes: not compressed", len(src))
	}
	return out[5:]
}

func TestKnownForms(t *testing.T) {
	for text, form := range map[string]string{
		"":                                "",
		"abc":                             "\x02abc",
		"aaaaaaaaaa":                      "\x00a\xe0\x00\x00",
		"abcabc":                          "\x02abc\x20\x02",
		"abcdefghabcdefgh":                "\x07abcdefgh\xc0\x07",
		strings.Repeat("x", 1+264+1):      "\x00x\xe0\xff\x00\x00x",
		strings.Repeat("ab", 20) + "!":    "\x01ab\xe0\x1d\x01\x00!",
		strings.Repeat("abcdefghij!", 20): "\x0aabcdefghij!\xe0\xc8\x0a",
	} {
		var c lzf.Compressor
		if got := compressed(t, &c, []byte(text)); string(got) != form {
			t.Errorf("%.20q…: %q, want %q", text, got, form)
		}
		if got, err := lzf.Decompress([]byte("front"), []byte(form), len(text)); err != nil || string(got) != "front"+text {
			t.Errorf("%q: %q %v", form, got, err)
		}
	}
}

// TestFarCopies has what repeats at, before and behind the farthest distance that a copy can say.
func TestFarCopies(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, distance := range []int{8191, 8192, 8193, 8194} {
		text := make([]byte, distance)
		for i := range text {
			text[i] = byte(rng.Uint32())
		}
		text = append(text, text[:300]...)
		var c lzf.Compressor
		form := compressed(t, &c, text)
		if got, err := lzf.Decompress(nil, form, len(text)); err != nil || !bytes.Equal(got, text) {
			t.Errorf("distance %d: %v", distance, err)
		}
		if copied := len(form) < len(text); copied != (distance <= 8192) {
			t.Errorf("distance %d: %d bytes", distance, len(form))
		}
	}
}

func TestDecompressRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		src  string
		size int
	}{
		"a negative size":               {"\x00a", -1},
		"a size that cannot be":         {"\x00a", 1 << 50},
		"too short a text":              {"\x00a", 2},
		"too long a text":               {"\x01ab", 1},
		"a run that ends early":         {"\x02ab", 3},
		"a copy from before the start":  {"\x00a\x20\x01", 4},
		"a copy of nothing":             {"\x20\x00", 3},
		"a copy too long":               {"\x00a\x20\x00", 3},
		"a copy without its last byte":  {"\x00a\x20", 4},
		"a long copy without last byte": {"\x00a\xe0\x00", 10},
		"a long copy without length":    {"\x00a\xe0", 10},
	} {
		if got, err := lzf.Decompress([]byte("xxxxxxxx"), []byte(c.src), c.size); !errors.Is(err, lzf.ErrCorrupt) || string(got) != "xxxxxxxx" {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

func TestLimit(t *testing.T) {
	var c lzf.Compressor
	for _, text := range []string{"abcdefghij", strings.Repeat("abcdefgh!", 50), strings.Repeat("a", 31) + "bcdefgh", "aaaaaaaaaaaaaaaab"} {
		form := compressed(t, &c, []byte(text))
		for limit := range len(form) + 3 {
			out, ok := c.Append([]byte("x"), []byte(text), limit)
			if fits := len(form) <= limit; ok && !fits || ok && string(out[1:]) != string(form) || !ok && string(out) != "x" {
				t.Errorf("%.20q, limit %d: %q %v", text, limit, out, ok)
			}
		}
		if _, ok := c.Append(nil, []byte(text), len(form)+1); !ok {
			t.Errorf("%.20q does not fit into a byte more than it takes", text)
		}
	}
}

// TestRoundTrip also has one compressor used for all: its output must not depend on what came before.
func TestRoundTrip(t *testing.T) {
	var used lzf.Compressor
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.IntRange(1, 256).Draw(t, "letters")
		words := rapid.SliceOfN(rapid.SliceOfN(rapid.Map(rapid.IntRange(0, letters-1), func(n int) byte { return byte(n) }), 1, 40), 1, 8).Draw(t, "words")
		var text []byte
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(words)-1), 0, 600).Draw(t, "order") {
			text = append(text, words[i]...)
		}
		var fresh lzf.Compressor
		form := compressed(t, &fresh, text)
		if again := compressed(t, &used, text); !bytes.Equal(form, again) {
			t.Fatalf("a used compressor makes %q, a fresh one %q", again, form)
		}
		if got, ok := naive(form); !ok || !bytes.Equal(got, text) {
			t.Fatalf("%q read naively: %q", form, got)
		}
		if got, err := lzf.Decompress(nil, form, len(text)); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%q: %q %v", form, got, err)
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	var c lzf.Compressor
	text := []byte(strings.Repeat("the same again and ", 100))
	form, out := compressed(t, &c, text), make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(50, func() {
		out, _ = c.Append(out[:0], text, len(text))
		out, _ = lzf.Decompress(out[:0], form, len(text))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDecompress(f *testing.F) {
	f.Add([]byte("\x00a\xe0\xff\x00\x00x"), 266)
	f.Add([]byte("\x02abc\x20\x02"), 6)
	f.Add([]byte("\x01ab\xe0\x1d\x01\x00!"), 41)
	f.Fuzz(func(t *testing.T, src []byte, size int) {
		want, ok := naive(src)
		got, err := lzf.Decompress(nil, src, size)
		if (err == nil) != (ok && len(want) == size) || err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%q, %d bytes: %q %v; naively %q %v", src, size, got, err, want, ok)
		}
		if ok && len(want) != size {
			if got, err := lzf.Decompress(nil, src, len(want)); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%q: %q %v; naively %q", src, got, err, want)
			}
		}
	})
}

func FuzzCompress(f *testing.F) {
	f.Add([]byte("abcabcabcabc"))
	f.Add([]byte(strings.Repeat("0123456789", 30)))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c lzf.Compressor
		form := compressed(t, &c, text)
		if got, err := lzf.Decompress(nil, form, len(text)); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%q: %q %v", text, got, err)
		}
	})
}

func BenchmarkCompress(b *testing.B) {
	var c lzf.Compressor
	text := []byte(strings.Repeat(`{"id":1234567,"name":"somebody","mail":"somebody@example.com"},`, 64))
	out := make([]byte, 0, len(text))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		out, _ = c.Append(out[:0], text, len(text))
	}
}

func BenchmarkDecompress(b *testing.B) {
	var c lzf.Compressor
	text := []byte(strings.Repeat(`{"id":1234567,"name":"somebody","mail":"somebody@example.com"},`, 64))
	form, out := compressed(b, &c, text), make([]byte, 0, len(text))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		out, _ = lzf.Decompress(out[:0], form, len(text))
	}
}
