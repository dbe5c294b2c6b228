package hll_test

import (
	"encoding/binary"
	"testing"

	"larder/algebra/hll"

	"pgregory.net/rapid"
)

func TestSelf(t *testing.T) {
	if wrong := hll.SelfTest(); wrong != "" {
		t.Error(wrong)
	}
}

// TestForms: both forms, at every limit, keep the registers of a naive model.
func TestForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sparseMax := rapid.SampledFrom([]int{0, 20, 100, 3000, 30000}).Draw(t, "sparse max")
		spread := rapid.SampledFrom([]int{8, 200, hll.Registers}).Draw(t, "spread")
		b := hll.New(nil)
		var want [hll.Registers]byte
		for range rapid.IntRange(0, 500).Draw(t, "changes") {
			register := rapid.IntRange(0, spread-1).Draw(t, "register")
			count := byte(rapid.SampledFrom([]int{1, 1, 1, 2, 3, 31, 32, 33, 51}).Draw(t, "count"))
			var changed, ok bool
			if b, changed, ok = hll.Raise(b, register, count, sparseMax); !ok || changed != (count > want[register]) {
				t.Fatalf("register %d, from %d to %d: changed %v, ok %v", register, want[register], count, changed, ok)
			}
			want[register] = max(want[register], count)
		}
		var got [hll.Registers]byte
		if !hll.Is(b) || !hll.Unpack(b, &got) || got != want {
			t.Fatal("the registers are others")
		}
		if b, ok := hll.ToDense(b); !ok || len(b) != hll.DenseLen || !hll.Unpack(b, &got) || got != want {
			t.Fatal("the registers are others in the dense form")
		}
	})
}

// FuzzBytes: no bytes make anything panic, and what is refused stays as it was.
func FuzzBytes(f *testing.F) {
	f.Add(hll.New(nil), 7, byte(3))
	f.Add([]byte("HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x7f\xff\x80"), 16383, byte(40))
	f.Add([]byte("HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x7f"), 0, byte(1))
	f.Fuzz(func(t *testing.T, b []byte, register int, count byte) {
		if !hll.Is(b) {
			return
		}
		var registers [hll.Registers]byte
		sound := hll.Unpack(b, &registers)
		hll.Estimate(&registers)
		if !hll.Dense(b) {
			hll.Describe(nil, b)
		}
		before := string(b)
		out, _, ok := hll.Raise(b, register&(hll.Registers-1), count&63, 100)
		switch {
		case sound && !ok:
			t.Error("a sound block is refused")
		case !ok && string(out) != before:
			t.Error("what is refused was changed")
		}
	})
}

func BenchmarkRaise(b *testing.B) {
	block := hll.New(nil)
	var element [8]byte
	for i := range b.N {
		binary.LittleEndian.PutUint64(element[:], uint64(i))
		register, count := hll.Place(element[:])
		block, _, _ = hll.Raise(block, register, count, 3000)
	}
}
