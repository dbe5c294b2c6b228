package store_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"larder/engine/store"
	"larder/engine/store/tree"
)

// grow makes an object of n entries of 20 bytes, in a list and in an order.
func grow(d *store.DB, key []byte, n int) {
	o := d.NewObject(key, store.KindZSetBig, [2]tree.Order{{}, byBytes}, store.NoExpiry, 1)
	entry := make([]byte, 20)
	for i := range n {
		binary.BigEndian.PutUint64(entry, uint64(i)*0x9e3779b97f4a7c15)
		o.Trees[0].Append(entry)
		c, _ := seekBytes(o.Trees[1], entry)
		o.Trees[1].Insert(c, entry)
	}
}

// TestObjectPause gives big objects up in all ways: no slice may take long, and all memory comes back.
func TestObjectPause(t *testing.T) {
	const slice = 64 << 10
	key := []byte("k")
	for name, drop := range map[string]func(*store.DB){
		"delete":    func(d *store.DB) { d.Delete(key, 1) },
		"overwrite": func(d *store.DB) { d.Set(key, []byte("v"), store.FormAny, store.NoExpiry, 1) },
		"expire":    func(d *store.DB) { it, _ := d.Peek(key, 1); it.Expire(2, 1); d.Lookup(key, 3) },
		"flush":     func(d *store.DB) { d.Flush() },
		"rename": func(d *store.DB) {
			d.Set([]byte("k2"), []byte("v"), store.FormAny, store.NoExpiry, 1)
			d.Transfer([]byte("k2"), d, key, false, 1)
		},
		"evict": func(d *store.DB) {
			d.Store().SetLimit(d.Store().Used()/2, store.AllKeysLRU)
			for d.Store().Fit(slice, 1) {
			}
			d.Store().SetLimit(0, store.NoEviction)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, 3)
			d := s.DB(0)
			n := many(t)
			grow(d, key, n)
			full := s.Reserved()
			if s.Memory() < int64(40*n) || full < s.Memory() {
				t.Fatalf("%d bytes, %d reserved", s.Memory(), full)
			}
			first := true
			longest, sum, calls := inSlices(t, func() bool {
				if first {
					first = false
					drop(d)
					return true
				}
				return s.Work(slice)
			})
			t.Logf("%d entries: %d slices, the longest %v, %v in all; %d KiB before, %d after", n, calls, longest, sum, full>>10, s.Reserved()>>10)
			if longest > time.Millisecond && name != "evict" {
				t.Errorf("a slice took %v", longest)
			}
			if s.Reserved() > 2<<20 || s.Memory() > 128<<10 {
				t.Errorf("%d bytes are left, %d reserved", s.Memory(), s.Reserved())
			}
		})
	}
}

