package commands

import (
	"larder/engine/store"
	"larder/protocol/command"
	"larder/protocol/resp"
)

func keys(c *Call) {
	pattern := c.Args[1]
	head := len(c.W.Out)
	n := 0
	c.DB.Each(c.NowMS, func(it store.Item) bool {
		if key := it.Key(); command.Match(pattern, key) {
			c.W.BulkBytes(key)
			n++
		}
		return !c.full()
	})
	insertArray(c.W, head, n)
}

// insertArray puts the head of an array of n elements before the elements that were written from at on.
func insertArray(w *resp.Writer, at, n int) {
	var room [32]byte
	insert(w, at, resp.AppendArray(room[:0], n))
}

// insert puts a head before what was written from at on.
func insert(w *resp.Writer, at int, head []byte) {
	end := len(w.Out)
	w.Out = append(w.Out, head...)
	copy(w.Out[at+len(head):], w.Out[at:end])
	copy(w.Out[at:], head)
}

func randomKey(c *Call) {
	if key, ok := c.DB.Random(c.NowMS); ok {
		c.W.BulkBytes(key)
	} else {
		c.W.Null()
	}
}

// dbSize counts dead keys that were not yet removed, as Redis does.
func dbSize(c *Call) { c.W.Int(int64(c.DB.Len())) }

// parseFlush: SYNC and ASYNC are the same to us.
func parseFlush(args [][]byte) (err string) {
	if len(args) == 0 || len(args) == 1 && (is(args[0], "sync") || is(args[0], "async")) {
		return noError
	}
	return errSyntax
}

func (c *Call) beforeFlush(db int) {
	if c.BeforeFlush != nil {
		c.BeforeFlush(db)
	}
}

func flushDB(c *Call) {
	if err := parseFlush(c.Args[1:]); err != noError {
		c.W.Error(err)
		return
	}
	c.beforeFlush(c.DBIndex)
	c.Changed = c.DB.Flush()
	c.tellAnyway()
	c.W.OK()
}

// flushAll counts keys as its changes, as Redis does: whoever passes changes on has to pass it on even when there was nothing to remove.
func flushAll(c *Call) {
	if err := parseFlush(c.Args[1:]); err != noError {
		c.W.Error(err)
		return
	}
	for db := range c.Store.Databases() {
		c.beforeFlush(db)
	}
	c.Changed = c.Store.Flush()
	c.tellAnyway()
	c.W.OK()
}
