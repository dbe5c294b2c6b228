package tree_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/zeebo/xxh3"

	"larder/engine/store/tree"
)

var byBytes = tree.Order{Word: binary.BigEndian.Uint64}

// fill inserts n entries of 20 bytes at random and gives the bytes that one takes over its own.
func fill(t *tree.Tree, n int, entry []byte, dice *rand.Rand) float64 {
	for range n {
		binary.BigEndian.PutUint64(entry, dice.Uint64())
		c, _ := t.Seek(binary.BigEndian.Uint64(entry), func(e []byte) int { return bytes.Compare(e, entry) })
		t.Insert(c, entry)
	}
	return float64(t.Bytes())/float64(n) - float64(len(entry))
}

// TestOverhead bounds what an entry takes over its bytes: in trees from small to large, at random and in order.
func TestOverhead(t *testing.T) {
	b := newBlocks(t)
	defer b.mem.Close()
	pool := tree.NewPool(&b.mem, b)
	for _, n := range []int{10, 100, 1000, 10_000, 200_000} {
		at := tree.New(pool, byBytes, &tree.Account{})
		random := fill(at, n, make([]byte, 20), rand.New(rand.NewPCG(1, uint64(n))))
		list := tree.New(pool, tree.Order{}, &tree.Account{})
		for range n {
			list.Append(make([]byte, 20))
		}
		ordered := float64(list.Bytes())/float64(n) - 20
		t.Logf("%d entries: %.1f bytes more at random, %.1f appended", n, random, ordered)
		if n >= 100 && (random > 10 || ordered > 10) || n > 1000 && ordered > 5 {
			t.Errorf("%d entries: %.1f bytes more at random, %.1f appended", n, random, ordered)
		}
	}
}

// TestNoAllocation: changes take nothing from the Go heap.
func TestNoAllocation(t *testing.T) {
	b := newBlocks(t)
	defer b.mem.Close()
	at := tree.New(tree.NewPool(&b.mem, b), byBytes, &tree.Account{})
	entry, dice := make([]byte, 20), rand.New(rand.NewPCG(1, 1))
	fill(at, 20_000, entry, dice)
	long := make([]byte, 500)
	round := func() {
		fill(at, 1, entry, dice)
		c := at.At(dice.IntN(at.Len()))
		at.Delete(c)
		c = at.At(dice.IntN(at.Len()))
		copy(long, c.Entry()[:8])
		at.Replace(c, long[:8+dice.IntN(2)*400])
		c.Prev()
		c.Rank()
	}
	for range 20_000 {
		round()
	}
	if n := testing.AllocsPerRun(5000, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestGuessing: among words that are spread evenly a search looks at two or three entries, however many there are.
func TestGuessing(t *testing.T) {
	m := newBlocks(t)
	defer m.mem.Close()
	for _, n := range []int{30, 1000, 100_000} {
		looks := 0
		word := func(entry []byte) uint64 {
			looks++
			return xxh3.Hash(entry)
		}
		even := tree.New(tree.NewPool(&m.mem, m), tree.Order{Word: word, Even: true}, &tree.Account{})
		entry, dice := make([]byte, 20), rand.New(rand.NewPCG(1, 1))
		seek := func(i int) (tree.Cursor, bool) {
			binary.BigEndian.PutUint64(entry, uint64(i))
			return even.Seek(xxh3.Hash(entry), func(e []byte) int { return bytes.Compare(e, entry) })
		}
		for i := range n {
			c, _ := seek(i)
			even.Insert(c, entry)
		}
		looks = 0
		const searches = 10_000
		for range searches {
			i := dice.IntN(2 * n)
			if _, found := seek(i); found != (i < n) {
				t.Fatalf("%d of %d: found %v", i, n, found)
			}
		}
		if each := float64(looks) / searches; each > 3.5 {
			t.Errorf("%d entries: a search looks at %.1f", n, each)
		}
	}
}

func BenchmarkTree(b *testing.B) {
	m := newBlocks(b)
	defer m.mem.Close()
	at := tree.New(tree.NewPool(&m.mem, m), byBytes, &tree.Account{})
	entry, dice := make([]byte, 20), rand.New(rand.NewPCG(1, 1))
	more := fill(at, 1_000_000, entry, dice)
	b.ReportMetric(more, "B/entry")
	b.Run("seek", func(b *testing.B) {
		for range b.N {
			binary.BigEndian.PutUint64(entry, dice.Uint64())
			at.Seek(binary.BigEndian.Uint64(entry), func(e []byte) int { return bytes.Compare(e, entry) })
		}
	})
	b.Run("seek a hash", func(b *testing.B) {
		even := tree.New(tree.NewPool(&m.mem, m), tree.Order{Word: xxh3.Hash, Even: true}, &tree.Account{})
		for range 1000 {
			binary.BigEndian.PutUint64(entry, dice.Uint64())
			c, _ := even.Seek(xxh3.Hash(entry), func(e []byte) int { return bytes.Compare(e, entry) })
			even.Insert(c, entry)
		}
		for b.Loop() {
			binary.BigEndian.PutUint64(entry, dice.Uint64())
			even.Seek(xxh3.Hash(entry), func(e []byte) int { return bytes.Compare(e, entry) })
		}
	})
	b.Run("insert and delete", func(b *testing.B) {
		for range b.N {
			fill(at, 1, entry, dice)
			at.Delete(at.At(dice.IntN(at.Len())))
		}
	})
	b.Run("next", func(b *testing.B) {
		c := at.At(0)
		for range b.N {
			if c.Next(); !c.Valid() {
				c = at.At(0)
			}
		}
	})
}

// BenchmarkBatch looks for hashes in batches, as commands on a large set do.
func BenchmarkBatch(b *testing.B) {
	m := newBlocks(b)
	defer m.mem.Close()
	pool := tree.NewPool(&m.mem, m)
	even := tree.New(pool, tree.Order{Word: xxh3.Hash, Even: true}, &tree.Account{})
	const entries, batch = 1_000_000, 16
	entry, dice := make([]byte, 20), rand.New(rand.NewPCG(1, 1))
	same := func(e []byte) int { return bytes.Compare(e, entry) }
	for i := range entries {
		binary.BigEndian.PutUint64(entry, uint64(i))
		c, _ := even.Seek(xxh3.Hash(entry), same)
		even.Insert(c, entry)
	}
	var ways [batch]tree.Descent
	var names [batch]uint64
	for b.Loop() {
		for i := range names {
			names[i] = dice.Uint64N(entries)
			binary.BigEndian.PutUint64(entry, names[i])
			ways[i] = even.Descent(xxh3.Hash(entry))
		}
		pool.Fetch(ways[:])
		for i := range names {
			binary.BigEndian.PutUint64(entry, names[i])
			if _, found := even.SeekAlong(&ways[i], same); !found {
				b.Fatal("an entry is missing")
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/entry")
}
