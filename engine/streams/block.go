package streams

import (
	"encoding/binary"

	"larder/engine/store/tree"
	"larder/protocol/encoding/listpack"
)

// block is what Redis would keep as one listpack (Redis 7.0 t_stream.c): so many entries from one ID on. Only its sizes are kept, to end a block where Redis
// ends one: that shows in XINFO and in what approximate trimming takes away. All blocks stand in the second tree; the last one's sizes are in the Meta,
// since each new entry changes them, and those in its tree are old.
type block struct {
	first ID
	live  int64  // entries
	dead  int64  // entries that were deleted, for which Redis keeps the room
	last  ID     // of the last entry that the block ever had
	bytes int64  // of the listpack
	names uint64 // hash of the first entry's names
}

const (
	listpackBytes = 7       // of an empty one
	nodeBytesMax  = 1 << 30 // Redis's limit where the configured one is none
)

// grow counts an entry that is to be added.
func (s Stream) grow(id ID, fields [][]byte, hash uint64, l Limits) {
	b := &s.meta.tail
	if b.live == 0 || s.meta.split || b.full(fields, l) {
		if b.live > 0 {
			s.saveTail()
		}
		first := id
		if s.meta.split && b.last.Less(s.meta.master) && !id.Less(s.meta.master) {
			first = s.meta.master
		}
		s.meta.split = false
		*b = newBlock(first, fields, hash)
		s.insertBlock(b)
	} else {
		b.bytes += int64(listpack.SizeInt(b.live+1) - listpack.SizeInt(b.live))
		b.live++
	}
	b.bytes += b.entrySize(id, fields, hash)
	b.last = id
}

func (b *block) full(fields [][]byte, l Limits) bool {
	size := b.bytes
	for _, f := range fields {
		size += int64(len(f))
	}
	limit := int64(l.NodeMaxBytes)
	if limit <= 0 || limit > nodeBytesMax {
		limit = nodeBytesMax
	}
	return size >= limit || l.NodeMaxEntries > 0 && b.live+b.dead >= int64(l.NodeMaxEntries)
}

// newBlock is a block for that first entry, which is counted but takes no bytes yet.
func newBlock(id ID, fields [][]byte, hash uint64) block {
	size := listpackBytes + listpack.SizeInt(1) + 2*listpack.SizeInt(0) + listpack.SizeInt(int64(len(fields)/2))
	for i := 0; i < len(fields); i += 2 {
		size += listpack.Size(fields[i])
	}
	return block{first: id, live: 1, bytes: int64(size), names: hash}
}

// entrySize is what an entry takes in the block's listpack.
func (b *block) entrySize(id ID, fields [][]byte, hash uint64) int64 {
	pairs := int64(len(fields) / 2)
	size := listpack.SizeInt(0) + listpack.SizeInt(int64(id.MS-b.first.MS)) + listpack.SizeInt(int64(id.Seq-b.first.Seq))
	if hash == b.names {
		size += listpack.SizeInt(pairs + 3)
		for i := 1; i < len(fields); i += 2 {
			size += listpack.Size(fields[i])
		}
		return int64(size)
	}
	size += listpack.SizeInt(pairs) + listpack.SizeInt(2*pairs+4)
	for _, f := range fields {
		size += listpack.Size(f)
	}
	return int64(size)
}

// lose counts n entries that were deleted.
func (b *block) lose(n int64) {
	b.bytes += int64(listpack.SizeInt(b.live-n) - listpack.SizeInt(b.live) + listpack.SizeInt(b.dead+n) - listpack.SizeInt(b.dead))
	b.live -= n
	b.dead += n
}

// shrink counts an entry that was deleted.
func (s Stream) shrink(id ID) {
	tail := &s.meta.tail
	if !id.Less(tail.first) {
		if tail.lose(1); tail.live == 0 {
			s.dropTail()
		}
		return
	}
	c, found := s.find(blocksOwner, id)
	if !found {
		c.Prev()
	}
	b := readBlock(c.Entry())
	if b.lose(1); b.live == 0 {
		s.index.Delete(c)
		return
	}
	s.replaceBlock(c, &b)
}

// dropTail takes the last block away; the one before becomes the last.
func (s Stream) dropTail() {
	c, _ := s.find(blocksOwner, s.meta.tail.first)
	s.index.Delete(c)
	s.meta.tail = block{}
	c, found := s.find(blocksOwner, MaxID)
	if !found {
		if c.Rank() == 0 {
			return
		}
		c.Prev()
	}
	if _, ok := owned(&c, blocksOwner); ok {
		s.meta.tail = readBlock(c.Entry())
	}
}

