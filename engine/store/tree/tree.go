// Package tree is what big collections are made of: sequences of byte entries, counted, so that an entry is found by its rank as fast as by its place in
// an order. A tree in an order keeps its entries as the order says: the caller finds a place with Seek and inserts there. A tree without one is a list.
//
// What must hold: entries stand in the order of their words, and among those of one word as the caller's comparison says; the package never compares by
// itself. A view (Entry) and all cursors are dead with the next change of their tree.
package tree

// Order says how a tree's entries are ordered.
type Order struct {
	// Word gives the first 64 bits of an entry's place: entries with a smaller word come first. nil: the tree is a list, all words are 0.
	Word func(entry []byte) uint64
}

// Account is told what a tree takes. Several trees may share one.
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

const chunkMax = 64 // entries

// Tree is one sequence. It is made by New.
type Tree struct {
	order   Order
	account *Account
	chunks  [][][]byte // none is empty
	n       int
	bytes   int64
}

// New makes an empty tree that tells account what it takes.
func New(order Order, account *Account) *Tree { return &Tree{order: order, account: account} }

// Len is the number of entries.
func (t *Tree) Len() int { return t.n }

// Bytes is the memory that the tree takes.
func (t *Tree) Bytes() int64 { return t.bytes }

const entryCost = 24

func (t *Tree) count(n int64) {
	t.bytes += n
	t.account.Add(n)
}

// Clone makes a tree with the same entries, for another account. The two change independently.
func (t *Tree) Clone(account *Account) *Tree {
	c := &Tree{order: t.order, account: account, n: t.n, bytes: t.bytes}
	for _, chunk := range t.chunks {
		copied := make([][]byte, len(chunk), chunkMax)
		copy(copied, chunk) // an entry's bytes never change
		c.chunks = append(c.chunks, copied)
	}
	account.Add(c.bytes)
	return c
}

// Cursor is a place in a tree: at an entry, behind the last, or (after Prev) before the first.
type Cursor struct {
	t            *Tree
	chunk, index int
	rank         int
}

// Valid tells whether the cursor is at an entry.
func (c *Cursor) Valid() bool { return c.t != nil && c.rank >= 0 && c.rank < c.t.n }

// Rank is the number of entries before the cursor; -1 before the first.
func (c *Cursor) Rank() int { return c.rank }

// Entry gives the entry, to be read only until the tree's next change. The cursor must be valid.
func (c *Cursor) Entry() []byte { return c.t.chunks[c.chunk][c.index] }

// Next goes to the next entry, or behind the last.
func (c *Cursor) Next() {
	if c.rank >= c.t.n {
		return
	}
	*c = c.t.At(c.rank + 1)
}

// Prev goes to the entry before, or before the first.
func (c *Cursor) Prev() {
	if c.rank <= 0 {
		c.rank = -1
		return
	}
	*c = c.t.At(c.rank - 1)
}

// At gives the cursor at a rank, 0 to Len(); Len() is behind the last entry.
func (t *Tree) At(rank int) Cursor {
	c := Cursor{t: t, rank: rank, index: rank}
	for c.chunk < len(t.chunks) && c.index >= len(t.chunks[c.chunk]) {
		c.index -= len(t.chunks[c.chunk])
		c.chunk++
	}
	return c
}

// Seek finds the first entry with cmp(entry) >= 0, and whether that is == 0. cmp gives where an entry stands to what is sought: negative before it, 0 the
// same, positive behind it. It is asked only for entries whose word is word.
func (t *Tree) Seek(word uint64, cmp func(entry []byte) int) (c Cursor, found bool) {
	low, high := 0, t.n
	for low < high {
		mid := (low + high) / 2
		c := t.At(mid)
		at := t.stand(c.Entry(), word, cmp)
		if at < 0 {
			low = mid + 1
		} else {
			found = found || at == 0
			high = mid
		}
	}
	c = t.At(low)
	return c, c.Valid() && t.stand(c.Entry(), word, cmp) == 0
}

func (t *Tree) stand(entry []byte, word uint64, cmp func(entry []byte) int) int {
	w := uint64(0)
	if t.order.Word != nil {
		w = t.order.Word(entry)
	}
	switch {
	case w < word:
		return -1
	case w > word:
		return 1
	}
	return cmp(entry)
}

// Insert puts an entry before the cursor. entry is copied.
func (t *Tree) Insert(c Cursor, entry []byte) {
	if len(t.chunks) == 0 {
		t.chunks = append(t.chunks, make([][]byte, 0, chunkMax))
	}
	if c.chunk == len(t.chunks) {
		c.chunk--
		c.index = len(t.chunks[c.chunk])
	}
	chunk := t.chunks[c.chunk]
	chunk = append(chunk, nil)
	copy(chunk[c.index+1:], chunk[c.index:])
	chunk[c.index] = append([]byte(nil), entry...)
	t.chunks[c.chunk] = chunk
	if len(chunk) == chunkMax {
		t.split(c.chunk)
	}
	t.n++
	t.count(entryCost + int64(len(entry)))
}

func (t *Tree) split(number int) {
	chunk := t.chunks[number]
	right := make([][]byte, chunkMax/2, chunkMax)
	copy(right, chunk[chunkMax/2:])
	t.chunks[number] = chunk[:chunkMax/2]
	t.chunks = append(t.chunks, nil)
	copy(t.chunks[number+2:], t.chunks[number+1:])
	t.chunks[number+1] = right
}

// Append puts an entry behind the last. entry is copied.
func (t *Tree) Append(entry []byte) { t.Insert(t.At(t.n), entry) }

// Replace puts an entry of any length in the place of the one at the cursor. entry is copied.
func (t *Tree) Replace(c Cursor, entry []byte) {
	t.count(int64(len(entry) - len(c.Entry())))
	t.chunks[c.chunk][c.index] = append([]byte(nil), entry...)
}

// Delete removes the entry at the cursor.
func (t *Tree) Delete(c Cursor) {
	chunk := t.chunks[c.chunk]
	t.count(-entryCost - int64(len(chunk[c.index])))
	copy(chunk[c.index:], chunk[c.index+1:])
	t.chunks[c.chunk] = chunk[:len(chunk)-1]
	if len(chunk) == 1 {
		t.chunks = append(t.chunks[:c.chunk], t.chunks[c.chunk+1:]...)
	}
	t.n--
}

// DeleteRange removes the entries from rank from to before rank to.
func (t *Tree) DeleteRange(from, to int) {
	for ; from < to; to-- {
		t.Delete(t.At(from))
	}
}
