package store_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"larder/engine/store"
	"larder/internal/snapshots"
)

// TestHashOrder compares with sorting by hash and text.
func TestHashOrder(t *testing.T) {
	s := snapshots.NewStore(t)
	defer s.Close()
	var buf []store.Hashed
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 3), 0, 2000).Draw(t, "texts")
		want := slices.Clone(texts)
		slices.SortFunc(want, func(a, b []byte) int { return cmp.Or(cmp.Compare(s.Hash(a), s.Hash(b)), bytes.Compare(a, b)) })
		twice := len(slices.CompactFunc(slices.Clone(want), bytes.Equal)) < len(want)
		order, distinct := s.HashOrder(buf, len(texts), func(i int) []byte { return texts[i] })
		buf = order[:0]
		if distinct == twice {
			t.Fatalf("distinct %v, twice %v", distinct, twice)
		}
		for i, e := range order {
			if distinct && !bytes.Equal(texts[e.Index], want[i]) {
				t.Fatalf("place %d: %q, want %q", i, texts[e.Index], want[i])
			}
		}
	})
}

// TestExpect: a database that was told how many keys come has room for them at once, and is as it would have been else when they are gone.
func TestExpect(t *testing.T) {
	const keys = 100_000
	s := snapshots.NewStore(t)
	defer s.Close()
	d := s.DB(0)
	key := func(i int) []byte { return fmt.Appendf(nil, "key:%d", i) }
	d.Expect(keys)
	if got, _ := d.Overhead(); got != 0 {
		t.Errorf("%d bytes for keys that have not come", got)
	}
	for i := range keys {
		d.Set(key(i), []byte("v"), store.FormAny, store.NoExpiry, 1)
	}
	expected, _ := d.Overhead()
	for i := range keys {
		if _, found := d.Peek(key(i), 1); !found {
			t.Fatalf("key %d is not there", i)
		}
	}
	other := s.DB(1)
	for i := range keys {
		other.Set(key(i), []byte("v"), store.FormAny, store.NoExpiry, 1)
	}
	if grown, _ := other.Overhead(); expected > grown*5/4 || expected < grown*3/4 {
		t.Errorf("the index takes %d bytes, one that grew %d", expected, grown)
	}
	d.Expect(0)
	for i := range keys {
		d.Delete(key(i), 1)
	}
	if left, _ := d.Overhead(); left != 0 || d.Len() != 0 {
		t.Errorf("%d bytes and %d keys are left", left, d.Len())
	}
}
