package commands

import (
	"larder/engine/store"
	"larder/engine/streams"
	"larder/protocol/command"
)

// groupOptions are what may follow XGROUP CREATE or SETID key group id.
type groupOptions struct {
	makeStream bool
	read       int64
}

func (c *Call) parseGroup(create bool) (o groupOptions, err string) {
	o.read = streams.EntriesUnknown
	for i := 5; i < len(c.Args); i++ {
		switch {
		case create && is(c.Args[i], "mkstream"):
			o.makeStream = true
		case is(c.Args[i], "entriesread") && i+1 < len(c.Args):
			i++
			n, ok := store.ParseInt(c.Args[i])
			switch {
			case !ok:
				return o, errNotInt
			case n < 0 && n != streams.EntriesUnknown:
				return o, errEntriesRead
			}
			o.read = n
		default:
			return o, command.SubArgumentsError(c.Args)
		}
	}
	return o, noError
}

// groupKey finds the stream of an XGROUP subcommand that needs one; not ok: the error was written.
func (c *Call) groupKey() (it store.Item, ok bool) {
	it, found, wrong := c.lookStream(c.Args[2])
	if !found && !wrong {
		c.W.Error(errGroupKey)
	}
	return it, found
}

// group finds the group of an XGROUP subcommand that needs one, to be changed; nil: the error was written.
func (c *Call) group() (streams.Stream, *streams.Group) {
	it, ok := c.groupKey()
	if !ok {
		return streams.Stream{}, nil
	}
	if c.streamOf(it).Group(c.Args[3]) == nil {
		c.W.Error(errNoGroup(c.Args[2], c.Args[3]))
		return streams.Stream{}, nil
	}
	s := c.editStream(it)
	return s, s.Group(c.Args[3])
}

func xGroupCreate(c *Call) {
	const argsMax = 8
	o, err := c.parseGroup(true)
	if err != noError {
		c.W.Error(err)
		return
	}
	key := c.Args[2]
	it, found, wrong := c.lookStream(key)
	switch {
	case wrong:
		return
	case !found && !o.makeStream:
		c.W.Error(errGroupKey)
		return
	case len(c.Args) > argsMax:
		c.W.Error(command.SubArgumentsError(c.Args))
		return
	}
	id, ok := streams.ID{}, true
	switch {
	case !isWord(c.Args[4], '$'):
		id, ok = streams.ParseID(c.Args[4], 0)
	case found:
		id = c.streamOf(it).LastID()
	}
	if !ok {
		c.W.Error(errStreamID)
		return
	}
	var s streams.Stream
	if found {
		s = c.editStream(it)
	} else {
		s = c.newStream(key)
		c.Touch(key)
		c.Push(key)
	}
	if s.CreateGroup(c.Args[3], id, o.read) == nil {
		c.W.Error(errGroupBusy)
		return
	}
	c.W.OK()
	c.Changed++
	c.Notify(ClassStream, "xgroup-create", key)
}

func xGroupSetID(c *Call) {
	o, err := c.parseGroup(false)
	if err != noError {
		c.W.Error(err)
		return
	}
	s, g := c.group()
	if g == nil {
		return
	}
	if n := len(c.Args); n != 5 && n != 7 {
		c.W.Error(command.SubArgumentsError(c.Args))
		return
	}
	id, ok := s.LastID(), true
	if !isWord(c.Args[4], '$') {
		id, ok = streams.ParseBorder(c.Args[4], 0)
	}
	if !ok {
		c.W.Error(errStreamID)
		return
	}
	g.LastID, g.EntriesRead = id, o.read
	c.W.OK()
	c.Changed++
	c.Notify(ClassStream, "xgroup-setid", c.Args[2])
}

func xGroupDestroy(c *Call) {
	it, ok := c.groupKey()
	if !ok {
		return
	}
	if !c.editStream(it).DestroyGroup(c.Args[3]) {
		c.W.Int(0)
		return
	}
	c.W.Int(1)
	c.Changed++
	c.Notify(ClassStream, "xgroup-destroy", c.Args[2])
	c.Push(c.Args[2]) // who waits for news of the group is to hear that there is none
}

func xGroupCreateConsumer(c *Call) {
	s, g := c.group()
	if g == nil {
		return
	}
	if s.CreateConsumer(g, c.Args[4], c.NowMS) == nil {
		c.W.Int(0)
		return
	}
	c.W.Int(1)
	c.Changed++
	c.Notify(ClassStream, "xgroup-createconsumer", c.Args[2])
}

func xGroupDelConsumer(c *Call) {
	s, g := c.group()
	if g == nil {
		return
	}
	consumer := g.Consumer(c.Args[4])
	if consumer == nil {
		c.W.Int(0)
		return
	}
	c.W.Int(int64(consumer.Pending()))
	s.DeleteConsumer(g, consumer)
	c.Changed++
	c.Notify(ClassStream, "xgroup-delconsumer", c.Args[2])
}
