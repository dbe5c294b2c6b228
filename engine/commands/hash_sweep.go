package commands

import (
	"larder/engine/hashes"
	"larder/engine/store"
)

// SweepHash removes fields of a hash whose time has come, at most most of them, and tells of that: it is called for what Options.Due of the store was told.
// more: others are due too. DB, DBIndex and NowMS are to be set.
func (c *Call) SweepHash(key []byte, most int) (more bool) {
	it, found := c.DB.Peek(key, c.NowMS)
	if !found || it.Kind() != store.KindHashBig {
		return false
	}
	e := &c.hashEdit
	e.Begin(c.Store, c.DB, key, it, true, hashes.Limits{}, c.NowMS)
	c.bytes = c.bytes[:0]
	n := e.Sweep(most, func(name []byte) { c.bytes = appendMember(c.bytes, name) })
	c.tellDeadFields(key, n)
	gone := e.End()
	if n == 0 {
		return false
	}
	c.Changed += n
	c.Touch(key)
	c.Notify(ClassHash, "hexpired", key)
	if gone {
		c.Notify(ClassGeneric, "del", key)
	}
	return !gone && n == most
}
