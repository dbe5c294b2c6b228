package commands

import (
	"larder/engine/store"
	"larder/engine/zsets"
	"larder/protocol/encoding/rdb"
)

func loadZSet(c *Call, in incoming) bool {
	if in.t == rdb.TypeZSetListpack {
		form := packForm{store.KindZSet, 2, c.Limits.ZSet.EntriesMax, c.Limits.ZSet.ValueMax}
		if l, ok := c.pack(in.value, form); ok && zsets.Whole(l) {
			c.DB.SetBlob(in.key, form.kind, l, in.expiryMS, c.NowMS)
			return true
		}
	}
	if !c.zbuild.Load(c.Store, in.t, in.value) {
		return false
	}
	c.zbuild.Store(c.Store, c.DB, in.key, c.Limits.ZSet, in.expiryMS, c.NowMS)
	return true
}
