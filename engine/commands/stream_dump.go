package commands

import (
	"larder/engine/streams"
)

func loadStream(c *Call, in incoming) bool {
	l, ok := streams.Load(in.t, in.value)
	if ok {
		if l.Lost {
			c.Lost++
		}
		l.Fill(streams.New(c.DB, in.key, in.expiryMS, c.NowMS, &c.bytes))
	}
	return ok
}
