package commands

import "larder/engine/hashes"

// Fields that die are told as HDEL, before or after the commands that do not see them any more: where the commands are told, such fields are there until
// then. So a command is told of those fields only with which it has done something, and without the conditions that it had.

// tellFields tells that a command, HDEL or HPERSIST, did its work on the fields in c.did.
func (c *Call) tellFields(name string) {
	if len(c.did) == 0 || !c.tells() {
		return
	}
	var e *Effects
	if name == "HDEL" {
		e = c.Replace(2 + len(c.did)).Text(name).Bytes(c.Args[1])
	} else {
		e = c.Replace(4 + len(c.did)).Text(name).Bytes(c.Args[1]).Text("FIELDS").Int(int64(len(c.did)))
	}
	for _, field := range c.did {
		e.Bytes(field)
	}
}

// tellFieldsUntil tells that the fields in c.did die at a time.
func (c *Call) tellFieldsUntil(when int64) {
	if !c.tells() {
		return
	}
	e := c.Replace(5 + len(c.did)).Text("HPEXPIREAT").Bytes(c.Args[1]).Int(when).Text("FIELDS").Int(int64(len(c.did)))
	for _, field := range c.did {
		e.Bytes(field)
	}
}

// tellTimedFields tells of HSETEX with fields that live. Dead ones keep no time.
func (c *Call) tellTimedFields(e *hashes.Edit, pairs [][]byte, o *fieldOptions, when int64) {
	if !c.tells() {
		return
	}
	n := 4 + len(pairs)
	switch {
	case o.keepTTL:
		c.tellDeadAlive(e, pairs)
		c.Replace(n + 1).Text("HSETEX").Bytes(c.Args[1]).Text("KEEPTTL")
	case o.time.kind != timeNone:
		c.Replace(n + 2).Text("HSETEX").Bytes(c.Args[1]).Text("PXAT").Int(when)
	default:
		c.Replace(n).Text("HSETEX").Bytes(c.Args[1])
	}
	t := c.Effects.Text("FIELDS").Int(int64(len(pairs) / 2))
	for _, text := range pairs {
		t.Bytes(text)
	}
}

// tellDeadAlive tells that those of the fields that are dead have no time any more.
func (c *Call) tellDeadAlive(e *hashes.Edit, pairs [][]byte) {
	if !e.HasDead() {
		return
	}
	h := e.Hash()
	for i := 0; i < len(pairs); i += 2 {
		if _, found := h.Get(pairs[i]); !found {
			c.Replace(4).Text("HSET").Bytes(c.Args[1]).Bytes(pairs[i]).Bytes(pairs[i+1])
		}
	}
}

// tellDeadFields tells of n fields of a hash that have died, which are in c.bytes.
func (c *Call) tellDeadFields(key []byte, n int) {
	if n == 0 || c.Effects.On == 0 {
		return
	}
	c.Effects.begin(c.DBIndex, 2+n)
	c.Effects.Text("HDEL").Bytes(key)
	for name := range membersOf(c.bytes) {
		c.Effects.Bytes(name)
	}
}
