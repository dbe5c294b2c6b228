package commands

import (
	"larder/engine/store"
	"larder/engine/zsets"
)

func dumpZSet(c *Call, dst []byte, it store.Item) []byte {
	v := zsets.Of(c.Store, it)
	return v.Dump(dst, c.compressor())
}

func loadZSet(c *Call, in incoming) bool {
	if !c.zbuild.Load(in.t, in.value) {
		return false
	}
	c.zbuild.Store(c.Store, c.DB, in.key, c.Limits.ZSet, in.expiryMS, c.NowMS)
	return true
}
