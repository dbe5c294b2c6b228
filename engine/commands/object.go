package commands

import (
	"math"

	"larder/engine/store"
	"larder/protocol/command"
)

// object finds the key of an OBJECT subcommand without touching it; not ok: there is none, and the answer was written.
func (c *Call) object() (store.Item, bool) {
	it, ok := c.DB.Peek(c.Args[2], c.NowMS)
	if !ok {
		c.W.Null()
	}
	return it, ok
}

func objectEncoding(c *Call) {
	if it, ok := c.object(); ok {
		c.W.Bulk(it.Encoding().String())
	}
}

func objectIdleTime(c *Call) {
	if it, ok := c.object(); ok {
		c.W.Int(it.IdleMS(c.NowMS) / 1000)
	}
}

// objectFreq has nothing to tell: frequencies are kept only under a policy that evicts by them.
func objectFreq(c *Call) {
	if _, ok := c.object(); ok {
		c.W.Error(errNoFrequency)
	}
}

// objectRefCount answers as if small numbers were shared by all keys, as they are in Redis.
func objectRefCount(c *Call) {
	const sharedNumbers, sharedCount = 10000, math.MaxInt32
	it, ok := c.object()
	if !ok {
		return
	}
	if n, isInt := it.Int(); isInt && 0 <= n && n < sharedNumbers {
		c.W.Int(sharedCount)
		return
	}
	c.W.Int(1)
}

func objectHelp(c *Call) { command.Help(c.W, command.ByID(command.CmdObject)) }
