package commands

import (
	"bytes"
	"encoding/binary"
	"math"

	"larder/engine/store"
	"larder/engine/streams"
)

// streamIDBytes is the length of an ID in the note of a command that waits.
const streamIDBytes = 16

// readOptions are what XREAD and XREADGROUP take.
type readOptions struct {
	group, consumer []byte // nil: XREAD
	count           int64  // 0 = all
	blockMS         int64  // -1: not asked for
	noAck           bool
	keys, ids       [][]byte
}

func parseRead(c *Call, group bool) (o readOptions, err string) {
	o.blockMS = -1
	args := c.Args
	for i := 1; i < len(args); i++ {
		more := len(args) - i - 1
		switch {
		case more > 0 && is(args[i], "block"):
			i++
			o.blockMS, err = timeoutMS(args[i], c.NowMS)
		case more > 0 && is(args[i], "count"):
			i++
			err = o.setCount(args[i])
		case more > 0 && is(args[i], "streams"):
			return o, o.streams(args[i+1:], group)
		case more > 1 && is(args[i], "group"):
			if !group {
				return o, errReadGroup
			}
			o.group, o.consumer = args[i+1], args[i+2]
			i += 2
		case is(args[i], "noack"):
			if !group {
				return o, errReadNoAck
			}
			o.noAck = true
		default:
			err = errSyntax
		}
		if err != noError {
			return o, err
		}
	}
	return o, errSyntax
}

func (o *readOptions) setCount(arg []byte) string {
	n, ok := store.ParseInt(arg)
	if !ok {
		return errNotInt
	}
	o.count = max(n, 0)
	return noError
}

// streams reads the last arguments: keys, then as many IDs.
func (o *readOptions) streams(args [][]byte, group bool) string {
	switch n := len(args) / 2; {
	case len(args)%2 != 0:
		return errUnbalanced
	case group && o.group == nil:
		return errReadNoGroup
	default:
		o.keys, o.ids = args[:n], args[n:]
		return noError
	}
}

// timeoutMS reads a time to wait in milliseconds.
func timeoutMS(arg []byte, nowMS int64) (int64, string) {
	n, ok := store.ParseInt(arg)
	switch {
	case !ok:
		return 0, errTimeoutInt
	case n < 0:
		return 0, errTimeoutLess
	case n > math.MaxInt64-nowMS:
		return 0, errTimeoutRange
	}
	return n, noError
}

func isWord(arg []byte, word byte) bool {
	if i := bytes.IndexByte(arg, 0); i >= 0 {
		arg = arg[:i]
	}
	return len(arg) == 1 && arg[0] == word
}

func xRead(c *Call) {
	o, err := parseRead(c, false)
	if err != noError {
		c.W.Error(err)
		return
	}
	if !c.readFrom(&o) {
		return
	}
	start, n := len(c.W.Out), 0
	for i, key := range o.keys {
		it, found := c.look(key)
		if !found || it.Kind() != store.KindStreamBig {
			continue
		}
		s := c.streamOf(it)
		if from, ok := c.ids[i].Next(); ok && s.Len() > 0 && c.ids[i].Less(s.EndID()) {
			c.readHead(key)
			n++
			if !c.entries(s.Range(from, streams.MaxID, false, o.count)) {
				return
			}
		}
	}
	c.readEnd(&o, start, n)
}

// readFrom fills ids with those that XREAD is to read behind: what "$" means is settled once, when the command first comes.
func (c *Call) readFrom(o *readOptions) bool {
	c.ids = c.ids[:0]
	for i, arg := range o.ids {
		it, found, wrong := c.lookStream(o.keys[i])
		if wrong {
			return false
		}
		id := streams.ID{}
		switch {
		case isWord(arg, '$'):
			if at := i * streamIDBytes; c.Woken && len(c.Note) >= at+streamIDBytes {
				id.MS, id.Seq = binary.BigEndian.Uint64(c.Note[at:]), binary.BigEndian.Uint64(c.Note[at+8:])
			} else if found {
				id = c.streamOf(it).LastID()
			}
		case isWord(arg, '>'):
			c.W.Error(errReadNew)
			return false
		default:
			var ok bool
			if id, ok = streams.ParseID(arg, 0); !ok {
				c.W.Error(errStreamID)
				return false
			}
		}
		c.ids = append(c.ids, id)
	}
	return true
}

// readHead begins one stream's part of the reply.
func (c *Call) readHead(key []byte) {
	if c.W.Proto < 3 {
		c.W.Array(2)
	}
	c.W.BulkBytes(key)
}

