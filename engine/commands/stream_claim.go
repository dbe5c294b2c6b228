package commands

import (
	"math"

	"larder/engine/store"
	"larder/engine/streams"
)

// claimOptions are what may follow XCLAIM's IDs.
type claimOptions struct {
	idle        int64
	deliveredMS int64 // -1: now
	retries     int64 // -1: one more
	force       bool
	justID      bool
	last        streams.ID
}

// parseClaim reads the IDs into ids, and what is behind them.
func (c *Call) parseClaim() (o claimOptions, err string) {
	o.deliveredMS, o.retries = -1, -1
	var ok bool
	if o.idle, ok = store.ParseInt(c.Args[4]); !ok {
		return o, errClaimIdle
	}
	o.idle = max(o.idle, 0)
	args := c.Args[5:]
	c.ids = c.ids[:0]
	for len(args) > 0 {
		id, ok := streams.ParseID(args[0], 0)
		if !ok {
			break
		}
		c.ids, args = append(c.ids, id), args[1:]
	}
	for len(args) > 0 {
		n := 0
		if n, err = o.option(args, c.NowMS); err != noError {
			return o, err
		}
		args = args[n:]
	}
	if o.deliveredMS < 0 || o.deliveredMS > c.NowMS && !c.Obeys {
		o.deliveredMS = c.NowMS
	}
	return o, noError
}

// option reads one option and gives how many arguments it takes.
func (o *claimOptions) option(args [][]byte, nowMS int64) (n int, err string) {
	ok, more := true, len(args) > 1
	n = 2
	switch {
	case is(args[0], "force"):
		o.force, n = true, 1
	case is(args[0], "justid"):
		o.justID, n = true, 1
	case more && is(args[0], "idle"):
		o.deliveredMS, ok = store.ParseInt(args[1])
		o.deliveredMS = nowMS - o.deliveredMS
		err = errClaimIdleOpt
	case more && is(args[0], "time"):
		o.deliveredMS, ok = store.ParseInt(args[1])
		err = errClaimTime
	case more && is(args[0], "retrycount"):
		o.retries, ok = store.ParseInt(args[1])
		err = errClaimRetry
	case more && is(args[0], "lastid"):
		o.last, ok = streams.ParseID(args[1], 0)
		err = errStreamID
	default:
		return n, "ERR Unrecognized XCLAIM option '" + cut(args[0]) + "'"
	}
	if ok {
		err = noError
	}
	return n, err
}

func xClaim(c *Call) {
	key := c.Args[1]
	if _, g := c.groupOf(key, c.Args[2]); g == nil {
		return
	}
	o, err := c.parseClaim()
	if err != noError {
		c.W.Error(err)
		return
	}
	it, _ := c.DB.Peek(key, c.NowMS)
	s := c.editStream(it)
	g := s.Group(c.Args[2])
	moved := g.LastID.Less(o.last)
	if moved {
		g.LastID = o.last
	}
	c.Silence()
	consumer, made := c.seeConsumer(s, g, key, c.Args[3])
	start, n, changed := len(c.W.Out), 0, c.Changed
	for _, id := range c.ids {
		if c.claim(s, g, consumer, id, &o) {
			n++
		}
	}
	if moved && changed == c.Changed {
		c.Changed++
		c.tellGroupID(key, g)
	}
	if made && n == 0 {
		c.tellConsumer(key, g, c.Args[3])
	}
	c.prefix(start, n)
}

