package commands

import (
	"larder/engine/store"
	"larder/engine/streams"
)

func xAck(c *Call) {
	it, found, wrong := c.lookStream(c.Args[1])
	switch {
	case wrong:
		return
	case !found || c.streamOf(it).Group(c.Args[2]) == nil:
		c.W.Int(0)
		return
	}
	ids, ok := c.streamIDs(3)
	if !ok {
		return
	}
	s := c.editStream(it)
	g := s.Group(c.Args[2])
	n := 0
	for _, id := range ids {
		if s.Ack(g, id) {
			n++
		}
	}
	c.Changed += n
	c.W.Int(int64(n))
}

// pendingOptions are what may follow XPENDING key group.
type pendingOptions struct {
	idle     int64
	from, to streams.ID
	count    int64
	consumer []byte // nil: all
}

func parsePending(args [][]byte) (o pendingOptions, err string) {
	const leastArgs, mostArgs = 3, 6
	if len(args) < leastArgs || len(args) > mostArgs {
		return o, errSyntax
	}
	var ok bool
	if is(args[0], "idle") {
		if o.idle, ok = store.ParseInt(args[1]); !ok {
			return o, errNotInt
		}
		if args = args[2:]; len(args) < leastArgs {
			return o, errSyntax
		}
	}
	if o.count, ok = store.ParseInt(args[2]); !ok {
		return o, errNotInt
	}
	if len(args) > leastArgs {
		o.consumer = args[3]
	}
	o.from, o.to, err = interval(args[0], args[1])
	return o, err
}

func xPending(c *Call) {
	var o pendingOptions
	if len(c.Args) > 3 {
		var err string
		if o, err = parsePending(c.Args[3:]); err != noError {
			c.W.Error(err)
			return
		}
	}
	s, g := c.groupOf(c.Args[1], c.Args[2])
	switch {
	case g == nil:
	case len(c.Args) == 3:
		c.pendingSummary(s, g)
	default:
		c.pendingList(s, g, &o)
	}
}

// groupOf finds a group to be read only; nil: there is none, and the error was written.
func (c *Call) groupOf(key, name []byte) (streams.Stream, *streams.Group) {
	it, found, wrong := c.lookStream(key)
	if found {
		s := c.streamOf(it)
		if g := s.Group(name); g != nil {
			return s, g
		}
	}
	if !wrong {
		c.W.Error(errNoKeyOrGroup(key, name))
	}
	return streams.Stream{}, nil
}

func (c *Call) pendingSummary(s streams.Stream, g *streams.Group) {
	c.W.Array(4)
	c.W.Int(int64(g.Pending()))
	first, ok := s.NextPending(g, streams.ID{})
	if !ok {
		c.W.Null()
		c.W.Null()
		c.W.NullArray()
		return
	}
	last, _ := s.LastPending(g)
	c.streamID(first.ID)
	c.streamID(last.ID)
	start, n := len(c.W.Out), 0
	for _, consumer := range g.Consumers() {
		if consumer.Pending() > 0 {
			c.W.Array(2)
			c.W.BulkString(consumer.Name)
			c.W.BulkInt(int64(consumer.Pending()))
			n++
		}
	}
	c.prefix(start, n)
}

func (c *Call) pendingList(s streams.Stream, g *streams.Group, o *pendingOptions) {
	var consumer *streams.Consumer
	if o.consumer != nil {
		if consumer = g.Consumer(o.consumer); consumer == nil {
			c.W.Array(0)
			return
		}
	}
	start, n := len(c.W.Out), 0
	w := s.WalkPending(g, consumer, o.from)
	for p, ok := w.Next(); ok && int64(n) < o.count && !o.to.Less(p.ID); p, ok = w.Next() {
		if o.idle != 0 && c.NowMS-p.DeliveredMS < o.idle {
			continue
		}
		n++
		c.W.Array(4)
		c.streamID(p.ID)
		c.W.BulkString(p.Consumer.Name)
		c.W.Int(max(c.NowMS-p.DeliveredMS, 0))
		c.W.Int(int64(p.Count))
		if c.full() {
			return
		}
	}
	c.prefix(start, n)
}
