package tree_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"larder/engine/memory"
	"larder/engine/store/tree"

	"pgregory.net/rapid"
)

// blocks is the plainest memory: free lists on a range, runs in the Go heap.
type blocks struct {
	mem  memory.Range
	next uint64
	free [len(tree.Sizes)][]uint64
	out  int // bytes handed out
	runs map[uint32]*run
	last uint32
}

type run struct {
	bytes []byte
	refs  uint32
}

func newBlocks(t interface{ Fatal(...any) }) *blocks {
	mem, err := memory.New(memory.Map{ReserveBytes: 1 << 32})
	if err != nil {
		t.Fatal(err)
	}
	return &blocks{mem: mem, next: 64, runs: map[uint32]*run{}}
}

func (b *blocks) Get(class int) uint64 {
	size := tree.Sizes[class]
	b.out += size
	if n := len(b.free[class]); n > 0 {
		at := b.free[class][n-1]
		b.free[class] = b.free[class][:n-1]
		return at
	}
	const step = 1 << 20
	at := b.next
	b.next += uint64(size)
	for int(b.next) > b.mem.Len() {
		if err := b.mem.Grow(b.mem.Len() + step); err != nil {
			panic(err)
		}
	}
	return at
}

func (b *blocks) Put(at uint64, class int) {
	b.out -= tree.Sizes[class]
	b.free[class] = append(b.free[class], at)
}

func (b *blocks) NewRun(n int) uint32 {
	b.last++
	b.runs[b.last] = &run{make([]byte, n), 1}
	return b.last
}

func (b *blocks) RunBytes(number uint32) []byte { return b.runs[number].bytes }
func (b *blocks) ShareRun(number uint32)        { b.runs[number].refs++ }

func (b *blocks) DropRun(number uint32, _ bool) {
	if b.runs[number].refs--; b.runs[number].refs == 0 {
		delete(b.runs, number)
	}
}

func (b *blocks) LoseRun(uint32) {}

// wordOf makes many entries have the same word.
func wordOf(entry []byte) uint64 {
	var b [8]byte
	copy(b[:2], entry)
	return binary.BigEndian.Uint64(b[:])
}

// twin is a tree with the slice that it must be like.
type twin struct {
	t       *tree.Tree
	account *tree.Account
	list    [][]byte
	frozen  bool // a snapshot's: it stays as it is
}

type machine struct {
	blocks *blocks
	pool   *tree.Pool
	order  tree.Order
	twins  []*twin
}

func (k *machine) search(w *twin, entry []byte) (tree.Cursor, bool) {
	return w.t.Seek(wordOf(entry), func(e []byte) int { return bytes.Compare(e, entry) })
}

var entries = rapid.Custom(func(t *rapid.T) []byte {
	n := rapid.SampledFrom([]int{0, 1, 2, 3, 8, 20, 60, 239, 240, 241, 700, 4088, 4089, 9000, 21832, 21833}).Draw(t, "bytes")
	b := bytes.Repeat([]byte{'x'}, n)
	copy(b, rapid.StringMatching(`[ab]{0,2}[a-z]{0,5}`).Draw(t, "begin"))
	return b
})

func (k *machine) pick(t *rapid.T) *twin {
	return k.twins[rapid.IntRange(0, len(k.twins)-1).Draw(t, "tree")]
}

// live picks a tree that may change.
func (k *machine) live(t *rapid.T) *twin {
	if w := k.pick(t); !w.frozen {
		return w
	}
	return k.twins[0]
}

func (k *machine) Insert(t *rapid.T) {
	w := k.live(t)
	k.insert(w, entries.Draw(t, "entry"), rapid.IntRange(0, len(w.list)).Draw(t, "at"))
}

// insert puts an entry where the order says, or in a list at at.
func (k *machine) insert(w *twin, entry []byte, at int) {
	c := w.t.At(at)
	if k.order.Word != nil {
		var found bool
		if c, found = k.search(w, entry); found {
			return
		}
		at, _ = slices.BinarySearchFunc(w.list, entry, bytes.Compare)
	}
	w.t.Insert(c, entry)
	w.list = slices.Insert(w.list, at, entry)
}

