package commands

import (
	"larder/engine/store"
	"larder/protocol/encoding/rdb"
)

// How commands are told whose own words say not enough: Redis 7.0 tells them so too, but where it says otherwise.

// tellSet tells of a value, an argument, that the command's key got with its time to die.
func (c *Call) tellSet(value int, expiryMS int64) {
	c.Replace(5).Text("SET").Bytes(c.Args[1]).Large(c.Args[value]).Text("PXAT").Int(expiryMS)
}

// tellWithoutGet tells of a SET without the word that has it answer the old value.
func (c *Call) tellWithoutGet() {
	if !c.tells() {
		return
	}
	n := len(c.Args)
	for _, word := range c.Args[3:] {
		if is(word, "get") {
			n--
		}
	}
	e := c.Replace(n)
	for i, arg := range c.Args {
		if i < 3 || !is(arg, "get") {
			e.Bytes(arg)
		}
	}
}

// tellRestore tells of a RESTORE with the time at which the value dies; dead: it has died at once, and with it what the key had. A payload of a newer version
// than Redis 7.0 reads is made anew.
func (c *Call) tellRestore(expiryMS int64, dead bool, version int, o restoreOptions) {
	switch {
	case c.Changed == 0 || !c.tells():
	case dead:
		c.Replace(2).Text("UNLINK").Bytes(c.Args[1])
	case expiryMS != store.NoExpiry || version > rdb.Version:
		n := len(c.Args)
		if !o.absolute {
			n++
		}
		payload := c.Args[3]
		if it, found := c.DB.Peek(c.Args[1], c.NowMS); found && version > rdb.Version {
			c.bytes = rdb.AppendFooter(c.appendValue(c.bytes[:0], it), 0)
			payload = c.bytes
		}
		e := c.Replace(n).Bytes(c.Args[0]).Bytes(c.Args[1]).Int(expiryMS).Bytes(payload)
		for _, arg := range c.Args[4:] {
			e.Bytes(arg)
		}
		if !o.absolute {
			e.Text("ABSTTL")
		}
		c.trim()
	}
}

// popCommands are the commands that pop, by atFront.
var popCommands = [...]string{"RPOP", "LPOP"}

// tellMove tells of an element that was moved by a command that would have waited for it.
func (c *Call) tellMove() {
	switch {
	case c.Changed == 0 || !c.tells():
	case len(c.Args) == 4:
		c.Replace(3).Text("RPOPLPUSH").Bytes(c.Args[1]).Bytes(c.Args[2])
	default:
		c.Replace(5).Text("LMOVE").Bytes(c.Args[1]).Bytes(c.Args[2]).Bytes(c.Args[3]).Bytes(c.Args[4])
	}
}

// tellList tells that a key has a list of these elements now, whatever it had.
func (c *Call) tellList(key []byte, texts [][]byte) {
	if !c.tells() {
		return
	}
	c.Replace(2).Text("UNLINK").Bytes(key)
	for len(texts) > 0 {
		some := texts[:min(len(texts), elementsMax)]
		e := c.Replace(2 + len(some)).Text("RPUSH").Bytes(key)
		for _, text := range some {
			e.Bytes(text)
		}
		texts = texts[len(some):]
	}
}

// elementsMax is how many members or elements are told in one command.
const elementsMax = 1024

// tellRemoved tells that count members, which are in c.bytes, were taken out of the set of the command's key.
func (c *Call) tellRemoved(count int) {
	if !c.tells() {
		return
	}
	var e *Effects
	i := 0
	for member := range membersOf(c.bytes) {
		if i%elementsMax == 0 {
			e = c.Replace(2 + min(count-i, elementsMax)).Text("SREM").Bytes(c.Args[1])
		}
		e.Bytes(member)
		i++
	}
}
