package commands

import (
	"larder/engine/hashes"
	"larder/engine/store"
	"larder/protocol/command"
)

func hSet(c *Call) {
	if created, ok := c.setFields(); ok {
		c.W.Int(int64(created))
	}
}

func hMSet(c *Call) {
	if _, ok := c.setFields(); ok {
		c.W.OK()
	}
}

// setFields sets the pairs that follow the key and gives the number of new fields. Not ok: it could not, and the error was written.
func (c *Call) setFields() (created int, ok bool) {
	if len(c.Args)%2 != 0 {
		c.W.Error(command.ArityError(c.Row))
		return 0, false
	}
	it, found, wrong := c.lookKind(c.Args[1], store.KindHash, store.KindHashBig)
	if wrong {
		return 0, false
	}
	key, pairs := c.Args[1], c.Args[2:]
	c.Changed += len(pairs) / 2
	if found && len(pairs) == 2 && hashes.Overwrite(it, pairs[0], pairs[1], c.Limits.Hash) {
		c.Touch(key)
		c.Notify(ClassHash, "hset", key)
		return 0, true
	}
	e := &c.hashEdit
	e.Begin(c.Store, c.DB, key, it, found, c.Limits.Hash, c.NowMS)
	e.Fit(pairs)
	for i := 0; i < len(pairs); i += 2 {
		if e.Set(pairs[i], pairs[i+1], store.NoExpiry) {
			created++
		}
	}
	c.endHash(e, "hset")
	return created, true
}

func hSetNX(c *Call) {
	e, _, wrong := c.editHash()
	if wrong {
		return
	}
	h := e.Hash()
	if _, has := h.Get(c.Args[2]); has {
		c.endHash(e, "")
		c.W.Int(0)
		return
	}
	if e.HasDead() { // which may be this one, and is there where this is told
		c.Replace(4).Text("HSET").Bytes(c.Args[1]).Bytes(c.Args[2]).Bytes(c.Args[3])
	}
	e.Set(c.Args[2], c.Args[3], store.NoExpiry)
	c.Changed++
	c.endHash(e, "hset")
	c.W.Int(1)
}

func hDel(c *Call) {
	e, _, wrong := c.editHash()
	if wrong {
		return
	}
	event := ""
	for _, name := range c.Args[2:] {
		if e.Delete(name) {
			c.Changed++
			event = "hdel"
		}
	}
	if e.Buried() {
		c.tellAnyway()
	}
	c.endHash(e, event)
	c.W.Int(int64(c.Changed))
}