// claim gives one pending entry to the consumer and writes it, if it is to be had.
func (c *Call) claim(s streams.Stream, g *streams.Group, consumer *streams.Consumer, id streams.ID, o *claimOptions) bool {
	p, pending := s.Pending(g, id)
	e, found := s.Get(id)
	switch {
	case !found:
		if pending {
			c.tellClaim(c.Args[1], g, &p)
			s.Ack(g, id)
			c.Changed++
		}
		return false
	case !pending && !o.force:
		return false
	case !pending:
		p = streams.Pending{ID: id, Count: 1}
	case o.idle > 0 && c.NowMS-p.DeliveredMS < o.idle:
		return false
	}
	switch {
	case o.retries >= 0:
		p.Count = uint64(o.retries)
	case !o.justID:
		p.Count++
	}
	if o.justID {
		c.streamID(id)
	} else {
		c.entry(&e)
	}
	p.Consumer, p.DeliveredMS = consumer, o.deliveredMS
	s.SetPending(g, p)
	consumer.ActiveMS = c.NowMS
	c.tellClaim(c.Args[1], g, &p)
	c.Changed++
	return true
}

// autoClaimOptions are what XAUTOCLAIM takes.
type autoClaimOptions struct {
	idle   int64
	from   streams.ID
	count  int64
	justID bool
}

func (c *Call) parseAutoClaim() (o autoClaimOptions, err string) {
	const countDefault, countMax = 100, math.MaxInt64 / 16
	o.count = countDefault
	var ok, open bool
	if o.idle, ok = store.ParseInt(c.Args[4]); !ok {
		return o, errAutoClaimIdle
	}
	o.idle = max(o.idle, 0)
	if o.from, open, ok = border(c.Args[5], 0); !ok {
		return o, errStreamID
	}
	if open {
		if o.from, ok = o.from.Next(); !ok {
			return o, errStreamStart
		}
	}
	for i := 6; i < len(c.Args); i++ {
		switch {
		case is(c.Args[i], "count") && i+1 < len(c.Args):
			i++
			if o.count, ok = store.ParseInt(c.Args[i]); !ok || o.count < 1 || o.count > countMax {
				return o, errClaimCount
			}
		case is(c.Args[i], "justid"):
			o.justID = true
		default:
			return o, errSyntax
		}
	}
	return o, noError
}

func xAutoClaim(c *Call) {
	o, err := c.parseAutoClaim()
	if err != noError {
		c.W.Error(err)
		return
	}
	key := c.Args[1]
	if _, g := c.groupOf(key, c.Args[2]); g == nil {
		return
	}
	it, _ := c.DB.Peek(key, c.NowMS)
	s := c.editStream(it)
	g := s.Group(c.Args[2])
	c.Silence()
	consumer, made := c.seeConsumer(s, g, key, c.Args[3])
	c.W.Array(3)
	start := len(c.W.Out)
	next, n := c.autoClaim(s, g, consumer, &o)
	if made && n == 0 {
		c.tellConsumer(key, g, c.Args[3])
	}
	c.prefix(start, n)
	var text [2*digitsMax + 1]byte
	c.prefixBulk(start, next.Append(text[:0]))
	c.W.Array(len(c.ids))
	for _, id := range c.ids {
		c.streamID(id)
	}
}

// autoClaim writes what it has claimed, and gives where the next call is to go on and how many there are; those that are deleted are in ids.
func (c *Call) autoClaim(s streams.Stream, g *streams.Group, consumer *streams.Consumer, o *autoClaimOptions) (next streams.ID, n int) {
	const triesACount = 10
	c.ids = c.ids[:0]
	claim := claimOptions{idle: o.idle, deliveredMS: c.NowMS, retries: -1, justID: o.justID}
	left, from := o.count, o.from
	for tries := o.count * triesACount; tries > 0 && left > 0; tries-- {
		p, ok := s.NextPending(g, from)
		if !ok {
			return streams.ID{}, n
		}
		switch {
		case !s.Has(p.ID):
			c.tellClaim(c.Args[1], g, &p)
			s.Ack(g, p.ID)
			c.Changed++
			c.ids = append(c.ids, p.ID)
			left--
		case c.claim(s, g, consumer, p.ID, &claim):
			n++
			left--
		}
		if from, ok = p.ID.Next(); !ok {
			return streams.ID{}, n
		}
	}
	if p, ok := s.NextPending(g, from); ok {
		return p.ID, n
	}
	return streams.ID{}, n
}
