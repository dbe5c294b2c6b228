package intset_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/dumps"
	"larder/internal/peers"
	"larder/protocol/encoding/intset"
	"larder/protocol/encoding/rdb"
)

// What redis-server 7.0.15 dumped of the sets of 1, 2, 300; -70000, 1, 2, 300; and those with 5000000000.
var realSets = []string{
	"\x02\x00\x00\x00\x03\x00\x00\x00\x01\x00\x02\x00,\x01",
	"\x04\x00\x00\x00\x04\x00\x00\x00\x90\xee\xfe\xff\x01\x00\x00\x00\x02\x00\x00\x00,\x01\x00\x00",
	"\b\x00\x00\x00\x05\x00\x00\x00\x90\xee\xfe\xff\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00" +
		",\x01\x00\x00\x00\x00\x00\x00\x00\xf2\x05*\x01\x00\x00\x00",
}

func numbersOf(s intset.Set) []int64 {
	numbers := []int64{}
	for i := range s.Len() {
		numbers = append(numbers, s.At(i))
	}
	return numbers
}

func TestRealSets(t *testing.T) {
	s := intset.New(nil)
	for _, n := range []int64{300, 1, 2} {
		s, _ = s.Add(n)
	}
	for i, next := range []int64{-70000, 5000000000, 0} {
		if string(s) != realSets[i] || intset.Validate(s) != nil {
			t.Errorf("%q, want %q", s, realSets[i])
		}
		s, _ = s.Add(next)
	}
}

// TestModel compares with a sorted slice, and with the bytes written naively.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, model, width := intset.New(make([]byte, 3, 100)), []int64{}, 2
		some := rapid.OneOf(rapid.Int64Range(-5, 5), rapid.Int64(), rapid.SampledFrom([]int64{
			math.MinInt16, math.MinInt16 - 1, math.MaxInt16, math.MaxInt16 + 1, math.MinInt32, math.MinInt32 - 1, math.MaxInt32, math.MaxInt32 + 1,
		}))
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			n := some.Draw(t, "n")
			i, want := slices.BinarySearch(model, n)
			if at, found := s.Find(n); at != i || found != want || s.Contains(n) != want {
				t.Fatalf("%d in %v: at %d %v", n, model, at, found)
			}
			var changed bool
			if rapid.IntRange(0, 2).Draw(t, "remove") == 0 {
				if s, changed = s.Remove(n); want {
					model = slices.Delete(model, i, i+1)
				}
				want = !want
			} else if s, changed = s.Add(n); !want {
				model = slices.Insert(model, i, n)
				width = max(width, naiveWidth(n))
			}
			if changed == want || !bytes.Equal(s, naive(model, width)) || !slices.Equal(numbersOf(s), model) {
				t.Fatalf("%d: %q, changed %v; want %v", n, s, changed, model)
			}
			if err := intset.Validate(s); (err == nil) != (len(model) > 0) {
				t.Fatalf("%v: %v", model, err)
			}
		}
	})
}

func naiveWidth(n int64) int {
	if n == int64(int16(n)) {
		return 2
	}
	if n == int64(int32(n)) {
		return 4
	}
	return 8
}

func naive(numbers []int64, width int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(width))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(numbers)))
	for _, n := range numbers {
		b = append(b, binary.LittleEndian.AppendUint64(nil, uint64(n))[:width]...)
	}
	return b
}

func TestValidateRefuses(t *testing.T) {
	for name, b := range map[string]string{
		"nothing":           "",
		"half a header":     "\x02\x00\x00\x00\x01\x00\x00",
		"an unknown width":  "\x03\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00",
		"too few bytes":     "\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x02",
		"too many bytes":    "\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x02",
		"a great count":     "\x08\x00\x00\x00\x00\x00\x00\x80",
		"no number":         "\x02\x00\x00\x00\x00\x00\x00\x00",
		"a number twice":    "\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x01\x00",
		"descending":        "\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\xff\xff",
		"descending, later": "\x02\x00\x00\x00\x03\x00\x00\x00\x01\x00\x03\x00\x02\x00",
	} {
		if err := intset.Validate([]byte(b)); !errors.Is(err, intset.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAsRedis does the same to a set of a real server and to ours, and compares the bytes after every step.
func TestAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t, "--set-max-intset-entries", "1000", "--sanitize-dump-payload", "yes"), 0)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		c.Do("DEL", "s")
		c.Do("SADD", "s", "0")
		s, _ := intset.New(nil).Add(0)
		for range 40 {
			n := int64(rng.Uint64()) >> (64 - 1 - rng.IntN(63))
			if rng.IntN(4) == 0 && s.Len() > 1 {
				n = s.At(rng.IntN(s.Len()))
				c.Do("SREM", "s", strconv.FormatInt(n, 10))
				s, _ = s.Remove(n)
			} else {
				c.Do("SADD", "s", strconv.FormatInt(n, 10))
				s, _ = s.Add(n)
			}
			if theirs := dumps.Blob(t, c, "s", rdb.TypeSetIntset); !bytes.Equal(s, theirs) {
				t.Fatalf("ours   %q\ntheirs %q", s, theirs)
			}
		}
		spoiled := bytes.Clone(s)
		spoiled[rng.IntN(len(spoiled))] ^= 1 << rng.IntN(8)
		reply := dumps.Restore(t, c, "r", rdb.TypeSetIntset, rdb.AppendString(nil, spoiled, nil))
		if err := intset.Validate(spoiled); (err == nil) != (reply == "+OK\r\n") {
			t.Fatalf("%q: ours %v, theirs %s", spoiled, err, reply)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	s, _ := intset.New(make([]byte, 0, 1000)).Add(1 << 20)
	if n := testing.AllocsPerRun(100, func() {
		s, _ = s.Add(5)
		s, _ = s.Add(-7)
		s.Contains(s.At(1))
		_ = intset.Validate(s)
		s, _ = s.Remove(5)
		s, _ = s.Remove(-7)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzValidate(f *testing.F) {
	for _, seed := range realSets {
		f.Add([]byte(seed), int64(2))
	}
	f.Fuzz(func(t *testing.T, b []byte, n int64) {
		if intset.Validate(b) != nil {
			return
		}
		s := intset.Set(bytes.Clone(b))
		numbers := numbersOf(s)
		i, found := s.Find(n)
		if want, there := slices.BinarySearch(numbers, n); i != want || found != there {
			t.Fatalf("%v: %d is at %d %v", numbers, n, i, found)
		}
		if found {
			return
		}
		s, _ = s.Add(n)
		if err := intset.Validate(s); err != nil || !slices.Equal(numbersOf(s), slices.Insert(slices.Clone(numbers), i, n)) {
			t.Fatalf("%v and %d: %v %v", numbers, n, numbersOf(s), err)
		}
		if s, _ = s.Remove(n); !slices.Equal(numbersOf(s), numbers) {
			t.Fatalf("%v and %d and without it: %v", numbers, n, numbersOf(s))
		}
	})
}

func BenchmarkFind(b *testing.B) {
	for _, count := range []int{10, 128, 512} {
		s := intset.New(nil)
		for i := range count {
			s, _ = s.Add(int64(i) * 1000)
		}
		b.Run(strconv.Itoa(count), func(b *testing.B) {
			for n := int64(0); b.Loop(); n = (n + 7001) % (int64(count) * 1000) {
				s.Contains(n)
			}
		})
	}
}
