package commands

import (
	"larder/engine/lists"
	"larder/engine/store"
	"larder/protocol/command"
)

func listHandlers(h []Handler) {
	h[command.CmdLPush] = func(c *Call) { c.listPush(true, true) }
	h[command.CmdRPush] = func(c *Call) { c.listPush(false, true) }
	h[command.CmdLPushX] = func(c *Call) { c.listPush(true, false) }
	h[command.CmdRPushX] = func(c *Call) { c.listPush(false, false) }
	h[command.CmdLPop] = func(c *Call) { c.listPop(true) }
	h[command.CmdRPop] = func(c *Call) { c.listPop(false) }
	h[command.CmdLLen] = lLen
	h[command.CmdLIndex] = lIndex
	h[command.CmdLSet] = lSet
	h[command.CmdLInsert] = lInsert
	h[command.CmdLRange] = lRange
	h[command.CmdLTrim] = lTrim
	h[command.CmdLRem] = lRem
	h[command.CmdLPos] = lPos
	h[command.CmdLMove] = lMove
	h[command.CmdRPopLPush] = rPopLPush
	h[command.CmdLMPop] = lMPop
	h[command.CmdBLPop] = func(c *Call) { c.listPopWaiting(true) }
	h[command.CmdBRPop] = func(c *Call) { c.listPopWaiting(false) }
	h[command.CmdBLMove] = bLMove
	h[command.CmdBRPopLPush] = bRPopLPush
	h[command.CmdBLMPop] = bLMPop
}

// lookList finds a list; wrong: the value is of another type, and the error was written.
func (c *Call) lookList(key []byte) (it store.Item, found, wrong bool) {
	return c.lookKind(key, store.KindList, store.KindListBig)
}

// readList opens a list; the zero list if there is none.
func (c *Call) readList(key []byte) (l lists.List, found, wrong bool) {
	it, found, wrong := c.lookList(key)
	if found {
		l = lists.Open(it)
	}
	return l, found, wrong
}

// editList opens a list that lookList has found, or an empty one.
func (c *Call) editList(key []byte, it store.Item, found bool) *lists.Edit {
	c.list.Begin(c.DB, key, it, found, c.Limits.List, c.NowMS)
	return &c.list
}

// element writes an element.
func (c *Call) element(e lists.Element) {
	if e.IsInt() {
		c.W.BulkBytes(store.FormatInt(c.digits[:0], e.Int))
		return
	}
	c.W.BulkBytes(e.Text)
}

// listSpan makes places in n elements of two indexes, of which negative ones count from the end: none if first > last. An end before the first element is
// none, unlike in span.
func listSpan(start, end int64, n int) (first, last int) {
	if start < 0 {
		start = max(start+int64(n), 0)
	}
	if end < 0 {
		end += int64(n)
	}
	if start > end || start >= int64(n) {
		return n, n - 1
	}
	return int(start), int(min(end, int64(n)-1))
}

// listLost ends a change that took elements away, and tells of what came of it.
func (c *Call) listLost(l *lists.Edit, event string, key []byte) {
	c.Did(ClassList, event, key)
	if l.End(true) {
		c.Notify(ClassGeneric, "del", key)
	}
}

func loadList(c *Call, in incoming) bool {
	if packed, ok := lists.OnePack(in.t, in.value); ok {
		if text, ok := c.wholeString(packed); ok && lists.Whole(text, c.Limits.List) {
			c.DB.SetBlob(in.key, store.KindList, text, in.expiryMS, c.NowMS)
			return true
		}
	}
	return lists.Load(c.DB, in.key, in.t, in.value, c.Limits.List, in.expiryMS, c.NowMS)
}
