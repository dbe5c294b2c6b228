package commands

import (
	"larder/engine/store"
	"larder/engine/streams"
	"larder/protocol/command"
)

// infoCountDefault is how many entries of each kind XINFO STREAM FULL shows.
const infoCountDefault = 10

// infoStream finds the stream of an XINFO subcommand; not ok: the error was written.
func (c *Call) infoStream() (s streams.Stream, ok bool) {
	it, found, wrong := c.lookStream(c.Args[2])
	switch {
	case found:
		return c.streamOf(it), true
	case !wrong:
		c.W.Error(errNoKey)
	}
	return s, false
}

// parseInfo reads FULL and COUNT; count is then not negative.
func (c *Call) parseInfo() (count int64, full bool, err string) {
	args := c.Args[3:]
	switch {
	case len(args) == 0:
		return 0, false, noError
	case len(args) != 1 && len(args) != 3 || !is(args[0], "full") || len(args) == 3 && !is(args[1], "count"):
		return 0, false, command.SubArgumentsError(c.Args)
	case len(args) == 1:
		return infoCountDefault, true, noError
	}
	count, ok := store.ParseInt(args[2])
	if !ok {
		return 0, false, errNotInt
	}
	if count < 0 {
		count = infoCountDefault
	}
	return count, true, noError
}

func xInfoStream(c *Call) {
	s, ok := c.infoStream()
	if !ok {
		return
	}
	count, full, err := c.parseInfo()
	if err != noError {
		c.W.Error(err)
		return
	}
	if full {
		c.W.Map(9)
	} else {
		c.W.Map(10)
	}
	blocks, nodes := s.Blocks()
	c.infoInt("length", int64(s.Len()))
	c.infoInt("radix-tree-keys", int64(blocks))
	c.infoInt("radix-tree-nodes", int64(nodes))
	c.infoID("last-generated-id", s.LastID())
	c.infoID("max-deleted-entry-id", s.MaxDeletedID())
	c.infoInt("entries-added", int64(s.EntriesAdded()))
	c.infoID("recorded-first-entry-id", s.FirstID())
	if full {
		c.infoFull(s, count)
		return
	}
	c.infoInt("groups", int64(len(s.Groups())))
	c.infoEntry("first-entry", s.Range(streams.ID{}, streams.MaxID, false, 1))
	c.infoEntry("last-entry", s.Range(streams.ID{}, streams.MaxID, true, 1))
}

func (c *Call) infoInt(name string, n int64) {
	c.W.Bulk(name)
	c.W.Int(n)
}

func (c *Call) infoID(name string, id streams.ID) {
	c.W.Bulk(name)
	c.streamID(id)
}

func (c *Call) infoEntry(name string, r streams.Range) {
	c.W.Bulk(name)
	if e, ok := r.Next(); ok {
		c.entry(&e)
	} else {
		c.W.Null()
	}
}

// infoFull writes the entries and the groups with all they have, count of each; 0 = all.
func (c *Call) infoFull(s streams.Stream, count int64) {
	c.W.Bulk("entries")
	if !c.entries(s.Range(streams.ID{}, streams.MaxID, false, count)) {
		return
	}
	c.W.Bulk("groups")
	c.W.Array(len(s.Groups()))
	for _, g := range s.Groups() {
		c.W.Map(7)
		c.W.Bulk("name")
		c.W.BulkString(g.Name)
		c.infoID("last-delivered-id", g.LastID)
		c.infoProgress(s, g)
		c.infoInt("pel-count", int64(g.Pending()))
		c.infoPending(s, g, nil, count)
		c.W.Bulk("consumers")
		c.W.Array(len(g.Consumers()))
		for _, consumer := range g.Consumers() {
			c.W.Map(5)
			c.W.Bulk("name")
			c.W.BulkString(consumer.Name)
			c.infoInt("seen-time", consumer.SeenMS)
			c.infoInt("active-time", consumer.ActiveMS)
			c.infoInt("pel-count", int64(consumer.Pending()))
			c.infoPending(s, g, consumer, count)
		}
		if c.full() {
			return
		}
	}
}

// infoProgress writes how much of the stream a group has read and has still to read, as far as that is known.
func (c *Call) infoProgress(s streams.Stream, g *streams.Group) {
	c.W.Bulk("entries-read")
	if g.EntriesRead == streams.EntriesUnknown {
		c.W.Null()
	} else {
		c.W.Int(g.EntriesRead)
	}
	c.W.Bulk("lag")
	if lag, ok := s.Lag(g); ok {
		c.W.Int(lag)
	} else {
		c.W.Null()
	}
}

func (c *Call) infoPending(s streams.Stream, g *streams.Group, of *streams.Consumer, count int64) {
	c.W.Bulk("pending")
	n := g.Pending()
	if of != nil {
		n = of.Pending()
	}
	if count > 0 && count < int64(n) {
		n = int(count)
	}
	c.W.Array(n)
	w := s.WalkPending(g, of, streams.ID{})
	for range n {
		p, _ := w.Next()
		if of == nil {
			c.W.Array(4)
			c.streamID(p.ID)
			c.W.BulkString(p.Consumer.Name)
		} else {
			c.W.Array(3)
			c.streamID(p.ID)
		}
		c.W.Int(p.DeliveredMS)
		c.W.Int(int64(p.Count))
	}
}

func xInfoGroups(c *Call) {
	s, ok := c.infoStream()
	if !ok {
		return
	}
	c.W.Array(len(s.Groups()))
	for _, g := range s.Groups() {
		c.W.Map(6)
		c.W.Bulk("name")
		c.W.BulkString(g.Name)
		c.infoInt("consumers", int64(len(g.Consumers())))
		c.infoInt("pending", int64(g.Pending()))
		c.infoID("last-delivered-id", g.LastID)
		c.infoProgress(s, g)
	}
}

func xInfoConsumers(c *Call) {
	s, ok := c.infoStream()
	if !ok {
		return
	}
	g := s.Group(c.Args[3])
	if g == nil {
		c.W.Error(errNoGroup(c.Args[2], c.Args[3]))
		return
	}
	c.W.Array(len(g.Consumers()))
	for _, consumer := range g.Consumers() {
		inactive := int64(-1)
		if consumer.ActiveMS != -1 {
			inactive = c.NowMS - consumer.ActiveMS
		}
		c.W.Map(4)
		c.W.Bulk("name")
		c.W.BulkString(consumer.Name)
		c.infoInt("pending", int64(consumer.Pending()))
		c.infoInt("idle", max(c.NowMS-consumer.SeenMS, 0))
		c.infoInt("inactive", inactive)
	}
}
