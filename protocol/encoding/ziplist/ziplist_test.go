package ziplist_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/dumps"
	"larder/internal/peers"
	"larder/protocol/encoding/rdb"
	"larder/protocol/encoding/ziplist"
)

// build writes a ziplist naively; wide says which lengths before are written in five bytes though they are small.
func build(texts []string, wide func(i int) bool) []byte {
	b := make([]byte, 10)
	last, before := 10, 0
	for i, text := range texts {
		last = len(b)
		if before >= 254 || wide != nil && wide(i) {
			b = binary.LittleEndian.AppendUint32(append(b, 254), uint32(before))
		} else {
			b = append(b, byte(before))
		}
		b = appendBody(b, text)
		before = len(b) - last
	}
	b = append(b, 255)
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	binary.LittleEndian.PutUint32(b[4:], uint32(last))
	binary.LittleEndian.PutUint16(b[8:], uint16(min(len(texts), math.MaxUint16)))
	return b
}

func appendBody(b []byte, text string) []byte {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
		number := binary.LittleEndian.AppendUint64(nil, uint64(n))
		switch {
		case n >= 0 && n <= 12:
			return append(b, 0xf1+byte(n))
		case n == int64(int8(n)):
			return append(append(b, 0xfe), number[:1]...)
		case n == int64(int16(n)):
			return append(append(b, 0xc0), number[:2]...)
		case n == n<<40>>40:
			return append(append(b, 0xf0), number[:3]...)
		case n == int64(int32(n)):
			return append(append(b, 0xd0), number[:4]...)
		default:
			return append(append(b, 0xe0), number...)
		}
	}
	switch n := len(text); {
	case n < 1<<6:
		b = append(b, byte(n))
	case n < 1<<14:
		b = append(b, 0x40|byte(n>>8), byte(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, 0x80), uint32(n))
	}
	return append(b, text...)
}

func textsOf(l ziplist.List) []string {
	texts := []string{}
	for at := l.First(); at != 0; {
		e, next := l.Get(at)
		texts = append(texts, string(e.Append(nil)))
		at = next
	}
	return texts
}

func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringN(0, 8, 20),
		rapid.Map(rapid.Custom(func(t *rapid.T) int64 {
			return rapid.Int64().Draw(t, "n") >> rapid.IntRange(0, 63).Draw(t, "shift")
		}), func(n int64) string { return strconv.FormatInt(n, 10) }),
		rapid.Map(rapid.SampledFrom([]int{63, 64, 247, 248, 249, 250, 251, 252, 253, 254, 16383, 16384}), func(n int) string { return strings.Repeat("e", n) }),
	)
}

func TestComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(anyText(), 0, 20).Draw(t, "texts")
		b := build(texts, func(int) bool { return rapid.IntRange(0, 4).Draw(t, "wide") == 0 })
		if err := ziplist.Validate(b); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if l := ziplist.List(b); !slices.Equal(textsOf(l), texts) || l.Len() != len(texts) {
			t.Fatalf("%q: %q", b, textsOf(l))
		}
	})
}

func TestCountBeyondHeader(t *testing.T) {
	b := build(slices.Repeat([]string{"1"}, 70000), nil)
	if err := ziplist.Validate(b); err != nil || ziplist.List(b).Len() != 70000 {
		t.Errorf("%d %v", ziplist.List(b).Len(), err)
	}
}

