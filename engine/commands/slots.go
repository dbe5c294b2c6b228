package commands

import (
	"larder/engine/store"
	"larder/protocol/resp"
)

// parseSlot reads the number of a slot and, where one follows, of keys (Redis 7.0 cluster.c, clusterCommand).
func parseSlot(args [][]byte, outside string) (slot, count int64, err string) {
	numbers := [2]int64{}
	for i, arg := range args {
		n, ok := resp.ParseNumber(arg)
		if !ok {
			return 0, 0, errNotInt
		}
		numbers[i] = n
	}
	slot, count = numbers[0], numbers[1]
	if slot < 0 || slot >= store.Slots || count < 0 {
		return 0, 0, outside
	}
	return slot, count, noError
}

// countKeysInSlot counts in the client's database, and says nothing of whose the slot is.
func countKeysInSlot(c *Call) {
	slot, _, err := parseSlot(c.Args[2:], errSlot)
	if err != noError {
		c.W.Error(err)
		return
	}
	c.W.Int(int64(c.DB.CountSlot(int(slot), c.NowMS)))
}

func getKeysInSlot(c *Call) {
	slot, most, err := parseSlot(c.Args[2:], errSlotOrCount)
	if err != noError {
		c.W.Error(err)
		return
	}
	head, n := len(c.W.Out), int64(0)
	if most > 0 {
		c.DB.EachOfSlot(int(slot), c.NowMS, func(it store.Item) bool {
			c.W.BulkBytes(it.Key())
			n++
			return n < most && !c.full()
		})
	}
	insertArray(c.W, head, int(n))
}