// TestObjectKept changes an object while a snapshot is in progress: only the pages that changed are kept, until the snapshot has seen it.
func TestObjectKept(t *testing.T) {
	s := open(t, 3)
	d := s.DB(0)
	key := []byte("k")
	n := many(t)
	grow(d, key, n)
	for s.Work(1 << 20) {
	}
	before, used := s.Reserved(), s.Used()
	p, err := s.Snapshot(store.SnapshotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n / 1000 {
		it, _ := d.Lookup(key, 1)
		o := d.EditObject(it)
		o.Trees[0].Delete(o.Trees[0].At(i * 900))
	}
	if kept := s.Kept(); kept < int64(n/1000)*512 || kept > int64(n/1000)*4096 || s.Used() > used+used/20 || s.Used() < used-used/20 {
		t.Errorf("%d bytes kept, %d used of %d", s.Kept(), s.Used(), used)
	}
	seen := 0
	for more := true; more; {
		more, err = p.Next(1<<20, func(_ int, it store.Item) {
			seen++
			if it.Object().Trees[0].Len() != n {
				t.Errorf("%d entries", it.Object().Trees[0].Len())
			}
		})
	}
	if err != nil || seen != 1 || s.Kept() != 0 {
		t.Errorf("%v: %d objects seen, %d bytes kept", err, seen, s.Kept())
	}
	for s.Work(1 << 20) {
	}
	if s.Reserved() > before+before/8+1<<20 {
		t.Errorf("%d bytes after the snapshot, %d before", s.Reserved(), before)
	}
	p, _ = s.Snapshot(store.SnapshotOptions{KeptMax: 100_000})
	for i := range n / 100 {
		it, _ := d.Lookup(key, 1)
		o := d.EditObject(it)
		o.Trees[0].Delete(o.Trees[0].At(i * 90))
	}
	if _, err := p.Next(1, nil); !errors.Is(err, store.ErrKept) || s.Kept() != 0 {
		t.Errorf("%v: %d bytes kept", err, s.Kept())
	}
}

// TestObjectKeptWhole deletes an object, and a database, that a snapshot wants: all of it is kept.
func TestObjectKeptWhole(t *testing.T) {
	for _, flush := range []bool{false, true} {
		s := open(t, 3)
		d := s.DB(0)
		key := []byte("k")
		grow(d, key, 20_000)
		size := s.Memory()
		p, _ := s.Snapshot(store.SnapshotOptions{})
		if flush {
			d.Flush()
		} else {
			d.Delete(key, 1)
		}
		for s.Work(1 << 20) {
		}
		if kept := s.Kept(); kept < size-100_000 || kept > size {
			t.Errorf("%d bytes kept of %d", kept, size)
		}
		for more := true; more; {
			more, _ = p.Next(1<<20, func(_ int, it store.Item) {
				if n := it.Object().Trees[1].Len(); n != 20_000 {
					t.Errorf("%d entries", n)
				}
			})
		}
		for s.Work(1 << 20) {
		}
		if s.Kept() != 0 || s.Reserved() > 1<<20 {
			t.Errorf("%d bytes kept, %d reserved", s.Kept(), s.Reserved())
		}
	}
}

// TestObjectLimit writes more objects than the limit on memory allows.
func TestObjectLimit(t *testing.T) {
	s := open(t, 3)
	d := s.DB(0)
	const limit = 32 << 20
	s.SetLimit(limit, store.AllKeysLRU)
	over := int64(0)
	for i := range 300 {
		key := fmt.Appendf(nil, "k%d", i)
		d.NewObject(key, store.KindHashBig, [2]tree.Order{byBytes}, store.NoExpiry, 1)
		for j := range 500 {
			if !s.MakeRoom(1000, 1) {
				t.Fatal("no room")
			}
			it, ok := d.Lookup(key, 1)
			if !ok {
				break
			}
			entry := make([]byte, 30+j)
			binary.BigEndian.PutUint64(entry, uint64(j)*0x9e3779b97f4a7c15)
			tree := d.EditObject(it).Trees[0]
			c, _ := seekBytes(tree, entry)
			tree.Insert(c, entry)
			over = max(over, s.Used()-limit)
		}
		s.Work(16 << 10)
	}
	if over > 8<<10 || s.Evicted() == 0 || s.Used() < limit*3/4 {
		t.Errorf("%d bytes over the limit, %d used, %d keys evicted", over, s.Used(), s.Evicted())
	}
}

// TestObjectNoAllocation: commands on an object take nothing from the Go heap.
func TestObjectNoAllocation(t *testing.T) {
	s := open(t, 3)
	d := s.DB(0)
	key, entry := []byte("k"), make([]byte, 20)
	grow(d, key, 10_000)
	i := uint64(0)
	round := func() {
		i++
		binary.BigEndian.PutUint64(entry, i*0x9e3779b97f4a7c15)
		it, _ := d.Lookup(key, 1)
		o := d.EditObject(it)
		c, found := seekBytes(o.Trees[1], entry)
		if found {
			o.Trees[1].Delete(c)
		} else {
			o.Trees[1].Insert(c, entry)
		}
		o.Trees[0].Append(entry)
		o.Trees[0].Delete(o.Trees[0].At(0))
	}
	for range 20_000 {
		round()
	}
	if n := testing.AllocsPerRun(5000, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
