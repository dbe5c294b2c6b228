package commands

import (
	"larder/engine/hashes"
	"larder/engine/store"
	"larder/protocol/command"
)

const (
	errHashNotInt   = "ERR hash value is not an integer"
	errHashNotFloat = "ERR hash value is not a float"
	errNotFinite    = "ERR value is NaN or Infinity"
	errRange        = "ERR value is out of range"
	errNotLong      = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
	errNumFields    = "ERR numfields should be greater than 0 and match the provided number of fields"
)

func hashHandlers(h []Handler) {
	h[command.CmdHGet] = hGet
	h[command.CmdHMGet] = hMGet
	h[command.CmdHGetAll] = hGetAll
	h[command.CmdHKeys] = hKeys
	h[command.CmdHVals] = hVals
	h[command.CmdHLen] = hLen
	h[command.CmdHStrLen] = hStrLen
	h[command.CmdHExists] = hExists
	h[command.CmdHRandField] = hRandField
	h[command.CmdHScan] = hScan
	h[command.CmdHSet] = hSet
	h[command.CmdHMSet] = hMSet
	h[command.CmdHSetNX] = hSetNX
	h[command.CmdHDel] = hDel
	h[command.CmdHIncrBy] = hIncrBy
	h[command.CmdHIncrByFloat] = hIncrByFloat

	h[command.CmdHExpire] = hExpire
	h[command.CmdHPExpire] = hPExpire
	h[command.CmdHExpireAt] = hExpireAt
	h[command.CmdHPExpireAt] = hPExpireAt
	h[command.CmdHExpireTime] = hExpireTime
	h[command.CmdHPExpireTime] = hPExpireTime
	h[command.CmdHTTL] = hTTL
	h[command.CmdHPTTL] = hPTTL
	h[command.CmdHPersist] = hPersist
	h[command.CmdHGetEx] = hGetEx
	h[command.CmdHSetEx] = hSetEx
	h[command.CmdHGetDel] = hGetDel
}

// hash finds the hash of the command's key, an empty one if there is no such key. wrong: it has a value of another type, and the error was written.
func (c *Call) hash() (h hashes.Hash, wrong bool) {
	it, found, wrong := c.lookKind(c.Args[1], store.KindHash, store.KindHashBig)
	if found {
		h = hashes.Open(c.Store, it, c.NowMS)
	}
	return h, wrong
}

// editHash takes up the hash of the command's key to change it; c.endHash is to follow. wrong as of hash.
func (c *Call) editHash() (e *hashes.Edit, found, wrong bool) {
	it, found, wrong := c.lookKind(c.Args[1], store.KindHash, store.KindHashBig)
	if wrong {
		return nil, false, true
	}
	e = &c.hashEdit
	e.Begin(c.Store, c.DB, c.Args[1], it, found, c.Limits.Hash, c.NowMS)
	return e, found, false
}

// endHash writes the hash back and tells what happened to it: one event, and another if no field is left. With event "" nothing did.
func (c *Call) endHash(e *hashes.Edit, event string) {
	key := c.Args[1]
	gone := e.End()
	if event == "" {
		return
	}
	c.Touch(key)
	c.Notify(ClassHash, event, key)
	if gone {
		c.Notify(ClassGeneric, "del", key)
	}
}

// hashText writes a field or a value.
func (c *Call) hashText(t hashes.Text) {
	if t.IsInt() {
		c.W.BulkInt(t.Int)
	} else {
		c.W.BulkBytes(t.Text)
	}
}

// hashValue writes a value, null if there is none.
func (c *Call) hashValue(t hashes.Text, found bool) {
	if found {
		c.hashText(t)
	} else {
		c.W.Null()
	}
}
