package store_test

import (
	"bytes"
	"fmt"
	"testing"

	"larder/engine/store"
)

// TestEarly overwrites, deletes and lengthens keys that a snapshot has not read: what it takes before its turn is changed in place and nothing of it is kept,
// what it does not take is kept; either way it has each key once, as it was.
func TestEarly(t *testing.T) {
	const keys = 4000
	name := func(i int) []byte { return fmt.Appendf(nil, "key:%d", i) }
	for _, takes := range []bool{true, false} {
		s := open(t, 1)
		d := s.DB(0)
		old, other := bytes.Repeat([]byte("a"), 500), bytes.Repeat([]byte("b"), 500)
		for i := range keys {
			d.Set(name(i), old, store.FormRaw, store.NoExpiry, 1)
		}
		d.SetInt([]byte("number"), 1, store.NoExpiry, 1)
		before := s.Reserved()
		got := map[string]string{}
		take := func(_ int, it store.Item) {
			if _, twice := got[string(it.Key())]; twice {
				t.Errorf("%q comes twice", it.Key())
			}
			got[string(it.Key())] = textOf(it)
		}
		early := 0
		p, err := s.Snapshot(store.SnapshotOptions{Early: func(db int, it store.Item) bool {
			if takes {
				early++
				take(db, it)
			}
			return takes
		}})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // what was taken once is not asked for again
			for i := range keys {
				d.Set(name(i), other, store.FormRaw, store.NoExpiry, 1)
			}
			it, _ := d.Peek([]byte("number"), 1)
			it.SetInt(2)
		}
		if takes && (early != keys+1 || s.Kept() != 0 || s.Reserved() != before) {
			t.Errorf("%d keys were taken early, %d bytes are kept, %d reserved, %d before", early, s.Kept(), s.Reserved(), before)
		}
		if !takes && s.Kept() < keys*500 {
			t.Errorf("%d bytes are kept", s.Kept())
		}
		for i := range keys {
			if i%2 == 0 {
				d.Delete(name(i), 1)
			} else {
				d.Set(name(i), old[:i%500], store.FormRaw, store.NoExpiry, 1)
			}
		}
		for more := true; more; {
			if more, err = p.Next(5000, take); err != nil {
				t.Fatal(err)
			}
		}
		for i := range keys {
			if got[string(name(i))] != string(old) {
				t.Fatalf("%q: %.20q", name(i), got[string(name(i))])
			}
		}
		if len(got) != keys+1 || got["number"] != "1" || s.Kept() != 0 {
			t.Errorf("%d keys, the number is %s, %d bytes are kept", len(got), got["number"], s.Kept())
		}
		if err := s.Verify(); err != nil {
			t.Error(err)
		}
	}
}
