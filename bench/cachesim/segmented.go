package main

import "container/list"

// segmented is memcached's LRU in three parts: new keys in HOT, a fifth of the room; what leaves it goes to WARM if it was asked for again, else to COLD;
// COLD's end is evicted, keys of COLD that are asked for go to WARM, two fifths of the room, whose end goes back to COLD or, if active, to its front.
type segmented struct {
	room  int
	index map[uint64]*list.Element
	parts [3]*list.List
}

const (
	hot = iota
	warmPart
	cold
)

type segmentedKey struct {
	key    uint64
	part   int
	active bool
}

func newSegmented(room int) *segmented {
	c := &segmented{room: max(room, 5), index: map[uint64]*list.Element{}}
	for i := range c.parts {
		c.parts[i] = list.New()
	}
	return c
}

func (c *segmented) get(key uint64) bool {
	if e, ok := c.index[key]; ok {
		k := e.Value.(*segmentedKey)
		if k.part == cold {
			c.move(e, warmPart)
		}
		k.active = true
		c.balance()
		return true
	}
	c.index[key] = c.parts[hot].PushFront(&segmentedKey{key: key, part: hot})
	c.balance()
	if len(c.index) > c.room {
		c.evict()
	}
	return false
}

func (c *segmented) move(e *list.Element, part int) {
	k := e.Value.(*segmentedKey)
	c.parts[k.part].Remove(e)
	k.part, k.active = part, false
	c.index[k.key] = c.parts[part].PushFront(k)
}

// balance moves the ends of HOT and WARM on while they are too long.
func (c *segmented) balance() {
	for c.parts[hot].Len() > c.room/5 {
		c.demote(hot)
	}
	for c.parts[warmPart].Len() > 2*c.room/5 {
		c.demote(warmPart)
	}
}

func (c *segmented) demote(part int) {
	e := c.parts[part].Back()
	if e.Value.(*segmentedKey).active {
		c.move(e, warmPart)
		return
	}
	c.move(e, cold)
}

func (c *segmented) evict() {
	part := cold
	for c.parts[part].Len() == 0 {
		part--
	}
	e := c.parts[part].Back()
	delete(c.index, e.Value.(*segmentedKey).key)
	c.parts[part].Remove(e)
}
