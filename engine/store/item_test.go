package store_test

import (
	"bytes"
	"testing"

	"larder/engine/store"
)

// FuzzItem writes items of every form and reads them back, as they are, moved, and with another expiry.
func FuzzItem(f *testing.F) {
	f.Add([]byte("key"), []byte("value"), uint8(0), int64(0), uint64(0), uint32(0))
	f.Add([]byte(""), []byte(""), uint8(1), int64(1<<62), uint64(1<<63), uint32(1))
	f.Add(bytes.Repeat([]byte("k"), 200), bytes.Repeat([]byte("v"), 127), uint8(2), int64(5), uint64(0), uint32(0))
	f.Add(bytes.Repeat([]byte("k"), 70000), []byte("12345"), uint8(0), int64(5), uint64(7), uint32(7))
	f.Add([]byte("k"), bytes.Repeat([]byte("v"), 40000), uint8(0), int64(5), uint64(7), uint32(7))
	f.Fuzz(func(t *testing.T, key, value []byte, form uint8, expiry int64, cas uint64, flags uint32) {
		s := open(t, 1)
		d := s.DB(0)
		words := store.Words{CAS: cas, Flags: flags}
		expiry &^= -1 << 63
		d.Set([]byte("before"), value, store.FormAny, 0, 0)
		if cas|uint64(flags) != 0 {
			d.SetWords(key, value, store.Form(form%3), words, expiry, 0)
		} else {
			d.Set(key, value, store.Form(form%3), expiry, 0)
		}
		d.Set([]byte("behind"), value, store.FormAny, 0, 0)
		check := func(expiry int64) {
			t.Helper()
			it, ok := d.Peek(key, 0)
			if string(key) == "before" || string(key) == "behind" {
				return
			}
			if !ok || !bytes.Equal(it.Key(), key) || !bytes.Equal(it.Text(make([]byte, 20)), value) || it.Len() != len(value) || it.ExpiryMS() != expiry || it.Words() != words {
				t.Fatalf("%v: %.20q until %d with %+v, want %.20q until %d with %+v", ok, it.Text(nil), it.ExpiryMS(), it.Words(), value, expiry, words)
			}
			if err := s.Verify(); err != nil {
				t.Fatal(err)
			}
		}
		check(expiry)
		s.Shake(1<<16 - 1)
		check(expiry)
		it, _ := d.Peek(key, 0)
		it.Expire(77, 0)
		if it.ExpiryMS() != 77 || !bytes.Equal(it.Key(), key) {
			t.Fatal("an item is not valid after its expiry changed")
		}
		check(77)
		it.Expire(store.NoExpiry, 0)
		check(store.NoExpiry)
		s.Shake(1<<16 - 1)
		check(store.NoExpiry)
	})
}

func TestBlob(t *testing.T) {
	d := open(t, 1).DB(0)
	d.SetBlob([]byte("k"), store.KindMax, []byte("a blob"), 5, 1)
	it, ok := d.Lookup([]byte("k"), 1)
	if !ok || it.Kind() != store.KindMax || string(it.Text(nil)) != "a blob" || it.Frozen() {
		t.Errorf("%v %v %q", ok, it.Kind(), it.Text(nil))
	}
}

// TestItemFacts: what OBJECT and MEMORY USAGE tell.
func TestItemFacts(t *testing.T) {
	d := open(t, 1).DB(0)
	const now = 1_700_000_000_000
	d.Set([]byte("k"), []byte("value"), store.FormAny, store.NoExpiry, now)
	it, _ := d.Peek([]byte("k"), now+5000)
	if it.IdleMS(now+5000) != 5000 || it.Freq() != 0 || it.Size() < 12 || it.Size() > 40 {
		t.Errorf("idle %d ms, seen %d times, %d bytes", it.IdleMS(now+5000), it.Freq(), it.Size())
	}
	for range 5 {
		it, _ = d.Lookup([]byte("k"), now+7000)
	}
	if it.IdleMS(now+8500) != 1000 || it.Freq() != 3 {
		t.Errorf("idle %d ms, seen %d times", it.IdleMS(now+8500), it.Freq())
	}
}

func TestSlots(t *testing.T) {
	d := open(t, 1).DB(0)
	for i := range 300 {
		d.Set(sixteen(nil, i), nil, store.FormAny, store.NoExpiry, 1)
		d.Set(append([]byte("{a}"), sixteen(nil, i)...), nil, store.FormAny, store.NoExpiry, 1)
	}
	const slot = 15495 // of "a"
	if n := d.CountSlot(slot, 1); n != 300 {
		t.Errorf("%d keys in the slot", n)
	}
	n := 0
	d.EachOfSlot(slot, 1, func(store.Item) bool { n++; return n < 10 })
	if n != 10 {
		t.Errorf("%d keys visited", n)
	}
	for d.FlushSlot(slot, 7) {
	}
	if d.CountSlot(slot, 1) != 0 || d.Len() != 300 {
		t.Errorf("%d keys of the slot are left of %d", d.CountSlot(slot, 1), d.Len())
	}
	for g := range store.Groups {
		for d.FlushGroup(g, 3) {
		}
	}
	if d.Len() != 0 {
		t.Errorf("%d keys are left", d.Len())
	}
}
