package streams

import (
	"cmp"
	"slices"
	"strings"
)

// EntriesUnknown is a group's EntriesRead when it cannot be told.
const EntriesUnknown = -1

// Group is a consumer group. Its fields are changed in place by whoever has a Stream to change.
type Group struct {
	Name        string
	LastID      ID    // the last one delivered
	EntriesRead int64 // how many entries of the stream's whole life are up to LastID; EntriesUnknown

	owner    uint32
	pending  int
	byName   []*Consumer
	byNumber []*Consumer
}

// Consumer is one of a group.
type Consumer struct {
	Name     string
	SeenMS   int64 // when it last asked for anything
	ActiveMS int64 // when it last got anything; -1 = never

	owner   uint32
	pending int
}

// Pending is the number of entries delivered in the group and not acknowledged.
func (g *Group) Pending() int { return g.pending }

// Pending is the number of entries delivered to the consumer and not acknowledged.
func (c *Consumer) Pending() int { return c.pending }

// Consumers are the group's, by name. The slice is not to be changed.
func (g *Group) Consumers() []*Consumer { return g.byName }

func (g *Group) clone() *Group {
	out := *g
	all := make([]Consumer, len(g.byNumber))
	out.byNumber = make([]*Consumer, len(g.byNumber))
	for i, c := range g.byNumber {
		all[i] = *c
		out.byNumber[i] = &all[i]
	}
	out.byName = slices.Clone(out.byNumber)
	slices.SortFunc(out.byName, func(a, b *Consumer) int { return strings.Compare(a.Name, b.Name) })
	return &out
}

func (g *Group) bytes() int64 {
	const groupBytes, consumerBytes = 144, 80
	n := groupBytes + int64(len(g.Name))
	for _, c := range g.byName {
		n += consumerBytes + int64(len(c.Name))
	}
	return n
}

// compareName tells how a name is to another, by bytes.
func compareName(name string, other []byte) int {
	if name == string(other) {
		return 0
	}
	if name < string(other) {
		return -1
	}
	return 1
}

// Groups are the stream's groups, by name. The slice is not to be changed.
func (s Stream) Groups() []*Group { return s.meta.groups }

// Group finds a group; nil if there is none.
func (s Stream) Group(name []byte) *Group {
	if i, found := s.searchGroup(name); found {
		return s.meta.groups[i]
	}
	return nil
}

func (s Stream) searchGroup(name []byte) (int, bool) {
	return slices.BinarySearchFunc(s.meta.groups, name, func(g *Group, name []byte) int { return compareName(g.Name, name) })
}

// CreateGroup makes a group; nil if there is one of that name.
func (s Stream) CreateGroup(name []byte, last ID, read int64) *Group {
	i, found := s.searchGroup(name)
	if found {
		return nil
	}
	s.meta.lastOwner++
	g := &Group{Name: string(name), LastID: last, EntriesRead: read, owner: s.meta.lastOwner}
	s.meta.groups = slices.Insert(s.meta.groups, i, g)
	return g
}

// DestroyGroup deletes a group with all it has, and tells whether there was one of that name.
func (s Stream) DestroyGroup(name []byte) bool {
	i, found := s.searchGroup(name)
	if !found {
		return false
	}
	g := s.meta.groups[i]
	s.meta.groups = slices.Delete(s.meta.groups, i, i+1)
	s.dropOwner(g.owner)
	for _, c := range g.byName {
		s.dropOwner(c.owner)
	}
	return true
}

// Consumer finds a consumer; nil if there is none.
func (g *Group) Consumer(name []byte) *Consumer {
	if i, found := g.search(name); found {
		return g.byName[i]
	}
	return nil
}

func (g *Group) search(name []byte) (int, bool) {
	return slices.BinarySearchFunc(g.byName, name, func(c *Consumer, name []byte) int { return compareName(c.Name, name) })
}

func (g *Group) numbered(owner uint32) *Consumer {
	i, _ := slices.BinarySearchFunc(g.byNumber, owner, func(c *Consumer, owner uint32) int { return cmp.Compare(c.owner, owner) })
	return g.byNumber[i]
}

// CreateConsumer makes a consumer; nil if there is one of that name.
func (s Stream) CreateConsumer(g *Group, name []byte, now int64) *Consumer {
	i, found := g.search(name)
	if found {
		return nil
	}
	s.meta.lastOwner++
	c := &Consumer{Name: string(name), SeenMS: now, ActiveMS: -1, owner: s.meta.lastOwner}
	g.byName = slices.Insert(g.byName, i, c)
	g.byNumber = append(g.byNumber, c)
	return c
}

// DeleteConsumer deletes a consumer with all that is pending for it.
func (s Stream) DeleteConsumer(g *Group, c *Consumer) {
	for id, ok := s.NextOwn(c, ID{}); ok; {
		if at, found := s.find(g.owner, id); found {
			s.index.Delete(at)
		}
		if id, ok = id.Next(); ok {
			id, ok = s.NextOwn(c, id)
		}
	}
	s.dropOwner(c.owner)
	g.pending -= c.pending
	i, _ := g.search([]byte(c.Name))
	g.byName = slices.Delete(g.byName, i, i+1)
	i = slices.Index(g.byNumber, c)
	g.byNumber = slices.Delete(g.byNumber, i, i+1)
}
