package zsets

import (
	"larder/engine/store/tree"
	"larder/protocol/encoding/listpack"
)

// Cursor stands on a member. It is dead with the next change.
type Cursor struct {
	list listpack.List
	at   int // offset of the member, 0: none
	tree tree.Cursor
	big  bool

	scratch [NumberMax]byte
}

// At gives a cursor on the member of a rank; it is not valid behind the last or before the first.
func (v *Value) At(rank int) Cursor {
	switch {
	case rank < 0 || rank >= v.Len():
		return Cursor{}
	case v.obj != nil:
		return Cursor{big: true, tree: atBig(v.obj, rank)}
	}
	return Cursor{list: v.list, at: v.list.Seek(2 * rank)}
}

// Valid tells whether the cursor stands on a member.
func (c *Cursor) Valid() bool {
	if c.big {
		return c.tree.Valid()
	}
	return c.at != 0
}

// Member gives the member; a view that is dead when the cursor moves.
func (c *Cursor) Member() []byte {
	if c.big {
		return memberOf(c.tree.Entry())
	}
	return memberText(c.list, c.at, &c.scratch)
}

// Score gives the score.
func (c *Cursor) Score() float64 {
	if c.big {
		return scoreOfEntry(c.tree.Entry())
	}
	return scoreAt(c.list, c.list.Next(c.at))
}

// Next moves to the next member.
func (c *Cursor) Next() {
	if c.big {
		c.tree.Next()
		return
	}
	c.at = c.list.Next(c.list.Next(c.at))
}

// Prev moves to the member before.
func (c *Cursor) Prev() {
	if c.big {
		c.tree.Prev()
		return
	}
	c.at = prevPair(c.list, c.at)
}
