package commands

import (
	"larder/engine/hashes"
	"larder/engine/store"
	"larder/protocol/encoding/rdb"
)

func loadHash(c *Call, in incoming) bool {
	form := packForm{store.KindHash, 2, c.Limits.Hash.Entries, c.Limits.Hash.Value}
	switch in.t {
	case rdb.TypeHash:
		texts, ok := c.texts(in.value, form.each)
		return ok && (c.loadTexts(in, texts, form) ||
			hashes.Fill(c.Store, c.DB, in.key, texts, &c.order, in.expiryMS, c.NowMS))
	case rdb.TypeHashListpack:
		if l, ok := c.pack(in.value, form); ok {
			c.DB.SetBlob(in.key, form.kind, l, in.expiryMS, c.NowMS)
			return true
		}
	}
	return c.loadFields(in)
}

// loadFields is loadHash field by field.
func (c *Call) loadFields(in incoming) bool {
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
