package memory_test

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"

	"larder/engine/memory"
)

var sources = map[string]memory.Source{"map": memory.Map{ReserveBytes: 1 << 30}, "heap": memory.Heap{}}

func open(t *testing.T, source memory.Source) *memory.Range {
	r, err := memory.New(source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return &r
}

func TestWords(t *testing.T) {
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			r := open(t, source)
			if err := r.Grow(1 << 20); err != nil {
				t.Fatal(err)
			}
			const at = 4093 // across a page's end, not aligned
			r.SetU64(at, 0x8877665544332211)
			if !bytes.Equal(r.Bytes(at, 8), []byte{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}) {
				t.Errorf("% x", r.Bytes(at, 8))
			}
			if r.U64(at) != 0x8877665544332211 || r.U40(at) != 0x5544332211 || r.U32(at) != 0x44332211 || r.U16(at) != 0x2211 || r.Byte(at) != 0x11 {
				t.Error("words read are not those written")
			}
			r.SetU40(at, 0xa5a4a3a2a1)
			r.SetU32(at+5, 0xb4b3b2b1)
			r.SetU16(at+9, 0xc2c1)
			r.SetByte(at+11, 0xd1)
			if !bytes.Equal(r.Bytes(at, 12), []byte{0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xb1, 0xb2, 0xb3, 0xb4, 0xc1, 0xc2, 0xd1}) {
				t.Errorf("% x", r.Bytes(at, 12))
			}
			r.Copy(at+2, at, 5)
			r.Zero(at, 2)
			if !bytes.Equal(r.Bytes(at, 8), []byte{0, 0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xb3}) {
				t.Errorf("% x", r.Bytes(at, 8))
			}
			if b := r.Bytes(at, 3); cap(b) != 3 {
				t.Error("a view has room to append")
			}
		})
	}
}

func TestDiscard(t *testing.T) {
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			r := open(t, source)
			if err := r.Grow(1 << 20); err != nil {
				t.Fatal(err)
			}
			for at := range 10 * memory.PageBytes {
				r.SetByte(uint64(at), 1)
			}
			r.Discard(100, 3*memory.PageBytes) // two whole pages
			r.Use(0, 4*memory.PageBytes)
			zeros := bytes.Count(r.Bytes(0, 10*memory.PageBytes), []byte{0})
			if zeros != 2*memory.PageBytes || r.Byte(memory.PageBytes-1) != 1 || r.Byte(memory.PageBytes) != 0 {
				t.Errorf("%d bytes were given back", zeros)
			}
			r.Discard(0, 10)
			if r.Byte(0) != 1 {
				t.Error("a part of a page was given back")
			}
		})
	}
}

// TestMemoryIsTheSystems: what is reserved or discarded takes no memory, what is touched does.
func TestMemoryIsTheSystems(t *testing.T) {
	resident := func() int {
		b, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			t.Fatal(err)
		}
		pages, err := strconv.Atoi(strings.Fields(string(b))[1])
		if err != nil {
			t.Fatal(err)
		}
		return pages * os.Getpagesize()
	}
	r := open(t, memory.Map{})
	const bytes, slack = 64 << 20, 16 << 20
	before := resident()
	if err := r.Grow(bytes); err != nil {
		t.Fatal(err)
	}
	if n := resident() - before; n > slack {
		t.Errorf("%d bytes taken by growing", n)
	}
	r.Zero(0, bytes)
	if n := resident() - before; n < bytes-slack {
		t.Errorf("%d bytes taken by touching", n)
	}
	r.Discard(0, bytes)
	if n := resident() - before; n > slack {
		t.Errorf("%d bytes taken after giving back", n)
	}
}

func TestErrors(t *testing.T) {
	if _, err := memory.New(memory.Map{ReserveBytes: 5}); err == nil {
		t.Error("half a page was reserved")
	}
	if _, err := memory.New(memory.Map{ReserveBytes: memory.ReserveMax + memory.PageBytes}); err == nil {
		t.Error("more than the most was reserved")
	}
	r := open(t, memory.Heap{ReserveBytes: 1 << 20})
	if err := r.Grow(r.Reserved() + 1); err == nil {
		t.Error("grew beyond what is reserved")
	}
}

// TestChecked: the checked build finds what lies outside, and what was given back.
func TestChecked(t *testing.T) {
	if !memory.Checked {
		return // there is nothing to find in the ordinary build
	}
	panics := func(f func()) (did bool) {
		defer func() { did = recover() != nil }()
		f()
		return false
	}
	r := open(t, memory.Map{ReserveBytes: 1 << 30})
	if err := r.Grow(1 << 20); err != nil {
		t.Fatal(err)
	}
	if !panics(func() { r.U64(1<<20 - 7) }) || panics(func() { r.U64(1<<20 - 8) }) || !panics(func() { r.Byte(1 << 40) }) {
		t.Error("the end is not where it should be")
	}
	r.Discard(0, 2*memory.PageBytes)
	if !panics(func() { r.SetByte(5000, 1) }) || panics(func() { r.SetByte(2*memory.PageBytes, 1) }) {
		t.Error("discarded pages can be touched, or others can't")
	}
	r.Use(0, memory.PageBytes)
	if panics(func() { r.SetByte(5, 1) }) || !panics(func() { r.Bytes(0, 5000) }) {
		t.Error("a page that is in use again can't be touched, or its neighbour can")
	}
}
