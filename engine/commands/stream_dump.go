package commands

import (
	"larder/engine/store"
	"larder/engine/streams"
	"larder/protocol/encoding/rdb"
)

func dumpStream(c *Call, dst []byte, it store.Item) []byte {
	return c.streamOf(it).AppendRDB(append(dst, byte(rdb.TypeStream2)), c.compressor())
}

func loadStream(c *Call, in incoming) bool {
	l, ok := streams.Load(in.t, in.value)
	if ok {
		l.Fill(streams.New(c.DB, in.key, in.expiryMS, c.NowMS, &c.bytes))
	}
	return ok
}
