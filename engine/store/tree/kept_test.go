package tree_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"larder/engine/store/tree"

	"pgregory.net/rapid"
)

// TestKept changes a tree while up to two snapshots have what it was: what counts as kept is exactly what they have and the tree does not.
func TestKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := newMachine(t, tree.Order{})
		k.Many(t)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 8).Draw(t, "step") {
			case 0:
				if len(k.twins) < 3 {
					w := k.twins[0]
					c := &twin{account: &tree.Account{}, list: slices.Clone(w.list), frozen: true}
					w.t.Lose(true)
					k.pool.SetSnapshots(true)
					c.t = w.t.Clone(c.account)
					k.twins = append(k.twins, c)
				}
			case 1:
				k.Drop(t)
				k.pool.Free(1 << 30)
			case 2:
				k.DeleteRange(t)
				k.pool.Free(1 << 30)
			case 3:
				k.Many(t)
			case 4:
				k.Replace(t)
			default:
				k.few(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "dice"), 1)))
			}
			k.compareKept(t)
		}
		k.Check(t)
		if err := k.end(); err != nil {
			t.Fatal(err)
		}
	})
}

// few changes a few entries.
func (k *machine) few(dice *rand.Rand) {
	w := k.twins[0]
	for range 10 {
		at := dice.IntN(len(w.list) + 1)
		if at < len(w.list) && dice.IntN(2) == 0 {
			w.t.Delete(w.t.At(at))
			w.list = slices.Delete(w.list, at, at+1)
			continue
		}
		k.insert(w, make([]byte, dice.IntN(300)), at)
	}
}

func (k *machine) compareKept(t *rapid.T) {
	live, frozen := tree.NewCensus(), tree.NewCensus()
	for _, w := range k.twins {
		c := live
		if w.frozen {
			c = frozen
		}
		if err := w.t.Verify(c); err != nil {
			t.Fatal(err)
		}
	}
	want := int64(0)
	for at, n := range frozen.Sizes {
		if live.Pages[at] == 0 {
			want += int64(n)
		}
	}
	if k.pool.Kept() != want {
		t.Fatalf("%d bytes kept, counted %d", k.pool.Kept(), want)
	}
}
