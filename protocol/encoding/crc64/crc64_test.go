package crc64_test

import (
	"bytes"
	standard "hash/crc64"
	"testing"

	"pgregory.net/rapid"

	"larder/protocol/encoding/crc64"
)

func TestKnownValue(t *testing.T) {
	if got := crc64.Update(0, []byte("123456789")); got != 0xe9c6d914c4b8d9ca {
		t.Errorf("%x", got)
	}
}

// TestAsStandardLibrary compares with its bytewise sum, which inverts before and after.
func TestAsStandardLibrary(t *testing.T) {
	table := standard.MakeTable(0x95ac9329ac4bc9b5)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "p")
		p = bytes.Repeat(p, rapid.SampledFrom([]int{1, 1, 40}).Draw(t, "times"))
		cut := rapid.IntRange(0, len(p)).Draw(t, "cut")
		got := crc64.Update(crc64.Update(0, p[:cut]), p[cut:])
		if want := ^standard.Update(^uint64(0), table, p); got != want {
			t.Fatalf("%x, want %x", got, want)
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	p := make([]byte, 64<<10)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		crc64.Update(1, p)
	}
}