// readEnd puts the reply's head before its n parts from an offset on. Without any, the command waits or there is nothing.
func (c *Call) readEnd(o *readOptions, start, n int) {
	switch {
	case n > 0:
		c.prefixMap(start, n)
	case o.blockMS >= 0 && c.Block(o.keys, o.blockMS):
		note := c.bytes[:0]
		for _, id := range c.ids {
			note = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(note, id.MS), id.Seq)
		}
		c.bytes, c.Wait.Note, c.Wait.Gone = note, note, o.group != nil
	default:
		c.W.NullArray()
	}
}

func xReadGroup(c *Call) {
	o, err := parseRead(c, true)
	if err != noError {
		c.W.Error(err)
		return
	}
	if !c.checkGroups(&o) {
		return
	}
	c.Silence()
	start, n := len(c.W.Out), 0
	for i, key := range o.keys {
		it, found := c.look(key)
		if !found || it.Kind() != store.KindStreamBig {
			continue
		}
		s := c.editStream(it)
		g := s.Group(o.group)
		if g == nil {
			continue
		}
		consumer, made := c.seeConsumer(s, g, key, o.consumer)
		history := c.ids[i] != streams.MaxID
		fresh := !history && s.Len() > 0 && g.LastID.Less(s.EndID())
		if made && (o.noAck || !fresh) {
			c.tellConsumer(key, g, o.consumer)
		}
		if !history && !fresh {
			continue
		}
		n++
		c.readHead(key)
		if history {
			c.history(s, g, consumer, c.ids[i], o.count)
		} else {
			c.deliver(s, g, consumer, key, &o)
		}
		c.Changed++
		if c.full() {
			return
		}
	}
	c.ids = c.ids[:0]
	c.readEnd(&o, start, n)
}

// checkGroups sees that all streams have the group, and reads the IDs into ids.
func (c *Call) checkGroups(o *readOptions) bool {
	c.ids = c.ids[:0]
	for i, arg := range o.ids {
		it, found, wrong := c.lookStream(o.keys[i])
		if wrong {
			return false
		}
		id := streams.MaxID // of ">", as in Redis: who asks for what is behind it gets the same
		switch {
		case !found || c.streamOf(it).Group(o.group) == nil:
			c.W.Error(errNoKeyOrGroup(o.keys[i], o.group) + " in XREADGROUP with GROUP option")
			return false
		case isWord(arg, '$'):
			c.W.Error(errReadLast)
			return false
		case !isWord(arg, '>'):
			var ok bool
			if id, ok = streams.ParseID(arg, 0); !ok {
				c.W.Error(errStreamID)
				return false
			}
		}
		c.ids = append(c.ids, id)
	}
	return true
}

// seeConsumer finds a consumer, makes it if there is none, and notes that it was here.
func (c *Call) seeConsumer(s streams.Stream, g *streams.Group, key, name []byte) (consumer *streams.Consumer, made bool) {
	consumer = g.Consumer(name)
	if made = consumer == nil; made {
		consumer = s.CreateConsumer(g, name, c.NowMS)
		c.Changed++
		c.Notify(ClassStream, "xgroup-createconsumer", key)
	}
	consumer.SeenMS = c.NowMS
	return consumer, made
}

// deliver writes what the group has not had yet, and notes that it is pending.
func (c *Call) deliver(s streams.Stream, g *streams.Group, consumer *streams.Consumer, key []byte, o *readOptions) {
	from, _ := g.LastID.Next()
	r := s.Range(from, streams.MaxID, false, o.count)
	c.W.Array(r.Len())
	e, ok := r.Next()
	for ; ok; e, ok = r.Next() {
		id := e.ID
		c.entry(&e)
		s.Deliver(g, id)
		if o.noAck {
			continue
		}
		p := streams.Pending{ID: id, Consumer: consumer, DeliveredMS: c.NowMS, Count: 1}
		s.SetPending(g, p)
		consumer.ActiveMS = c.NowMS
		c.tellClaim(key, g, &p)
	}
	c.tellGroupID(key, g)
}

// history writes what is pending for the consumer behind an ID, and counts a delivery of what is still there.
func (c *Call) history(s streams.Stream, g *streams.Group, consumer *streams.Consumer, after streams.ID, count int64) {
	start, n := len(c.W.Out), 0
	id, ok := after.Next()
	if ok {
		id, ok = s.NextOwn(consumer, id)
	}
	for ok && (count == 0 || int64(n) < count) {
		if e, found := s.Get(id); found {
			c.entry(&e)
			p, _ := s.Pending(g, id)
			p.DeliveredMS = c.NowMS
			p.Count++
			s.SetPending(g, p)
		} else {
			c.W.Array(2)
			c.streamID(id)
			c.W.NullArray()
		}
		n++
		if id, ok = id.Next(); ok {
			id, ok = s.NextOwn(consumer, id)
		}
	}
	c.prefix(start, n)
}
