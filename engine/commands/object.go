package commands

import (
	"math"

	"larder/engine/store"
	"larder/protocol/command"
)

// object finds the key of an OBJECT subcommand without touching it; not ok: there is none, and the answer was written. It counts as a read, but nobody is told
// of a miss, as in Redis.
func (c *Call) object() (store.Item, bool) {
	it, ok := c.DB.Peek(c.Args[2], c.NowMS)
	if ok {
		c.Hits++
	} else {
		c.Misses++
		c.W.Null()
	}
	return it, ok
}

func objectEncoding(c *Call) {
	if it, ok := c.object(); ok {
		c.W.Bulk(it.Encoding().String())
	}
}

// objectIdleTime and objectFreq exclude each other, as in Redis, which keeps either the one or the other; we have both.
func objectIdleTime(c *Call) {
	it, ok := c.object()
	switch {
	case !ok:
	case c.Store.Policy().LFU():
		c.W.Error(errNoIdleTime)
	default:
		c.W.Int(it.IdleMS(c.NowMS) / 1000)
	}
}

// objectFreq is 0 to 3, all that the eviction tells apart; Redis counts to 255 by the logarithm.
func objectFreq(c *Call) {
	it, ok := c.object()
	switch {
	case !ok:
	case !c.Store.Policy().LFU():
		c.W.Error(errNoFrequency)
	default:
		c.W.Int(int64(it.Freq()))
	}
}

func objectRefCount(c *Call) {
	if it, ok := c.object(); ok {
		c.W.Int(refCount(it))
	}
}

// refCount is as if small numbers were shared by all keys, as they are in Redis.
func refCount(it store.Item) int64 {
	const sharedNumbers, sharedCount = 10000, math.MaxInt32
	if n, isInt := it.Int(); isInt && 0 <= n && n < sharedNumbers {
		return sharedCount
	}
	return 1
}

func objectHelp(c *Call) { command.Help(c.W, command.ByID(command.CmdObject)) }