// Many inserts entries of about the same size, so that pages are split: at random, ascending or descending.
func (k *machine) Many(t *rapid.T) {
	w := k.live(t)
	n, size := rapid.IntRange(10, 3000).Draw(t, "entries"), rapid.SampledFrom([]int{4, 20, 100, 240}).Draw(t, "bytes")
	way := rapid.IntRange(0, 2).Draw(t, "way")
	dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "dice"), 1))
	for i := range n {
		entry := make([]byte, size)
		at := len(w.list)
		switch way {
		case 0:
			binary.BigEndian.PutUint32(entry, dice.Uint32N(1<<18))
			at = dice.IntN(len(w.list) + 1)
		case 1:
			binary.BigEndian.PutUint32(entry, uint32(i))
		default:
			binary.BigEndian.PutUint32(entry, uint32(1<<30-i))
			at = 0
		}
		k.insert(w, entry, at)
	}
}

func (k *machine) Append(t *rapid.T) {
	if w := k.live(t); k.order.Word == nil {
		entry := entries.Draw(t, "entry")
		w.t.Append(entry)
		w.list = append(w.list, entry)
	}
}

func (k *machine) Replace(t *rapid.T) {
	w := k.live(t)
	if len(w.list) == 0 {
		return
	}
	for range rapid.IntRange(1, 50).Draw(t, "times") {
		at := rapid.IntRange(0, len(w.list)-1).Draw(t, "at")
		entry := entries.Draw(t, "entry")
		if k.order.Word != nil { // the same place: longer or shorter, between its neighbours
			entry = append(slices.Clone(w.list[at]), 0)
			if at+1 < len(w.list) && bytes.Compare(entry, w.list[at+1]) >= 0 {
				continue
			}
		}
		w.t.Replace(w.t.At(at), entry)
		w.list = slices.Clone(w.list)
		w.list[at] = entry
	}
}

func (k *machine) Delete(t *rapid.T) {
	w := k.live(t)
	if len(w.list) == 0 {
		return
	}
	times := rapid.IntRange(1, max(1, len(w.list)*3/4)).Draw(t, "times")
	dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "dice"), 1))
	for range times {
		at := dice.IntN(len(w.list))
		w.t.Delete(w.t.At(at))
		w.list = slices.Delete(w.list, at, at+1)
	}
}

func (k *machine) DeleteRange(t *rapid.T) {
	w := k.live(t)
	from := rapid.IntRange(0, len(w.list)).Draw(t, "from")
	to := rapid.IntRange(from, len(w.list)).Draw(t, "to")
	w.t.DeleteRange(from, to)
	w.list = slices.Delete(w.list, from, to)
}

// Clone makes a copy, or a snapshot's.
func (k *machine) Clone(t *rapid.T) {
	if len(k.twins) > 4 {
		return
	}
	w := k.pick(t)
	c := &twin{account: &tree.Account{}, list: slices.Clone(w.list)}
	if c.frozen = rapid.Bool().Draw(t, "frozen"); c.frozen && !w.frozen {
		w.t.Lose(true)
		k.pool.SetSnapshots(true)
	}
	c.t = w.t.Clone(c.account)
	k.twins = append(k.twins, c)
}

func (k *machine) Drop(t *rapid.T) {
	if i := rapid.IntRange(0, len(k.twins)-1).Draw(t, "tree"); i > 0 {
		k.twins[i].t.Drop()
		k.twins = slices.Delete(k.twins, i, i+1)
	}
	if !slices.ContainsFunc(k.twins, func(w *twin) bool { return w.frozen }) {
		k.pool.SetSnapshots(false)
	}
}

func (k *machine) Free(t *rapid.T) {
	k.pool.Free(rapid.SampledFrom([]int{1, 1000, 1 << 20}).Draw(t, "budget"))
}

