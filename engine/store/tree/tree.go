// Package tree is what big collections are made of: sequences of byte entries, counted, so that an entry is found by its rank as fast as by its place in
// an order. A tree in an order keeps its entries as the order says: the caller finds a place with Seek and inserts there. A tree without one is a list.
//
// It is a B+tree of pages outside the Go heap (page.go has their bytes). A page's block is as large as what is in it, so small trees and random fill stay
// small; large entries lie out of line. Pages count who refers to them: Clone shares all pages of a tree, and a change first copies those on its way that
// are shared. So a copy costs nothing, and what two trees have in common is there once. A tree that is dropped is freed in slices (Pool.Free).
//
// What must hold: entries stand in the order of their words, and among those of one word as the caller's comparison says; the package never compares by
// itself. A view (Entry) and all cursors are dead with the next change of their tree. Seek's search does not mind several entries for which cmp is 0: it
// finds the first. DeleteRange's end is not deleted. It takes nothing from the Go heap but a few words a tree.
package tree

// Order says how a tree's entries are ordered.
type Order struct {
	// Word gives the first 64 bits of an entry's place: entries with a smaller word come first. nil: the tree is a list, all words are 0.
	Word func(entry []byte) uint64
	// Even tells that words are spread evenly, as hashes are, and that no two entries are the same to a search: places are then guessed, not halved.
	Even bool
}

// Account is told what trees take. Several trees may share one.
type Account struct {
	Bytes int64     // of the trees
	Sums  [2]*int64 // also told; nil: nobody is
}

// Add counts n bytes.
func (a *Account) Add(n int64) {
	a.Bytes += n
	for _, sum := range a.Sums {
		if sum != nil {
			*sum += n
		}
	}
}

// Tree is one sequence. It is made by New.
type Tree struct {
	pool    *Pool
	order   Order
	account *Account
	root    uint64 // 0: the tree is empty
	height  int    // levels of inner pages
	width   int    // bytes of a child in an inner page
	rooms   *[classes]int
	n       int
	bytes   int64
	lost    bool   // who shares pages with it is a snapshot
	most    int    // the class of its largest inner pages
	moved   uint32 // counts up when a page comes, goes or is put elsewhere, or a child has another number or first word
	changed uint32 // counts up when an entry does
}

// New makes an empty tree that tells account what it takes. It must end with Drop.
func New(pool *Pool, order Order, account *Account) *Tree {
	t := &Tree{pool: pool, order: order, account: account, width: childBytes, rooms: &rooms[0], most: innerClassMax}
	if order.Word != nil {
		t.width += wordBytes
		t.rooms = &rooms[1]
	}
	if order.Even {
		t.most = evenClassMax
	}
	return t
}

// Len is the number of entries.
func (t *Tree) Len() int { return t.n }

// Bytes is the memory that the tree takes; what it shares counts in full.
func (t *Tree) Bytes() int64 { return t.bytes }

func (t *Tree) charge(n int) {
	t.bytes += int64(n)
	t.account.Add(int64(n))
}

// Clone makes a tree with the same entries, for another account, which is told. The two change independently.
func (t *Tree) Clone(account *Account) *Tree {
	c := *t
	c.account, c.lost = account, false
	account.Add(c.bytes)
	if t.root != 0 {
		t.pool.ref(t.root)
	}
	return &c
}

// Lose tells whether none but snapshots share pages with the tree: those that it lets go of are then counted as kept.
func (t *Tree) Lose(lost bool) { t.lost = lost }

// Drop gives the tree up; its pages are freed in slices. Its account is not told.
func (t *Tree) Drop() {
	if t.root != 0 {
		t.shed(t.root)
	}
	t.root, t.n = 0, 0
	t.moved++
}
