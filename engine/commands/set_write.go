package commands

import (
	"bytes"

	"larder/engine/sets"
	"larder/engine/store"
)

// editSet takes up the set of a key to change it; c.endSet is to follow. wrong as of openSet.
func (c *Call) editSet(key []byte) (e *sets.Edit, found, wrong bool) {
	it, found, wrong := c.lookKind(key, store.KindSetInt, store.KindSetBig)
	if wrong {
		return nil, false, true
	}
	e = &c.setEdit
	e.Begin(c.Store, c.DB, key, it, found, c.Limits.Set, c.NowMS)
	return e, found, false
}

// endSet writes the set of a key back and tells what happened to it: nothing with event "".
func (c *Call) endSet(e *sets.Edit, event string, key []byte) {
	gone := e.End()
	if event == "" {
		return
	}
	c.Did(ClassSet, event, key)
	if gone {
		c.Notify(ClassGeneric, "del", key)
	}
}

func sAdd(c *Call) {
	key, members := c.Args[1], c.Args[2:]
	e, _, wrong := c.editSet(key)
	if wrong {
		return
	}
	e.Expect(members[0], len(members))
	added := 0
	for _, member := range members {
		if e.Add(member) {
			added++
		}
	}
	c.Changed += added
	event := ""
	if added > 0 {
		event = "sadd"
	}
	c.endSet(e, event, key)
	c.W.Int(int64(added))
}

func sRem(c *Call) {
	key := c.Args[1]
	e, found, wrong := c.editSet(key)
	if wrong {
		return
	}
	removed := 0
	for _, member := range c.Args[2:] {
		if !found || e.Len() == 0 {
			break
		}
		if e.Remove(member) {
			removed++
		}
	}
	c.Changed += removed
	event := ""
	if removed > 0 {
		event = "srem"
	}
	c.endSet(e, event, key)
	c.W.Int(int64(removed))
}

// sMove looks at the destination's type even if the member is not there, but not if the source is not.
func sMove(c *Call) {
	from, to, member := c.Args[1], c.Args[2], c.Args[3]
	_, there := c.look(from)
	other, taken := c.look(to)
	if !there {
		c.W.Int(0)
		return
	}
	it, found := c.DB.Peek(from, c.NowMS) // the second look may have removed a dead key
	if !isSet(it) || taken && !isSet(other) {
		c.W.Error(errWrongType)
		return
	}
	if c.set.Open(c.Store, it); !c.set.Has(member) || bytes.Equal(from, to) {
		c.W.Int(flag(c.set.Has(member)))
		return
	}
	e := &c.setEdit
	e.Begin(c.Store, c.DB, from, it, found, c.Limits.Set, c.NowMS)
	e.Remove(member)
	c.endSet(e, "srem", from)
	c.Changed++

	other, taken = c.DB.Peek(to, c.NowMS)
	e.Begin(c.Store, c.DB, to, other, taken, c.Limits.Set, c.NowMS)
	e.Expect(member, 1)
	event := ""
	if e.Add(member) {
		c.Changed++
		event = "sadd"
	}
	c.endSet(e, event, to)
	c.W.Int(1)
}

func isSet(it store.Item) bool {
	kind := it.Kind()
	return kind >= store.KindSetInt && kind <= store.KindSetBig
}

func sPop(c *Call) {
	if len(c.Args) > 3 {
		c.W.Error(errSyntax)
		return
	}
	if len(c.Args) == 3 {
		c.popMembers()
		return
	}
	key := c.Args[1]
	e, found, wrong := c.editSet(key)
	switch {
	case wrong:
	case !found:
		c.W.Null()
	default:
		rank := c.Store.Rand().IntN(e.Len())
		member := e.At(rank)
		c.W.BulkBytes(member)
		c.Replace(3).Text("SREM").Bytes(key).Bytes(member)
		e.RemoveAt(rank)
		c.Changed++
		c.endSet(e, "spop", key)
	}
}

func (c *Call) popMembers() {
	count, err := positive(c.Args[2])
	if err != noError {
		c.W.Error(err)
		return
	}
	key := c.Args[1]
	e, found, wrong := c.editSet(key)
	if wrong {
		return
	}
	if !found || count == 0 {
		c.W.Set(0)
		return
	}
	n := e.Len()
	if count >= int64(n) {
		c.W.Set(n)
		for member := range e.All {
			if c.W.BulkBytes(member); c.full() {
				return
			}
		}
		e.Clear()
		c.Changed += n
		c.Replace(2).Text("UNLINK").Bytes(key)
		c.Hits++ // Redis reads them as the union of one set
	} else if !c.popSome(e, int(count)) {
		return
	}
	c.endSet(e, "spop", key)
}

// popSome takes out fewer members than there are. Not ok: the reply has become too long, and none was taken out.
func (c *Call) popSome(e *sets.Edit, count int) (ok bool) {
	c.W.Set(count)
	c.bytes = c.bytes[:0]
	c.sample(&e.View, count, func(member []byte) bool {
		c.bytes = appendMember(c.bytes, member)
		c.W.BulkBytes(member)
		return !c.full()
	})
	if c.TooLong {
		return false
	}
	c.tellRemoved(count)
	const shrink = 5 // a set that keeps less than a fifth of what it gives is made anew, and small if it can be (Redis 7.2 t_set.c, SPOP_MOVE_STRATEGY_MUL)
	if e.Kind() == store.KindSetBig && (e.Len()-count)*shrink <= count {
		c.remakeSet(e, count)
	} else {
		for member := range membersOf(c.bytes) {
			e.Remove(member)
		}
	}
	c.bytes = dropLarge(c.bytes)
	c.Changed += count
	return true
}

// remakeSet makes a set anew of what remains when the members in c.bytes, in the set's order, are gone.
func (c *Call) remakeSet(e *sets.Edit, count int) {
	popped := len(c.bytes)
	left := e.Len() - count
	at := 0
	for member := range e.All {
		if at < popped {
			first, rest := cutMember(c.bytes[at:popped])
			if bytes.Equal(first, member) {
				at = popped - len(rest)
				continue
			}
		}
		c.bytes = appendMember(c.bytes, member)
	}
	e.Remake(left)
	for member := range membersOf(c.bytes[popped:]) {
		e.Add(member)
	}
}
