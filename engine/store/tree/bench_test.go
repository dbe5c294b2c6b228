package tree_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

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
