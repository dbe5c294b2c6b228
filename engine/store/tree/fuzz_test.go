package tree_test

import (
	"bytes"
	"slices"
	"testing"

	"larder/engine/store/tree"
)

// FuzzPages reads changes of a list and its copies from bytes, four each, and looks at all pages after each of them.
func FuzzPages(f *testing.F) {
	f.Add([]byte{0, 0, 0, 20, 0, 1, 0, 240, 3, 0, 0, 0})
	f.Add(bytes.Repeat([]byte{0, 7, 1, 200}, 100))
	f.Add(append(bytes.Repeat([]byte{0, 0, 0, 100}, 60), bytes.Repeat([]byte{5, 0, 0, 0, 1, 3, 0, 0, 2, 9, 0, 255, 4, 2, 0, 9}, 10)...))
	f.Fuzz(func(t *testing.T, changes []byte) {
		k := newMachine(t, tree.Order{})
		for ; len(changes) >= 4; changes = changes[4:] {
			k.step(changes[0], int(changes[1])|int(changes[2])<<8, int(changes[3]))
			if err := k.check(); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.end(); err != nil {
			t.Fatal(err)
		}
	})
}

// step does one change: at tells where, size how long an entry is, or how many go.
func (k *machine) step(change byte, at, size int) {
	w := k.twins[int(change>>4)%len(k.twins)]
	at %= len(w.list) + 1
	entry := bytes.Repeat([]byte{byte(size)}, size*size/60) // up to 1083
	switch there := at < len(w.list); {
	case change&7 == 0:
		for range size % 8 { // some at a time, so that a few bytes make large trees
			w.t.Insert(w.t.At(at), entry)
			w.list = slices.Insert(w.list, at, entry)
		}
	case change&7 == 1 && there:
		w.t.Delete(w.t.At(at))
		w.list = slices.Delete(w.list, at, at+1)
	case change&7 == 2 && there:
		w.t.Replace(w.t.At(at), entry)
		w.list[at] = entry
	case change&7 == 3 && len(k.twins) < 4:
		c := &twin{account: &tree.Account{}, list: slices.Clone(w.list)}
		c.t = w.t.Clone(c.account)
		k.twins = append(k.twins, c)
	case change&7 == 4:
		to := min(at+size, len(w.list))
		w.t.DeleteRange(at, to)
		w.list = slices.Delete(w.list, at, to)
	case change&7 == 5 && len(k.twins) > 1:
		k.twins[1].t.Drop()
		k.twins = slices.Delete(k.twins, 1, 2)
	case change&7 == 6:
		k.pool.Free(size)
	}
}
