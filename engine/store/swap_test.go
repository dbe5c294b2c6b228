package store_test

import (
	"fmt"
	"testing"

	"larder/engine/store"
	"larder/engine/store/tree"
)

// TestSwap: a snapshot tells of each key as of where it was when it began, whenever databases change places; and what an object grows by counts for the
// database that it is in then.
func TestSwap(t *testing.T) {
	const now = 1000
	s := open(t, 1)
	want := map[string]int{}
	for i := range 5000 {
		db, key := i%2, fmt.Sprint("key:", i)
		s.DB(db).Set([]byte(key), []byte("value"), store.FormAny, store.NoExpiry, now)
		want[key] = db
	}
	o := s.DB(0).NewObject([]byte("object"), store.KindListBig, [2]tree.Order{{}, byBytes}, store.NoExpiry, now)
	want["object"] = 0
	appendMany(o, 1000)
	pass, err := s.Snapshot(store.SnapshotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for round := 0; ; round++ {
		more, err := pass.Next(20_000, func(db int, it store.Item) {
			if home, found := want[string(it.Key())]; !found || home != db {
				t.Fatalf("%q was in database %d (%v), told of as in %d", it.Key(), home, found, db)
			}
			delete(want, string(it.Key()))
		})
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
		s.Swap(round%2, (round+1)%3)
	}
	if len(want) > 0 {
		t.Errorf("%d keys were not told of", len(want))
	}
	for at := range 3 {
		if _, found := s.DB(at).Peek([]byte("object"), now); !found {
			continue
		}
		other := (at + 1) % 3
		s.Swap(at, other)
		before := [2]int64{s.DB(at).Memory(), s.DB(other).Memory()}
		it, _ := s.DB(other).Peek([]byte("object"), now)
		appendMany(s.DB(other).EditObject(it), 5000)
		if after := s.DB(other).Memory(); after <= before[1] || s.DB(at).Memory() != before[0] {
			t.Errorf("the object's database: %d bytes, then %d; the other: %d, then %d", before[1], after, before[0], s.DB(at).Memory())
		}
		break
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

func appendMany(o *store.Object, n int) {
	for i := range n {
		o.Trees[0].Append(fmt.Appendf(nil, "%d", i))
	}
}