// Seek looks for what is there and what is not, and walks from there.
func (k *machine) Seek(t *rapid.T) {
	w := k.pick(t)
	if k.order.Word == nil {
		return
	}
	entry := entries.Draw(t, "entry")
	if len(w.list) > 0 && rapid.Bool().Draw(t, "there") {
		entry = w.list[rapid.IntRange(0, len(w.list)-1).Draw(t, "at")]
	}
	at, want := slices.BinarySearchFunc(w.list, entry, bytes.Compare)
	c, found := k.search(w, entry)
	if found != want || c.Rank() != at {
		t.Fatalf("sought %.20q: rank %d %v, want %d %v", entry, c.Rank(), found, at, want)
	}
	word := wordOf(entry) // the first of all with a word
	at, _ = slices.BinarySearchFunc(w.list, word, func(e []byte, word uint64) int { return cmp.Compare(wordOf(e), word) })
	if c, _ := w.t.Seek(word, func([]byte) int { return 0 }); c.Rank() != at {
		t.Fatalf("the first of word %x: rank %d, want %d", word, c.Rank(), at)
	}
}

// Walk goes to and fro from a rank.
func (k *machine) Walk(t *rapid.T) {
	w := k.pick(t)
	at := rapid.IntRange(0, len(w.list)).Draw(t, "at")
	c := w.t.At(at)
	for range rapid.IntRange(0, 200).Draw(t, "steps") {
		if at == -1 || at < len(w.list) && rapid.Bool().Draw(t, "next") {
			c.Next()
			at++
		} else {
			c.Prev()
			at--
		}
		valid := at >= 0 && at < len(w.list)
		if c.Rank() != at || c.Valid() != valid || valid && !bytes.Equal(c.Entry(), w.list[at]) {
			t.Fatalf("rank %d %v, want %d of %d", c.Rank(), c.Valid(), at, len(w.list))
		}
	}
}

func (k *machine) Check(t *rapid.T) {
	if err := k.check(); err != nil {
		t.Fatal(err)
	}
}

func (k *machine) check() error {
	census := tree.NewCensus()
	for i, w := range k.twins {
		if err := w.t.Verify(census); err != nil {
			return fmt.Errorf("tree %d: %w", i, err)
		}
		if w.account.Bytes != w.t.Bytes() || w.t.Len() != len(w.list) {
			return fmt.Errorf("tree %d: %d bytes, %d in its account; %d entries, want %d", i, w.t.Bytes(), w.account.Bytes, w.t.Len(), len(w.list))
		}
		c := w.t.At(0)
		for j, want := range w.list {
			if !c.Valid() || !bytes.Equal(c.Entry(), want) {
				return fmt.Errorf("tree %d: entry %d is wrong", i, j)
			}
			c.Next()
		}
		if c.Valid() {
			return fmt.Errorf("tree %d does not end", i)
		}
	}
	if k.pool.Pending() {
		return nil
	}
	return k.pool.Refs(census, func(number uint32) uint32 { return k.blocks.runs[number].refs })
}

func newMachine(t interface{ Fatal(...any) }, order tree.Order) *machine {
	k := &machine{blocks: newBlocks(t), order: order}
	k.pool = tree.NewPool(&k.blocks.mem, k.blocks)
	first := &twin{account: &tree.Account{}}
	first.t = tree.New(k.pool, order, first.account)
	k.twins = []*twin{first}
	return k
}

// end lets everything go; then all memory must have come back.
func (k *machine) end() error {
	defer k.blocks.mem.Close()
	for _, w := range k.twins {
		w.t.Drop()
	}
	for k.pool.Pending() {
		k.pool.Free(1000)
	}
	if k.blocks.out != 0 || len(k.blocks.runs) != 0 || k.pool.Kept() != 0 {
		return fmt.Errorf("%d bytes and %d runs are left, %d bytes kept", k.blocks.out, len(k.blocks.runs), k.pool.Kept())
	}
	return nil
}

func TestModel(t *testing.T) {
	for name, order := range map[string]tree.Order{"order": {Word: wordOf}, "list": {}} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				k := newMachine(t, order)
				t.Repeat(map[string]func(*rapid.T){
					"": k.Check, "insert": k.Insert, "many": k.Many, "append": k.Append, "replace": k.Replace, "delete": k.Delete, "range": k.DeleteRange,
					"clone": k.Clone, "drop": k.Drop, "free": k.Free, "seek": k.Seek, "walk": k.Walk,
				})
				if err := k.end(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
