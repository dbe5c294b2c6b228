package commands

import "larder/engine/streams"

// id is the next argument.
func (e *Effects) id(id streams.ID) *Effects {
	if e == nil {
		return e
	}
	var text [2*digitsMax + 1]byte
	return e.Bytes(id.Append(text[:0]))
}

// tellAdd tells of an XADD with its ID, and with how far the stream was trimmed.
func (c *Call) tellAdd(s streams.Stream, id streams.ID, o *trimOptions) {
	if !c.tells() {
		return
	}
	fields := c.Args[o.next:]
	n := 3 + len(fields)
	if o.noMake {
		n++
	}
	if o.given {
		n += trimWords
	}
	e := c.Replace(n).Text("XADD").Bytes(c.Args[1])
	if o.noMake {
		e.Text("NOMKSTREAM")
	}
	if o.given {
		e.trimmed(s, o)
	}
	e.id(id)
	for _, text := range fields {
		e.Bytes(text)
	}
}

// tellTrim tells of an XTRIM as far as it went.
func (c *Call) tellTrim(s streams.Stream, o *trimOptions) {
	if c.tells() {
		c.Replace(2+trimWords).Text("XTRIM").Bytes(c.Args[1]).trimmed(s, o)
	}
}

// trimWords is how many arguments trimmed takes.
const trimWords = 3

// trimmed says to what a stream was trimmed. Approximate trimming ends at borders of blocks, which are each node's own: what is told is exact.
func (e *Effects) trimmed(s streams.Stream, o *trimOptions) {
	switch {
	case o.trim.ByID && !o.trim.Approx:
		e.Text("MINID").Text("=").id(o.trim.MinID)
	case o.trim.ByID && s.Len() > 0:
		e.Text("MINID").Text("=").id(s.FirstID())
	case o.trim.Approx:
		e.Text("MAXLEN").Text("=").Int(int64(s.Len()))
	default:
		e.Text("MAXLEN").Text("=").Int(o.trim.Len)
	}
}

// tellClaim tells that an entry of a stream is pending for a consumer, who is made by that if need be. A replica that lacks the entry forgets it.
func (c *Call) tellClaim(key []byte, g *streams.Group, p *streams.Pending) {
	if !c.tells() {
		return
	}
	e := c.Replace(14).Text("XCLAIM").Bytes(key).Text(g.Name).Text(p.Consumer.Name).Int(0).id(p.ID)
	e.Text("TIME").Int(p.DeliveredMS).Text("RETRYCOUNT").Int(int64(p.Count)).Text("FORCE").Text("JUSTID").Text("LASTID").id(g.LastID)
}

// tellGroupID tells where a group is.
func (c *Call) tellGroupID(key []byte, g *streams.Group) {
	c.Replace(7).Text("XGROUP").Text("SETID").Bytes(key).Text(g.Name).id(g.LastID).Text("ENTRIESREAD").Int(g.EntriesRead)
}

// tellConsumer tells that a consumer was made who has got nothing.
func (c *Call) tellConsumer(key []byte, g *streams.Group, name []byte) {
	c.Replace(5).Text("XGROUP").Text("CREATECONSUMER").Bytes(key).Text(g.Name).Bytes(name)
}