func (s Stream) insertBlock(b *block) {
	c, _ := s.find(blocksOwner, b.first)
	*s.buf = b.append((*s.buf)[:0])
	s.index.Insert(c, *s.buf)
}

func (s Stream) replaceBlock(c tree.Cursor, b *block) {
	*s.buf = b.append((*s.buf)[:0])
	s.index.Replace(c, *s.buf)
}

// saveTail writes the last block's sizes to its entry.
func (s Stream) saveTail() {
	c, _ := s.find(blocksOwner, s.meta.tail.first)
	s.replaceBlock(c, &s.meta.tail)
}

func (b *block) append(dst []byte) []byte {
	dst = appendKey(dst, blocksOwner, b.first)
	dst = binary.AppendUvarint(dst, b.last.MS-b.first.MS)
	dst = binary.AppendUvarint(dst, b.last.Seq)
	dst = binary.AppendUvarint(dst, uint64(b.live))
	dst = binary.AppendUvarint(dst, uint64(b.dead))
	dst = binary.AppendUvarint(dst, uint64(b.bytes))
	return binary.LittleEndian.AppendUint64(dst, b.names)
}

func readBlock(e []byte) block {
	b := block{first: sortedID(e[ownerBytes:])}
	ms, e := cutUint(e[keyBytes:])
	seq, e := cutUint(e)
	live, e := cutUint(e)
	dead, e := cutUint(e)
	bytes, e := cutUint(e)
	b.last = ID{b.first.MS + ms, seq}
	b.live, b.dead, b.bytes, b.names = int64(live), int64(dead), int64(bytes), binary.LittleEndian.Uint64(e)
	return b
}

// blockAt reads the block under a cursor, the last one from the Meta; false behind the last.
func (s Stream) blockAt(c *tree.Cursor) (block, bool) {
	id, ok := owned(c, blocksOwner)
	switch {
	case !ok:
		return block{}, false
	case id == s.meta.tail.first:
		return s.meta.tail, true
	}
	return readBlock(c.Entry()), true
}

// Blocks counts what Redis's XINFO does: the blocks, and the nodes of the radix tree that it keeps them in.
func (s Stream) Blocks() (blocks, nodes int) {
	c := s.index.At(0)
	var before, key [idBytes]byte
	r := radix{}
	for {
		id, ok := owned(&c, blocksOwner)
		if !ok {
			return blocks, r.nodes(blocks)
		}
		id.appendSorted(key[:0])
		if blocks > 0 {
			r.add(shared(before[:], key[:]))
		}
		before = key
		blocks++
		c.Next()
	}
}

func shared(a, b []byte) int {
	n := 0
	for n < len(a) && a[n] == b[n] {
		n++
	}
	return n
}

// radix counts the nodes of Redis's radix tree (rax.c) for keys of 16 bytes that come in order, by how many bytes each shares with the one before. There is
// a node where keys part, one for each key's end, and one for each run of bytes without a parting, but for the byte that a parting holds itself.
type radix struct {
	partings, runs int
	open           []int // depths of the partings on the way to the last key
}

// add tells how many bytes the next key shares with the last one.
func (r *radix) add(depth int) {
	last := idBytes
	for len(r.open) > 0 && r.open[len(r.open)-1] > depth {
		at := r.open[len(r.open)-1]
		r.open = r.open[:len(r.open)-1]
		r.edge(at, last)
		last = at
	}
	if len(r.open) > 0 && r.open[len(r.open)-1] == depth {
		r.edge(depth, last)
		return
	}
	r.edge(depth, last)
	r.partings++
	r.open = append(r.open, depth)
}

// edge counts the way from a parting down to the next parting or key's end: its first byte is the parting's.
func (r *radix) edge(from, to int) {
	if to > from+1 {
		r.runs++
	}
}

func (r *radix) nodes(keys int) int {
	if keys == 0 {
		return 1
	}
	last := idBytes
	for i := len(r.open) - 1; i >= 0; i-- {
		r.edge(r.open[i], last)
		last = r.open[i]
	}
	if last > 0 { // from the root, which holds no byte before the first parting
		r.runs++
	}
	return keys + r.partings + r.runs
}
