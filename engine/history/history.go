// Package history keeps the newest part of a node's replication stream: the bytes that replicas and the journal read, each at its own pace.
//
// The stream is what PSYNC calls it: commands in RESP, one byte after the other, the first of them number 1. Its name (ID) and the offset of its last byte
// say which data a node has. What must hold: bytes that were appended are never changed or moved; what is older than the backlog's size stays exactly as long
// as a reader is to read it. A History and its Readers belong to the node's loop; a view that Reader.Next gave may be read by another goroutine until Took.
package history

// BlockBytes is the size of the pieces that the stream is kept in.
const BlockBytes = 64 << 10

// spareMax is how many blocks that nobody reads any more are kept for reuse.
const spareMax = 16

// block is a piece of the stream. Each is full before the next begins.
type block struct {
	next    *block
	first   int64 // offset of its first byte
	bytes   []byte
	readers int
}

// end is the offset of its last byte.
func (b *block) end() int64 { return b.first + int64(len(b.bytes)) - 1 }

// History is a node's stream and its names.
type History struct {
	ID     string // 40 hex digits
	OldID  string // what the stream was called up to Shared, "" = never otherwise
	Shared int64  // the last offset at which OldID and ID are the same stream (Redis's second_repl_offset - 1)

	older      []name // what it was called before that
	restarts   int
	end        int64 // offset of the last byte
	keep       int64 // bytes of the past to keep for who comes back
	head, tail *block
	spare      *block
	spares     int
	blocks     int
}

// New makes a history of no past, whose next byte is number end+1, and which keeps that many bytes of the past (repl-backlog-size).
func New(id string, end, keep int64) *History {
	h := &History{keep: keep}
	h.Restart(id, end)
	return h
}

// Restart forgets the past: the data is another's now, as it is after a full synchronization. Readers that are still open have nothing more to read.
func (h *History) Restart(id string, end int64) {
	h.ID, h.OldID, h.Shared, h.older, h.end = id, "", 0, nil, end
	h.head, h.tail, h.blocks = nil, nil, 0
	h.restarts++
	h.add()
}

// Restarts counts the calls of Restart: a reader that was opened at another count has nothing more to read.
func (h *History) Restarts() int { return h.restarts }

// Rename gives the stream a new name from here on, as a replica does that becomes the primary: who followed the old one up to here can go on.
func (h *History) Rename(id string) {
	if h.OldID != "" {
		h.older = append(h.older[max(0, len(h.older)-olderMax+1):len(h.older):len(h.older)], name{h.OldID, h.Shared})
	}
	h.OldID, h.Shared, h.ID = h.ID, h.end, id
}

// olderMax is how many names a history remembers beside ID and OldID.
const olderMax = 16

// name is what a stream was called up to an offset.
type name struct {
	id     string
	shared int64
}

// SharedWith is the last offset at which this is the stream of that name, -1 if it never was.
func (h *History) SharedWith(id string) int64 {
	switch id {
	case "":
		return -1
	case h.ID:
		return h.end
	case h.OldID:
		return h.Shared
	}
	for _, n := range h.older {
		if n.id == id {
			return n.shared
		}
	}
	return -1
}

// Adopt takes over a primary's new name for the same stream, as +CONTINUE tells it.
func (h *History) Adopt(id string) {
	if id != h.ID {
		h.Rename(id)
	}
}

// End is the offset of the last byte (master_repl_offset).
func (h *History) End() int64 { return h.end }

// First is the offset of the oldest byte that is kept.
func (h *History) First() int64 { return h.head.first }

// Len is how many bytes of the past are kept.
func (h *History) Len() int64 { return h.end - h.head.first + 1 }

// Keep sets how many bytes of the past are kept for those who come back.
func (h *History) Keep(n int64) {
	h.keep = n
	h.trim()
}

// KeepBytes is what Keep set.
func (h *History) KeepBytes() int64 { return h.keep }

// Bytes is about what the history takes.
func (h *History) Bytes() int64 { return int64(h.blocks+h.spares) * BlockBytes }

// Append adds to the stream.
func (h *History) Append(p []byte) {
	h.end += int64(len(p))
	for len(p) > 0 {
		t := h.tail
		if len(t.bytes) == BlockBytes {
			h.add()
			h.trim()
			continue
		}
		n := min(len(p), BlockBytes-len(t.bytes))
		t.bytes = append(t.bytes, p[:n]...)
		p = p[n:]
	}
}

func (h *History) add() {
	b := h.spare
	if b != nil {
		h.spare, b.next = b.next, nil
		h.spares--
		b.bytes = b.bytes[:0]
	} else {
		b = &block{bytes: make([]byte, 0, BlockBytes)}
	}
	if h.tail == nil {
		b.first = h.end + 1
		h.head = b
	} else {
		b.first = h.tail.end() + 1
		h.tail.next = b
	}
	h.tail = b
	h.blocks++
}

// trim lets go of the oldest blocks that nobody is in and that are older than what is kept.
func (h *History) trim() {
	for b := h.head; b != h.tail && b.readers == 0 && h.end-b.end() >= h.keep; b = h.head {
		h.head = b.next
		h.blocks--
		if h.spares < spareMax {
			b.next, h.spare = h.spare, b
			h.spares++
		}
	}
}

// Covers tells whether a follower of the stream of that name, which has everything up to offset after, can go on from there.
func (h *History) Covers(id string, after int64) bool {
	shared := h.SharedWith(id)
	return shared >= 0 && after <= shared && after >= h.head.first-1 && after <= h.end
}

// Reader reads the stream from a place on.
type Reader struct {
	h  *History
	b  *block // nil once closed
	at int64  // offset of the last byte that was taken
}

// Read opens a reader of what follows offset after; nil if that is not kept any more, or not there yet.
func (h *History) Read(after int64) *Reader {
	if after < h.head.first-1 || after > h.end {
		return nil
	}
	b := h.head
	for b.end() < after && b.next != nil {
		b = b.next
	}
	b.readers++
	return &Reader{h: h, b: b, at: after}
}

// Offset is that of the last byte that was taken.
func (r *Reader) Offset() int64 { return r.at }

// Next is what comes next, as far as it lies in one piece; empty if there is nothing yet. The view stays as it is until Took.
func (r *Reader) Next() []byte {
	if r.b == nil {
		return nil
	}
	if r.at == r.b.end() && r.b.next != nil {
		r.b.readers--
		r.b = r.b.next
		r.b.readers++
		r.h.trim()
	}
	return r.b.bytes[r.at+1-r.b.first:]
}

// Took goes on behind n bytes of what Next gave.
func (r *Reader) Took(n int) { r.at += int64(n) }

// Close ends the reader.
func (r *Reader) Close() {
	if r.b == nil {
		return
	}
	r.b.readers--
	r.b = nil
	r.h.trim()
}
