package streams

import (
	"encoding/binary"

	"larder/engine/store/tree"
)

// Behind its key, a group's entry in the second tree has the consumer's number, the time of the delivery and how often it was delivered, all as uvarint.
// A consumer's has nothing.

// Pending is an entry that was delivered and not acknowledged.
type Pending struct {
	ID          ID
	Consumer    *Consumer
	DeliveredMS int64
	Count       uint64 // deliveries
}

// Pending finds a pending entry of a group.
func (s Stream) Pending(g *Group, id ID) (Pending, bool) {
	c, found := s.find(g.owner, id)
	if !found {
		return Pending{}, false
	}
	return g.pendingAt(&c), true
}

// NextPending finds the first pending entry of a group that is not before an ID.
func (s Stream) NextPending(g *Group, from ID) (Pending, bool) {
	c, _ := s.find(g.owner, from)
	if _, ok := owned(&c, g.owner); !ok {
		return Pending{}, false
	}
	return g.pendingAt(&c), true
}

// LastPending finds the last pending entry of a group.
func (s Stream) LastPending(g *Group) (Pending, bool) {
	c, found := s.find(g.owner, MaxID)
	if !found {
		if c.Rank() == 0 {
			return Pending{}, false
		}
		c.Prev()
	}
	if _, ok := owned(&c, g.owner); !ok {
		return Pending{}, false
	}
	return g.pendingAt(&c), true
}

// NextOwn finds the first entry pending for a consumer that is not before an ID.
func (s Stream) NextOwn(c *Consumer, from ID) (ID, bool) {
	at, _ := s.find(c.owner, from)
	return owned(&at, c.owner)
}

func (g *Group) pendingAt(c *tree.Cursor) Pending {
	e := c.Entry()
	p := Pending{ID: sortedID(e[ownerBytes:])}
	owner, e := cutUint(e[keyBytes:])
	ms, e := cutUint(e)
	p.Count, _ = cutUint(e)
	p.Consumer, p.DeliveredMS = g.numbered(uint32(owner)), int64(ms)
	return p
}

// SetPending makes p what is pending of its ID in the group, whoever had it before.
func (s Stream) SetPending(g *Group, p Pending) {
	c, found := s.find(g.owner, p.ID)
	var before *Consumer
	if found {
		before = g.pendingAt(&c).Consumer
	}
	b := appendKey((*s.buf)[:0], g.owner, p.ID)
	b = binary.AppendUvarint(b, uint64(p.Consumer.owner))
	b = binary.AppendUvarint(b, uint64(p.DeliveredMS))
	*s.buf = binary.AppendUvarint(b, p.Count)
	if found {
		s.index.Replace(c, *s.buf)
	} else {
		s.index.Insert(c, *s.buf)
		g.pending++
	}
	if before == p.Consumer {
		return
	}
	if before != nil {
		s.disown(before, p.ID)
	}
	c, _ = s.find(p.Consumer.owner, p.ID)
	*s.buf = appendKey((*s.buf)[:0], p.Consumer.owner, p.ID)
	s.index.Insert(c, *s.buf)
	p.Consumer.pending++
}

func (s Stream) disown(c *Consumer, id ID) {
	if at, found := s.find(c.owner, id); found {
		s.index.Delete(at)
		c.pending--
	}
}

// Ack makes an entry pending no longer, and tells whether it was.
func (s Stream) Ack(g *Group, id ID) bool {
	c, found := s.find(g.owner, id)
	if !found {
		return false
	}
	consumer := g.pendingAt(&c).Consumer
	s.index.Delete(c)
	g.pending--
	s.disown(consumer, id)
	return true
}

// Walk goes through what is pending. It is dead after a change of the stream.
type Walk struct {
	s     Stream
	g     *Group
	c     tree.Cursor
	owner uint32
}

// WalkPending begins at an ID: what is pending in a group, or of that only a consumer's if it is not nil.
func (s Stream) WalkPending(g *Group, of *Consumer, from ID) Walk {
	w := Walk{s: s, g: g, owner: g.owner}
	if of != nil {
		w.owner = of.owner
	}
	w.c, _ = s.find(w.owner, from)
	return w
}

// Next gives the next one; false behind the last.
func (w *Walk) Next() (Pending, bool) {
	id, ok := owned(&w.c, w.owner)
	if !ok {
		return Pending{}, false
	}
	if w.owner != w.g.owner {
		w.c.Next()
		return w.s.Pending(w.g, id)
	}
	p := w.g.pendingAt(&w.c)
	w.c.Next()
	return p, true
}
