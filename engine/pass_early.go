package engine

import (
	"larder/engine/store"
	"larder/persistence/rdb"
)

// What is about to be overwritten or deleted before a pass has come by is written at once, so that nothing of it is kept in the store. It waits in blocks of
// its own, since the pass may be in the middle of a large value, and goes into the file before all else as soon as there is room. So a sink that is slower
// than the pass still takes what is overwritten; where it is slower than the writes the blocks fill up, and the store keeps the rest.

const (
	earlyBlock = 64 << 10 // bytes; a full block goes into the file, the last one as it is
	earlyMax   = 128      // blocks of a pass
)

// early is what a pass has been given before its turn.
type early struct {
	blocks []*rdb.Frame // to be written, the oldest first; the last one is filled
	spare  []*rdb.Frame
}

// takeEarly writes an item that is about to change, if there is room for it.
func (q *pass) takeEarly(db int, it store.Item) bool {
	e := &q.early
	n := len(e.blocks)
	if len(it.Key()) > earlyBlock {
		return false
	}
	if n == 0 || len(e.blocks[n-1].Out) >= earlyBlock {
		if n == earlyMax {
			return false
		}
		e.blocks = append(e.blocks, q.emptyBlock())
		n++
	}
	q.write(e.blocks[n-1], db, it)
	return true
}

func (q *pass) emptyBlock() *rdb.Frame {
	if e := &q.early; len(e.spare) > 0 {
		n := len(e.spare) - 1
		w := e.spare[n]
		e.spare = e.spare[:n]
		return w
	}
	w := &rdb.Frame{}
	w.Later, w.RedisTimed, w.Key = q.w.Later, q.w.RedisTimed, []byte{}
	return w
}

// joinEarly appends a block to the file, if one is full or all else was read. It must not be in the middle of a value.
func (q *pass) joinEarly() bool {
	e := &q.early
	if len(e.blocks) == 0 || !q.read && len(e.blocks[0].Out) < earlyBlock {
		return false
	}
	w := e.blocks[0]
	e.blocks = e.blocks[1:]
	q.w.Append(w)
	w.Clear()
	e.spare = append(e.spare, w)
	return true
}
