package zipmap_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/dumps"
	"larder/internal/peers"
	"larder/protocol/encoding/rdb"
	"larder/protocol/encoding/zipmap"
)

// build writes a zipmap naively; unused says how many bytes are left behind a value.
func build(texts []string, unused func() int) []byte {
	b := []byte{byte(min(len(texts)/2, 254))}
	length := func(n int) {
		if n < 254 {
			b = append(b, byte(n))
		} else {
			b = binary.LittleEndian.AppendUint32(append(b, 254), uint32(n))
		}
	}
	for i := 0; i < len(texts); i += 2 {
		length(len(texts[i]))
		b = append(b, texts[i]...)
		length(len(texts[i+1]))
		free := unused()
		b = append(append(b, byte(free)), texts[i+1]...)
		b = append(b, make([]byte, free)...)
	}
	return append(b, 255)
}

func none() int { return 0 }

func textsOf(m zipmap.Map) []string {
	texts := []string{}
	for at := m.First(); at != 0; {
		field, value, next := m.Get(at)
		texts = append(texts, string(field), string(value))
		at = next
	}
	return texts
}

func TestComesBack(t *testing.T) {
	text := rapid.OneOf(rapid.StringN(0, 5, 10), rapid.Map(rapid.SampledFrom([]int{252, 253, 254, 255, 300}), func(n int) string { return strings.Repeat("x", n) }))
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(text, 2, 20).Draw(t, "texts")
		texts = texts[:len(texts)&^1]
		b := build(texts, func() int { return rapid.IntRange(0, 4).Draw(t, "unused") })
		if err := zipmap.Validate(b); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if m := zipmap.Map(b); !slices.Equal(textsOf(m), texts) || m.Len() != len(texts)/2 {
			t.Fatalf("%q: %q", b, textsOf(m))
		}
	})
}

// TestDocumented is the example of Redis's own description.
func TestDocumented(t *testing.T) {
	b := []byte("\x02\x03foo\x03\x00bar\x05hello\x05\x00world\xff")
	if err := zipmap.Validate(b); err != nil || !slices.Equal(textsOf(b), []string{"foo", "bar", "hello", "world"}) {
		t.Errorf("%q %v", textsOf(b), err)
	}
}

func TestCountBeyondHeader(t *testing.T) {
	b := build(slices.Repeat([]string{"a", "b"}, 300), none)
	if err := zipmap.Validate(b); err != nil || zipmap.Map(b).Len() != 300 {
		t.Errorf("%d %v", zipmap.Map(b).Len(), err)
	}
	if zipmap.Map("\x00\xff").First() != 0 {
		t.Error("an empty map has a pair")
	}
}

func TestValidateRefuses(t *testing.T) {
	for name, b := range map[string]string{
		"nothing":                     "",
		"no room for the end":         "\x00",
		"no end":                      "\x01\x01a\x01\x00b",
		"no pair":                     "\x00\xff",
		"bytes behind the end":        "\x01\x01a\x01\x00b\xff\xff",
		"a count too great":           "\x02\x01a\x01\x00b\xff",
		"a count too small":           "\x01\x01a\x01\x00b\x01c\x01\x00d\xff",
		"a field beyond the end":      "\x01\x05a\xff",
		"no value":                    "\x01\x01a\xff",
		"no unused":                   "\x01\x01a\x00\xff",
		"a value beyond the end":      "\x01\x01a\x02\x00b\xff",
		"unused beyond the end":       "\x01\x01a\x01\x01b\xff",
		"half a long length":          "\x01\xfe\x00\x01\xff",
		"a great field":               "\x01\xfe\xff\xff\xff\xffa\x01\x00b\xff",
		"a small length in long form": "\x01\xfe\x01\x00\x00\x00a\x01\x00b\xff",
		"an end in a length's place":  "\x01\x01a\xff\x01\x00\x00\x00\x00b\xff",
	} {
		if err := zipmap.Validate([]byte(b)); !errors.Is(err, zipmap.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAsRedis gives zipmaps, whole and spoiled, to a server that looks at every pair. What only we refuse is not shown to it: it might not survive.
func TestAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t, "--sanitize-dump-payload", "yes", "--hash-max-listpack-value", "10000"), 0)
	rng := rand.New(rand.NewPCG(4, 2))
	texts := []string{"field", "value", "number", "12", "long", strings.Repeat("x", 300), "", "empty", "e", ""}
	good, accepted := build(texts, func() int { return rng.IntN(3) }), 0
	for i := range 3000 {
		b := bytes.Clone(good)
		for ; i > 0 && rng.IntN(2) == 0; b[rng.IntN(len(b))] ^= 1 << rng.IntN(8) {
		}
		err := zipmap.Validate(b)
		if err != nil && (strings.Contains(err.Error(), "length") || strings.Contains(err.Error(), "end mark at")) {
			continue
		}
		reply := dumps.Restore(t, c, "h", rdb.TypeHashZipmap, rdb.AppendString(nil, b, nil))
		if err != nil {
			if reply == "+OK\r\n" {
				t.Fatalf("%q: ours %v, theirs %s", b, err, reply)
			}
			continue
		}
		ours, unique := textsOf(b), map[string]bool{}
		for j := 0; j < len(ours); j += 2 {
			unique[ours[j]] = true
		}
		if len(unique) < len(ours)/2 {
			continue // a field twice is the hash's business
		}
		if theirs := dumps.Texts(t, c.Do("HGETALL", "h")); reply != "+OK\r\n" || !slices.Equal(ours, theirs) {
			t.Fatalf("%q: %s\nours   %q\ntheirs %q", b, reply, ours, theirs)
		}
		accepted++
	}
	if accepted < 300 {
		t.Errorf("%d accepted: too few to say much", accepted)
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	m, total := zipmap.Map(build([]string{"a", "5", "b", strings.Repeat("b", 300)}, none)), 0
	if n := testing.AllocsPerRun(100, func() {
		_ = zipmap.Validate(m)
		for at := m.First(); at != 0; {
			field, value, next := m.Get(at)
			total += len(field) + len(value)
			at = next
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzValidate(f *testing.F) {
	f.Add([]byte("\x02\x03foo\x03\x00bar\x05hello\x05\x00world\xff"))
	f.Add(build([]string{"long", strings.Repeat("x", 300), "n", strconv.Itoa(12)}, func() int { return 2 }))
	f.Fuzz(func(t *testing.T, b []byte) {
		if zipmap.Validate(b) != nil {
			return
		}
		texts := textsOf(b)
		if zipmap.Map(b).Len() != len(texts)/2 {
			t.Fatalf("%q: %d pairs, %q", b, zipmap.Map(b).Len(), texts)
		}
		again := build(texts, none)
		if err := zipmap.Validate(again); err != nil || !slices.Equal(textsOf(again), texts) {
			t.Fatalf("%q: %q: %v", b, texts, err)
		}
	})
}
