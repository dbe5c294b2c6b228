package tree_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/zeebo/xxh3"
	"pgregory.net/rapid"

	"larder/engine/store/tree"
)

// TestSeekAlong: a search that goes on from what a descent saw ends where one from the root does, whatever was changed in between, also where entries share
// a word.
func TestSeekAlong(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newBlocks(t)
		defer m.mem.Close()
		words := rapid.SampledFrom([]uint64{^uint64(0), 0xff << 56, 0x7 << 61}).Draw(t, "words")
		word := func(entry []byte) uint64 { return xxh3.Hash(entry) & words }
		pool := tree.NewPool(&m.mem, m)
		at := tree.New(pool, tree.Order{Word: word, Even: true}, &tree.Account{})
		// Long entries make leaves of few: then what a batch changes is often the first of one, by which its words above change too.
		size := rapid.SampledFrom([]int{4, 200}).Draw(t, "size")
		entry := func(i int) []byte { return binary.BigEndian.AppendUint32(make([]byte, 0, size), uint32(i))[:size] }
		space := rapid.SampledFrom([]int{4, 60, 3000}).Draw(t, "space")
		seek := func(e []byte) (tree.Cursor, bool) {
			return at.Seek(word(e), func(other []byte) int { return bytes.Compare(other, e) })
		}
		for i := range rapid.IntRange(0, space).Draw(t, "entries") {
			c, _ := seek(entry(i))
			at.Insert(c, entry(i))
		}
		for range rapid.IntRange(1, 10).Draw(t, "batches") {
			var batch [][]byte
			var ways []tree.Descent
			for range rapid.IntRange(1, 16).Draw(t, "batch") {
				e := entry(rapid.IntRange(0, space).Draw(t, "entry"))
				if len(batch) > 0 && rapid.IntRange(0, 2).Draw(t, "again") == 0 {
					e = batch[rapid.IntRange(0, len(batch)-1).Draw(t, "which")]
				}
				batch, ways = append(batch, e), append(ways, at.Descent(word(e)))
			}
			pool.Fetch(ways)
			for i, e := range batch {
				c, found := at.SeekAlong(&ways[i], func(other []byte) int { return bytes.Compare(other, e) })
				want, there := seek(e)
				if found != there || c.Rank() != want.Rank() || c.Valid() != want.Valid() {
					t.Fatalf("%x: found %v at %d, want %v at %d", e, found, c.Rank(), there, want.Rank())
				}
				switch what := rapid.IntRange(0, 3).Draw(t, "what"); {
				case what == 0 && found:
					at.Delete(c)
				case what == 1 && found:
					at.Replace(c, e)
				case what == 2 && !found:
					at.Insert(c, e)
				}
			}
		}
	})
}