func TestValidateRefuses(t *testing.T) {
	ends := func(entries string, last byte, count byte) string {
		return string([]byte{byte(11 + len(entries)), 0, 0, 0, last, 0, 0, 0, count, 0}) + entries + "\xff"
	}
	for name, b := range map[string]string{
		"nothing":                 "",
		"no room for the end":     ends("", 10, 0)[:10],
		"a wrong size":            ends("\x00\xf2", 10, 1) + "x",
		"no end":                  ends("", 10, 0)[:10] + "\x00",
		"bytes behind the end":    "\x0c" + ends("\xff", 10, 0)[1:],
		"a wrong last entry":      ends("\x00\xf2\x02\xf3", 10, 2),
		"a last one in no entry":  ends("", 11, 0),
		"a count too great":       ends("\x00\xf2", 10, 2),
		"a count too small":       ends("\x00\xf2\x02\xf3", 12, 1),
		"an unknown form":         ends("\x00\xc1", 10, 1),
		"an end as head":          ends("\x00\xff", 10, 1),
		"no head":                 ends("\x00", 10, 1),
		"half a long before":      ends("\xfe\x00\x00", 10, 1),
		"a first with a before":   ends("\x01\xf2", 10, 1),
		"a wrong before":          ends("\x00\xf2\x03\xf3", 12, 2),
		"a text beyond the end":   ends("\x00\x05ab", 10, 1),
		"a text up to the end":    ends("\x00\x03ab", 10, 1),
		"half a 14 bit length":    ends("\x00\x40", 10, 1),
		"half a 32 bit length":    ends("\x00\x80\x00\x00", 10, 1),
		"a great text":            ends("\x00\x80\xff\xff\xff\xffab", 10, 1),
		"a number beyond the end": ends("\x00\xe0\x01\x02", 10, 1),
	} {
		if err := ziplist.Validate([]byte(b)); !errors.Is(err, ziplist.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAsRedis gives ziplists, whole and spoiled, to a server that looks at every entry: it must accept and refuse as we do, and read the same.
func TestAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t, "--sanitize-dump-payload", "yes"), 0)
	rng := rand.New(rand.NewPCG(2, 2))
	texts := []string{"a", "12", "13", "-1", "0", "-129", "32768", "-8388609", "5000000000", "text", strings.Repeat("x", 260), "z", "01"}
	good := build(texts, func(i int) bool { return i == 3 })
	if reply := dumps.Restore(t, c, "l", rdb.TypeListZiplist, rdb.AppendString(nil, good, nil)); reply != "+OK\r\n" {
		t.Fatal(reply)
	}
	accepted, refused := 0, 0
	for range 3000 {
		b := bytes.Clone(good)
		for range 1 + rng.IntN(2) {
			if at := rng.IntN(len(b)); rng.IntN(3) == 0 {
				b[at] = byte(rng.Uint32())
			} else {
				b[at] ^= 1 << rng.IntN(8)
			}
		}
		err := ziplist.Validate(b)
		reply := dumps.Restore(t, c, "l", rdb.TypeListZiplist, rdb.AppendString(nil, b, nil))
		if (reply == "+OK\r\n") != (err == nil) {
			t.Fatalf("%q: ours %v, theirs %s", b, err, reply)
		}
		if err != nil {
			refused++
			continue
		}
		accepted++
		theirs := dumps.Texts(t, c.Do("LRANGE", "l", "0", "-1"))
		if ours := textsOf(b); !slices.Equal(ours, theirs) {
			t.Fatalf("%q:\nours   %q\ntheirs %q", b, ours, theirs)
		}
	}
	if accepted < 300 || refused < 300 {
		t.Errorf("%d accepted, %d refused: too one-sided to say much", accepted, refused)
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	l, total := ziplist.List(build([]string{"a", "5", "70000", strings.Repeat("b", 300)}, nil)), 0
	if n := testing.AllocsPerRun(100, func() {
		_ = ziplist.Validate(l)
		for at := l.First(); at != 0; {
			e, next := l.Get(at)
			total += e.Len()
			at = next
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzValidate(f *testing.F) {
	f.Add(build([]string{"field", "value", "n", "12", "m", "-70000"}, nil))
	f.Add(build([]string{"5000000000", "13", strings.Repeat("x", 300), "end"}, func(i int) bool { return i == 1 }))
	f.Fuzz(func(t *testing.T, b []byte) {
		if ziplist.Validate(b) != nil {
			return
		}
		l := ziplist.List(b)
		texts := textsOf(l)
		if l.Len() != len(texts) {
			t.Fatalf("%q: %d entries, %q", b, l.Len(), texts)
		}
		again := build(texts, nil)
		if err := ziplist.Validate(again); err != nil || !slices.Equal(textsOf(again), texts) {
			t.Fatalf("%q: %q: %v", b, texts, err)
		}
	})
}
