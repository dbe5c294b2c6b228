package commands

import (
	"larder/engine/hashes"
	"larder/engine/store"
)

func loadHash(c *Call, in incoming) bool {
	pairs, ok := hashes.Parse(in.t, in.value)
	if !ok {
		return false
	}
	c.DB.Delete(in.key, c.NowMS)
	e := &c.hashEdit
	e.Begin(c.Store, c.DB, in.key, store.Item{}, false, c.Limits.Hash, c.NowMS)
	for i := range pairs {
		e.Set(pairs[i].Field, pairs[i].Value, pairs[i].ExpiryMS)
	}
	e.End()
	if it, ok := c.DB.Peek(in.key, c.NowMS); ok {
		it.Expire(in.expiryMS, c.NowMS)
	}
	return true
}
